"""BFD over several hops (RFC 5883), with BIRD and FRR behind a router.

   bird (10.1.0.2)   frr (10.2.0.2)
          \\            /
             between            10.0.0.254
                |
             gateway            10.0.0.1
"""

import pytest
from conftest import show_logs_of_failures
from lab import Lab, wait_for
from routers import Bird, Frr, Torii

BIRD, FRR = "10.1.0.2", "10.2.0.2"
KINDS = {"keyed-md5": "keyed md5", "meticulous-md5": "meticulous keyed md5",
         "keyed-sha1": "keyed sha1", "meticulous-sha1": "meticulous keyed sha1"}

GATEWAY = """
ports = {
  fabric = {
    vdev = "net_af_packet0,iface=gwfar,blocksz=65536,framesz=2048,framecnt=8192,qdisc_bypass=1";
    addresses = ["10.0.0.1/24"];
  };
};
routes = ( { prefix = "10.1.0.0/24"; via = "10.0.0.254"; }, { prefix = "10.2.0.0/24"; via = "10.0.0.254"; } );
bgp = {
  asn = 64512; router_id = "10.0.0.1";
  defaults = { remote_as = "external"; multihop = 4; import = "none"; export = "none"; };
  neighbors = (
    { address = "10.1.0.2"; bfd = { transmit = 50; receive = 50; %s }; },
    { address = "10.2.0.2"; bfd = { transmit = 50; receive = 50; %s }; }
  );
};
management = { socket = "@SOCKET@"; http = []; };
"""


def bird_text(interval=50, multiplier=3, authentication=""):
    return f"""
        router id {BIRD};
        protocol device {{}}
        protocol bfd {{ multihop {{ interval {interval} ms; multiplier {multiplier}; {authentication} }}; }}
        protocol bgp far {{
          local {BIRD} as 64601;
          neighbor 10.0.0.1 as 64512;
          multihop 4; bfd on;
          connect delay time 1; connect retry time 2; error wait time 1, 2;
          ipv4 {{ import none; export none; }};
        }}
        """


class Far:
    def __init__(self, lab):
        self.gateway, between = lab.namespace("gw"), lab.namespace("between")
        self.between = between
        lab.link(self.gateway, "gwfar", between, "near")
        between.address("near", "10.0.0.254/24")
        between.forward()
        nodes = {}
        for n, address in enumerate((BIRD, FRR), 1):
            nodes[address] = node = lab.namespace(f"far{n}")
            lab.link(between, f"far{n}", node, "eth0")
            between.address(f"far{n}", f"10.{n}.0.1/24")
            node.address("eth0", f"{address}/24")
            node.ip("route", "add", "10.0.0.0/24", "via", f"10.{n}.0.1")
        self.torii = Torii(self.gateway, GATEWAY % ("", ""))
        self.bird = Bird(nodes[BIRD], bird_text())
        self.frr = Frr(nodes[FRR], """
            router bgp 64602
             bgp router-id 10.2.0.2
             no bgp ebgp-requires-policy
             neighbor 10.0.0.1 remote-as 64512
             neighbor 10.0.0.1 ebgp-multihop 4
             neighbor 10.0.0.1 update-source 10.2.0.2
             neighbor 10.0.0.1 timers connect 1
             neighbor 10.0.0.1 bfd
             neighbor 10.0.0.1 bfd profile far
            """, zebra=True, bfd="""
            bfd
             profile far
              receive-interval 50
              transmit-interval 50
              detect-multiplier 3
              minimum-ttl 250
            """)

    def start(self):
        self.torii.start()
        self.bird.start()
        self.frr.start()
        return self

    def reload(self, to_bird="", to_frr=""):
        self.torii.write(GATEWAY % (to_bird, to_frr))
        self.torii.process.send_signal(1)

    def configure_bird(self, **how):
        self.bird.file.write_text(bird_text(**how))
        self.bird.ctl("configure")

    def row(self, address):
        return next(r for r in self.torii.api.get("/api/v1/liveness")["liveness"] if r["address"] == address)

    def bfd(self, address):
        return self.row(address)["bfd"]

    def is_up(self, address):
        bfd = self.bfd(address)
        return (bfd["state"], bfd["remote_state"]) == ("up", "up")

    def exits(self, name):
        return sum(s["value"] for c in self.torii.api.get(
            "/api/v1/counters?name=torii_exit_packets_total")["counters"]
            for s in c["samples"] if s["labels"]["exit"] == name)

    def cut(self, address, state):
        self.between.ip("link", "set", "far1" if address == BIRD else "far2", state)


