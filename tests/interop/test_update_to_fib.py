"""How long an UPDATE takes from its last byte to the FIB, as the metric says."""

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


def test_updates_reach_the_fib_within_milliseconds(lab):
    gateway, swarm = lab.namespace("gw"), lab.namespace("swarm")
    lab.link(gateway, "gwnodes", swarm, "eth0")
    swarm.address("eth0", "172.31.0.1/12")
    swarm.ip("route", "add", "local", "172.17.0.0/16", "dev", "lo")
    torii = Torii(gateway, GATEWAY).start()
    swarm.start("bgpswarm", build_directory() / "bgpswarm", "--dut", "172.16.0.1:179", "--peers", 50,
                "--src-nodes", "172.17.0.1", "--local-as", 65001, "--remote-as", 65000,
                "--flap", 1000, "--flap-duration", 4, "--linger", 60, "--timeout", 60,
                "--json", lab.directory / "report.json")
    wait_for("4,000 updates came", lambda: histogram(torii.api.get("/metrics"))[1] >= 2000, 40)
    buckets, count = histogram(torii.api.get("/metrics"))
    p99 = min((b for b, n in buckets.items() if n >= 0.99 * count), default=float("inf"))
    print(f"{count} reads, p99 <= {p99 * 1e6:.0f} us, {buckets}")
    # On a machine of its own 200 us; here others run beside it.
    assert p99 <= 0.02, buckets
    assert torii.stop() == 0
