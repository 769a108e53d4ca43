"""What two speakers agree on, with every implementation that has it: one lab of
FRR, BIRD, GoBGP, OpenBGPD and ExaBGP around one torii, a test for each feature."""

import re
import signal

import pytest
from lab import Lab, wait_for
from routers import Bird, ExaBgp, Frr, GoBgp, OpenBgpd, Torii

KEY = "interop"
NAMES = ["frr", "bird", "gobgp", "openbgpd", "exabgp"]
NODE = {name: n for n, name in enumerate(NAMES, 1)}


def address(name):
    return f"10.0.0.1{NODE[name]}"


def own(name):
    return f"10.244.{NODE[name]}.0/24"


# Everybody announces its own prefix with a large community, and 198.18.0.1/32,
# so that there are several paths of one prefix. torii is a route server here:
# without ports it forwards nothing, and next hops are the peers' business.
def torii_config():
    neighbors = ", ".join(
        f'{{ address = "{address(name)}"; remote_as = 6460{n}; password = "{KEY}"; {extra} }}'
        for (name, n), extra in zip(NODE.items(), [
            'role = "provider"; long_lived_stale_time = 600;', 'role = "provider";', "",
            'role = "provider";', ""]))
    six = ", ".join(f'{{ address = "fd00::1{n}"; remote_as = 6460{n}; families = [ "ipv4" ]; }}'
                    for n in (1, 2))
    return f"""
        policies = {{
          out = ( {{ set = {{ add_community = [ "64512:7:7", "64512:7" ]; }}; }} );
          plain = ( {{ match = {{ family = "ipv4"; }}; }} );
        }};
        bgp = {{
          asn = 64512; router_id = "10.0.0.1";
          defaults = {{ import = "any"; export_policy = "out"; add_path = "both"; hold_time = 9;
                       connect_retry = 1; }};
          neighbors = ( {neighbors}, {six} );
          networks = [ "192.0.2.0/24" ];
          mrt = {{ directory = "@MRT@"; }};
        }};
        management = {{ socket = "@SOCKET@"; http = []; }};
        """


def frr(host):
    return Frr(host, f"""
        bgp large-community-list standard own permit 64512:1:1
        route-map own permit 10
         set large-community 64512:1:1
        router bgp 64601
         bgp router-id 10.0.0.11
         no bgp ebgp-requires-policy
         no bgp network import-check
         bgp graceful-restart
         bgp graceful-restart restart-time 60
         bgp graceful-restart preserve-fw-state
         timers bgp 3 9
         neighbor 10.0.0.1 remote-as 64512
         neighbor 10.0.0.1 password {KEY}
         neighbor 10.0.0.1 timers connect 1
         neighbor 10.0.0.1 local-role customer
         neighbor fd00::1 remote-as 64512
         neighbor fd00::1 timers connect 1
         neighbor fd00::1 capability extended-nexthop
         address-family ipv4 unicast
          network 10.244.1.0/24 route-map own
          network 198.18.0.1/32
          network 10.245.1.0/24
          neighbor 10.0.0.1 addpath-tx-all-paths
          neighbor fd00::1 activate
         exit-address-family
        """)


def bird(host):
    return Bird(host, f"""
        router id 10.0.0.12;
        protocol device {{}}
        protocol static {{ ipv4;
          route 10.244.2.0/24 unreachable {{ bgp_large_community.add((64512, 1, 2)); }};
          route 198.18.0.1/32 unreachable; route 10.245.2.0/24 unreachable; }}
        template bgp common {{
          local as 64602; hold time 9; graceful restart on;
          connect delay time 1; connect retry time 2; error wait time 1, 2;
          enable extended messages on;
          ipv4 {{ import all; export where source = RTS_STATIC; add paths on; extended next hop on;
                 import table on; }};
        }}
        protocol bgp uplink from common {{ neighbor 10.0.0.1 as 64512; password "{KEY}";
          local role customer; }}
        protocol bgp six from common {{ neighbor fd00::1 as 64512; }}
        """)


def gobgp(host):
    return GoBgp(host, f"""
        [global.config]
          as = 64603
          router-id = "10.0.0.13"
          port = -1
        [[neighbors]]
          [neighbors.config]
            neighbor-address = "10.0.0.1"
            peer-as = 64512
            auth-password = "{KEY}"
          [neighbors.timers.config]
            hold-time = 9
            connect-retry = 5
            idle-hold-time-after-reset = 5
          [neighbors.graceful-restart.config]
            enabled = true
            restart-time = 60
            notification-enabled = true
          [[neighbors.afi-safis]]
            [neighbors.afi-safis.config]
              afi-safi-name = "ipv4-unicast"
            [neighbors.afi-safis.mp-graceful-restart.config]
              enabled = true
            [neighbors.afi-safis.add-paths.config]
              receive = true
              send-max = 8
        """)


