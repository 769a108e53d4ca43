#!/usr/bin/python3
"""Liveness as nodes and their users see it, over real links.

  liveness.py deaths [--count N] [--bfd]   silent deaths of a node: how long flows to its
                                           addresses were lost (50, by echo)
  liveness.py restarts [--count N]         BGP agents that end and start again (10): no packet may
                                           be lost; nodes that die while theirs is away
  liveness.py calm [--minutes M] [--neighbors N]
                                           a full table loads again and again, both workers
                                           are flooded: no neighbor may be called dead

What needs no links is in the executable beside it: bench_liveness. A JSON line each, with
the bars it must hold; 1 at the end when one was missed.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import Lab, wait_for  # noqa: E402
from routers import Torii, build_directory  # noqa: E402
from udp_flows import Meter  # noqa: E402
from watched import PORT, VIP, Watched  # noqa: E402


# Who is back gets what was idle for half a minute: few flows leave the most of that.
FEW = {"flows": 12, "interval": 4}


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, round(q * (len(values) - 1)))]


def line(figures, **most):
    """Prints a line of figures with what each may be at most; whether all are."""
    missed = [f"{name} <= {limit} (is {figures[name]})" for name, limit in most.items() if figures[name] > limit]
    figures |= {"bars": [f"{name} <= {limit}" for name, limit in most.items()], "good": not missed}
    print(json.dumps(figures), flush=True)
    for text in missed:
        print(f"{figures['name']}: missed: {text}", file=sys.stderr)
    return not missed


def value(torii, counter):
    return sum(s["value"] for c in torii.api.get(f"/api/v1/counters?name={counter}")["counters"]
               for s in c["samples"])


def deaths(count, bfd):
    victims = (2, 3) if bfd else (1, 4)
    with Lab("ttb-deaths") as lab:
        # Sessions stay, so that the next death need not wait for them.
        watched = Watched(lab, liveness='dampen = false; on_death = "suppress";').start()
        watched.converge()
        outages, moved, silent, rounds = [], 0, 0, 0
        while len(outages) < count:
            rounds += 1
            assert rounds <= count, f"{rounds} rounds, and the dead had flows in {len(outages)} alone"
            for n in victims:
                with Meter(watched.client, VIP, PORT, **FEW) as meter:
                    time.sleep(0.3 + 0.007 * len(outages) % 0.1)
                    died = watched.kill(n)
                    time.sleep(0.5)
                    ping = watched.client.run("ping", "-n", "-c", "1", "-W", "1", f"10.244.{n}.1", check=False)
                watched.revive(n)
                outage, flows, others = meter.outage(died, f"node{n}")
                if flows == 0:  # all of its share was busy with others' flows
                    continue
                outages.append(outage * 1000)
                moved += others
                silent += "From 192.0.2.1 icmp_seq=1 Destination" not in ping.stdout
            for n in victims:
                wait_for("it is back", lambda: watched.verdict(n) == "up", 120)
                if bfd:
                    wait_for("so is BFD", lambda: watched.liveness()[f"10.0.0.1{n}"]["bfd"]["state"] == "up", 120)
                wait_for("it has its share", lambda: f"10.0.0.1{n}" in watched.members(), 120)
            time.sleep(0.5)
        figures = {
            "name": "liveness-deaths", "by": "bfd" if bfd else "echo", "interval_ms": 50 if bfd else 100,
            "multiplier": 3, "deaths": len(outages), "p50_ms": round(statistics.median(outages), 1),
            "p99_ms": round(quantile(outages, 0.99), 1), "max_ms": round(max(outages), 1),
            "flows_of_others_moved": moved, "pods_not_unreachable": silent,
            "worst_prune_us": round(value(watched.torii, "torii_liveness_worst_prune_seconds") * 1e6)}
        assert watched.torii.stop() == 0, watched.torii.log()
        return line(figures, p99_ms=200 if bfd else 350, flows_of_others_moved=0, pods_not_unreachable=0,
                    worst_prune_us=5000)


def restarts(count):
    with Lab("ttb-restarts") as lab:
        watched = Watched(lab, liveness="dampen = false;").start()
        watched.converge()

        def back(n):
            address = f"10.0.0.1{n}"
            wait_for("its session is back", lambda: watched.liveness()[address]["bgp"] == "up", 60)
            wait_for("it has its share", lambda: address in watched.members(), 60)

        lost, sent, outages, moved = 0, 0, [], 0
        for i in range(count):
            n = (1, 4)[i % 2]
            with Meter(watched.client, VIP, PORT, flows=60, interval=8) as meter:
                time.sleep(0.3)
                watched.crash(n)
                watched.restart(n)
                back(n)
                time.sleep(1)
            lost += meter.lost()
            sent += sum(len(flow) for flow in meter.flows)
            with Meter(watched.client, VIP, PORT, **FEW) as meter:
                time.sleep(0.3)
                watched.crash(n)
                died = watched.kill(n)
                time.sleep(0.7)
            watched.revive(n)
            watched.restart(n)
            back(n)
            outage, flows, others = meter.outage(died, f"node{n}")
            moved += others
            if flows != 0:
                outages.append(outage * 1000)
        figures = {
            "name": "liveness-restarts", "restarts": count, "packets": sent, "packets_lost": lost,
            "deaths_meanwhile": len(outages), "p50_ms": round(statistics.median(outages), 1),
            "max_ms": round(max(outages), 1), "flows_of_others_moved": moved}
        assert watched.torii.stop() == 0, watched.torii.log()
        return line(figures, packets_lost=0, max_ms=350, flows_of_others_moved=0)


GATEWAY = """
dataplane = { workers = 2; };
ports = {
  nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=16384,qpairs=2,qdisc_bypass=1";
    addresses = ["172.16.0.1/12"];
  };
  uplink = {
    vdev = "net_af_packet1,iface=gwup,blocksz=65536,framesz=2048,framecnt=16384,qpairs=2,qdisc_bypass=1";
    addresses = ["192.0.2.1/24"];
  };
};
prefix_lists = { pods = ["10.0.0.0/8 ge 24 le 24"]; table = ["any"]; };
bgp = {
  asn = 65000; router_id = "172.16.0.1";
  groups = { nodes = { remote_as = "external"; import = "pods"; export = "none"; };
             full = { remote_as = "external"; import = "table"; export = "none"; liveness = { detect = "off"; };
                    receive_limit = 0; receive_octets = 0; }; };
  listen = ( { range = "172.17.0.0/16"; group = "nodes"; }, { range = "192.0.2.0/24"; group = "full"; } );
};
management = { socket = "@SOCKET@"; http = []; };
"""

FLOOD = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
targets = [(address, 9 + i) for i in range(128) for address in sys.argv[2:]]
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for target in targets:
        try:
            sock.sendto(b"x" * 18, target)
        except OSError:
            pass
"""


