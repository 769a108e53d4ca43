#!/usr/bin/python3
"""A flood of SYNs, ARP, neighbor solicitations and echo requests on one port, as fast as a
core sends: do BGP sessions with a hold time of three seconds live through it, and do the
other ports forward everything?

  flood.py [--seconds N] [--workers N]     60 seconds, one worker

    attacker + peer     peer    host
         |                |       |
       10.1/16        10.2.0/24  10.3.0/24
         +------- gateway -+-------+
"""

import argparse
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import Lab, wait_for  # noqa: E402
from routers import Frr, Torii, build_directory  # noqa: E402
from traffic import Pings  # noqa: E402

PORT = ('vdev = "net_af_packet{0},iface=gw{0},blocksz=65536,framesz=2048,framecnt=8192,'
        'qpairs={2},qdisc_bypass=1"; addresses = ["10.{0}.0.1/{1}", "fd00:{0}::1/64"];')
GATEWAY = """
dataplane = { workers = @WORKERS@; };
ports = { p1 = { @P1@ }; p2 = { @P2@ }; p3 = { @P3@ }; };
bgp = {
  asn = 64512; router_id = "10.1.0.1";
  groups = { peers = { remote_as = "external"; import = "any"; export = "any"; }; };
  neighbors = ( { address = "10.1.0.2"; group = "peers"; }, { address = "10.2.0.2"; group = "peers"; } );
};
management = { socket = "@SOCKET@"; http = []; };
"""
PEER = """
router bgp {asn}
 bgp router-id 10.{n}.0.2
 no bgp ebgp-requires-policy
 neighbor 10.{n}.0.1 remote-as 64512
 neighbor 10.{n}.0.1 timers 1 3
 neighbor 10.{n}.0.1 timers connect 1
 address-family ipv4 unicast
  network 10.24{n}.0.0/24
 exit-address-family
"""


def flood(seconds, workers):
    with Lab("ttb-flood") as lab:
        gateway = lab.namespace("gw")
        hosts = {n: lab.namespace(f"host{n}") for n in (1, 2, 3)}
        for n, host in hosts.items():
            lab.link(gateway, f"gw{n}", host, "eth0")
            host.address("eth0", f"10.{n}.0.2/{16 if n == 1 else 24}", f"fd00:{n}::2/64")
            host.ip("route", "add", "10.0.0.0/8", "via", f"10.{n}.0.1")
            host.address("lo", f"10.24{n}.0.1/24")
        text = GATEWAY.replace("@WORKERS@", str(workers))
        for n in hosts:
            text = text.replace(f"@P{n}@", PORT.format(n, 16 if n == 1 else 24, workers))
        torii = Torii(gateway, text).start()
        ports = {p["name"]: p for p in torii.api.get("/api/v1/ports")["ports"]}
        # All share one kernel's table of neighbors, which the flood fills: what another machine
        # would know for itself the hosts are told for good.
        for n, host in hosts.items():
            for address in (f"10.{n}.0.1", f"fd00:{n}::1"):
                host.ip("neighbor", "replace", address, "lladdr", ports[f"p{n}"]["mac"],
                        "dev", "eth0", "nud", "permanent")
        peers = {n: Frr(hosts[n], PEER.format(asn=65000 + n, n=n)).start() for n in (1, 2)}
        wait_for("both sessions are up", lambda: len(torii.api.established()) == 2, 60)
        holds = {a: n["hold_time"] for a, n in torii.api.neighbors().items()}
        assert set(holds.values()) == {3}, holds
        wait_for("the hosts reach each other", lambda: hosts[3].ping("10.2.0.2", 1) == 1, 10)

        def since(peer):
            return torii.api.neighbors()[f"10.{peer}.0.2"]["times_established"]

        before = {n: since(n) for n in peers}
        ports = {p["name"]: p for p in torii.api.get("/api/v1/ports")["ports"]}
        pings = Pings(hosts[3], "10.2.0.2", interval=0.002)
        storm = hosts[1].start("flooder", build_directory() / "tests/bench/flooder", "eth0",
                               ports["p1"]["mac"], "10.1.0.1", "fd00:1::1", seconds)
        began, alive = time.monotonic(), True
        while storm.poll() is None:
            alive &= len(torii.api.established()) == 2
            time.sleep(0.5)
        took = time.monotonic() - began
        sent, lost, longest = pings.stop()
        after = {p["name"]: p for p in torii.api.get("/api/v1/ports")["ports"]}
        frames = int(storm.log_file.read_text())
        drops = {n: since(n) - before[n] for n in peers}
        seen = after["p1"]["rx_packets"] - ports["p1"]["rx_packets"]
        exits = [(s["labels"], int(s["value"])) for c in torii.api.get("/api/v1/counters?name=torii_exit")["counters"]
                 for s in c["samples"] if s["value"]]
        policed = sum(n for labels, n in exits if labels.get("exit") == "punt_policed")
        print(json.dumps({
            "name": "flood", "seconds": round(took), "workers": workers,
            "flood_frames": frames, "flood_kpps": round(frames / took / 1000),
            "seen_kpps": round(seen / took / 1000), "policed": int(policed),
            "sessions_lost": sum(drops.values()), "sessions_up_throughout": alive,
            "hold_time_s": 3, "other_ports_sent": sent, "other_ports_lost": lost,
            "longest_silence_ms": round(longest * 1000),
            # Where the others' packets went, as the gateway counts.
            "other_ports": {n: {k: after[n][k] - ports[n][k] for k in ("rx_packets", "tx_packets")}
                            for n in ("p2", "p3")},
            "exits": {f"{labels.get('port', '')} {labels['exit']}": n for labels, n in exits
                      if labels.get("port") != "p1"}}), flush=True)
        good = alive and sum(drops.values()) == 0 and lost == 0
        assert torii.stop() == 0
        return good


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(0 if flood(arguments.seconds, arguments.workers) else 1)


if __name__ == "__main__":
    main()
