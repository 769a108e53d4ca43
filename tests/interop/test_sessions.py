"""Kinds of sessions that operators have: iBGP and eBGP, MD5 by neighbor and by
range, configured and dynamic, both families, a peer that restarts."""

import pytest
from lab import wait_for
from routers import Bird, Frr, GoBgp, Torii

GATEWAY = """
ports = {
  nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=4096,qdisc_bypass=1";
    addresses = ["10.0.0.1/24", "fd00::1/64"];
  };
};
prefix_lists = { pods = ["10.244.0.0/16 ge 24 le 24", "fd00:244::/32 ge 64 le 64"]; };
bgp = { asn = 64512; router_id = "10.0.0.1"; %s };
management = { socket = "@SOCKET@"; http = []; };
"""


@pytest.fixture
def gateway(lab):
    """Starts torii with a bgp section and any number of nodes on its port."""
    fabric = lab.bridge("fabric")
    host = lab.namespace("gw")
    lab.plug(fabric, host, "gwnodes")

    def node(n):
        node = lab.namespace(f"node{n}")
        lab.plug(fabric, node, "eth0")
        node.address("eth0", f"10.0.0.1{n}/24", f"fd00::1{n}/64")
        node.address("lo", f"10.244.{n}.1/24", f"fd00:244:{n}::1/64")
        return node

    def start(bgp, more=""):
        return Torii(host, GATEWAY % bgp + more).start()

    start.node = node
    return start


def frr(node, n, asn, gateway_as=64512, extra="", peer="10.0.0.1"):
    return Frr(node, f"""
        router bgp {asn}
         bgp router-id 10.0.0.1{n}
         no bgp ebgp-requires-policy
         no bgp network import-check
         neighbor {peer} remote-as {gateway_as}
         neighbor {peer} timers connect 1
         {extra}
         address-family ipv4 unicast
          network 10.244.{n}.0/24
          neighbor {peer} activate
         exit-address-family
         address-family ipv6 unicast
          network fd00:244:{n}::/64
          neighbor {peer} activate
         exit-address-family
        """).start()


def bird(node, n, asn, extra=""):
    return Bird(node, f"""
        router id 10.0.0.1{n};
        protocol device {{}}
        protocol static {{ ipv4; route 10.244.{n}.0/24 unreachable; }}
        protocol bgp uplink {{
          local as {asn};
          neighbor 10.0.0.1 as 64512;
          connect delay time 1; connect retry time 2; error wait time 1, 2;
          {extra}
          ipv4 {{ import all; export where source = RTS_STATIC; }};
        }}
        """).start()


NODES = 'groups = { nodes = { remote_as = "external"; import = "pods"; export = "none"; %s }; };'
RANGE = 'listen = ( { range = "10.0.0.0/24"; group = "nodes"; } );'


def forwards(torii, n, family=4):
    prefix = f"10.244.{n}.0/24" if family == 4 else f"fd00:244:{n}::/64"
    wait_for(f"{prefix} is forwarded", lambda: torii.api.installed(prefix), 30)


def test_frr_over_one_ipv4_session_brings_both_families(gateway):
    node = gateway.node(1)
    frr(node, 1, 64601)
    torii = gateway(NODES % "" + RANGE)
    forwards(torii, 1)
    forwards(torii, 1, 6)
    assert torii.api.neighbors()["10.0.0.11"]["dynamic"]


def test_ibgp_with_frr_as_configured_neighbor(gateway):
    node = gateway.node(1)
    frr(node, 1, 64512)
    torii = gateway('neighbors = ( { address = "10.0.0.11"; remote_as = "internal"; import = "pods"; } );')
    forwards(torii, 1)
    row = torii.api.route("10.244.1.0/24")[0]
    assert row["distance"] == 200 and row["bgp"]["local_pref"] == 100


def test_torii_dials_a_configured_neighbor(gateway):
    node = gateway.node(2)
    bird(node, 2, 64602, extra="passive;")
    torii = gateway('neighbors = ( { address = "10.0.0.12"; remote_as = 64602; import = "pods"; } );')
    forwards(torii, 2)
    assert not torii.api.neighbors()["10.0.0.12"]["dynamic"]


