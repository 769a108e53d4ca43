"""FRR configurations of real gates: imported, checked, and the neighbors that had
peered with FRR come up with torii."""

import ipaddress
import pathlib
import re
import time

import pytest
from lab import ROOT, Lab, run, wait_for
from routers import Frr, Torii, build_directory

FILES = ROOT / "tests/vectors/config/frr"
MANAGEMENT = '\nmanagement = { socket = "@SOCKET@"; http = []; };\n'


class Peer:
    """One bgpd at an address, which announces a prefix to a gate."""

    count = 0

    def __init__(self, address, asn, gate, gate_as, prefix, *lines, accepted=True):
        self.address, self.asn, self.gate, self.gate_as = address, asn, gate, gate_as
        self.prefix, self.lines, self.accepted = prefix, lines, accepted

    def start(self, host, name):
        v6 = ":" in self.prefix
        extra = "".join(f" neighbor {self.gate} {line}\n" for line in self.lines)
        self.frr = Frr(host, f"""
router bgp {self.asn}
 bgp router-id 10.254.0.{int(ipaddress.ip_address(self.address)) % 250 + 1}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor {self.gate} remote-as {self.gate_as}
 neighbor {self.gate} update-source {self.address}
 neighbor {self.gate} timers connect 1
{extra} address-family ipv4 unicast
  {'' if v6 else f'network {self.prefix}'}
 exit-address-family
 address-family ipv6 unicast
  {f'network {self.prefix}' if v6 else ''}
  {f'neighbor {self.gate} activate' if v6 or ':' in self.gate else ''}
 exit-address-family
""", name=name, address=self.address,
            # which knows what link a next hop of fe80::/10 is on
            zebra="capability extended-nexthop" in self.lines).start()


GATES = {
    "adr": [Peer(f"10.0.0.1{n}", 64513, "10.0.0.1", 64512, f"10.244.{n}.0/24") for n in (1, 2, 3)],
    "gates/two-racks-dual-stack": [
        Peer("10.1.0.21", 64701, "10.1.0.1", 64700, "10.244.21.0/24"),
        Peer("10.1.0.22", 64701, "10.1.0.1", 64700, "10.245.22.0/24", accepted=False),
        Peer("fd00:1::21", 64701, "fd00:1::1", 64700, "fd00:244:0:21::/64"),
    ],
    "gates/leaf-in-a-fabric": [
        Peer("172.16.1.0", 4200000001, "172.16.1.1", 4200000101, "0.0.0.0/0"),
        Peer("10.2.0.31", 4200000031, "10.2.0.1", 4200000101, "10.244.31.0/24"),
    ],
    "gates/range-with-password": [
        Peer("10.3.0.77", 65011, "10.3.0.1", 65010, "10.244.77.0/24",
             "password Tw0-gates.and&a_node"),
        Peer("10.3.0.78", 65011, "10.3.0.1", 65010, "10.244.255.0/24",
             "password Tw0-gates.and&a_node", accepted=False),
    ],
    "gates/calico-internal": [
        Peer("10.4.0.11", 64512, "10.4.0.1", 64512, "10.244.11.0/26"),
        Peer("10.4.0.12", 64512, "10.4.0.1", 64512, "10.244.12.0/26"),
    ],
    "gates/metallb-services": [
        Peer("10.5.0.41", 65021, "10.5.0.1", 65020, "203.0.113.5/32"),
        Peer("10.5.0.42", 65021, "10.5.0.1", 65020, "203.0.113.5/32"),
        Peer("192.0.2.2", 65000, "192.0.2.1", 65020, "0.0.0.0/0"),
    ],
    "gates/with-bfd-and-transit": [
        Peer("10.6.0.51", 65031, "10.6.0.1", 65030, "10.244.51.0/24"),
        Peer("198.51.100.2", 65000, "198.51.100.1", 65030, "9.0.0.0/8", "ttl-security hops 1"),
    ],
    "gates/four-octet-and-private": [
        Peer("10.7.0.61", 4259840061, "10.7.0.1", 4259840001, "10.61.0.0/16"),
        Peer("10.7.0.62", 64999, "10.7.0.1", 64998, "10.62.0.0/16"),
    ],
    "gates/one-session-two-families": [
        Peer("fd00:8::71", 65041, "fd00:8::1", 65040, "10.244.71.0/24", "capability extended-nexthop"),
        Peer("fd00:8::72", 65041, "fd00:8::1", 65040, "fd00:244:72::/64", "capability extended-nexthop"),
    ],
    "field/a-map-for-each-family": [
        Peer("192.0.2.11", 65010, "192.0.2.1", 65001, "10.244.1.0/24"),
        Peer("192.0.2.12", 65010, "192.0.2.1", 65001, "10.99.1.0/24", accepted=False),
        Peer("192.0.2.13", 65010, "192.0.2.1", 65001, "fd00:244:0:1::/64"),
        Peer("192.0.2.14", 65010, "192.0.2.1", 65001, "fd00:99::/64", accepted=False),
    ],
    "gates/route-server-of-a-site": [
        Peer("10.9.0.81", 65051, "10.9.0.1", 65050, "10.81.0.0/16", "password old-secret"),
        Peer("10.9.0.82", 65052, "10.9.0.1", 65050, "10.82.0.0/16"),
    ],
}


