"""The same gateway over each kind of port that needs no NIC."""

import pytest
from lab import run, wait_for
from routers import Torii, build_directory

CONFIG = """
ports = {
  left = { %s; addresses = ["10.1.0.1/24", "fd01::1/64"]; };
  right = { %s; addresses = ["10.2.0.1/24", "fd02::1/64"]; };
};
routes = ( { prefix = "203.0.113.0/24"; via = "10.2.0.2"; }, { prefix = "198.51.100.0/24"; unreachable = true; } );
management = { socket = "@SOCKET@"; http = []; };
"""

KINDS = {
    "af_packet": ('vdev = "net_af_packet0,iface=gwl"', 'vdev = "net_af_packet1,iface=gwr"'),
    "af_xdp": ('vdev = "net_af_xdp0,iface=gwl"', 'vdev = "net_af_xdp1,iface=gwr"'),
    "netdev": ('netdev = "gwl"', 'netdev = "gwr"'),
    "net_tap": ('vdev = "net_tap0,iface=gwl"', 'vdev = "net_tap1,iface=gwr"'),
}


@pytest.mark.parametrize("kind", KINDS)
def test_hosts_on_two_ports_reach_each_other(lab, kind):
    gateway, left, right = (lab.namespace(n) for n in ("gw", "left", "right"))
    hosts = ((left, "gwl", 1), (right, "gwr", 2))
    if kind != "net_tap":
        for host, name, _ in hosts:
            lab.link(gateway, name, host, "eth0")
    torii = Torii(gateway, CONFIG % KINDS[kind]).start()
    if kind == "net_tap":
        for host, name, _ in hosts:
            run("ip", "-n", gateway.id, "link", "set", name, "netns", host.id)
            host.ip("link", "set", name, "name", "eth0")
            host.ip("link", "set", "eth0", "up")
    for host, _, n in hosts:
        host.address("eth0", f"10.{n}.0.2/24", f"fd0{n}::2/64")
        host.ip("route", "add", "default", "via", f"10.{n}.0.1")
        host.ip("-6", "route", "add", "default", "via", f"fd0{n}::1")
    right.address("lo", "203.0.113.1/32")

    wait_for("both links are up", lambda: all(p["link_up"] for p in torii.api.get("/api/v1/ports")["ports"]), 10)
    wait_for("the first ping is answered", lambda: left.ping("10.2.0.2", 1) == 1, 10)
    for target in ("10.2.0.2", "fd02::2", "10.1.0.1", "fd01::1", "10.2.0.1", "203.0.113.1"):
        assert left.ping(target) == 3, target
    assert right.ping("10.1.0.2") == 3
    out = left.run("ping", "-n", "-c", "1", "-W", "1", "198.51.100.1", check=False).stdout
    assert "From 10.1.0.1 icmp_seq=1 Destination" in out, out
    assert torii.stop() == 0


@pytest.fixture
def pair(lab):
    """Two hosts behind two af_packet ports, and what the configuration adds."""
    gateway, left, right = (lab.namespace(n) for n in ("gw", "left", "right"))
    for host, name, n in ((left, "gwl", 1), (right, "gwr", 2)):
        lab.link(gateway, name, host, "eth0")
        host.address("eth0", f"10.{n}.0.2/24", f"fd0{n}::2/64")
        host.ip("route", "add", "default", "via", f"10.{n}.0.1")
        host.ip("-6", "route", "add", "default", "via", f"fd0{n}::1")

    def start(extra=""):
        return left, right, Torii(gateway, CONFIG % KINDS["af_packet"] + extra).start()

    return start


def test_the_first_packet_to_an_unknown_neighbor_is_held_and_not_lost(pair):
    left, right, torii = pair()
    assert left.ping("10.2.0.2", 1, wait=3) == 1
    for n in range(10, 15):
        right.address("eth0", f"10.2.0.{n}/24", f"fd02::{n}/64")
        assert left.ping(f"10.2.0.{n}", 1, wait=3) == 1
        assert left.ping(f"fd02::{n}", 1, wait=3) == 1
    rows = {a["address"]: a for a in torii.api.get("/api/v1/adjacencies")["adjacencies"]}
    assert rows["10.2.0.12"]["state"] == "reachable" and rows["10.2.0.12"]["port"] == "right"