def test_torii_dials_a_neighbor_behind_a_route(gateway):
    """Its own routes lead there, the kernel's do not; the address of the port is the source."""
    between = gateway.node(4)
    between.forward()
    far = between.lab.namespace("far")
    between.lab.link(between, "far", far, "eth0")
    between.address("far", "10.9.0.1/24")
    far.address("eth0", "10.9.0.2/24")
    far.ip("route", "add", "10.0.0.0/24", "via", "10.9.0.1")
    bird(far, 2, 64602, extra="local 10.9.0.2; passive; multihop 4;")
    torii = gateway('neighbors = ( { address = "10.9.0.2"; remote_as = 64602; import = "any"; multihop = 4; } );',
                    more='routes = ( { prefix = "10.9.0.0/24"; via = "10.0.0.14"; } );')
    wait_for("it is up", lambda: torii.api.established() == ["10.9.0.2"], 30)
    assert torii.api.neighbors()["10.9.0.2"]["local_endpoint"].startswith("10.0.0.1:")


def test_a_node_with_a_link_local_address_alone_brings_ipv6_over_its_ipv4_session(lab):
    """FRR says the link-local address twice; it is on the link of the session (RFC 2545 section 3)."""
    host, node = lab.namespace("gw"), lab.namespace("node")
    lab.link(host, "gwn", node, "eth0")
    node.address("eth0", "10.0.0.11/24")
    node.address("lo", "10.244.1.1/24", "fd00:244:1::1/64")
    torii = Torii(host, """
        ports = { nodes = { netdev = "gwn"; addresses = ["10.0.0.1/24", "fd00:20::1/64"]; }; };
        bgp = { asn = 64512; router_id = "10.0.0.1";
          groups = { nodes = { remote_as = "external"; import = "any"; export = "any"; }; };
          listen = ( { range = "10.0.0.0/24"; group = "nodes"; } ); };
        management = { socket = "@SOCKET@"; http = []; };
        """).start()
    Frr(node, """
        router bgp 64601
         bgp router-id 10.0.0.11
         no bgp ebgp-requires-policy
         neighbor 10.0.0.1 remote-as 64512
         neighbor 10.0.0.1 timers connect 1
         address-family ipv4 unicast
          network 10.244.1.0/24
         exit-address-family
         address-family ipv6 unicast
          network fd00:244:1::/64
          neighbor 10.0.0.1 activate
         exit-address-family
        """, zebra=True).start()
    wait_for("both are forwarded to", lambda: torii.api.installed("10.244.1.0/24")
             and torii.api.installed("fd00:244:1::/64"), 30)
    assert torii.api.installed("fd00:244:1::/64")[0].startswith("fe80::")


def test_two_nodes_with_one_link_local_address_on_two_ports(lab):
    host = lab.namespace("gw")
    nodes = []
    for n in (1, 2):
        node = lab.namespace(f"node{n}")
        lab.link(host, f"gw{n}", node, "eth0")
        node.ip("address", "add", "fe80::11/64", "dev", "eth0", "nodad")
        node.address("lo", f"fd00:244:{n}::1/64")
        nodes.append(node)
    ports = "".join(f"""
      p{n} = {{ vdev = "net_af_packet{n},iface=gw{n},blocksz=65536,framesz=2048,framecnt=4096,qdisc_bypass=1";
                addresses = ["10.{n}.0.1/24", "fe80::1/64"]; }};""" for n in (1, 2))
    torii = Torii(host, f"""
        ports = {{ {ports} }};
        bgp = {{ asn = 64512; router_id = "10.0.0.1";
          groups = {{ nodes = {{ remote_as = "external"; import = "any"; export = "none"; }}; }};
          listen = ( {{ range = "fe80::/10"; group = "nodes"; }} ); }};
        management = {{ socket = "@SOCKET@"; http = []; }};
        """).start()
    for n, node in enumerate(nodes, 1):
        Bird(node, f"""
            router id 10.{n}.0.11;
            protocol device {{}}
            protocol static {{ ipv6; route fd00:244:{n}::/64 unreachable; }}
            protocol bgp uplink {{
              local fe80::11 as 6460{n};
              neighbor fe80::1%eth0 as 64512;
              connect delay time 1; connect retry time 2; error wait time 1, 2;
              ipv6 {{ import all; export where source = RTS_STATIC; }};
            }}
            """).start()
    for n in (1, 2):
        wait_for(f"node {n} is forwarded to", lambda: torii.api.installed(f"fd00:244:{n}::/64"), 30)
        route = torii.api.route(f"fd00:244:{n}::/64")[0]
        assert [hop["port"] for hop in route["next_hops"]] == [f"p{n}"], route


def test_md5_with_a_configured_neighbor(gateway):
    node = gateway.node(2)
    bird(node, 2, 64602, extra='password "secret2";')
    torii = gateway('neighbors = ( { address = "10.0.0.12"; remote_as = 64602; import = "pods"; '
                    'password = "secret2"; } );')
    forwards(torii, 2)
    assert "secret2" not in torii.api.get("/api/v1/config") + torii.log()


