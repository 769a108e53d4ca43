"""Hundreds of nodes that nobody configured."""

from lab import wait_for
from routers import Torii, build_directory

NODES = 200

GATEWAY = """
ports = {
  nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=16384,qdisc_bypass=1";
    addresses = ["172.16.0.1/12"];
  };
  uplink = {
    vdev = "net_af_packet1,iface=gwup,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["192.0.2.1/24"];
  };
};
prefix_lists = { pods = ["10.0.0.0/8 ge 24 le 24"]; };
bgp = {
  asn = 65000; router_id = "172.16.0.1";
  groups = { nodes = { remote_as = "external"; import = "pods"; export = "none"; }; };
  listen = ( { range = "172.17.0.0/16"; group = "nodes"; } );
};
management = { socket = "@SOCKET@"; http = []; };
"""


def test_200_nodes_join_by_one_listen_range_and_are_all_forwarded_to(lab):
    gateway, swarm, client = (lab.namespace(n) for n in ("gw", "swarm", "client"))
    lab.link(gateway, "gwnodes", swarm, "eth0")
    lab.link(gateway, "gwup", client, "eth0")
    # One namespace is all nodes at once, and all their pods.
    swarm.address("eth0", "172.31.0.1/12")
    for network in ("172.17.0.0/16", "10.0.0.0/8"):
        swarm.ip("route", "add", "local", network, "dev", "lo")
    swarm.ip("route", "add", "192.0.2.0/24", "via", "172.16.0.1")
    client.address("eth0", "192.0.2.2/24")
    client.ip("route", "add", "default", "via", "192.0.2.1")

    torii = Torii(gateway, GATEWAY).start()
    report = lab.directory / "swarm.json"
    process = swarm.start(
        "bgpswarm", build_directory() / "bgpswarm", "--dut", "172.16.0.1:179", "--peers", NODES,
        "--src-nodes", "172.17.0.1", "--local-as", 65001, "--remote-as", 65000, "--hold", 30,
        "--pod-base", "10.0.0.0", "--linger", 60, "--timeout", 100, "--json", report)
    wait_for("all nodes are Established", lambda: len(torii.api.established()) == NODES, 60)
    groups = {g["name"]: g for g in torii.api.get("/api/v1/peer-groups")["peer_groups"]}
    assert groups["nodes"]["members_dynamic"] == NODES

    last = f"10.0.{NODES - 1}.0/24"
    wait_for(f"{last} is forwarded", lambda: torii.api.installed(last), 20)
    # Twenty at a time: it is the gateway that is asked, not what the machine bears.
    answer = client.run("sh", "-c", f"seq 0 {NODES - 1} | xargs -P 20 -I@ sh -c "
                        "'ping -n -q -c 3 -i 0.2 -W 2 10.0.@.7 >/dev/null || echo lost 10.0.@.7'")
    assert answer.stdout == "", answer.stdout

    metrics = torii.api.get("/metrics")
    assert f"torii_bgp_neighbors_established {NODES}" in metrics
    lab.stop(process)
    wait_for("the nodes are gone", lambda: not torii.api.established(), 40)
    assert not torii.api.installed(last)
    assert torii.stop() == 0
