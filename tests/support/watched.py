"""A gateway whose nodes die: four nodes with a VIP and a pod network each, of which one
speaks BFD by FRR, one by BIRD with a key, and two run what Cilium runs, GoBGP, with
graceful restart and no BFD.

             pod                              10.244.N.1 on each node's loopback
    node1   node2   node3   node4             10.0.0.1N; all have the VIP 198.18.0.1
   (GoBGP)  (FRR)   (BIRD)  (GoBGP)
      +-------+-------+-------+
            fabric                            10.0.0.0/24
               |
            gateway                           10.0.0.1, 192.0.2.1
               |
             client                           192.0.2.2
"""

import pathlib
import signal
import time

from lab import wait_for
from routers import Bird, Frr, GoBgp, Torii

VIP = "198.18.0.1"
PORT = 9000
FLOWS = pathlib.Path(__file__).resolve().parent / "udp_flows.py"

GATEWAY = """
ports = {
  nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["10.0.0.1/24"];
  };
  uplink = {
    vdev = "net_af_packet1,iface=gwup,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["192.0.2.1/24"];
  };
};
pools = ["10.244.0.0/16", "198.18.0.0/24"];
routes = ( { prefix = "0.0.0.0/0"; via = "192.0.2.2"; } );
prefix_lists = { pods = ["10.244.0.0/16 ge 24 le 24", "198.18.0.0/24 ge 32 le 32"]; };
bgp = {
  asn = 64512; router_id = "10.0.0.1";
  groups = { nodes = { remote_as = "external"; passive = true; import = "pods"; export = "none"; @LIVENESS@ }; };
  listen = ( { range = "10.0.0.0/24"; group = "nodes"; } );
  neighbors = (
    { address = "10.0.0.12"; group = "nodes"; bfd = { transmit = 50; receive = 50; }; },
    { address = "10.0.0.13"; group = "nodes";
      bfd = { transmit = 50; receive = 50; authentication = "meticulous-sha1"; key = "open sesame"; key_id = 7; }; }
  );
};
management = { socket = "@SOCKET@"; http = []; };
"""


