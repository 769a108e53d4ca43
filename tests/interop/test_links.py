"""What the gateway is to the hosts of its links: ARP and neighbor discovery of unusual hosts, the
kernel's side of a port, next hops that fall silent."""

import re
import time

import pytest
from lab import wait_for
from routers import Torii

CONFIG = """
ports = {
  left = { netdev = "gwl"; addresses = ["192.0.2.1/24", "169.254.10.1/30", "2001:db8:20::1/64"]; };
  right = { netdev = "gwr"; addresses = ["203.0.113.5/32"]; };
};
routes = ( { prefix = "0.0.0.0/0"; via = "172.31.1.1@right"; } );
management = { socket = "@SOCKET@"; http = []; };
"""


# "192.0.2.1 is at 02:00:00:00:00:99", to all.
GRATUITOUS = """
import socket
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
mac, ours = bytes.fromhex("020000000099"), socket.inet_aton("192.0.2.1")
link.send(b"\\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + ours + bytes(6) + ours + bytes(18))
"""


@pytest.fixture
def links(lab):
    gateway, left, right = (lab.namespace(n) for n in ("gw", "left", "right"))
    for host, name in ((left, "gwl"), (right, "gwr")):
        lab.link(gateway, name, host, "eth0")
    left.address("eth0", "192.0.2.11/24", "169.254.10.2/30", "2001:db8:20::11/64")
    left.ip("route", "add", "default", "via", "192.0.2.1")
    right.address("eth0", "172.31.1.1/32", "198.51.100.99/32")
    right.ip("route", "add", "203.0.113.5/32", "dev", "eth0", "src", "172.31.1.1")
    right.ip("route", "add", "192.0.2.0/24", "via", "203.0.113.5")
    return gateway, left, right, Torii(gateway, CONFIG).start()


def events(torii, name):
    return [e for e in torii.api.get("/api/v1/events?limit=1000")["events"] if e["id"] == name]


def test_hosts_that_ask_with_another_address_and_gateways_outside_of_the_network(links):
    gateway, left, right, torii = links
    # A node whose first packet after an ARP timeout comes from a service address.
    left.address("lo", "198.51.100.10/32")
    left.ip("neighbor", "flush", "all")
    left.run("ping", "-n", "-q", "-c", "2", "-W", "1", "-I", "198.51.100.10", "192.0.2.1", check=False)
    assert "lladdr" in left.ip("neighbor", "show", "192.0.2.1").stdout
    rows = {a["address"] for a in torii.api.get("/api/v1/adjacencies")["adjacencies"]}
    assert "198.51.100.10" not in rows
    # A default gateway that no network of ours has.
    wait_for("the gateway off the link leads on", lambda: left.ping("198.51.100.99", 1) == 1, 10)
    right.ip("neighbor", "flush", "all")
    assert right.ping("203.0.113.5", 2) == 2 and right.ping("192.0.2.11", 2) == 2
    # 169.254/16 on its own link, and nowhere else.
    assert left.ping("169.254.10.1", 2) == 2
    right.ip("route", "add", "169.254.10.0/30", "via", "203.0.113.5")
    assert right.ping("169.254.10.2", 1) == 0 and right.ping("169.254.10.1", 1) == 0


def test_the_gateway_is_a_router_to_ipv6_hosts(links):
    _, left, _, _ = links
    capture = left.start("capture", "tcpdump", "-nn", "-v", "-l", "-i", "eth0", "icmp6")
    wait_for("the capture runs", lambda: "listening" in capture.log_file.read_text(errors="replace"), 5)
    wait_for("a ping is answered", lambda: left.ping("2001:db8:20::1", 1) == 1, 5)
    left.ip("-6", "neighbor", "flush", "all")
    assert left.ping("2001:db8:20::", 2, wait=2) >= 1  # the anycast address of the network's routers
    text = wait_for("an advertisement is seen", lambda: re.findall(r"Flags \[([^]]*)\]", capture.log_file.read_text(
        errors="replace")), 5)
    assert any("router" in flags for flags in text), text


def test_what_others_do_to_a_twin_is_undone(links):
    gateway, left, _, torii = links
    assert left.ping("2001:db8:20::1", 2, wait=2) >= 1
    mac = next(p["mac"] for p in torii.api.get("/api/v1/ports")["ports"] if p["name"] == "left")
    assert not events(torii, "TWIN-RESTORED"), "what it set itself at the start"
    gateway.ip("link", "set", "left", "address", "02:11:22:33:44:55")
    wait_for("the MAC is right again", lambda: mac in gateway.ip("link", "show", "left").stdout, 5)
    gateway.ip("address", "del", "192.0.2.1/24", "dev", "left")
    wait_for("the address is back", lambda: "192.0.2.1/24" in gateway.ip("address", "show", "left").stdout, 5)
    gateway.ip("link", "set", "left", "down")
    wait_for("the twin is up", lambda: "state DOWN" not in gateway.ip("link", "show", "left").stdout, 5)
    left.ip("neighbor", "flush", "all")
    for target in ("192.0.2.1", "2001:db8:20::1"):
        wait_for(f"{target} answers", lambda to=target: left.ping(to, 1) == 1, 5)
    assert events(torii, "TWIN-RESTORED")


def test_a_static_upstream_that_falls_silent_is_noticed(links):
    _, left, right, torii = links
    wait_for("the default route leads on", lambda: left.ping("198.51.100.99", 1) == 1, 10)
    pings = left.start("pings", "ping", "-n", "-q", "-i", "0.2", "198.51.100.99")
    time.sleep(1)
    right.sysctl("net.ipv4.conf.eth0.arp_ignore", 8)
    right.ip("address", "flush", "dev", "eth0")
    wait_for("it is lost", lambda: any("172.31.1.1" in str(e) for e in events(torii, "NEIGHBOR-LOST")), 60)
    left.lab.stop(pings)


def test_an_address_conflict_is_an_event(links):
    gateway, left, _, torii = links
    left.run("python3", "-c", GRATUITOUS)
    wait_for("it is reported", lambda: events(torii, "ADDRESS-CONFLICT"), 10)


def test_what_the_gateway_itself_sends_beyond_its_links_fits_through_every_port(links):
    gateway, _, _, torii = links
    assert "mtu 1500" in gateway.ip("link", "show", "torii").stdout
    text = torii.config_file.read_text()
    for mtu in (1400, 1500):
        status, answer = torii.api.request("POST", "/api/v1/config/commit", {
            "text": text.replace('right = { netdev = "gwr";', f'right = {{ netdev = "gwr"; mtu = {mtu};')})
        assert status == 200, answer
        assert f"mtu {mtu}" in gateway.ip("link", "show", "torii").stdout
