"""The same gateway over each kind of port that needs no NIC."""

import pytest
from lab import run, wait_for
from routers import Torii

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