def calm(minutes, neighbors):
    with Lab("ttb-calm") as lab:
        gateway, swarm, client = (lab.namespace(n) for n in ("gw", "swarm", "client"))
        lab.link(gateway, "gwnodes", swarm, "eth0")
        lab.link(gateway, "gwup", client, "eth0")
        swarm.address("eth0", "172.31.0.1/12")
        swarm.forward()
        for network in ("172.17.0.0/16", "10.0.0.0/8"):
            swarm.ip("route", "add", "local", network, "dev", "lo")
        swarm.ip("route", "add", "192.0.2.0/24", "via", "172.16.0.1")
        client.address("eth0", "192.0.2.2/24")
        client.ip("route", "add", "default", "via", "192.0.2.1")
        torii = Torii(gateway, GATEWAY).start()
        bgpswarm = build_directory() / "bgpswarm"
        seconds = minutes * 60
        swarm.start("nodes", bgpswarm, "--dut", "172.16.0.1:179", "--peers", neighbors,
                    "--src-nodes", "172.17.0.1", "--local-as", 65001, "--remote-as", 65000, "--hold", 90,
                    "--pod-base", "10.0.0.0", "--linger", seconds + 200, "--timeout", seconds + 400)
        wait_for("all nodes are Established", lambda: len(torii.api.established()) == neighbors, 120)

        def verdicts():
            out = {"up": 0, "down": 0, "unknown": 0}
            for row in torii.api.get("/api/v1/liveness")["liveness"]:
                out[row["verdict"]] += 1
            return out

        wait_for("all nodes are alive", lambda: verdicts()["up"] == neighbors, 60)
        def packets():
            return {p["name"]: p["rx_packets"] for p in torii.api.get("/api/v1/ports")["ports"]}

        before, deaths_before = packets(), value(torii, "torii_liveness_deaths_total")
        pods = [f"10.0.{n}.7" for n in range(min(neighbors, 64))]
        began = time.monotonic()
        floods = [client.start("flood", "/usr/bin/python3", "-c", FLOOD, seconds, *pods),
                  swarm.start("flood", "/usr/bin/python3", "-c", FLOOD, seconds, "192.0.2.2")]
        loads = most = 0
        while time.monotonic() - began < seconds:
            table = client.start(f"table{loads}", bgpswarm, "--dut", "192.0.2.1:179",
                                 "--full-peers", 1, "--full-table", 1_000_000, "--src-full", "192.0.2.2",
                                 "--full-as", 65002, "--remote-as", 65000, "--no-gr", "--linger", 3,
                                 "--timeout", 120)
            while table.poll() is None:
                most = max(most, torii.api.get("/api/v1/status")["routes_ipv4"])
                time.sleep(0.5)
            assert table.returncode == 0, table.log_file.read_text()
            loads += 1
        assert all(flood.wait(60) == 0 for flood in floods)
        took = time.monotonic() - began
        rates = {name: round((n - before[name]) / took / 1000) for name, n in packets().items()}
        figures = {
            "name": "liveness-calm", "minutes": minutes, "neighbors": neighbors, "interval_ms": 100,
            "multiplier": 3, "table_loads": loads, "most_routes": most, "kpps_in": rates,
            "false_alarms": int(value(torii, "torii_liveness_deaths_total") - deaths_before),
            "not_up": neighbors - verdicts()["up"]}
        assert torii.stop() == 0, torii.log()
        return line(figures, false_alarms=0, not_up=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("deaths")
    one.add_argument("--count", type=int, default=50)
    one.add_argument("--bfd", action="store_true")
    three = parts.add_parser("restarts")
    three.add_argument("--count", type=int, default=10)
    two = parts.add_parser("calm")
    two.add_argument("--minutes", type=float, default=1)
    two.add_argument("--neighbors", type=int, default=500)
    arguments = parser.parse_args()
    if arguments.part == "deaths":
        good = deaths(arguments.count, arguments.bfd)
    elif arguments.part == "restarts":
        good = restarts(arguments.count)
    else:
        good = calm(arguments.minutes, arguments.neighbors)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
