#!/usr/bin/env python3
"""toriid as a process on emulated ports, beside the loop of DPDK's l3fwd on the same ports.

Port 0 receives 64-octet frames of 16,384 flows without end, one worker forwards them. Each line is
one case: cycles of the TSC a packet, source and sink included (`source_and_sink` is what these cost
alone: more with each port, whose ring holds a thousand buffers), of the quiet twentieth of all
slices; medians of the launches. `ratio` is to l3fwd of the same case where there is one, `to_best`
to the best case of the same prefixes with at most two ports that packets leave by.

  process.py [--only WORD] [--launches N] [--slices N] [--cpu N]"""

import argparse
import ipaddress
import json
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUILD = Path(os.environ.get("TORII_BUILD", "build-bench")).resolve()
FLOWS, ROUTES, NEXT_HOPS = 16384, 10240, 64
HUGEPAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")


def mac(port):
    return f"02:00:00:00:00:{port + 1:02x}"


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(destination, source, vlan):
    ethernet = bytes.fromhex(mac(0).replace(":", "")) + bytes.fromhex("020000000077")
    if vlan:
        ethernet += struct.pack("!HH", 0x8100, vlan)
    port = random.randrange(1024, 65000)
    udp = struct.pack("!HHHH", port, 4000, 10, 0) + b"ab"
    if destination.version == 4:
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, source.packed, destination.packed)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        octets = ethernet + b"\x08\x00" + ip + udp
    else:
        octets = ethernet + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, 10, 17, 64) + source.packed + destination.packed + udp
    return octets[:64].ljust(64, b"\0")


class Case:
    """`out` ports that packets leave by, `own` addresses of the gate at the least."""

    def __init__(self, name, kind, out=1, own=4, vlan=0, ends_alike=False, members=1):
        self.name, self.kind, self.out, self.own, self.vlan = name, kind, out, own, vlan
        self.ends_alike, self.members = ends_alike, members

    @property
    def length(self):
        return (60 if self.kind == "v4-24" else 64) + (4 if self.vlan else 0)

    def prefixes(self):
        if self.kind == "v4-24":
            return [ipaddress.ip_network((0x0a000000 + (i << 8), 24)) for i in range(ROUTES)]
        if self.kind == "v6-64":
            return [ipaddress.ip_network(((0xfd00001000000000 + i) << 64, 64)) for i in range(ROUTES)]
        return [ipaddress.ip_network(((0xfd00002000000000 + random.randrange(4096)) << 64 | i << 8, 120))
                for i in range(ROUTES)]

    def flows(self, prefixes):
        out = []
        for _ in range(FLOWS):
            destination = random.choice(prefixes)[random.randrange(1, 250)]
            if destination.version == 4:
                source = 0xc6120000 + random.randrange(1 << 16)
                if self.ends_alike:
                    source = source & ~0xff | 1
                source = ipaddress.IPv4Address(source)
            else:
                source = 0x20010db8 << 96 | random.randrange(1 << 30) << 64
                source = ipaddress.IPv6Address(source | (1 if self.ends_alike else random.randrange(2, 1 << 30)))
            out.append(frame(destination, source, self.vlan))
        random.shuffle(out)
        return b"".join(out)


def cases():
    for kind in ("v4-24", "v6-64", "v6-120"):
        yield Case(f"{kind}-1port", kind)
        for out in (2, 4, 8, 31):
            yield Case(f"{kind}-{out}port", kind, out, own=15)
        for own in (4, 9, 50, 200):
            yield Case(f"{kind}-1port-{own}own", kind, own=own)
        yield Case(f"{kind}-1port-ends-alike", kind, own=20, ends_alike=True)
        yield Case(f"{kind}-4port-ends-alike", kind, 4, own=200, ends_alike=True)
        yield Case(f"{kind}-1port-vlan", kind, vlan=100)
        yield Case(f"{kind}-4port-ecmp4", kind, 4, own=15, members=4)
        yield Case(f"{kind}-8port-ecmp64", kind, 8, own=15, members=64)


def next_hops(case, version):
    """(address, port) of the neighbors; each port has its network."""
    out = []
    for i in range(NEXT_HOPS):
        port = 1 + i % case.out
        host = 2 + i // case.out
        out.append((f"172.16.{port}.{host}" if version == 4 else f"fd01:{port:x}::{host:x}", port))
    return out