@pytest.fixture(scope="module")
def hosts(lab_prefix):
    with Lab(lab_prefix + "-frr") as lab:
        yield lab.namespace("gw"), lab.namespace("peers")


def imported(file, check=True):
    return run(build_directory() / "torii", "import", "frr", file, check=check)


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_of_frr_becomes_one_of_torii(hosts, gate):
    host, outside = hosts
    file = FILES / f"{gate}.frr"
    name = pathlib.Path(gate).name
    torii = Torii(host, imported(file).stdout + MANAGEMENT, name=name)
    assert "good" in run(build_directory() / "toriid", "--check", torii.config_file).stdout

    peers = GATES[gate]
    interfaces = re.findall(r"^interface (?!lo)(\S+)((?:\n .*)*)", file.read_text(), re.M)
    for number, (interface, lines) in enumerate(interfaces):
        host.lab.link(host, interface, outside, f"p{number}")
        for network in re.findall(r"address (\S+)", lines):
            network = ipaddress.ip_interface(network).network
            for peer in peers:
                if ipaddress.ip_address(peer.address) in network:
                    outside.address(f"p{number}", f"{peer.address}/{network.prefixlen}")
    try:
        for number, peer in enumerate(peers):
            peer.start(outside, f"{name}-{number}")
        torii.start()
        wanted = sorted(p.address for p in peers)
        wait_for(f"{wanted} are Established", lambda: torii.api.established() == wanted, 30)
        for peer in peers:
            if peer.accepted:
                wait_for(f"{peer.prefix} is learnt", lambda: torii.api.installed(peer.prefix), 10)
        time.sleep(0.1)
        for peer in peers:
            assert peer.accepted or not torii.api.installed(peer.prefix), peer.prefix
        assert torii.stop() == 0, torii.log()
    finally:
        for peer in peers:
            if hasattr(peer, "frr"):
                peer.frr.stop()
        if torii.process and torii.process.poll() is None:
            torii.stop()
        for interface, _ in interfaces:
            run("ip", "-n", host.id, "link", "delete", interface, check=False)


def test_what_is_not_carried_over_is_listed_with_its_line_and_why():
    file = FILES / "gates/route-server-of-a-site.frr"
    text = file.read_text().splitlines()
    said = imported(file).stderr
    for line in (" ip ospf area 0", "router ospf", " neighbor 10.9.0.82 weight 10",
                 "rpki", "vrf blue", "  advertise-all-vni"):
        number = text.index(line) + 1
        assert re.search(rf"\b{number}: .*{re.escape(line.strip())}", said), f"{number}: {line}\n{said}"
    assert "old-secret" not in said


def test_an_import_that_would_leave_a_neighbor_without_routes_ends_with_1():
    done = imported(FILES / "field/conditions-without-words.frr", check=False)
    assert done.returncode == 1
    assert re.search(r": dead: neighbor 203\.0\.113\.3 .*nothing is accepted in ipv4", done.stderr)
    worst_first = re.findall(r"^\S+?:\d+: (wider|dead|narrower|lost|changed): ", done.stderr, re.M)
    assert worst_first == sorted(worst_first, key=["wider", "dead", "narrower", "lost", "changed"].index)
    assert imported(FILES / "field/settings-with-words.frr").returncode == 0


def test_a_line_per_node_becomes_one_listen_range():
    done = run(build_directory() / "torii", "import", "frr", "--by-range", FILES / "adr.frr")
    assert 'range = "10.0.0.0/24"; group = "CILIUM_NODES"' in done.stdout
    assert "10.0.0.11" not in done.stdout
