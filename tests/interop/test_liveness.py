"""Nodes that die without a word, nodes that speak BFD, and whoever forges it."""

import json
import time

import pytest
from conftest import show_logs_of_failures
from lab import Lab, wait_for
from traffic import Pings
from udp_flows import Meter
from watched import FLOWS, PORT, VIP, Watched

# What a busy machine may take; `./bench liveness deaths` measures, on a quiet one.
LIMIT = 1.0
BFD_LIMIT = 0.6


@pytest.fixture(scope="module")
def watched(lab_prefix, request):
    with Lab(lab_prefix + "-watch") as lab:
        watched = Watched(lab).start()
        watched.converge()
        yield watched
        show_logs_of_failures(request, lab)
        assert watched.torii.stop() == 0, watched.torii.log()
        assert "Sanitizer" not in watched.torii.log()


def one_death(watched, n):
    """How long its flows were lost; they come to others, whose own do not move."""
    with Meter(watched.client, VIP, PORT) as meter:
        time.sleep(0.5)
        died = watched.kill(n)
        try:
            wait_for(f"node {n} is dead", lambda: watched.verdict(n) == "down", 5, 0.02)
            wait_for("its route is gone", lambda: f"10.0.0.1{n}" not in watched.members(), 5, 0.02)
            out = watched.client.run("ping", "-n", "-c", "1", "-W", "1", f"10.244.{n}.1", check=False).stdout
            assert "From 192.0.2.1 icmp_seq=1 Destination" in out, out
            time.sleep(0.2)
        finally:
            watched.revive(n)
    outage, flows, moved = meter.outage(died, f"node{n}")
    assert flows > 0 and moved == 0
    return outage


def die_and_return(watched, n, limit):
    """A machine that is busy with something else gets a second chance."""
    outages = [one_death(watched, n)]
    returns(watched, n)
    if outages[0] > limit:
        outages.append(one_death(watched, n))
        returns(watched, n)
    assert min(outages) <= limit, outages


def returns(watched, n):
    wait_for(f"node {n} is back", lambda: watched.verdict(n) == "up", 90)
    wait_for("it has its share again", lambda: f"10.0.0.1{n}" in watched.members(), 90)


def test_a_node_without_bfd_that_dies_silently_is_left_at_once(watched):
    for n in (1, 4):
        die_and_return(watched, n, LIMIT)
    events = watched.torii.api.get("/api/v1/events?limit=200")["events"]
    assert any(e["id"] == "LIVENESS-DOWN" and "echo" in str(e) for e in events)


@pytest.mark.parametrize("n", (1, 2))
def test_a_node_that_stands_still_for_a_moment_costs_its_pods_no_more_than_that(watched, n):
    def freeze():
        pings = Pings(watched.client, f"10.244.{n}.1")
        time.sleep(0.5)
        watched.kill(n)
        time.sleep(1.2)
        watched.revive(n)
        time.sleep(2)
        return pings.stop()[2]

    silences = [freeze()]
    returns(watched, n)
    if silences[0] > 1.6:
        silences.append(freeze())
        returns(watched, n)
    assert min(silences) <= 1.6, silences


def test_bfd_is_negotiated_with_frr_and_bird(watched):
    for address in ("10.0.0.12", "10.0.0.13"):
        bfd = watched.liveness()[address]["bfd"]
        assert (bfd["state"], bfd["remote_state"]) == ("up", "up")
        assert bfd["transmit_interval"] == 50_000
        assert bfd["detection_time"] == 150_000
    assert watched.liveness()["10.0.0.13"]["bfd"]["authenticated"]
    # FRR asks for less and misses more: a poll sequence of its own.
    frr = watched.speakers[2]
    frr.vty("configure terminal", "bfd", "profile tor", "receive-interval 120", "transmit-interval 90",
            "detect-multiplier 5", daemon="bfdd")

    def negotiated():
        bfd = watched.liveness()["10.0.0.12"]["bfd"]
        return (bfd["transmit_interval"], bfd["detection_time"]) == (120_000, 450_000)

    wait_for("the intervals have changed", negotiated, 10)
    frr.vty("configure terminal", "bfd", "profile tor", "receive-interval 50", "transmit-interval 50",
            "detect-multiplier 3", daemon="bfdd")
    wait_for("and back", lambda: watched.liveness()["10.0.0.12"]["bfd"]["detection_time"] == 150_000, 10)


