"""The attackers of ./bench siege: siege_attacks.py NAME GATE SIZE, in the gate's namespace.

Each prints one line of JSON about how far it came. A session that the gate ends is followed by
one from the next address, as an attacker with a link of its own would do.
"""

import json
import os
import random
import select
import socket
import struct
import sys
import time

from siege_wire import KEEPALIVE, Session, attribute, host, path_attributes, update

AS = 65001
REFUSED = 0x0A000000  # 10.0.0.0/8: what the import list of the hostile group refuses
ACCEPTED = 0xC8000000
HOPS = 300


def address(n):
    return f"172.17.{n >> 8 & 255}.{(n & 255) or 1}"


class Hostile:
    """Keeps on from address to address."""

    def __init__(self, gate, **options):
        self.gate, self.options, self.number, self.ends = gate, options, 1, {}
        self.session = None

    def connect(self):
        while True:
            try:
                self.session = Session(self.gate, address(self.number), AS, **self.options)
            except OSError as error:
                self.note(str(error))
                self.number += 1
                continue
            if self.session.up and self.session.ended is None:
                return
            self.ended()

    def note(self, why):
        self.ends[why] = self.ends.get(why, 0) + 1

    def ended(self):
        self.note(self.session.ended)
        self.session.close()
        self.session = None
        self.number += 1

    def send(self, data):
        """False when that was the end of a session."""
        if self.session is None:
            self.connect()
        if self.session.pump(data):
            return True
        self.ended()
        return False

    def linger(self, seconds):
        end = time.monotonic() + seconds
        while self.session is not None and self.session.ended is None and time.monotonic() < end:
            self.session.pump(b"", 0.1)


def colliding(n):
    """Set n of 2^17 that one unkeyed multiplicative hash takes for one: bits 63 and then 63 and
    31 of neighboring words cancel each other."""
    block = bytearray(288)
    for k in range(17):
        if n >> k & 1:
            at = 7 + 16 * k  # behind ORIGIN, AS_PATH and the head of this one a word begins here
            block[at + 7] ^= 0x80
            block[at + 15] ^= 0x80
            block[at + 11] ^= 0x80
    return attribute(0xC0, 8, bytes(block))


def same_hash(gate, size):
    hostile = Hostile(gate)
    for first in range(0, size, 256):
        if not hostile.send(b"".join(
                update(path_attributes(AS, "172.17.0.1", colliding(n % (1 << 17))), host(REFUSED + n))
                for n in range(first, min(first + 256, size)))):
            continue
    hostile.linger(1)
    return hostile


def random_sets(gate, size):
    """Of 64 octets to 64 KiB, each as likely as another in its number of digits."""
    hostile, draw = Hostile(gate), random.Random(1)
    noise = os.urandom(1 << 20)
    batch = []
    for n in range(size):
        length = int(64 * 1000 ** draw.random())
        at = draw.randrange(len(noise) - length - 8)
        value = struct.pack("!I", n) + noise[at:at + length]
        batch.append(update(path_attributes(AS, "172.17.0.1", attribute(0xC0, 99, value)),
                            host((REFUSED if n & 1 else ACCEPTED) + n)))
        if len(batch) == 64:
            hostile.send(b"".join(batch))
            batch = []
    hostile.linger(1)
    return hostile


def refused(gate, size):
    hostile = Hostile(gate)
    attributes = path_attributes(AS, "172.17.0.1")
    for first in range(0, size, 10000):
        hostile.send(b"".join(
            update(attributes, b"".join(host(REFUSED + n) for n in range(at, min(at + 800, size))))
            for at in range(first, min(first + 10000, size), 800)))
    hostile.linger(1)
    return hostile


def path_ids(gate, size):
    hostile = Hostile(gate, add_path=2)
    attributes = path_attributes(AS, "172.17.0.1")
    numbers = range(size, 0, -1)
    for first in range(0, size, 20000):
        part = numbers[first:first + 20000]
        hostile.send(b"".join(
            update(attributes, b"".join(struct.pack("!I", n) + host(ACCEPTED) for n in part[at:at + 440]))
            for at in range(0, len(part), 440)))
    hostile.linger(1)
    return hostile


def dials(gate, size):
    """`size` connections, 10,000 a second, each from an address of its own that it gives up at once."""
    hostile, open_now, began, late = Hostile(gate), [], time.monotonic(), 0.0
    for n in range(size):
        wait = began + n / 10000 - time.monotonic()
        if wait > 0.001:
            time.sleep(wait)
        late = max(late, -wait)
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        one.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", n & 1, 0))
        try:
            one.bind((f"172.{20 + (n >> 16 & 3)}.{n >> 8 & 255}.{n & 255}", 0))
            one.connect((gate, 179))
        except BlockingIOError:
            pass
        except OSError as error:
            hostile.note(str(error))
        open_now.append(one)
        if len(open_now) > 256:
            open_now.pop(0).close()
    hostile.note(f"{size / (time.monotonic() - began):.0f} dials a second")
    return hostile


