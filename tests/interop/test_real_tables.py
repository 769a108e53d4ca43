"""Tables of the real Internet: they load, the FIB holds them, and what a lookup
answers is what the longest prefix of the file says."""

import gzip
import ipaddress
import lzma
import random
import re
import struct

import pytest
from lab import ROOT, LabError, run, wait_for
from routers import Torii, build_directory

TABLES = ROOT / "tests/vectors/tables"

GATEWAY = """
dataplane = { memory = 3000; };
ports = { nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["172.16.0.1/12", "fd00:99::ffff/64"];
}; };
bgp = {
  asn = 65000; router_id = "172.16.0.1";
  groups = { full = { remote_as = 65001; import = "any"; export = "none"; enforce_first_as = false;
                    allow_as_set = true; receive_limit = 0; receive_octets = 0; }; };
  listen = ( { range = "172.18.0.0/16"; group = "full"; } );
};
management = { socket = "@SOCKET@"; http = []; };
log = { level = "warning"; };
"""


def rrc06(directory):
    file = directory / "rrc06.mrt"
    file.write_bytes(lzma.decompress((TABLES / "rrc06.2010-07-01.rebuilt.rib.mrt.xz").read_bytes()))
    return file


def tier1(directory):
    """The prefixes alone, as a dump of one peer."""
    attributes = bytes.fromhex("40010100" "4002060201" "0000fde9")
    out = [struct.pack("!IHHI", 0, 13, 1, 20), struct.pack("!IHH", 1, 0, 1),
           struct.pack("!BIII", 2, 1, 1, 65001)]
    out[0] = struct.pack("!IHHI", 0, 13, 1, sum(map(len, out[1:])))
    with gzip.open(TABLES / "tier1-prefixes.txt.gz", "rt") as lines:
        for n, line in enumerate(lines):
            address, _, length = line.strip().partition("/")
            length = int(length)
            packed = (ipaddress.IPv4Address if "." in address else ipaddress.IPv6Address)(address).packed
            own = attributes + (bytes.fromhex("400304") + b"\1\2\3\4" if len(packed) == 4 else
                                bytes.fromhex("800e1110") + bytes(15) + b"\1")
            body = struct.pack("!IB", n, length) + packed[:(length + 7) // 8] + \
                struct.pack("!HHIH", 1, 0, 0, len(own)) + own
            out.append(struct.pack("!IHHI", 0, 13, 2 if len(packed) == 4 else 4, len(body)) + body)
    file = directory / "tier1.mrt"
    file.write_bytes(b"".join(out))
    return file


def martian(net):
    """What torii refuses of anybody."""
    special = ("127.0.0.0/8", "224.0.0.0/3", "0.0.0.0/8") if net.version == 4 else \
        ("ff00::/8", "fe80::/10", "::1/128", "::ffff:0:0/96")
    return any(net.subnet_of(ipaddress.ip_network(s)) for s in special) and net.prefixlen > 0


def contents(file):
    """prefix -> AS path of its first entry, as bgpdump tells it."""
    table = {}
    for line in run("bgpdump", "-m", file, timeout=120).stdout.splitlines():
        fields = line.split("|")
        table.setdefault(fields[5], fields[6])
    return table


def longest(networks, address):
    for length in range(address.max_prefixlen, -1, -1):
        candidate = str(ipaddress.ip_network((address, length), strict=False))
        if candidate in networks:
            return candidate
    return None


@pytest.mark.parametrize("make", [rrc06, tier1])
def test_a_real_table_loads_and_is_looked_up(lab, make):
    file = make(lab.directory)
    known = contents(file)
    gateway, swarm = lab.namespace("gw"), lab.namespace("swarm")
    lab.link(gateway, "gwnodes", swarm, "eth0")
    swarm.address("eth0", "172.31.0.1/12", "fd00:99::1/64")
    swarm.ip("route", "add", "local", "172.18.0.0/16", "dev", "lo")
    torii = Torii(gateway, GATEWAY).start()
    process = swarm.start(
        "bgpswarm", build_directory() / "bgpswarm", "--dut", "172.16.0.1:179", "--full-peers", 1,
        "--src-full", "172.18.0.1", "--full-as", 65001, "--remote-as", 65000, "--ipv6",
        "--nh6-base", "fd00:99::1", "--mrt", file, "--linger", 120, "--timeout", 170,
        "--json", lab.directory / "report.json")

    def received():
        rows = torii.api.neighbors()["172.18.0.1"]
        return sum(f["received"] for f in rows["families"]), sum(f["accepted"] for f in rows["families"])
    wait_for("anything is received", lambda: received()[0], 30)

    def all_received():
        if received()[0] != len(known):
            raise LabError(f"{received()[0]} of {len(known)} are there")
        return True
    wait_for("all is received", all_received, 60)
    # Three of the real paths have our private AS in them: loops (RFC 4271 §9.1.2).
    good = {p for p, path in known.items()
            if not martian(ipaddress.ip_network(p, strict=False)) and "65000" not in path.split()}
    assert received()[1] == len(good)

    def used(metrics, resource):
        return int(float(re.search(rf'torii_resource_used{{resource="{resource}"}} (\S+)', metrics).group(1)))

    def settled():
        metrics = torii.api.get("/metrics")
        four = sum(":" not in p for p in good)
        return (used(metrics, "fib_ip4_prefixes") >= four and used(metrics, "fib_ip6_prefixes") >= len(good) - four
                and used(metrics, "fib_ip4_prefixes") <= four + 10)
    wait_for("the FIB holds it all", settled, 60)

    pick = random.Random(7)
    some = pick.sample(sorted(good), 150)
    for text in some:
        net = ipaddress.ip_network(text, strict=False)
        address = net[pick.randrange(min(net.num_addresses, 1 << 60))]
        want = longest(good, address)
        rows = torii.api.get(f"/api/v1/routes?match=lpm&prefix={address}")["routes"]
        assert rows and rows[0]["prefix"] == want, f"{address}: {want} is the longest"
        path = rows[0]["bgp"]["as_path"]
        assert path.split()[-len(known[want].split()):] == known[want].split() or "{" in known[want], \
            f"{want}: {path}, the file has {known[want]}"
        installed = torii.api.get(f"/api/v1/routes?table=fib&prefix={want}")["routes"]
        assert installed[0]["next_hops"], want
    status, proof = torii.api.request("POST", "/api/v1/verify")
    assert status == 200 and proof["faults"] == [] and proof["prefixes"] >= len(good), proof
    print(f"{proof['prefixes']} prefixes compared in {proof['seconds']:.2f} s")
    lab.stop(process)
    wait_for("all is gone", lambda: used(torii.api.get("/metrics"), "fib_ip4_prefixes") < 10, 60)
    assert torii.stop() == 0
