"""Neighbors whom the kernel forgets: its table is full of strangers who asked, and it
does not see whom the workers send to."""

import pathlib
import re
import time

from lab import wait_for
from routers import Torii
from traffic import Pings

CONFIG = """
ports = {
  wild = { vdev = "net_af_packet0,iface=gw1"; addresses = ["10.1.0.1/16"]; };
  left = { vdev = "net_af_packet1,iface=gw2"; addresses = ["10.2.0.1/24"]; };
  right = { vdev = "net_af_packet2,iface=gw3"; addresses = ["10.3.0.1/24"]; };
};
management = { socket = "@SOCKET@"; http = []; };
"""
# Who has 10.1.0.1, asked by one stranger after the other, five thousand a second.
STRANGERS = """
import socket, struct, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
ours = socket.inet_aton("10.1.0.1")
until, n = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < until:
    for _ in range(50):
        n += 1
        mac = struct.pack(">HI", 0x02ee, n)
        sender = struct.pack(">HH", 0x0a01, 0x4000 + n % 0x4000)
        link.send(b"\\xff" * 6 + mac + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + sender
                  + bytes(6) + ours + bytes(18))
    time.sleep(0.01)
"""


def start(lab):
    """Three hosts. They run on the same kernel as the gateway, whose table is theirs: what
    another machine would know for itself they are told for good."""
    gateway = lab.namespace("gw")
    hosts = [lab.namespace(f"host{n}") for n in (1, 2, 3)]
    for n, host in enumerate(hosts, 1):
        lab.link(gateway, f"gw{n}", host, "eth0")
        host.address("eth0", f"10.{n}.0.2/{16 if n == 1 else 24}")
        host.ip("route", "add", "default", "via", f"10.{n}.0.1")
    torii = Torii(gateway, CONFIG).start()
    ports = {p["name"]: p for p in torii.api.get("/api/v1/ports")["ports"]}
    for n, (host, port) in enumerate(zip(hosts, ("wild", "left", "right")), 1):
        host.ip("neighbor", "add", f"10.{n}.0.1", "lladdr", ports[port]["mac"], "dev", "eth0", "nud", "permanent")
    return gateway, *hosts, torii


def refused():
    """Neighbors for whom the kernel had no room, ever."""
    lines = pathlib.Path("/proc/net/stat/arp_cache").read_text().splitlines()
    column = lines[0].split().index("table_fulls")
    return sum(int(line.split()[column], 16) for line in lines[1:])


def entry(gateway, address):
    """What the kernel says of it."""
    lines = gateway.ip("neighbor", "show", address).stdout.splitlines()
    return next((line for line in lines if "lladdr" in line), "")


def state(torii, address):
    return next((n["state"] for n in torii.api.get("/api/v1/adjacencies")["adjacencies"]
                 if n["address"] == address), "")


def test_a_kernel_full_of_strangers_costs_no_neighbor(lab):
    gateway, wild, left, right, torii = start(lab)
    assert left.ping("10.3.0.2", 2) == 2
    before = refused()
    strangers = wild.start("strangers", "python3", "-c", STRANGERS, "16")
    pings = Pings(left, "10.3.0.2")
    wait_for("the kernel has no room left", lambda: refused() > before, 15)
    # Somebody nobody has spoken with so far is found nevertheless.
    right.address("eth0", "10.3.0.77/24")
    assert left.ping("10.3.0.77", 2, interval=0.2) == 2
    strangers.wait(30)
    sent, lost, longest = pings.stop()
    assert sent > 100 and lost == 0, (sent, lost, longest)
    assert torii.stop() == 0


def test_the_end_of_a_neighbor_that_only_workers_send_to_is_noticed(lab):
    gateway, _, left, right, torii = start(lab)
    for key, value in (("base_reachable_time_ms", 1000), ("delay_first_probe_time", 1)):
        gateway.sysctl(f"net.ipv4.neigh.right.{key}", value)
    pings = Pings(left, "10.3.0.2")
    wait_for("the kernel keeps and asks it", lambda: re.search("extern_learn REACHABLE",
             entry(gateway, "10.3.0.2")), 20)
    right.ip("address", "flush", "dev", "eth0")
    wait_for("it is noticed", lambda: state(torii, "10.3.0.2") not in ("reachable", "resolving"), 30)
    pings.stop()
    # And forgotten, here and there, once nobody asks for it.
    wait_for("it is forgotten", lambda: state(torii, "10.3.0.2") == "", 20)
    assert "10.3.0.2" not in gateway.ip("neighbor", "show", "dev", "right").stdout
    assert torii.stop() == 0


# To one address of 10.1.0.0/16 after the other, some thousands a second.
SCAN = """
import random, socket, sys, time
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    for _ in range(40):
        link.sendto(b"x" * 20, (f"10.1.{random.randrange(1, 255)}.{random.randrange(1, 255)}", 9))
    time.sleep(0.01)
"""


def test_a_scan_of_an_attached_network_keeps_no_next_hop_out(lab):
    gateway, wild, left, right, torii = start(lab)
    wild.address("lo", "203.0.113.1/32")
    wild.address("eth0", "10.1.0.77/16")
    assert left.ping("10.3.0.2", 2) == 2
    scan = left.start("scan", "python3", "-c", SCAN, "14")
    pings = Pings(left, "10.3.0.2")

    def silent():
        return sum(a["port"] == "wild" and a["state"] in ("resolving", "failed")
                   for a in torii.api.get("/api/v1/adjacencies")["adjacencies"])

    wait_for("the scan has filled its quota", lambda: silent() > 900, 12)
    text = torii.config_file.read_text()
    status, answer = torii.api.request("POST", "/api/v1/config/commit", {
        "text": text + 'routes = ( { prefix = "203.0.113.0/24"; via = "10.1.0.77"; } );'})
    assert status == 200, answer
    wait_for("the new next hop is used", lambda: left.ping("203.0.113.1", 1) == 1, 4)
    # Another host that nobody has spoken with, on another port.
    right.address("eth0", "10.3.0.88/24")
    wait_for("it is found", lambda: left.ping("10.3.0.88", 1) == 1, 4)
    assert silent() < 1300
    sent, lost, _ = pings.stop()
    assert sent > 20 and lost <= 2, (sent, lost)
    left.lab.stop(scan)