@pytest.fixture(scope="module")
def far(lab_prefix, request):
    with Lab(lab_prefix + "-far") as lab:
        far = Far(lab).start()
        wait_for("both are Established", lambda: far.torii.api.established() == [BIRD, FRR], 60)
        yield far
        show_logs_of_failures(request, lab)
        assert far.torii.stop() == 0, far.torii.log()
        assert "Sanitizer" not in far.torii.log()


def test_frr_comes_up_at_the_intervals_of_both(far):
    wait_for("BFD with FRR is up", lambda: far.is_up(FRR), 20)
    wait_for("at 50 ms", lambda: (far.bfd(FRR)["transmit_interval"], far.bfd(FRR)["detection_time"])
             == (50_000, 150_000), 10)
    peer = far.frr.vty("show bfd peers json", daemon="bfdd")
    assert '"multihop":true' in peer.replace(" ", ""), peer


def test_bird_comes_up_once_its_ttl_is_allowed(far):
    """BIRD sends what is to go far with its kernel's TTL."""
    wait_for("its packets are refused for their TTL", lambda: far.exits("bfd_ttl") > 0, 20)
    assert not far.is_up(BIRD)
    far.reload("minimum_ttl = 60;")
    wait_for("BFD with BIRD is up", lambda: far.is_up(BIRD), 20)
    assert "Up" in far.bird.ctl("show", "bfd", "sessions")
    assert far.torii.api.neighbors()[BIRD]["times_established"] == 1


def test_bird_polls_for_other_intervals_and_another_multiplier(far):
    far.reload("minimum_ttl = 60;")
    wait_for("BFD with BIRD is up", lambda: far.is_up(BIRD), 20)
    far.configure_bird(interval=120, multiplier=5)
    wait_for("they have changed", lambda: (far.bfd(BIRD)["transmit_interval"], far.bfd(BIRD)["detection_time"])
             == (120_000, 600_000), 15)
    far.configure_bird()
    wait_for("and back", lambda: (far.bfd(BIRD)["transmit_interval"], far.bfd(BIRD)["detection_time"])
             == (50_000, 150_000), 15)


@pytest.mark.parametrize("kind", KINDS)
def test_bird_signs_in_each_way_and_we_read_it(far, kind):
    sessions = 'authentication = "%s"; key = "open sesame"; key_id = 7;' % kind
    far.configure_bird(authentication=f'authentication {KINDS[kind]}; password "open sesame" {{ id 7; }};')
    far.reload(sessions)
    wait_for(f"BFD is up by {kind}", lambda: far.is_up(BIRD) and far.bfd(BIRD)["authenticated"], 30)
    refused = far.exits("bfd_bad_auth")
    far.reload(sessions.replace("sesame", "barley"))
    wait_for("another key is refused", lambda: far.exits("bfd_bad_auth") > refused, 20)
    wait_for("and the session down", lambda: not far.is_up(BIRD), 20)


def test_a_shutdown_of_ours_is_told_and_no_failure(far):
    far.configure_bird()
    far.reload("minimum_ttl = 60;")
    for address in (BIRD, FRR):
        wait_for("BFD is up", lambda a=address: far.is_up(a), 30)
    wait_for("both are Established", lambda: far.torii.api.established() == [BIRD, FRR], 60)
    before = far.torii.api.neighbors()[BIRD]["times_established"]
    far.reload("minimum_ttl = 60; shutdown = true;", "shutdown = true;")
    for address in (BIRD, FRR):
        wait_for("it is down by intent", lambda a=address: far.bfd(a)["state"] == "admin-down", 10)
    wait_for("FRR hears it", lambda: '"remote-diagnostic":"administratively down"' in far.frr.vty(
        "show bfd peers json", daemon="bfdd").lower(), 10)
    far.reload("minimum_ttl = 60;")
    for address in (BIRD, FRR):
        wait_for("BFD is up again", lambda a=address: far.is_up(a), 30)
    # RFC 5882 §3.2. FRR ends its BGP session nevertheless; that is its affair.
    assert far.torii.api.neighbors()[BIRD]["times_established"] == before


@pytest.mark.parametrize("address", (BIRD, FRR))
def test_a_far_peer_that_dies_is_left(far, address):
    far.configure_bird()
    far.reload("minimum_ttl = 60;")
    wait_for("BFD is up", lambda: far.is_up(address), 30)
    wait_for("it is Established", lambda: address in far.torii.api.established(), 60)
    far.cut(address, "down")
    try:
        wait_for("it is dead", lambda: far.row(address)["verdict"] == "down", 5, 0.02)
        wait_for("its session ends", lambda: address not in far.torii.api.established(), 5, 0.02)
    finally:
        far.cut(address, "up")
    wait_for("it is back", lambda: address in far.torii.api.established() and far.is_up(address), 90)
