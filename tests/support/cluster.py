"""A small cluster around one gateway: three nodes with three different BGP
speakers, a pod behind each, and an upstream router with a default route.

            pod1      pod2      pod3            10.244.N.2   fd00:244:N::2
             |         |         |
           node1     node2     node3            10.0.0.1N    fd00::1N
           (FRR)     (BIRD)    (GoBGP)
             +---------+---------+
                    fabric                      10.0.0.0/24  fd00::/64
                       |
                    gateway                     10.0.0.1     fd00::1
                       |                        192.0.2.1    2001:db8::1
                   upstream (FRR)               192.0.2.2    2001:db8::2
                       world                    198.51.100.1 2001:db8:ff::1
"""

from lab import wait_for
from routers import Bird, Frr, GoBgp, Torii

WORLD = ("198.51.100.1", "2001:db8:ff::1")

GATEWAY = """
ports = {
  nodes = {
    vdev = "net_af_packet0,iface=gwnodes,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["10.0.0.1/24", "fd00::1/64"];
  };
  uplink = {
    vdev = "net_af_packet1,iface=gwup,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["192.0.2.1/30", "2001:db8::1/64"];
  };
};

prefix_lists = {
  pods = ["10.244.0.0/16 ge 24 le 25", "fd00:244::/32 ge 64 le 64"];
  default-only = ["0.0.0.0/0", "::/0"];
};

bgp = {
  asn = 64512;
  router_id = "10.0.0.1";
  mrt = { directory = "@DIRECTORY@"; };
  guard = {
    mode = "enforce";
    pods = ["10.244.0.0/16", "fd00:244::/32"];
    shared = "10.244.200.0/24";
  };
  groups = {
    nodes = { remote_as = "external"; passive = true; hold_time = 9; import = "pods"; export = "none";
              guarded = true; };
  };
  listen = ( { range = "10.0.0.0/24"; group = "nodes"; },
             { range = "fd00::/64"; group = "nodes"; } );
  neighbors = (
    { address = "192.0.2.2"; remote_as = 65000; import = "default-only"; export = "pods"; },
    { address = "2001:db8::2"; remote_as = 65000; import = "default-only"; export = "pods"; }
  );
};

management = { socket = "@SOCKET@"; http = [@HTTP@]; };
"""