def test_a_static_neighbor_needs_no_answer(pair):
    mac = "02:00:00:00:02:77"
    left, right, torii = pair(
        f'neighbors = ( {{ port = "right"; address = "10.2.0.77"; mac = "{mac}"; }} );')
    right.ip("link", "set", "eth0", "address", mac)
    right.address("lo", "10.2.0.77/32")
    right.sysctl("net.ipv4.conf.all.arp_ignore", 1)  # for what is not on eth0 itself
    assert left.ping("10.2.0.77", 1, wait=2) == 1
    rows = {a["address"]: a for a in torii.api.get("/api/v1/adjacencies")["adjacencies"]}
    assert rows["10.2.0.77"]["state"] == "static" and rows["10.2.0.77"]["mac"] == mac


def test_a_neighbor_that_moves_to_another_mac_is_followed(pair):
    left, right, _ = pair()
    assert left.ping("10.2.0.2") == 3
    right.ip("link", "set", "eth0", "down")
    right.ip("link", "set", "eth0", "address", "02:00:00:00:02:99")
    right.ip("link", "set", "eth0", "up")
    right.ip("route", "replace", "default", "via", "10.2.0.1")
    # What it says itself is enough: its first packet carries the new address.
    wait_for("it is reached again", lambda: right.ping("10.2.0.1", 1) == 1, 10)
    wait_for("and forwarded to", lambda: left.ping("10.2.0.2", 1) == 1, 10)


def test_packets_are_too_big_for_a_smaller_link(pair):
    left, right, torii = pair()
    status, answer = torii.api.request("POST", "/api/v1/config/commit", {
        "text": torii.config_file.read_text().replace('addresses = ["10.2.0.1/24"', 'mtu = 1400; addresses = ["10.2.0.1/24"')})
    assert status == 200, answer
    for target, size in (("10.2.0.2", 1420), ("fd02::2", 1420)):
        out = left.run("ping", "-n", "-c", "2", "-W", "1", "-M", "do", "-s", size, target, check=False)
        assert "1400" in out.stdout + out.stderr, out.stdout + out.stderr
    # Without "don't fragment" the gateway divides the packet.
    right.ip("link", "set", "eth0", "mtu", "1400")
    left.ip("route", "flush", "cache")
    assert left.ping("10.2.0.2", size=1420, extra=("-M", "dont")) >= 1


def test_a_port_that_is_shut_down_passes_nothing(pair):
    left, right, torii = pair()
    wait_for("the first ping is answered", lambda: left.ping("10.2.0.2", 1) == 1, 10)
    text = torii.config_file.read_text()

    def commit(changed):
        status, answer = torii.api.request("POST", "/api/v1/config/commit", {"text": changed})
        assert status == 200, answer

    def shut():
        counters = torii.api.get("/api/v1/counters?name=torii_exit_packets_total")["counters"]
        return sum(s["value"] for c in counters for s in c["samples"] if s["labels"]["exit"] == "port_shut")

    assert right.ping("10.1.0.2", 2) == 2 and right.ping("fd01::2", 2) == 2
    commit(text.replace('addresses = ["10.2.0.1/24"', 'shutdown = true; addresses = ["10.2.0.1/24"'))
    right.ip("neighbor", "flush", "all")
    for target in ("10.2.0.1", "fd02::1", "10.1.0.1", "10.1.0.2"):
        assert right.ping(target, 2) == 0, target
    assert left.ping("10.2.0.2", 2) == 0 and left.ping("10.2.0.1", 2) == 0
    assert left.ping("10.1.0.1", 2) == 2
    assert shut() > 0
    assert not next(p for p in torii.api.get("/api/v1/ports")["ports"] if p["name"] == "right")["link_up"]
    assert "state DOWN" in torii.host.ip("link", "show", "right").stdout
    commit(text)
    wait_for("it is reached again", lambda: left.ping("10.2.0.2", 1) == 1, 10)
    assert right.ping("fd01::2", 3, wait=2) >= 2 and right.ping("fd02::1", 2) == 2
    # Removed: as if it were shut down, until the process starts again.
    commit(text.replace(text[text.index("  right = {"):text.index("};\nroutes")], "").replace(
        '{ prefix = "203.0.113.0/24"; via = "10.2.0.2"; }, ', ""))
    right.ip("neighbor", "flush", "all")
    assert right.ping("10.2.0.1", 2) == 0 and right.ping("10.1.0.2", 2) == 0