def openbgpd(host):
    return OpenBgpd(host, f"""
        AS 64604
        router-id 10.0.0.14
        holdtime 9
        network 10.244.4.0/24 set large-community 64512:1:4
        network 198.18.0.1/32
        network 10.245.4.0/24
        neighbor 10.0.0.1 {{
          remote-as 64512
          tcp md5sig password {KEY}
          announce add-path recv yes
          announce add-path send all
          announce enhanced refresh yes
          announce policy customer
        }}
        allow from any
        allow to any
        """)


def exabgp(host):
    return ExaBgp(host, f"""
        template {{ neighbor common {{
          router-id 10.0.0.15; local-as 64605; peer-as 64512; hold-time 9;
          family {{ ipv4 unicast; }}
          api {{ processes [ watch ]; receive {{ parsed; update; }} }}
        }} }}
        neighbor 10.0.0.1 {{
          inherit common;
          local-address 10.0.0.15; md5-password "{KEY}";
          capability {{ add-path send/receive; route-refresh; graceful-restart 60; extended-message; }}
          static {{
            route 10.244.5.0/24 next-hop 10.0.0.15 large-community [ 64512:1:5 ] path-information 0.0.0.1;
            route 198.18.0.1/32 next-hop 10.0.0.15 path-information 0.0.0.1;
            route 10.245.5.0/24 next-hop 10.0.0.15 path-information 0.0.0.1;
          }}
        }}
        """)


class World:
    def __init__(self, lab):
        fabric = lab.bridge("fabric")
        self.gateway = lab.namespace("gw")
        lab.plug(fabric, self.gateway, "eth0")
        self.gateway.address("eth0", "10.0.0.1/24", "fd00::1/64")
        self.peers = {}
        for name, make in zip(NAMES, [frr, bird, gobgp, openbgpd, exabgp]):
            host = lab.namespace(name)
            lab.plug(fabric, host, "eth0")
            host.address("eth0", f"{address(name)}/24", f"fd00::1{NODE[name]}/64")
            self.peers[name] = make(host)
        mrt = lab.directory / "mrt"
        mrt.mkdir()
        self.torii = Torii(self.gateway, torii_config().replace("@MRT@", str(mrt)))

    def start(self):
        self.torii.start()
        for peer in self.peers.values():
            peer.start()
        wait_for("gobgp is up", lambda: "10.0.0.13" in self.torii.api.established(), 30)
        for prefix in ("10.244.3.0/24", "198.18.0.1/32", "10.245.3.0/24"):
            self.peers["gobgp"].ctl("global", "rib", "add", prefix, *(
                ["large-community", "64512:1:3"] if prefix == own("gobgp") else []))
        wait_for("all sessions are up", lambda: len(self.torii.api.established()) == 7, 30)
        return self

    def capabilities(self, name):
        return self.torii.api.neighbors()[address(name)]["capabilities"]

    def rows(self, prefix, table="rib"):
        return self.torii.api.get(f"/api/v1/routes?table={table}&prefix={prefix}")["routes"]

    def path(self, prefix, peer):
        """torii's path to the prefix by that peer."""
        rows = self.torii.api.get(f"/api/v1/routes?table=adj-in&neighbor={peer}&prefix={prefix}")["routes"]
        return rows[0]["bgp"] if rows else None


@pytest.fixture(scope="module")
def world(lab_prefix, request):
    with Lab(lab_prefix + "-features") as lab:
        world = World(lab)
        try:
            yield world.start()
        finally:
            if request.session.testsfailed or world.torii.process.poll() is not None:
                for name, process in lab.processes.items():
                    print(f"----- {name}\n{process.log_file.read_text(errors='replace')[-5000:]}")
        assert world.torii.stop() == 0, world.torii.log()
        assert "Sanitizer" not in world.torii.log()


EVERYBODY = pytest.mark.parametrize("name", NAMES)


@EVERYBODY
def test_md5_sessions_are_up_and_carry_routes(world, name):
    wait_for("its route is there", lambda: world.path(own(name), address(name)), 20)


@EVERYBODY
def test_large_communities_come_and_go(world, name):
    found = wait_for("its route is there", lambda: world.path(own(name), address(name)), 20)
    assert f"64512:1:{NODE[name]}" in found["communities"]
    peer = world.peers[name]
    shown = {
        "frr": lambda: peer.vty("show bgp ipv4 unicast 192.0.2.0/24"),
        "bird": lambda: peer.ctl("show", "route", "192.0.2.0/24", "all"),
        "gobgp": lambda: peer.ctl("global", "rib", "192.0.2.0/24"),
        "openbgpd": lambda: peer.ctl("show", "rib", "detail", "192.0.2.0/24"),
        "exabgp": lambda: peer.heard(),
    }[name]
    said = r"64512\D+7\D+7\b"
    wait_for("our own arrives there", lambda: re.search(said, shown()), 15)