def test_bfd_that_is_shut_down_is_no_death(watched):
    frr = watched.speakers[2]
    frr.vty("configure terminal", "bfd", "profile tor", "shutdown", daemon="bfdd")
    wait_for("FRR says so", lambda: watched.liveness()["10.0.0.12"]["bfd"]["remote_state"] == "admin-down", 10)
    assert watched.verdict(2) == "up"
    frr.vty("configure terminal", "bfd", "profile tor", "no shutdown", daemon="bfdd")
    wait_for("BFD is up again", lambda: watched.liveness()["10.0.0.12"]["bfd"]["state"] == "up", 20)


def test_echoes_of_frr_come_back_to_it(watched):
    frr = watched.speakers[2]

    def echoes():
        peers = json.loads(frr.vty("show bfd peers counters json", daemon="bfdd"))
        return {key: peers[0][f"echo-packet-{key}"] for key in ("input", "output")}

    frr.vty("configure terminal", "bfd", "profile tor", "echo-mode", "echo receive-interval 400", daemon="bfdd")
    try:
        wait_for("FRR has sent some", lambda: echoes()["output"] >= 20, 20)
        came = echoes()
        assert came["input"] >= came["output"] - 3, came
        # It takes ours more slowly than they were sent.
        before = watched.liveness()["10.0.0.12"]["echoes_sent"]
        time.sleep(3)
        assert 6 <= watched.liveness()["10.0.0.12"]["echoes_sent"] - before <= 11
        assert watched.liveness()["10.0.0.12"]["bfd"]["state"] == "up"
    finally:
        frr.vty("configure terminal", "bfd", "profile tor", "no echo-mode", "echo receive-interval 50", daemon="bfdd")


@pytest.mark.parametrize("n", (2, 3))
def test_a_node_with_bfd_that_dies_silently_is_left_sooner(watched, n):
    die_and_return(watched, n, BFD_LIMIT)


def test_a_network_of_one_node_falls_to_the_next_best_at_once(watched):
    shared = "10.244.9.0/24"
    for n, origin in ((1, "igp"), (4, "incomplete")):
        watched.nodes[n].address("lo", "10.244.9.1/32")
        watched.nodes[n].start(f"shared{n}", "/usr/bin/python3", FLOWS, "serve", f"node{n}", "10.244.9.1", PORT)
        watched.speakers[n].announce(shared, origin=origin)

    def row():
        return next((r for r in watched.torii.api.route(shared) if r["installed"]), {"next_hops": []})

    def hops(key):
        return [hop["address"] for hop in row().get(key, [])]

    wait_for("node 1 has it, and node 4 stands by",
             lambda: (hops("next_hops"), hops("backup")) == (["10.0.0.11"], ["10.0.0.14"]), 20)
    assert "backup via 10.0.0.14 on nodes" in watched.torii.cli("route", "show", shared).stdout

    def death():
        with Meter(watched.client, "10.244.9.1", PORT) as meter:
            time.sleep(0.5)
            died = watched.kill(1)
            wait_for("node 1 is dead", lambda: watched.verdict(1) == "down", 5, 0.02)
            wait_for("the table says the same", lambda: hops("next_hops") == ["10.0.0.14"], 5, 0.02)
            time.sleep(0.2)
        watched.revive(1)
        returns(watched, 1)
        wait_for("node 1 has it again", lambda: hops("next_hops") == ["10.0.0.11"], 20)
        outage, flows, _ = meter.outage(died, "node1")
        assert flows == len(meter.flows)
        assert {flow[-1][1] for flow in meter.flows} == {"node4"}
        return outage

    outages = [death()]
    if outages[0] > LIMIT:
        outages.append(death())
    assert min(outages) <= LIMIT, outages


def test_the_verdict_is_told_by_the_command_line(watched):
    table = watched.torii.cli("liveness").stdout
    assert "BFD up, echo" in table, table
    assert "sends every 50 ms" in watched.torii.cli("liveness", "10.0.0.13").stdout


