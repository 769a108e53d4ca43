"""A pair of gates, machines both, in front of three nodes with three speakers.

            pod1      pod2      pod3            10.244.N.2
           node1     node2     node3            10.0.0.1N, default route via 10.0.0.1
           (FRR)     (BIRD)    (GoBGP)
             +---------+---------+
                    fabric                      10.0.0.0/24
               |               |
             gate1           gate2              10.0.0.2, 10.0.0.3; 10.0.0.1 shared
               |               |                192.0.2.1/30, 192.0.2.5/30
               +---  up (FRR) -+                198.51.100.1, the world
"""

from lab import wait_for
from machine import Machine
from routers import Bird, Frr, GoBgp

WORLD = "198.51.100.1"
SHARED = "10.0.0.1"
GATES = {"gate1": "10.0.0.2", "gate2": "10.0.0.3"}


class Pair:
    def __init__(self, lab):
        self.lab = lab
        self.fabric = lab.bridge("fabric")
        self.up = lab.namespace("up")
        self.up.forward()
        self.up.address("lo", f"{WORLD}/32")
        self.gates = {}
        for number, name in enumerate(GATES):
            gate = self.gates[name] = Machine(lab, name)
            gate.fabric_port = lab.plug(self.fabric, gate, "eth1")
            gate.uplink = f"eth{number + 1}"
            lab.link(gate, "eth2", self.up, gate.uplink)
            self.up.address(gate.uplink, f"192.0.2.{4 * number + 2}/30")
            self._management(gate, number)
        self.nodes, self.pods = [], []
        for n in (1, 2, 3):
            self._node(n)

    def _management(self, gate, number):
        """Interfaces that are not torii's: one with the default route, one that ssh comes by."""
        desk = self.lab.namespace(f"desk{number}")
        for n in (0, 1):
            self.lab.link(gate, f"mgmt{n}", desk, f"eth{n}")
            gate.address(f"mgmt{n}", f"192.168.{98 + n}.{number + 2}/24")
            desk.address(f"eth{n}", f"192.168.{98 + n}.1/24")
        gate.ip("route", "add", "default", "via", "192.168.98.1")

    def _node(self, n):
        node, pod = self.lab.namespace(f"node{n}"), self.lab.namespace(f"pod{n}")
        self.lab.plug(self.fabric, node, "eth0")
        node.address("eth0", f"10.0.0.1{n}/24")
        node.forward()
        for interface in ("all", "eth0"):
            node.sysctl(f"net.ipv4.conf.{interface}.send_redirects", 0)
        node.ip("route", "add", "default", "via", SHARED)
        self.lab.link(node, "cni0", pod, "eth0")
        node.address("cni0", f"10.244.{n}.1/24")
        pod.address("eth0", f"10.244.{n}.2/24")
        pod.ip("route", "add", "default", "via", f"10.244.{n}.1")
        self.nodes.append(node)
        self.pods.append(pod)

    def boot(self):
        for gate in self.gates.values():
            gate.boot()
            (self.lab.directory / f"{gate.name}.pid").write_text(f"{gate.pid}\n")
        return self

    def start_routers(self):
        neighbors = "".join(f"""
             neighbor 192.0.2.{4 * n + 1} remote-as 64512
             neighbor 192.0.2.{4 * n + 1} timers 1 3
             neighbor 192.0.2.{4 * n + 1} timers connect 1
             neighbor 192.0.2.{4 * n + 1} default-originate""" for n in range(2))
        self.upstream = Frr(self.up, f"""
            router bgp 65000
             bgp router-id 192.0.2.2
             no bgp ebgp-requires-policy{neighbors}
            """, zebra=True).start()
        gates = "".join(f"""
             neighbor {address} remote-as 64512
             neighbor {address} timers 3 9
             neighbor {address} timers connect 1""" for address in GATES.values())
        Frr(self.nodes[0], f"""
            router bgp 64601
             bgp router-id 10.0.0.11
             no bgp ebgp-requires-policy
             no bgp network import-check{gates}
             address-family ipv4 unicast
              network 10.244.1.0/24
             exit-address-family
            """).start()
        peers = "".join(f"""
            protocol bgp {name} {{
              local as 64602;
              neighbor {address} as 64512;
              connect delay time 1; connect retry time 2; error wait time 1, 2; hold time 9;
              ipv4 {{ import all; export where source = RTS_DEVICE; }};
            }}""" for name, address in GATES.items())
        Bird(self.nodes[1], f"""
            router id 10.0.0.12;
            protocol device {{}}
            protocol direct {{ ipv4; interface "cni0"; }}{peers}
            """).start()
        neighbors = "".join(f"""
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "{address}"
                peer-as = 64512
              [neighbors.timers.config]
                connect-retry = 2
                idle-hold-time-after-reset = 2
                hold-time = 9
              [neighbors.transport.config]
                local-address = "10.0.0.13"
            """ for address in GATES.values())
        gobgp = GoBgp(self.nodes[2], f"""
            [global.config]
              as = 64603
              router-id = "10.0.0.13"
              port = -1{neighbors}""").start()
        gobgp.announce("10.244.3.0/24")

    def next_hops(self):
        """Which gates the upstream sends the pods' traffic to, by pod."""
        out = {}
        for n in (1, 2, 3):
            text = self.up.ip("-o", "route", "show", f"10.244.{n}.0/24").stdout
            out[n] = {name for number, name in enumerate(GATES) if f"192.0.2.{4 * number + 1} " in text + " "}
        return out

    def owner(self):
        """The gates that answer for the shared address; one, when all is well."""
        return [name for name, gate in self.gates.items() if gate.pid is not None
                and f" {SHARED}/24 " in gate.run("ip", "-o", "address", "show", "dev", "nodes", check=False).stdout]

    def converge(self, gates=tuple(GATES), timeout=60):
        wait_for("the upstream reaches every pod through " + " and ".join(gates),
                 lambda: all(hops == set(gates) for hops in self.next_hops().values()), timeout)
        wait_for("one gate has the shared address", lambda: len(self.owner()) == 1, timeout)
        for pod in self.pods:
            wait_for(f"{pod.name} reaches the world", lambda pod=pod: pod.ping(WORLD) == 3, timeout)