def test_md5_with_a_listen_range_refuses_who_lacks_the_key(gateway):
    frr(gateway.node(1), 1, 64601, extra="neighbor 10.0.0.1 password rangekey")
    bird(gateway.node(2), 2, 64602)
    bird(gateway.node(3), 3, 64603, extra='password "rangekey";')
    torii = gateway(NODES % 'password = "rangekey";' + RANGE)
    forwards(torii, 1)
    forwards(torii, 3)
    assert "10.0.0.12" not in torii.api.established()


def test_a_wrong_as_is_refused_with_the_reason(gateway):
    bird(gateway.node(2), 2, 64602)
    torii = gateway('neighbors = ( { address = "10.0.0.12"; remote_as = 64999; import = "pods"; } );')
    wait_for("the refusal is shown", lambda: "AS" in torii.api.neighbors()["10.0.0.12"]["last_reason"], 15)
    assert torii.api.established() == []


def test_without_an_import_list_nothing_is_accepted_and_the_reason_shown(gateway):
    frr(gateway.node(1), 1, 64601)
    torii = gateway('groups = { nodes = { remote_as = "external"; }; };' + RANGE)
    target = "/api/v1/routes?table=filtered&neighbor=10.0.0.11"
    rows = wait_for("the refused route is shown", lambda: torii.api.get(target)["routes"], 30)
    assert "8212" in rows[0]["filtered_by"] or "import" in rows[0]["filtered_by"], rows


def test_max_prefix_closes_the_session_with_cease_1(gateway):
    node = gateway.node(3)
    gobgp = GoBgp(node, """
        [global.config]
          as = 64603
          router-id = "10.0.0.13"
          port = -1
        [[neighbors]]
          [neighbors.config]
            neighbor-address = "10.0.0.1"
            peer-as = 64512
        """).start()
    torii = gateway(NODES % "max_prefix = 2;" + RANGE)
    for i in (30, 31):
        gobgp.announce(f"10.244.{i}.0/24")
    wait_for("two prefixes are fine", lambda: torii.api.installed("10.244.31.0/24"), 30)
    gobgp.announce("10.244.32.0/24")
    wait_for("the third is one too many", lambda: torii.api.established() == [], 10)
    wait_for("its routes are gone", lambda: not torii.api.installed("10.244.30.0/24"), 5)
    assert "BGP-MAX-PREFIX" in torii.log()


def test_ipv4_routes_over_an_ipv6_session_are_forwarded_to_the_ipv6_next_hop(gateway):
    node = gateway.node(1)
    frr(node, 1, 64601, peer="fd00::1", extra="neighbor fd00::1 capability extended-nexthop")
    torii = gateway(NODES % "" + 'listen = ( { range = "fd00::/64"; group = "nodes"; } );')
    forwards(torii, 1)
    assert torii.api.installed("10.244.1.0/24") != ["10.0.0.11"]


def test_a_speaker_that_restarts_is_back_within_seconds(gateway):
    node = gateway.node(2)
    first = bird(node, 2, 64602)
    torii = gateway(NODES % "" + RANGE)
    forwards(torii, 2)
    first.stop()
    wait_for("its route is gone", lambda: not torii.api.installed("10.244.2.0/24"), 10)
    bird(node, 2, 64602)
    forwards(torii, 2)


def test_a_clear_brings_the_session_back(gateway):
    frr(gateway.node(1), 1, 64601)
    torii = gateway(NODES % "" + RANGE)
    forwards(torii, 1)
    torii.cli("bgp", "clear", "10.0.0.11")
    wait_for("the session fell", lambda: "BGP-ADJCHANGE-DOWN" in torii.log(), 5)
    forwards(torii, 1)


def test_reload_adds_a_neighbor_and_touches_nobody_else(gateway):
    frr(gateway.node(1), 1, 64601)
    bird(gateway.node(2), 2, 64602, extra="passive;")
    torii = gateway(NODES % "" + RANGE)
    forwards(torii, 1)
    torii.write(GATEWAY % (NODES % "" + RANGE + 'neighbors = ( { address = "10.0.0.12"; '
                           'remote_as = 64602; import = "pods"; } );'))
    torii.process.send_signal(1)
    forwards(torii, 2)
    assert torii.api.neighbors()["10.0.0.11"]["times_established"] == 1
    torii.write("bgp = { asn = 1; nonsense = 2; };")
    torii.process.send_signal(1)
    wait_for("the bad file is reported", lambda: "CONFIG-INVALID" in torii.log(), 5)
    assert len(torii.api.established()) == 2