def half_open(gate, size):
    """Connections that say one octet, and another now and then; those that end are replaced."""
    hostile, open_now, seconds = Hostile(gate), {}, 25
    end, number = time.monotonic() + seconds, 0
    feed = time.monotonic() + 6
    while time.monotonic() < end:
        while len(open_now) < size and time.monotonic() < end:
            number += 1
            one = socket.socket()
            one.bind((f"172.{20 + (number >> 16 & 3)}.{number >> 8 & 255}.{number & 255}", 0))
            one.settimeout(5)
            try:
                one.connect((gate, 179))
                one.sendall(b"\xff")
            except OSError as error:
                hostile.note(str(error))
                continue
            one.setblocking(False)
            open_now[one.fileno()] = one
        poll = select.poll()
        for number_of in open_now:
            poll.register(number_of, select.POLLIN)
        for number_of, _ in poll.poll(200):
            try:
                if open_now[number_of].recv(4096):
                    continue
            except OSError:
                pass
            open_now.pop(number_of).close()
            hostile.note("ended by the gate")
        if time.monotonic() >= feed:
            feed = time.monotonic() + 60
            for one in open_now.values():
                try:
                    one.send(b"\xff")
                except OSError:
                    pass
    return hostile


def withdrawals(gate, size):
    """A set of its own for each prefix, withdrawn in the order sent, in reverse and at random."""
    hostile, draw = Hostile(gate), random.Random(2)
    for order in ("same", "reverse", "random"):
        for first in range(0, size, 256):
            hostile.send(b"".join(
                update(path_attributes(AS, "172.17.0.1", colliding(n)), host(ACCEPTED + n))
                for n in range(first, min(first + 256, size))))
        numbers = list(range(size))
        if order == "reverse":
            numbers.reverse()
        elif order == "random":
            draw.shuffle(numbers)
        hostile.send(b"".join(update(withdrawn=b"".join(host(ACCEPTED + n) for n in numbers[at:at + 800]))
                              for at in range(0, size, 800)))
    hostile.linger(1)
    return hostile


def leases(gate, size):
    """A node owns `size` prefixes and one over as many others; another wants all of them, and the
    first one goes."""
    owner = Session(gate, "172.19.0.1", AS)
    attributes = path_attributes(AS, "172.19.0.1")

    def pods(first):
        return [b"\x18" + struct.pack("!I", first + (n << 8))[:3] for n in range(size)]

    def send(session, prefixes):
        for at in range(0, len(prefixes), 900):
            session.pump(update(attributes, b"".join(prefixes[at:at + 900])))

    send(owner, pods(0xB0000000) + [b"\x08\xb2"])
    time.sleep(1)
    waiting = Session(gate, "172.19.0.2", AS)
    send(waiting, pods(0xB0000000) + pods(0xB2000000))
    time.sleep(1)
    owner.pump(b"", 0.1)
    owner.close()
    end = time.monotonic() + 8  # a lease is 3 s
    while time.monotonic() < end:
        waiting.pump(b"", 0.2)
    hostile = Hostile(gate)
    hostile.note(waiting.ended or "the other node has the prefixes")
    return hostile


def table(gate, size):
    """No attack: a table over many next hops, which stays until the end."""
    session = Session(gate, "172.18.0.1", AS)
    for hop in range(HOPS):
        attributes = path_attributes(AS, f"10.9.1.{hop}" if hop < 256 else f"10.9.2.{hop - 256}")
        mine = range(hop, size, HOPS)
        session.pump(b"".join(update(attributes, b"".join(
            b"\x18" + struct.pack("!I", 0x14000000 + (n << 8))[:3] for n in mine[at:at + 900]))
            for at in range(0, len(mine), 900)))
    while session.ended is None:
        session.pump(KEEPALIVE)
        session.pump(b"", 20)
    raise OSError(session.ended)


ATTACKS = {f.__name__: f for f in (same_hash, random_sets, refused, path_ids, dials, half_open, withdrawals, leases,
                               table)}


def main():
    name, gate, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    began = time.monotonic()
    hostile = ATTACKS[name](gate, size)
    print(json.dumps({"seconds": round(time.monotonic() - began, 1), "ends": hostile.ends,
                      "addresses": hostile.number}), flush=True)


if __name__ == "__main__":
    main()