def test_an_agent_restarts_without_a_lost_packet_and_dies_in_time_meanwhile(watched):
    with Meter(watched.client, VIP, PORT) as meter:
        time.sleep(0.3)
        watched.crash(1)
        assert "10.0.0.11" in watched.members()
        watched.restart(1)
        wait_for("it is back", lambda: watched.liveness()["10.0.0.11"]["bgp"] == "up", 40)
        time.sleep(1)
    assert {who for flow in meter.flows for _, who in flow if who} == {f"node{n}" for n in watched.nodes}
    assert meter.lost() == 0

    with Meter(watched.client, VIP, PORT) as meter:
        time.sleep(0.3)
        watched.crash(1)
        died = watched.kill(1)
        wait_for("it is dead", lambda: watched.verdict(1) == "down", 5, 0.02)
        wait_for("its routes wait no more", lambda: "10.0.0.11" not in watched.members(), 5, 0.02)
        time.sleep(0.2)
    outage, flows, moved = meter.outage(died, "node1")
    assert flows > 0 and moved == 0
    assert outage <= LIMIT, f"{outage * 1000:.0f} ms"
    watched.revive(1)
    watched.restart(1)
    returns(watched, 1)


FORGE = """
import sys
from scapy.all import Ether, IP, Raw, UDP, sendp
mac, ours = sys.argv[1], int(sys.argv[2])
def bfd(source, ttl, discriminator):
    state_down, multiplier, length = 1 << 6, 3, 24
    body = bytes([1 << 5, state_down, multiplier, length]) + (7).to_bytes(4, "big") + discriminator.to_bytes(4, "big")
    body += (50000).to_bytes(4, "big") * 2 + bytes(4)
    return Ether(dst=mac) / IP(src=source, dst="10.0.0.1", ttl=ttl) / UDP(sport=49152, dport=3784) / Raw(body)
peer = "10.0.0.12"
sendp([bfd(peer, 254, ours), bfd(peer, 255, ours ^ 0x10000), bfd("10.0.0.11", 255, ours)] * 100,
      iface="eth0", verbose=False)
"""


def test_forged_bfd_changes_nothing_and_is_counted(watched):
    wait_for("BFD is up", lambda: watched.liveness()["10.0.0.12"]["bfd"]["state"] == "up", 20)
    before = watched.exits()
    deaths = watched.liveness()["10.0.0.12"]["deaths"]
    ours = watched.liveness()["10.0.0.12"]["bfd"]["discriminator"]
    mac = {p["name"]: p["mac"] for p in watched.torii.api.get("/api/v1/ports")["ports"]}["nodes"]
    watched.nodes[1].run("/usr/bin/python3", "-c", FORGE, mac, str(ours))

    def counted(name):
        return watched.exits().get(name, 0) - before.get(name, 0)

    for name in ("bfd_ttl", "bfd_no_session", "bfd_wrong_source"):
        wait_for(f"{name} counts", lambda: counted(name) == 100, 5)
    row = watched.liveness()["10.0.0.12"]
    assert (row["verdict"], row["bfd"]["state"], row["deaths"]) == ("up", "up", deaths)


def test_bird_with_another_key_does_not_come_up(watched):
    before = watched.exits().get("bfd_bad_auth", 0)
    bird = watched.speakers[3]
    text = bird.file.read_text()
    bird.file.write_text(text.replace("open sesame", "open barley"))
    bird.ctl("configure")
    wait_for("its packets are refused", lambda: watched.exits().get("bfd_bad_auth", 0) > before, 20)
    bird.file.write_text(text)
    bird.ctl("configure")
    wait_for("and taken again", lambda: watched.liveness()["10.0.0.13"]["bfd"]["state"] == "up", 30)


def test_what_a_node_sends_to_an_address_of_its_own_does_not_come_back(watched):
    wait_for("node 4 shares the VIP", lambda: "10.0.0.14" in watched.members(), 60)
    before = watched.exits().get("loop_guard", 0)
    node = watched.nodes[4]
    node.ip("address", "del", VIP + "/32", "dev", "lo")
    for port in range(40):
        node.run("/usr/bin/python3", "-c",
                 f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{VIP}', {port + 1}))")
        if watched.exits().get("loop_guard", 0) > before:
            break
    assert watched.exits().get("loop_guard", 0) > before
    node.address("lo", VIP + "/32")
    wait_for("it is said", lambda: any(
        e["id"] == "LOOP-GUARD" for e in watched.torii.api.get("/api/v1/events?limit=50")["events"]), 5)