@EVERYBODY
def test_add_path_brings_the_other_paths_too(world, name):
    assert "add-path-receive" in world.capabilities(name) or name == "bird"
    assert "add-path-send" in world.capabilities(name)
    peer = world.peers[name]
    counted = {
        "frr": lambda: len(peer.json("show bgp ipv4 unicast 198.18.0.1/32")["paths"]),
        "bird": lambda: peer.ctl("show", "route", "198.18.0.1/32", "all").count("BGP.as_path: 64512"),
        "gobgp": lambda: peer.ctl("neighbor", "10.0.0.1", "adj-in").count("198.18.0.1/32"),
        "openbgpd": lambda: peer.ctl("show", "rib", "in", "198.18.0.1/32").count("64512"),
        "exabgp": lambda: len(set(re.findall(
            r'"nlri": "198.18.0.1/32", "path-information": "([0-9.]+)"', peer.heard()))),
    }[name]
    wait_for("paths of at least three others are there", lambda: counted() >= 3, 20)


@EVERYBODY
def test_route_refresh_is_asked_for_and_answered(world, name):
    assert "route-refresh" in world.capabilities(name)
    if name == "exabgp":  # 4.2 closes the connection when it is asked
        return
    peer, before = world.peers[name], world.torii.api.neighbors()[address(name)]

    def counter(key):
        return world.torii.api.neighbors()[address(name)][key]
    world.torii.cli("bgp", "soft-in", address(name))
    if name != "openbgpd":  # tells nothing when nothing has changed
        wait_for("it sends all again", lambda: counter("updates_received") > before["updates_received"], 15)
    # BIRD has an import table and GoBGP keeps what it hears: they ask nobody.
    ask = {"frr": lambda: peer.vty("clear bgp 10.0.0.1 in"),
           "openbgpd": lambda: peer.ctl("neighbor", "10.0.0.1", "refresh")}.get(name)
    if ask:
        sent = counter("updates_sent")
        ask()
        wait_for("we send all again", lambda: counter("updates_sent") > sent, 15)
    assert counter("times_established") == before["times_established"]


@pytest.mark.parametrize("name", ["frr", "bird", "openbgpd"])
def test_enhanced_refresh_is_agreed_on_with_who_has_it(world, name):
    assert "enhanced-route-refresh" in world.capabilities(name)


@pytest.mark.parametrize("name", ["frr", "bird"])
def test_ipv4_routes_have_ipv6_next_hops_over_ipv6_sessions(world, name):
    six = f"fd00::1{NODE[name]}"
    assert "extended-next-hop" in world.torii.api.neighbors()[six]["capabilities"]
    prefix = f"10.245.{NODE[name]}.0/24"

    def via_six():
        rows = world.torii.api.get(f"/api/v1/routes?table=adj-in&neighbor={six}&prefix={prefix}")["routes"]
        return rows and all(":" in hop for hop in rows[0]["next_hops"] if isinstance(hop, str)) and rows
    rows = wait_for("the route comes with an IPv6 next hop", via_six, 15)
    assert str(rows[0]).count("fd00::") or str(rows[0]).count("fe80::")


@pytest.mark.parametrize("name", ["bird", "exabgp", "frr"])
def test_extended_messages_are_agreed_on_with_who_has_them(world, name):
    assert "extended-message" in world.capabilities(name)


@pytest.mark.parametrize("name", ["frr", "bird", "openbgpd"])
def test_roles_are_agreed_on_and_mark_routes(world, name):
    assert "role" in world.capabilities(name)
    sent = world.torii.api.get(f"/api/v1/routes?table=adj-out&neighbor={address(name)}"
                               "&prefix=192.0.2.0/24")["routes"]
    assert sent
    if name == "bird":
        told = world.peers[name].ctl("show", "route", "192.0.2.0/24", "all")
        assert "otc: 64512" in told, told


@EVERYBODY
def test_graceful_restart_keeps_the_routes_of_who_comes_back(world, name):
    peer = world.peers[name]
    assert "graceful-restart" in world.capabilities(name)
    wait_for("its route is there", lambda: world.path(own(name), address(name)), 20)
    if name == "openbgpd":  # says so, for End-of-RIB alone, and preserves nothing
        return
    peer.process.send_signal(signal.SIGKILL)
    peer.stop()
    wait_for("its session is down", lambda: address(name) not in world.torii.api.established(), 15)
    assert world.path(own(name), address(name)), "the route went with the session"
    assert any(row["bgp"].get("stale") for row in world.rows(own(name)) if row.get("bgp")), world.rows(own(name))
    peer.start()
    wait_for("it is back", lambda: address(name) in world.torii.api.established(), 30)
    if name == "gobgp":
        for prefix in (own(name), "198.18.0.1/32"):
            peer.ctl("global", "rib", "add", prefix)
    wait_for("its route is fresh", lambda: (row := world.path(own(name), address(name)))
             and not row.get("stale"), 20)


def test_a_dump_of_the_table_is_read_by_bgpdump(world):
    written = world.torii.cli("--json", "bgp", "dump").stdout
    file = re.search(r'"file":"([^"]+)"', written).group(1)
    text = world.gateway.run("bgpdump", "-m", file).stdout
    for name in NAMES:
        assert f"|{own(name)}|" in text, text
