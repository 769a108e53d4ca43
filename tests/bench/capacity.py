#!/usr/bin/python3
"""What memory a route, a peer and a packet buffer take: the figures of docs/capacity.md.

Each line is one toriid in a namespace of its own, with what it was given and the
memory it then had; the last lines are the slopes between them.
"""

import json
import pathlib
import resource
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import Lab, LabError, wait_for  # noqa: E402
from routers import Torii, build_directory  # noqa: E402

PORT = """
ports = { nodes = { netdev = "gwnodes"; addresses = ["10.0.0.1/24"]; }; };
dataplane = { mbufs = @MBUFS@; ipv4_routes = 1200000; ipv6_routes = 300000; };
routes = ( @ROUTES@ );
"""
SPEAKER = """
bgp = {
  asn = 65000; router_id = "172.16.0.1"; listen_limit = 8192;
  groups = { nodes = { remote_as = 65001; import = "any"; export = "none";
                     receive_limit = 0; receive_octets = 0; }; };
  listen = ( { range = "172.17.0.0/16"; group = "nodes"; }, { range = "172.18.0.0/16"; group = "nodes"; } );
};
"""
REST = 'management = { socket = "@SOCKET@"; http = []; };\nlog = { level = "warning"; };\n'


def memory(process):
    """Anonymous memory and memory for packets, in KiB, as the kernel counts it."""
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":" in line)
    return sum(int(status[key].split()[0]) for key in ("RssAnon", "RssShmem"))


def routes(count, spread):
    """`count` /24s: one behind the other, as pods are, or all over the address space."""
    for i in range(count):
        n = (i * 0x9E3779B1 & 0x3FFFFF) + 0x200000 if spread else 0x400000 + i
        yield f'{{ prefix = "{n >> 16}.{n >> 8 & 255}.{n & 255}.0/24"; via = "10.0.0.9"; }}'


def with_routes(count=0, spread=False, mbufs=16384):
    with Lab("cap") as lab:
        host, node = lab.namespace("dut"), lab.namespace("node")
        lab.link(host, "gwnodes", node, "eth0")
        node.address("eth0", "10.0.0.9/24")
        text = PORT.replace("@MBUFS@", str(mbufs)).replace("@ROUTES@", ",\n".join(routes(count, spread)))
        torii = Torii(host, text + REST).start(timeout=120)
        if count:
            used = lambda: next(s["value"] for m in torii.api.get(  # noqa: E731
                "/api/v1/counters?name=torii_resource_used")["counters"] for s in m["samples"]
                if s["labels"]["resource"] == "fib_ip4_prefixes")
            wait_for("all of them are in the FIB", lambda: used() >= count * 0.9, 60)
        return memory(torii.process)


def with_peers(peers, prefixes=1):
    with Lab("cap") as lab:
        host = lab.namespace("dut")
        for second in (16, 17, 18):
            host.ip("route", "add", "local", f"172.{second}.0.0/16", "dev", "lo")
        host.run("sysctl", "-qw", "net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192", check=False)
        torii = Torii(host, SPEAKER + REST).start()
        if peers:
            swarm = host.start("swarm", build_directory() / "bgpswarm", "--dut", "172.16.0.1:179",
                               "--src-nodes", "172.17.0.1", "--peers", peers,
                               "--prefixes-per-peer", prefixes, "--linger", 60)
            wait_for("every peer is up", lambda: swarm.poll() is None and torii.api.get(
                "/api/v1/status")["neighbors_established"] == peers, 60)
            wait_for("every route is there", lambda: torii.api.get("/api/v1/status")["routes_ipv4"] >= peers * prefixes, 60)
        return memory(torii.process)


def main():
    def say(what, kib, **given):
        print(json.dumps({"capacity": what, **given, "mib": round(kib / 1024, 1)}), flush=True)
        return kib

    def slope(what, more, fewer, units):
        print(json.dumps({"capacity": what, "bytes": round((more - fewer) * 1024 / units)}), flush=True)

    empty = say("a port, no route", with_routes(), mbufs=16384)
    buffers = say("more buffers", with_routes(mbufs=65536), mbufs=65536)
    pods = say("pods' routes", with_routes(100_000), routes=100_000)
    world = say("routes all over", with_routes(100_000, True), routes=100_000)
    alone = say("speaker alone", with_peers(0), peers=0)
    peers = say("peers", with_peers(1000), peers=1000, prefixes_each=1)
    paths = say("peers with more prefixes", with_peers(1000, 100), peers=1000, prefixes_each=100)
    slope("packet buffer", buffers, empty, 65536 - 16384)
    slope("static route of a pod, configuration and FIB", pods, empty, 100_000)
    slope("static route anywhere, configuration and FIB", world, empty, 100_000)
    slope("peer with one prefix", peers, alone, 1000)
    slope("path of a peer", paths, peers, 99_000)


if __name__ == "__main__":
    # A thousand sessions at each end; what is started takes the limit over.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        main()
    except LabError as error:
        sys.exit(str(error)[:2000])