class Cluster:
    def __init__(self, lab, http="", env=None):
        self.lab = lab
        self.fabric = lab.bridge("fabric")
        self.gateway = lab.namespace("gw")
        self.upstream = lab.namespace("up")
        self.gateway_port = lab.plug(self.fabric, self.gateway, "gwnodes")
        lab.link(self.gateway, "gwup", self.upstream, "eth0")
        self.nodes, self.pods, self.ports = [], [], []
        for n in (1, 2, 3):
            self._node(n)
        self._upstream()
        self.torii = Torii(self.gateway, GATEWAY.replace("@HTTP@", f'"{http}"' if http else "")
                           .replace("@DIRECTORY@", str(lab.directory)), env=env)
        self.speakers = [self._frr(self.nodes[0]), self._bird(self.nodes[1]), self._gobgp(self.nodes[2])]

    def _node(self, n):
        node = self.lab.namespace(f"node{n}")
        pod = self.lab.namespace(f"pod{n}")
        self.ports.append(self.lab.plug(self.fabric, node, "eth0"))
        node.address("eth0", f"10.0.0.1{n}/24", f"fd00::1{n}/64")
        node.forward()
        node.sysctl("net.ipv4.conf.all.send_redirects", 0)
        node.sysctl("net.ipv4.conf.eth0.send_redirects", 0)
        node.ip("route", "add", "default", "via", "10.0.0.1")
        node.ip("-6", "route", "add", "default", "via", "fd00::1")
        self.lab.link(node, "cni0", pod, "eth0")
        node.address("cni0", f"10.244.{n}.1/24", f"fd00:244:{n}::1/64")
        pod.address("eth0", f"10.244.{n}.2/24", f"fd00:244:{n}::2/64")
        pod.ip("route", "add", "default", "via", f"10.244.{n}.1")
        pod.ip("-6", "route", "add", "default", "via", f"fd00:244:{n}::1")
        self.nodes.append(node)
        self.pods.append(pod)

    def _upstream(self):
        up = self.upstream
        up.address("eth0", "192.0.2.2/30", "2001:db8::2/64")
        up.address("lo", WORLD[0] + "/32", WORLD[1] + "/128")
        up.forward()
        self.up = Frr(up, """
            router bgp 65000
             bgp router-id 192.0.2.2
             no bgp ebgp-requires-policy
             neighbor 192.0.2.1 remote-as 64512
             neighbor 192.0.2.1 timers 3 9
             neighbor 192.0.2.1 timers connect 1
             neighbor 2001:db8::1 remote-as 64512
             neighbor 2001:db8::1 timers 3 9
             neighbor 2001:db8::1 timers connect 1
             address-family ipv4 unicast
              neighbor 192.0.2.1 default-originate
              no neighbor 2001:db8::1 activate
             exit-address-family
             address-family ipv6 unicast
              neighbor 2001:db8::1 activate
              neighbor 2001:db8::1 default-originate
             exit-address-family
            """, zebra=True)

    def _frr(self, node):
        return Frr(node, """
            router bgp 64601
             bgp router-id 10.0.0.11
             no bgp ebgp-requires-policy
             no bgp network import-check
             neighbor 10.0.0.1 remote-as 64512
             neighbor 10.0.0.1 timers connect 1
             neighbor fd00::1 remote-as 64512
             neighbor fd00::1 timers connect 1
             address-family ipv4 unicast
              network 10.244.1.0/24
              no neighbor fd00::1 activate
             exit-address-family
             address-family ipv6 unicast
              network fd00:244:1::/64
              neighbor fd00::1 activate
             exit-address-family
            """)

    def _bird(self, node):
        return Bird(node, """
            router id 10.0.0.12;
            protocol device {}
            protocol direct { ipv4; ipv6; interface "cni0"; }
            template bgp common {
              local as 64602;
              connect delay time 1; connect retry time 2; error wait time 1, 2;
            }
            protocol bgp four from common {
              neighbor 10.0.0.1 as 64512;
              ipv4 { import all; export where source = RTS_DEVICE; };
            }
            protocol bgp six from common {
              neighbor fd00::1 as 64512;
              ipv6 { import all; export where source = RTS_DEVICE; };
            }
            """)

    def _gobgp(self, node):
        # One session for both families, as Cilium's control plane has it by
        # default: its IPv6 routes come with the next hop ::ffff:10.0.0.13.
        return GoBgp(node, """
            [global.config]
              as = 64603
              router-id = "10.0.0.13"
              port = -1
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "10.0.0.1"
                peer-as = 64512
              [neighbors.timers.config]
                connect-retry = 5
                idle-hold-time-after-reset = 5
              [neighbors.transport.config]
                local-address = "10.0.0.13"
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "ipv6-unicast"
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "ipv4-unicast"
            """)

    def start(self):
        self.torii.start()
        self.up.start()
        for speaker in self.speakers:
            speaker.start()
        self.speakers[2].announce("10.244.3.0/24")
        self.speakers[2].announce("fd00:244:3::/64", "ipv6")
        return self

    SESSIONS = sorted(["10.0.0.11", "10.0.0.12", "10.0.0.13", "fd00::11", "fd00::12",
                       "192.0.2.2", "2001:db8::2"])
    PREFIXES = ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24", "fd00:244:1::/64",
                "fd00:244:2::/64", "fd00:244:3::/64", "0.0.0.0/0", "::/0"]

    def converge(self, timeout=40):
        api = self.torii.api
        wait_for("every session is Established", lambda: api.established() == self.SESSIONS, timeout)
        for prefix in self.PREFIXES:
            wait_for(f"{prefix} is forwarded", lambda: api.installed(prefix), timeout)
        # The upstream's kernel must know the way back.
        wait_for("upstream knows the pods", lambda: all(
            "10.244.%d.0/24" % n in self.upstream.ip("route").stdout and
            "fd00:244:%d::/64" % n in self.upstream.ip("-6", "route").stdout for n in (1, 2, 3)), timeout)

    def silence(self, index, silent=True):
        """The node's cable is cut inside the switch: nobody sees a link go down."""
        self.fabric.ip("link", "set", self.ports[index], "nomaster" if silent else "up",
                       *([] if silent else ["master", "br0"]))