def torii_config(case, prefixes, directory):
    version = prefixes[0].version
    ports = []
    own = 0
    for port in range(case.out + 1):
        addresses = [f"172.16.{port}.1/24", f"fd01:{port:x}::1/64"]
        own += 2
        if port == case.out:
            # The rest of the addresses that the case wants.
            while own < case.own:
                addresses.append(f"172.17.{own}.1/24" if own % 2 else f"fd02:{own:x}::1/64")
                own += 1
        ports.append(f'p{port} = {{ vdev = "net_null{port}"; mac = "{mac(port)}"; '
                     f'addresses = {json.dumps(addresses)}; }};')
    if case.vlan:
        ports.append(f'v0 = {{ parent = "p0"; vlan = {case.vlan}; addresses = ["172.18.0.1/24", "fd03::1/64"]; }};')
    hops = next_hops(case, version)
    routes = []
    for i, prefix in enumerate(prefixes):
        via = [hops[(i + k) % len(hops)][0] for k in range(case.members)] if case.members > 1 else [random.choice(hops)[0]]
        routes.append(f'{{ prefix = "{prefix}"; via = {json.dumps(via)}; }}')
    neighbors = [f'{{ port = "p{port}"; address = "{address}"; mac = "02:aa:00:00:00:{i:02x}"; }}'
                 for i, (address, port) in enumerate(hops)]
    config = f"""
        dataplane = {{ workers = 1; lcores = "{arguments.cpu}"; hugepages = "{'on' if huge else 'off'}"; memory = 1024;
                       poll = "busy"; file_prefix = "process{os.getpid()}"; }};
        ports = {{ {' '.join(ports)} }};
        neighbors = ( {', '.join(neighbors)} );
        routes = ( {', '.join(routes)} );
        management = {{ socket = "{directory}/socket"; }};
        log = {{ stderr = true; journal = false; level = "warning"; }};
    """
    (directory / "config").write_text(config)
    return [BUILD / "toriid", "--config", directory / "config"]


def source_and_sink(case, prefixes, directory):
    return reference(case, [], directory)


def reference(case, prefixes, directory):
    lines = [f"{p.network_address} {p.prefixlen} {1 + random.randrange(case.out)}" for p in prefixes]
    (directory / "routes").write_text("\n".join(lines))
    memory = ["--in-memory"] if huge else ["--no-shconf", "--no-huge", "-m", "1024"]
    return [BUILD / "tests/bench/process_reference", directory / "routes", case.out + 1,
            "--lcores", f"0@{arguments.cpu}", "--no-pci", "--no-telemetry", *memory,
            *[f"--vdev=net_null{p}" for p in range(case.out + 1)]]


def launch(case, command):
    random.seed(case.kind)
    prefixes = list(dict.fromkeys(case.prefixes()))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "flows").write_bytes(case.flows(prefixes))
        words = [str(w) for w in command(case, prefixes, directory)]
        result = directory / "result"
        environment = {**os.environ, "PROCESS_FLOWS": str(directory / "flows"), "PROCESS_RESULT": str(result),
                       "PROCESS_LENGTH": str(case.length), "PROCESS_SLICES": str(arguments.slices),
                       "LD_PRELOAD": str(BUILD / "tests/bench/libprocess_ports.so")}
        with open(directory / "log", "w") as log:
            process = subprocess.Popen(["unshare", "--net", *words], env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + arguments.patience
            while not (result.exists() and result.read_text().endswith("\n")):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.stderr.write(f"{case.name}: {words[0]} gave no result\n" + (directory / "log").read_text()[-2000:])
                    return None
                time.sleep(0.05)
            measured = json.loads(result.read_text())
        finally:
            process.kill()
            process.wait()
        # What waits in the router at either end is not lost.
        if abs(measured["received"] - measured["sent"]) > 64 * 64:
            sys.stderr.write(f"{case.name}: {measured}\n")
            return None
        return measured["quiet"]


def reserve_hugepages(wanted):
    count = HUGEPAGES / "nr_hugepages"
    try:
        before = int(count.read_text())
        free = int((HUGEPAGES / "free_hugepages").read_text())
        if free < wanted:
            count.write_text(str(before + wanted - free))
        return before, int((HUGEPAGES / "free_hugepages").read_text()) >= wanted
    except OSError:
        return None, False


def main():
    measured, best = {}, {}
    wanted = [c for c in cases() if arguments.only in c.name]
    for _ in range(arguments.launches):
        for case in wanted:
            plain = case.members == 1 and not case.vlan
            for who, command in (("torii", torii_config), ("io", source_and_sink), ("l3fwd", reference))[:3 if plain else 2]:
                cycles = launch(case, command)
                if cycles is not None:
                    measured.setdefault((case.name, who), []).append(cycles)
    for case in wanted:
        values = measured.get((case.name, "torii"))
        if values and case.out <= 2:
            best[case.kind] = min(best.get(case.kind, 1e9), statistics.median(values))
    for case in wanted:
        ours, theirs = measured.get((case.name, "torii")), measured.get((case.name, "l3fwd"))
        io = measured.get((case.name, "io"))
        line = {"name": case.name, "ports": case.out, "own_addresses": case.own, "huge": huge}
        if ours:
            line.update(cycles=round(statistics.median(ours), 2), launches=len(ours),
                        to_best=round(statistics.median(ours) / best.get(case.kind, 1e9), 3) if best else None)
        if io:
            line.update(source_and_sink=round(statistics.median(io), 2))
        if ours and theirs:
            line.update(l3fwd=round(statistics.median(theirs), 2),
                        ratio=round(statistics.median(ours) / statistics.median(theirs), 3))
        print(json.dumps(line), flush=True)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", default="")
parser.add_argument("--launches", type=int, default=5)
parser.add_argument("--slices", type=int, default=1000)
parser.add_argument("--cpu", type=int, default=1)
parser.add_argument("--patience", type=float, default=60)
arguments = parser.parse_args()
reserved, huge = reserve_hugepages(600)
try:
    main()
finally:
    if reserved is not None:
        (HUGEPAGES / "nr_hugepages").write_text(str(reserved))
