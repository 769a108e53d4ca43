"""How long an UPDATE takes from its last byte to the FIB, as the gateway's own histogram says."""

import re

from lab import wait_for
from routers import Torii, build_directory

GATEWAY = """
ports = { nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["172.16.0.1/12"];
}; };
bgp = {
  asn = 65000; router_id = "172.16.0.1";
  groups = { nodes = { remote_as = "external"; import = "any"; export = "none"; }; };
  listen = ( { range = "172.17.0.0/16"; group = "nodes"; } );
};
management = { socket = "@SOCKET@"; http = []; };
log = { level = "warning"; };
"""


def histogram(metrics):
    """Upper bound in seconds -> how many took no longer; and how many there were."""
    buckets = {bound: int(float(count)) for bound, count in re.findall(
        r'torii_update_to_fib_seconds_bucket{le="([^"]+)"} (\S+)', metrics)}
    return {float(b): n for b, n in buckets.items() if b != "+Inf"}, buckets["+Inf"]


def quantile(buckets, count, q):
    """The upper end of the bucket it lies in: never better than what was."""
    return min((b for b, n in buckets.items() if n >= q * count), default=float("inf"))


def after(torii, updates, timeout):
    """The histogram when that many have come."""
    wait_for(f"{updates:.0f} updates came", lambda: histogram(torii.api.get("/metrics"))[1] >= updates, timeout)
    return histogram(torii.api.get("/metrics"))


def measure(lab, seconds, updates_per_second=1000):
    """Nodes that announce and withdraw; what the histogram says of it."""
    gateway, swarm = lab.namespace("gw"), lab.namespace("swarm")
    lab.link(gateway, "gwnodes", swarm, "eth0")
    swarm.address("eth0", "172.31.0.1/12")
    swarm.ip("route", "add", "local", "172.17.0.0/16", "dev", "lo")
    torii = Torii(gateway, GATEWAY).start()
    # Nice: the nodes of a cluster have processors of their own.
    swarm.start("bgpswarm", "nice", "-n", 10, build_directory() / "bgpswarm", "--dut", "172.16.0.1:179", "--peers", 50,
                "--src-nodes", "172.17.0.1", "--local-as", 65001, "--remote-as", 65000,
                "--flap", updates_per_second, "--flap-duration", seconds, "--linger", 60, "--timeout", 60 + seconds,
                "--json", lab.directory / "report.json")
    # Without the crowd of the beginning, when all join at once.
    begin, end = (after(torii, updates_per_second * seconds * part, 40 + seconds) for part in (0.25, 0.75))
    assert torii.stop() == 0
    return {bound: end[0][bound] - begin[0][bound] for bound in end[0]}, end[1] - begin[1]