def test_a_second_start_after_a_crash_finds_its_way(lab):
    gateway, left = lab.namespace("gw"), lab.namespace("left")
    lab.link(gateway, "gwl", left, "eth0")
    left.address("eth0", "10.1.0.2/24")
    config = CONFIG.replace('right = { %s; addresses = ["10.2.0.1/24", "fd02::1/64"]; };', "").replace(
        '{ prefix = "203.0.113.0/24"; via = "10.2.0.2"; }, ', "") % KINDS["af_packet"][0]
    first = Torii(gateway, config).start()
    wait_for("it answers", lambda: left.ping("10.1.0.1", 1) == 1, 10)
    first.process.kill()
    first.process.wait(10)
    second = Torii(gateway, config, name="again").start()
    wait_for("it answers again", lambda: left.ping("10.1.0.1", 1) == 1, 10)
    assert second.stop() == 0
    left_over = gateway.ip("link", "show").stdout
    assert ": left" not in left_over and ": torii" not in left_over, left_over


def test_packets_can_be_explained_and_captured(pair):
    left, right, torii = pair()
    wait_for("the first ping is answered", lambda: left.ping("10.2.0.2", 1) == 1, 10)

    def explain(destination, **query):
        query = "&".join(f"{k}={v}" for k, v in query.items())
        return torii.api.get(f"/api/v1/explain?dst={destination}&{query}")

    there = explain("10.2.0.2", src="10.1.0.2")
    assert (there["exit"], there["port"], there["next_hop"]) == ("transmit", "right", "10.2.0.2")
    assert there["mac"] == right.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    assert [s["outcome"] for s in there["steps"] if s["stage"] == "ingress"] == ["left"]
    assert explain("198.51.100.1")["exit"] == "ip4_unreachable"
    assert explain("192.0.2.99", src="10.1.0.2")["exit"] == "ip4_no_route"
    assert explain("10.1.0.1", src="10.1.0.2", proto="icmp")["exit"] == "punt_icmp"
    without = explain("203.0.113.9", without="10.2.0.2")["steps"][-1]
    assert (without["stage"], without["outcome"]) == ("without 10.2.0.2", "no route")
    counted = {e["labels"]["exit"] for c in torii.api.get("/api/v1/counters?name=torii_exit")["counters"]
               for e in c["samples"]}
    assert "ip4_unreachable" not in counted, "what is only explained is counted nowhere"
    status, problem = torii.api.request("GET", "/api/v1/explain?dst=10.2.0.2&src=fd01::2")
    assert status == 400 and "families" in problem["detail"]

    file = torii.lab.directory / "lost.pcapng"
    capture = torii.host.start(
        "capture", build_directory() / "torii", "--socket", torii.socket, "capture", "-w", file,
        "--exit", "ip4_unreachable", "--prefix", "198.51.100.0/24", "--count", "3", "--seconds", "20")
    wait_for("the capture has begun", file.exists, 10)
    assert torii.api.request("GET", "/api/v1/capture?seconds=1")[0] == 409
    left.ping("198.51.100.1", 4)
    left.ping("10.2.0.2", 2)
    assert capture.wait(20) == 0
    shown = run("tcpdump", "-n", "-r", file).stdout.splitlines()
    assert len(shown) == 3 and all("10.1.0.2 > 198.51.100.1: ICMP echo request" in line for line in shown), shown
    done = torii.cli("capture", "-w", file, "--exit", "transmit", "--port", "right", "--seconds", "1", "--json")
    assert '"bytes"' in done.stdout
    assert torii.stop() == 0, torii.log()
