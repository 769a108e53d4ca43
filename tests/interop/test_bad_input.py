"""Whatever comes in by a port, a session or the API: it is counted, answered or
ignored, and nobody else notices."""

import random
import re
import socket

import pytest
from lab import wait_for

SEED = 20_240


def garbage(draw):
    kind = draw.randrange(4)
    if kind == 0:
        return draw.randbytes(draw.randrange(1, 300))
    if kind == 1:  # a good header, then anything
        body = draw.randbytes(draw.randrange(0, 200))
        return b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + bytes([draw.randrange(8)]) + body
    if kind == 2:  # a lying length
        return b"\xff" * 16 + draw.randbytes(2) + b"\x02" + draw.randbytes(40)
    open_message = bytes.fromhex("ffffffffffffffffffffffffffffffff001d0104fde9005a0a63000100")
    return open_message[:-1] + draw.randbytes(draw.randrange(1, 60))


SEND = """
import socket, sys
for line in sys.stdin:
    target, port, data = line.split()
    try:
        with socket.create_connection((target, int(port)), 1) as s:
            s.settimeout(0.2)
            s.sendall(bytes.fromhex(data))
            try:
                while s.recv(4096):
                    pass
            except OSError:
                pass
    except OSError:
        pass
"""

FRAMES = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
"""


def feed(host, script, lines):
    return host.run("/usr/bin/python3", "-c", script, input="\n".join(lines) + "\n", timeout=120)


def resets(torii):
    return {a: n["times_established"] for a, n in torii.api.neighbors().items() if n["state"] == "Established"}


def test_random_bytes_on_the_bgp_port_disturb_no_session(cluster):
    draw = random.Random(SEED)
    before = resets(cluster.torii)
    # From a node's own address range, but not from a node that has a session.
    cluster.pods[0].ip("address", "show")
    lines = [f"10.0.0.1 179 {garbage(draw).hex()}" for _ in range(150)]
    feed(cluster.upstream, SEND, lines)
    cluster.nodes[0].address("eth0", "10.0.0.77/24")
    bound = SEND.replace("(target, int(port)), 1)", '(target, int(port)), 1, ("10.0.0.77", 0))')
    feed(cluster.nodes[0], bound, lines)
    assert resets(cluster.torii) == before
    assert cluster.torii.process.poll() is None


def test_random_bytes_on_the_api_disturb_nobody(cluster):
    draw = random.Random(SEED)
    starts = [b"", b"GET ", b"GET /api/v1/routes?", b"PUT /api/v1/routes/static/", b"POST /api/v1/config HTTP/1.1\r\n"]
    for i in range(300):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(0.5)
            s.connect(str(cluster.torii.socket))
            s.sendall(draw.choice(starts) + draw.randbytes(draw.randrange(1, 400)) + b"\r\n\r\n")
            if i % 3:
                try:
                    s.recv(4096)
                except OSError:
                    pass
    assert cluster.torii.api.request("GET", "/healthz")[0] == 200


@pytest.mark.parametrize("query", [
    "limit=x", "limit=-1", "prefix=10.0.0.0/99", "cursor=%ff%00", "source=magic", "longer=perhaps", "match=best"])
def test_a_wrong_query_is_answered_with_a_problem_document(cluster, query):
    status, body = cluster.torii.api.request("GET", f"/api/v1/routes?{query}")
    assert 400 <= status < 500, body
    assert body["title"] and body["detail"] and body["status"] == status


def mbufs_in_use(torii):
    return float(re.search(r'torii_resource_used\{resource="packet_buffers"\} (\S+)', torii.api.get("/metrics"))[1])


def drops(torii):
    return sum(float(n) for n in re.findall(
        r'torii_exit_packets_total\{exit="\w+",kind="drop",port="\w+"\} (\S+)', torii.api.get("/metrics")))


def test_malformed_frames_are_counted_and_leak_nothing(cluster):
    torii, node = cluster.torii, cluster.nodes[0]
    mac = next(p["mac"] for p in torii.api.get("/api/v1/ports")["ports"] if p["name"] == "nodes").replace(":", "")
    level, dropped = mbufs_in_use(torii), drops(torii)

    draw = random.Random(SEED)
    good = bytes.fromhex(mac + "0200000001ff" + "0800" + "45000054000140004001") + draw.randbytes(80)
    frames = []
    for _ in range(3000):
        frame = bytearray(good[: draw.randrange(14, len(good))])
        if draw.random() < 0.3:
            frame[12:14] = draw.choice([b"\x86\xdd", b"\x08\x06", b"\x81\x00", draw.randbytes(2)])
        for _ in range(draw.randrange(6)):
            frame[draw.randrange(6, len(frame))] = draw.randrange(256)
        frames.append(frame.hex())
    feed(node, FRAMES, frames)

    wait_for("the drops are counted", lambda: drops(torii) >= dropped + 2000, 10)
    wait_for("the buffers are back", lambda: mbufs_in_use(torii) <= level + 64, 20)
    assert torii.process.poll() is None
    # Liveness may have taken a drowned node for dead, for a moment.
    wait_for("pods are reached", lambda: cluster.pods[0].ping("10.244.2.2") == 3, 20)