class Watched:
    def __init__(self, lab, env=None, liveness="dampen = true;"):
        self.lab = lab
        self.fabric = lab.bridge("fabric")
        self.gateway, self.client = lab.namespace("gw"), lab.namespace("client")
        lab.plug(self.fabric, self.gateway, "gwnodes")
        lab.link(self.gateway, "gwup", self.client, "eth0")
        self.client.address("eth0", "192.0.2.2/24")
        self.client.ip("route", "add", "default", "via", "192.0.2.1")
        text = GATEWAY.replace("@LIVENESS@", f"liveness = {{ {liveness} }};")
        self.torii = Torii(self.gateway, text, env=env)
        self.nodes, self.ports = {}, {}
        for n in (1, 2, 3, 4):
            self._node(n)
        self.speakers = {1: self._gobgp(1), 2: self._frr(2), 3: self._bird(3), 4: self._gobgp(4)}

    def _node(self, n):
        node = self.lab.namespace(f"node{n}")
        self.nodes[n] = node
        self.ports[n] = self.lab.plug(self.fabric, node, "eth0")
        node.address("eth0", f"10.0.0.1{n}/24")
        node.address("lo", VIP + "/32", f"10.244.{n}.1/32")
        node.forward()
        node.ip("route", "add", "default", "via", "10.0.0.1")

    def _gobgp(self, n):
        family = """
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "ipv4-unicast"
                [neighbors.afi-safis.mp-graceful-restart.config]
                  enabled = true
            """
        return GoBgp(self.nodes[n], f"""
            [global.config]
              as = 6460{n}
              router-id = "10.0.0.1{n}"
              port = -1
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "10.0.0.1"
                peer-as = 64512
              [neighbors.timers.config]
                connect-retry = 5
                idle-hold-time-after-reset = 5
                hold-time = 9
                keepalive-interval = 3
              [neighbors.graceful-restart.config]
                enabled = true
                restart-time = 120
                notification-enabled = true
              {family}
            """)

    def _frr(self, n):
        return Frr(self.nodes[n], f"""
            router bgp 6460{n}
             bgp router-id 10.0.0.1{n}
             no bgp ebgp-requires-policy
             no bgp network import-check
             neighbor 10.0.0.1 remote-as 64512
             neighbor 10.0.0.1 timers connect 1
             neighbor 10.0.0.1 bfd
             neighbor 10.0.0.1 bfd profile tor
             address-family ipv4 unicast
              network 10.244.{n}.0/24
              network {VIP}/32
             exit-address-family
            """, zebra=True, bfd="""
            bfd
             profile tor
              receive-interval 50
              transmit-interval 50
              detect-multiplier 3
            """)

    def _bird(self, n, key="open sesame"):
        return Bird(self.nodes[n], f"""
            router id 10.0.0.1{n};
            protocol device {{}}
            protocol static {{ ipv4; route 10.244.{n}.0/24 blackhole; route {VIP}/32 blackhole; }}
            protocol bfd {{
              interface "eth0" {{
                interval 50 ms; multiplier 3;
                authentication meticulous keyed sha1;
                password "{key}" {{ id 7; }};
              }};
            }}
            protocol bgp tor {{
              local as 6460{n};
              neighbor 10.0.0.1 as 64512;
              bfd on; graceful restart on;
              connect delay time 1; connect retry time 2; error wait time 1, 2;
              ipv4 {{ import all; export all; }};
            }}
            """)

    def start(self):
        self.torii.start()
        for n, node in self.nodes.items():
            node.start(f"vip{n}", "/usr/bin/python3", FLOWS, "serve", f"node{n}", VIP, PORT)
        for n, speaker in self.speakers.items():
            speaker.start()
            self.announce(n)
        return self

    def announce(self, n):
        if isinstance(self.speakers[n], GoBgp):
            self.speakers[n].announce(f"10.244.{n}.0/24")
            self.speakers[n].announce(VIP + "/32", origin="igp")

    def liveness(self):
        return {row["address"]: row for row in self.torii.api.get("/api/v1/liveness")["liveness"]}

    def verdict(self, n):
        return self.liveness().get(f"10.0.0.1{n}", {}).get("verdict")

    def members(self):
        return self.torii.api.installed(VIP + "/32")

    def converge(self, timeout=60):
        every = [f"10.0.0.1{n}" for n in self.nodes]
        wait_for("all nodes share the VIP", lambda: self.members() == every, timeout)
        wait_for("all nodes are watched by echo", lambda: all(
            self.liveness()[a]["means"] == "echo" for a in every), 20)
        wait_for("BFD is up", lambda: all(
            self.liveness()[a]["bfd"]["state"] == "up" for a in ("10.0.0.12", "10.0.0.13")), 20)

    def kill(self, n):
        """Cuts the node's cable inside the switch: no link goes down. The time it was cut."""
        self.fabric.ip("link", "set", self.ports[n], "nomaster")
        return time.monotonic()

    def revive(self, n):
        self.fabric.ip("link", "set", self.ports[n], "master", "br0")

    def crash(self, n):
        """Ends a node's GoBGP without a word; torii keeps what it announced."""
        self.lab.stop(self.speakers[n].process, how=signal.SIGKILL)
        wait_for("its routes wait for it", lambda: self.liveness()[f"10.0.0.1{n}"]["bgp"] == "restarting", 10)

    def restart(self, n):
        self.speakers[n].start("-r")
        self.announce(n)

    def exits(self):
        out = {}
        for counter in self.torii.api.get("/api/v1/counters?name=torii_exit_packets_total")["counters"]:
            for sample in counter["samples"]:
                name = sample["labels"]["exit"]
                out[name] = out.get(name, 0) + sample["value"]
        return out
