"""The octets of BGP that the attackers of ./bench siege and their victims speak."""

import select
import socket
import struct

REFRESH = 5


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


KEEPALIVE = message(4)
PROBE = message(REFRESH, struct.pack("!HBB", 1, 0, 1))


def attribute(flags, code, value):
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def host(number):
    return b"\x20" + struct.pack("!I", number)


def path_attributes(asn, next_hop, more=b""):
    return (attribute(0x40, 1, b"\0") + attribute(0x40, 2, struct.pack("!BBI", 2, 1, asn))
            + attribute(0x40, 3, socket.inet_aton(next_hop)) + more)


def update(attributes=b"", nlri=b"", withdrawn=b""):
    return message(2, struct.pack("!H", len(withdrawn)) + withdrawn
                   + struct.pack("!H", len(attributes)) + attributes + nlri)


def open_message(asn, router_id, hold, add_path=0):
    """IPv4, 4-octet AS, both kinds of refresh, long messages; ADD-PATH: 1 receives, 2 sends."""
    capabilities = [(1, b"\0\1\0\1"), (2, b""), (70, b""), (6, b""), (65, struct.pack("!I", asn))]
    if add_path:
        capabilities.append((69, bytes([0, 1, 1, add_path])))
    body = b"".join(bytes([2, len(c) + 2, code, len(c)]) + c for code, c in capabilities)
    return message(1, struct.pack("!BHH4sB", 4, asn, hold, socket.inet_aton(router_id), len(body)) + body)


def frames(buffer):
    """Whole messages of a bytearray, taken out of it: (type, body)."""
    at = 0
    while len(buffer) - at >= 19:
        size = buffer[at + 16] << 8 | buffer[at + 17]
        if len(buffer) - at < size:
            break
        yield buffer[at + 18], bytes(buffer[at + 19:at + size])
        at += size
    del buffer[:at]


class Session:
    """One session that sends what it is given and reads what comes, until the gate ends it."""

    def __init__(self, gate, source, asn, hold=90, add_path=0, router_id=None):
        self.source, self.ended, self.buffer = source, None, bytearray()
        self.socket = socket.socket()
        self.socket.bind((source, 0))
        self.socket.settimeout(10)
        self.socket.connect((gate, 179))
        self.socket.sendall(open_message(asn, router_id or source, hold, add_path))
        self.up = False
        self.socket.setblocking(False)
        while not self.up and self.ended is None:
            self.pump(b"", 10)

    def _read(self):
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self.ended = str(error)
            return
        if not data:
            self.ended = self.ended or "closed"
            return
        self.buffer += data
        for kind, body in frames(self.buffer):
            if kind == 1:
                self.socket.sendall(KEEPALIVE)
            elif kind == 4:
                self.up = True
            elif kind == 3:
                self.ended = f"NOTIFICATION {body[:4].hex()}"

    def pump(self, data, timeout=0.0):
        """Sends all of it; False when the session is over."""
        view = memoryview(data)
        while self.ended is None:
            readable, writable, _ = select.select([self.socket], [self.socket] if view else [], [],
                                                  30 if view else timeout)
            if readable:
                self._read()
            if writable and self.ended is None:
                try:
                    view = view[self.socket.send(view[:1 << 20]):]
                except OSError as error:
                    self.ended = str(error)
            if not view:
                return self.ended is None
        return False

    def close(self):
        self.socket.close()
