"""A gateway without BGP: virtual devices, static neighbors and many static routes, as one
measures it beside other routers on the same ports."""

import json
import pathlib
import random
import re
import socket
import time

from lab import wait_for
from routers import Torii

MAC = "02:00:00:00:02:77"
COUNT = 10_240
CONFIG = """
dataplane = { file_prefix = "@PREFIX@"; eal_arguments = ["--log-level=pmd.net.af_packet:5"]; @MORE@ };
ports = {
  left = { vdev = "net_af_packet0,iface=gwl@QUEUES@"; addresses = ["10.1.0.1/24"]; };
  right = { vdev = "net_af_packet1,iface=gwr@QUEUES@"; addresses = ["10.2.0.1/24"]; };
};
neighbors = ( { port = "left"; address = "10.1.0.2"; mac = "@LEFT@"; },
              { port = "right"; address = "10.2.0.77"; mac = "@MAC@"; } );
routes = ( @ROUTES@ );
@END@
management = { socket = "@SOCKET@"; http = []; };
"""


def prefix(n):
    return f"10.{128 + n // 256}.{n % 256}.0/24"


def routes(count):
    return ",\n".join(f'{{ prefix = "{prefix(n)}"; via = "10.2.0.77"; }}' for n in range(count))


def ask_telemetry(directory, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as telemetry:
        telemetry.settimeout(5)
        telemetry.connect(str(directory / "dpdk_telemetry.v2"))
        about = json.loads(telemetry.recv(4096))
        telemetry.send(command.encode())
        return json.loads(telemetry.recv(about["max_output_len"]))


def start(lab, more="", end="", count=COUNT, queues=1):
    """The gateway between two hosts, of which the right one answers for everybody."""
    gateway, left, right = (lab.namespace(n) for n in ("gw", "left", "right"))
    for host, name, n in ((left, "gwl", 1), (right, "gwr", 2)):
        lab.link(gateway, name, host, "eth0")
        host.address("eth0", f"10.{n}.0.2/24")
        host.ip("route", "add", "default", "via", f"10.{n}.0.1")
    right.ip("link", "set", "eth0", "address", MAC)
    right.ip("route", "replace", "default", "via", "10.2.0.1")
    right.ip("route", "add", "local", "10.128.0.0/9", "dev", "lo")
    right.sysctl("net.ipv4.conf.all.arp_announce", 2)  # asks by its own address
    left_mac = left.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    text = (CONFIG.replace("@PREFIX@", f"{lab.prefix}-static").replace("@MORE@", more)
            .replace("@END@", end).replace("@LEFT@", left_mac).replace("@MAC@", MAC))
    text = text.replace("@QUEUES@", f",qpairs={queues}")
    torii = Torii(gateway, text.replace("@ROUTES@", routes(count)))
    torii.text = text.replace("@SOCKET@", str(torii.socket))
    return left, right, torii.start()


def in_fib(torii):
    rows = torii.api.get("/api/v1/counters?name=torii_resource_used")["counters"][0]["samples"]
    return next(s["value"] for s in rows if s["labels"]["resource"] == "fib_ip4_prefixes")


def test_ten_thousand_static_routes_on_virtual_devices(lab):
    left, _, torii = start(lab)
    assert 0 < in_fib(torii) - COUNT < 16  # and what is connected
    chosen = random.Random(3).sample(range(COUNT), 30)
    wait_for("the first one is forwarded", lambda: left.ping("10.128.0.1", 1) == 1, 10)
    for n in chosen:
        assert left.ping(prefix(n).replace(".0/24", ".9"), 1) == 1, prefix(n)

    # All of them go, and come back, by one request.
    for count in (0, COUNT):
        began = time.monotonic()
        status, answer = torii.api.request("POST", "/api/v1/config/commit",
                                           {"text": torii.text.replace("@ROUTES@", routes(count))})
        assert status == 200, answer
        wait_for("the FIB has what was asked for", lambda: 0 < in_fib(torii) - count < 16, 10)
        print(f"{count} static routes by one request: {time.monotonic() - began:.2f} s")
        assert left.ping(prefix(chosen[0]).replace(".0/24", ".9"), 1) == (1 if count else 0)

    directory = pathlib.Path("/var/run/dpdk", f"{lab.prefix}-static")
    assert sorted(ask_telemetry(directory, "/ethdev/list")["/ethdev/list"]) == [0, 1]
    stats = ask_telemetry(directory, "/ethdev/stats,1")["/ethdev/stats"]
    assert stats["opackets"] >= len(chosen)
    words = ask_telemetry(directory, "/eal/params")["/eal/params"]
    assert any("af_packet:5" in word for word in words), words
    assert torii.stop() == 0
    assert not directory.exists()


def offload(torii, port="left"):
    report = torii.api.get("/api/v1/offload")
    return next(p for p in report["ports"] if p["port"] == port), report["drop_sources"]


def test_listed_sources_are_dropped_in_software_where_the_port_has_no_rte_flow(lab):
    left, _, torii = start(lab, end='drop_sources = [ "10.1.0.66/31" ];', count=4)
    left.address("eth0", "10.1.0.66/24", "10.1.0.99/24")
    target = "10.128.0.1"
    wait_for("the first one is forwarded", lambda: left.ping(target, 1) == 1, 10)
    assert left.ping(target, 2, extra=("-I", "10.1.0.66")) == 0
    port, sources = offload(torii)
    assert sources == ["10.1.0.66/31"] and port["rte_flow"] is False
    assert port["reason"] == "the driver has no rte_flow" and port["dropped_by_workers"] == 2
    assert {r["place"] for r in port["rules"]} == {"software"}
    # By request, without a word to the file.
    assert left.ping(target, 1, extra=("-I", "10.1.0.99")) == 1
    assert "dropped from now on" in torii.cli("offload", "drop", "10.1.0.99/32").stdout
    assert left.ping(target, 1, extra=("-I", "10.1.0.99")) == 0
    assert "no longer dropped" in torii.cli("offload", "undrop", "10.1.0.66/31").stdout
    assert left.ping(target, 1, extra=("-I", "10.1.0.66")) == 1
    status, problem = torii.api.request("PUT", "/api/v1/drop-sources/0.0.0.0%2F0")
    assert status == 422 and "every source" in problem["detail"], problem
    assert re.search(r"left \(net_af_packet\): 0 of \d+ rules in hardware", torii.cli("offload").stdout)
    assert torii.stop() == 0


def test_a_port_with_rte_flow_says_what_it_took_and_why_not(lab):
    """net_tap translates every rule; whether the kernel then takes it is the kernel's."""
    gateway = lab.namespace("gw")
    torii = Torii(gateway, """
        dataplane = { file_prefix = "@PREFIX@"; };
        ports = { tap = { vdev = "net_tap0,iface=gwl"; addresses = ["10.1.0.1/24", "fd01::1/64"]; }; };
        drop_sources = [ "198.51.100.0/24", "2001:db8:bad::/48" ];
        management = { socket = "@SOCKET@"; http = []; };
        """.replace("@PREFIX@", f"{lab.prefix}-tap")).start()
    port, _ = offload(torii, "tap")
    assert port["driver"] == "net_tap" and port["rte_flow"] is True, port
    assert (port["urgent_queue"], port["control_queue"]) == (1, 2)
    rules = {r["match"]: r for r in port["rules"]}
    assert rules["tcp to 10.1.0.1 port 179"]["rule"] == (
        "ingress priority 1 pattern eth / ipv4 dst is 10.1.0.1 / tcp dst is 179 / end actions queue index 1 / end")
    assert rules["ip from 2001:db8:bad::/48"]["action"] == "drop"
    for rule in port["rules"]:
        assert rule["place"] == "hardware" or rule["reason"], rule
        # The driver itself understood every one of them.
        assert "refused to take it" not in rule.get("reason", ""), rule
    assert torii.stop() == 0
