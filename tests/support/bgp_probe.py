"""Many small BGP speakers in one process: each sends the routes that it is given and records
what it receives. Run in a namespace as `bgp_probe.py FILE`, where FILE holds
{"gate": ADDRESS, "quiet": SECONDS, "speakers": [{"source", "as", "id", "routes": [...]}]};
prints, for each speaker, the routes that it had received when nothing came any more.
"""

import ipaddress
import json
import selectors
import socket
import struct
import sys
import time

ORIGINS = ("igp", "egp", "incomplete")


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def attribute(flags, code, value):
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def nlri(prefix):
    network = ipaddress.ip_network(prefix)
    return bytes([network.prefixlen]) + network.network_address.packed[:(network.prefixlen + 7) // 8]


def update(route):
    """A route: prefix, next_hop, as_path, origin; med, communities, large where it has them."""
    v6 = ":" in route["prefix"]
    path = b"".join(struct.pack("!I", a) for a in route["as_path"])
    out = attribute(0x40, 1, bytes([ORIGINS.index(route["origin"])]))
    out += attribute(0x40, 2, bytes([2, len(route["as_path"])]) + path)
    hop = ipaddress.ip_address(route["next_hop"]).packed
    if not v6:
        out += attribute(0x40, 3, hop)
    if route.get("med") is not None:
        out += attribute(0x80, 4, struct.pack("!I", route["med"]))
    if route.get("communities"):
        out += attribute(0xC0, 8, b"".join(struct.pack("!HH", *c) for c in route["communities"]))
    if v6:
        out += attribute(0x80, 14, struct.pack("!HBB", 2, 1, len(hop)) + hop + b"\0" + nlri(route["prefix"]))
    if route.get("large"):
        out += attribute(0xC0, 32, b"".join(struct.pack("!III", *c) for c in route["large"]))
    return message(2, struct.pack("!HH", 0, len(out)) + out + (b"" if v6 else nlri(route["prefix"])))


def prefixes(data, v6):
    while data:
        length = data[0]
        size = (length + 7) // 8
        packed = data[1:1 + size].ljust(16 if v6 else 4, b"\0")
        yield f"{ipaddress.ip_address(packed)}/{length}"
        data = data[1 + size:]


def split(data, size, form):
    return sorted(list(struct.unpack(form, data[i:i + size])) for i in range(0, len(data), size))


class Speaker:
    def __init__(self, gate, settings):
        self.settings, self.buffer, self.table, self.up = settings, b"", {}, False
        self.socket = socket.socket()
        self.socket.bind((settings["source"], 0))
        self.socket.settimeout(5)
        self.socket.connect((gate, 179))
        capabilities = b"".join(bytes([2, len(c) + 2, code, len(c)]) + c for code, c in (
            (1, b"\0\1\0\1"), (1, b"\0\2\0\1"), (65, struct.pack("!I", settings["as"]))))
        self.socket.sendall(message(1, struct.pack("!BHH4sB", 4, settings["as"], 90,
                                                   socket.inet_aton(settings["id"]), len(capabilities))
                                    + capabilities))

    def receive(self):
        """True when routes came."""
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"{self.settings['source']}: closed")
        self.buffer += data
        news = False
        while len(self.buffer) >= 19:
            size = struct.unpack("!H", self.buffer[16:18])[0]
            if len(self.buffer) < size:
                break
            kind, body, self.buffer = self.buffer[18], self.buffer[19:size], self.buffer[size:]
            if kind == 1:
                self.socket.sendall(message(4))
            elif kind == 4 and not self.up:
                self.up = news = True
                for route in self.settings["routes"]:
                    self.socket.sendall(update(route))
            elif kind == 2:
                news = True
                self.learn(body)
            elif kind == 3:
                raise EOFError(f"{self.settings['source']}: NOTIFICATION {body.hex()}")
        return news

    def learn(self, body):
        gone = struct.unpack("!H", body[:2])[0]
        for prefix in prefixes(body[2:2 + gone], False):
            self.table.pop(prefix, None)
        size = struct.unpack("!H", body[2 + gone:4 + gone])[0]
        data, rest = body[4 + gone:4 + gone + size], body[4 + gone + size:]
        route, found, unreach = {}, list(prefixes(rest, False)), []
        while data:
            flags, code = data[0], data[1]
            length, at = (struct.unpack("!H", data[2:4])[0], 4) if flags & 0x10 else (data[2], 3)
            value, data = data[at:at + length], data[at + length:]
            if code == 1:
                route["origin"] = ORIGINS[value[0]]
            elif code == 2:
                path = []
                while value:
                    path += struct.unpack(f"!{value[1]}I", value[2:2 + 4 * value[1]])
                    value = value[2 + 4 * value[1]:]
                route["as_path"] = path
            elif code == 3:
                route["next_hop"] = str(ipaddress.ip_address(value))
            elif code in (4, 5):
                route["med" if code == 4 else "local_pref"] = struct.unpack("!I", value)[0]
            elif code == 8:
                route["communities"] = split(value, 4, "!HH")
            elif code == 32:
                route["large"] = split(value, 12, "!III")
            elif code == 14 and value[:3] == b"\0\2\1":
                route["next_hop"] = str(ipaddress.ip_address(value[4:20]))
                found += prefixes(value[5 + value[3]:], True)
            elif code == 15 and value[:3] == b"\0\2\1":
                unreach += prefixes(value[3:], True)
        for prefix in unreach:
            self.table.pop(prefix, None)
        for prefix in found:
            self.table[prefix] = route


def main(file):
    task = json.load(open(file))
    deadline = time.monotonic() + 30
    speakers = []
    for settings in task["speakers"]:
        while True:
            try:
                speakers.append(Speaker(task["gate"], settings))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
    selector = selectors.DefaultSelector()
    for speaker in speakers:
        selector.register(speaker.socket, selectors.EVENT_READ, speaker)
    last = time.monotonic()
    while time.monotonic() < deadline:
        for key, _ in selector.select(0.1):
            if key.data.receive():
                last = time.monotonic()
        if all(s.up for s in speakers) and time.monotonic() - last > task["quiet"]:
            break
    assert all(s.up for s in speakers), [s.settings["source"] for s in speakers if not s.up]
    json.dump({s.settings["source"]: s.table for s in speakers}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
