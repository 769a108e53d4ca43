"""VLAN sub-ports: hosts behind a switch that is not ours, and two gates facing each other."""

import pathlib

import pytest
from lab import run, wait_for
from routers import Torii

SWITCH = pathlib.Path(__file__).resolve().parent.parent / "support" / "vlan_switch.py"

# Written in the wrong order on purpose: a sub-port may stand before its parent.
STICK = """
ports = {
  left = { parent = "trunk"; vlan = 100; addresses = ["10.100.0.1/24", "fd00:100::1/64"]; };
  right = { parent = "trunk"; vlan = 200; addresses = ["10.200.0.1/24", "fd00:200::1/64"]; mtu = 1400; };
  trunk = { %s; };
};
routes = ( { prefix = "203.0.113.0/24"; via = ["10.200.0.2", "10.100.0.2"]; },
           { prefix = "198.51.100.0/24"; unreachable = true; } );
liveness = { detect = "auto"; interval = 100; };
management = { socket = "@SOCKET@"; http = []; };
"""

# af_packet's driver takes tags out and puts them in, net_tap's does neither.
KINDS = {"by_device": 'netdev = "tr0"', "in_frames": 'vdev = "net_tap0,iface=tr0"'}

FRAMES = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
"""


class Stick:
    """A gate on one link, and two hosts in VLANs of it behind a switch."""

    def __init__(self, lab, kind):
        self.gateway, self.switch = lab.namespace("gw"), lab.namespace("switch")
        self.hosts = {}
        if kind == "by_device":
            lab.link(self.gateway, "tr0", self.switch, "tr0")
        self.torii = Torii(self.gateway, STICK % KINDS[kind]).start()
        if kind == "in_frames":
            run("ip", "-n", self.gateway.id, "link", "set", "tr0", "netns", self.switch.id)
            self.switch.ip("link", "set", "tr0", "up")
        for name, vlan in (("left", 100), ("right", 200)):
            host = self.hosts[name] = lab.namespace(name)
            lab.link(self.switch, f"v{vlan}", host, "eth0")
            host.address("eth0", f"10.{vlan}.0.2/24", f"fd00:{vlan}::2/64")
            host.ip("route", "add", "default", "via", f"10.{vlan}.0.1")
            host.ip("-6", "route", "add", "default", "via", f"fd00:{vlan}::1")
            host.address("lo", "203.0.113.1/32")
            host.forward()  # so that it gives echoes of liveness back
        self.hosts["right"].ip("link", "set", "eth0", "mtu", "1400")
        for port in ("tr0", "v100", "v200"):
            self.switch.sysctl(f"net.ipv6.conf.{port}.disable_ipv6", 1)
        process = self.switch.start("switch", "/usr/bin/python3", SWITCH, "tr0", "100=v100", "200=v200")
        wait_for("the switch runs", lambda: "ready" in process.log_file.read_text(), 10)

    def ports(self):
        return {p["name"]: p for p in self.torii.api.get("/api/v1/ports")["ports"]}

    def exits(self):
        samples = self.torii.api.get("/api/v1/counters?name=torii_exit")["counters"]
        return {(s["labels"]["exit"], s["labels"]["port"]): s["value"] for c in samples for s in c["samples"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_router_on_a_stick(lab, kind):
    stick = Stick(lab, kind)
    torii, left, right = stick.torii, stick.hosts["left"], stick.hosts["right"]
    wait_for("the first ping is answered", lambda: left.ping("10.200.0.2", 1) == 1, 10)
    for target in ("10.200.0.2", "fd00:200::2", "10.100.0.1", "fd00:100::1", "10.200.0.1"):
        assert left.ping(target, wait=3) == 3, (target, stick.exits())
    for target in ("10.100.0.2", "fd00:100::2", "10.200.0.1"):
        assert right.ping(target, wait=3) == 3, (target, stick.exits())
    # A packet of the full size takes a frame four octets longer than the link's MTU says.
    assert left.ping("10.100.0.1", size=1472, wait=3, extra=("-M", "do")) == 3
    assert left.ping("10.200.0.2", size=1372, wait=3, extra=("-M", "do")) == 3
    out = left.run("ping", "-n", "-c", "2", "-W", "1", "-M", "do", "-s", "1372", "fd00:200::2", check=False)
    assert "1400" in out.stdout + out.stderr, "IPv6: 20 octets too many"
    assert left.ping("10.200.0.2", size=1472, wait=3, extra=("-M", "dont")) == 3, "in fragments"
    out = left.run("ping", "-n", "-c", "1", "-W", "1", "198.51.100.1", check=False).stdout
    assert "From 10.100.0.1 icmp_seq=1 Destination" in out, out
    # An address of everybody: flows over both sub-ports.
    wait_for("the gate reaches a service", lambda: stick.gateway.ping("203.0.113.1", 1, extra=("-I", "10.100.0.1")) == 1, 10)

    ports = stick.ports()
    assert list(ports) == ["trunk", "left", "right"], "ports with a device go before"
    assert (ports["left"]["parent"], ports["left"]["vlan"], ports["left"]["mtu"]) == ("trunk", 100, 1500)
    assert ports["right"]["mac"] == ports["trunk"]["mac"] and "vlan" not in ports["trunk"]
    assert ports["left"]["rx_packets"] > 10 < ports["right"]["tx_packets"]
    assert ports["trunk"]["rx_packets"] >= ports["left"]["rx_packets"] + ports["right"]["rx_packets"]
    assert "VLAN 200 of trunk" in torii.cli("port", "list").stdout
    rows = {(a["port"], a["address"]): a for a in torii.api.get("/api/v1/adjacencies")["adjacencies"]}
    assert rows["left", "10.100.0.2"]["state"] == rows["right", "10.200.0.2"]["state"] == "reachable"
    there = torii.api.get("/api/v1/explain?dst=10.200.0.2&src=10.100.0.2")
    assert (there["exit"], there["port"], there["mtu"]) == ("transmit", "right", 1400)
    assert any(s["outcome"] == "VLAN 200 of trunk" for s in there["steps"]), there["steps"]
    wait_for("echoes and probes come back", lambda: all(
        n["verdict"] == "up" for n in torii.api.get("/api/v1/liveness")["liveness"] if n["port"] == "left"), 10)

    # Tags that are nobody's, two of them, half of one; then it still works.
    mac = ports["trunk"]["mac"].replace(":", "")
    ip = "4500001c00000000401100000a6400020ac8000200010002000800000000"
    for tags in ("81000065", "81000fff", "8100006481000064", "81000064"):
        frame = f"{mac}020000000001{tags}" + ("" if tags == "81000064" else f"0800{ip}")
        stick.switch.run("/usr/bin/python3", "-c", FRAMES, "tr0", input=frame + "\n")
    wanted = {"l2_unknown_vlan": "trunk", "l2_bad_vlan": "trunk", "l2_double_tag": "left"}
    wait_for("each leaves by its exit", lambda: all(item in stick.exits() for item in wanted.items()), 5)
    assert left.ping("10.200.0.2", wait=3) == 3, stick.exits()

    assert torii.stop() == 0, torii.log()


GATE = """
ports = {
  trunk = { netdev = "tr0"; };
  red = { parent = "trunk"; vlan = 10; addresses = "10.10.0.%(me)d/24"; };
  blue = { parent = "trunk"; vlan = 20; addresses = ["10.20.0.%(me)d/24", "fd00:20::%(me)d/64"]; };
  %(more)s
};
routes = ( { prefix = "10.24%(me)d.0.0/16"; discard = true; } );
bgp = {
  asn = 6451%(me)d; router_id = "10.10.0.%(me)d"; redistribute = "static";
  defaults = { remote_as = "external"; import = "any"; export = "any"; connect_retry = 1; hold_time = 9;
               bfd = { transmit = 300; receive = 300; }; };
  neighbors = ( { address = "10.10.0.%(peer)d"; }, { address = "10.20.0.%(peer)d"; } );
};
management = { socket = "@SOCKET@"; http = []; };
"""


def gate(me, more=""):
    return GATE % {"me": me, "peer": 3 - me, "more": more}


def test_two_gates_speak_through_tags(lab):
    one, two = lab.namespace("one"), lab.namespace("two")
    lab.link(one, "tr0", two, "tr0")
    first = Torii(one, gate(1), name="first").start()
    second = Torii(two, gate(2), name="second").start()
    both = ["10.10.0.2", "10.20.0.2"]
    wait_for("BGP on both VLANs", lambda: first.api.established() == both, 30)
    wait_for("ECMP over both sub-ports", lambda: first.api.installed("10.242.0.0/16") == both, 10)
    row = [r for r in first.api.route("10.242.0.0/16") if r["installed"]][0]
    assert {h["port"] for h in row["next_hops"]} == {"red", "blue"}
    wait_for("BFD on both", lambda: sorted(
        n["bfd"]["state"] for n in first.api.get("/api/v1/liveness")["liveness"] if "bfd" in n) == ["up", "up"], 20)
    assert one.ping("10.20.0.2", extra=("-I", "10.20.0.1")) == 3
    assert one.ping("fd00:20::2", extra=("-I", "fd00:20::1")) == 3

    # A sub-port that comes while everything runs costs nothing, and carries packets.
    green = 'green = { parent = "trunk"; vlan = 30; addresses = "10.30.0.%d/24"; };'

    def commit(torii, me):
        text = gate(me, green % me).replace("@SOCKET@", str(torii.socket))
        status, answer = torii.api.request("POST", "/api/v1/config/commit", {"text": text})
        assert status == 200, answer

    # Its name is taken in the kernel: the port is left out, and comes with the next try.
    one.ip("link", "add", "green", "type", "veth", "peer", "name", "other")
    commit(first, 1)
    wait_for("the port could not be opened", lambda: "PORT-FAILED" in first.log(), 5)
    assert [p["name"] for p in first.api.get("/api/v1/ports")["ports"]] == ["trunk", "red", "blue"]
    one.ip("link", "delete", "green")
    commit(first, 1)
    commit(second, 2)
    wait_for("the new sub-port carries packets", lambda: one.ping("10.30.0.2", 1, extra=("-I", "10.30.0.1")) == 1, 10)
    assert first.api.established() == both

    assert not any("restart" in reason for reason in first.api.get("/api/v1/status")["reasons"])

    # Shut down on one side, its VLAN is nobody's there; the other one carries on.
    shut = gate(2, green % 2).replace("vlan = 10;", "vlan = 10; shutdown = true;").replace("@SOCKET@", str(second.socket))
    assert second.api.request("POST", "/api/v1/config/commit", {"text": shut})[0] == 200
    wait_for("BFD ends the session of VLAN 10", lambda: first.api.established() == ["10.20.0.2"], 10)
    wait_for("and the routes by it", lambda: first.api.installed("10.242.0.0/16") == ["10.20.0.2"], 10)
    assert one.ping("10.30.0.2", extra=("-I", "10.30.0.1")) == 3
    for torii in (first, second):
        assert torii.stop() == 0, torii.log()
