"""Flows of UDP to one address, and who answered each packet.

  serve NAME ADDRESS PORT     answers with NAME and what it got
  meter ADDRESS PORT FLOWS INTERVAL_MS FILE
                              sends one packet of each flow every INTERVAL until it is
                              told to end, then writes what became of each

Both sides stamp by the one clock of the machine, so that a test can say what happened
before and after something it did.
"""

import json
import pathlib
import select
import signal
import socket
import sys
import time

SO_RCVBUFFORCE = 33  # a busy machine shall not lose what waits


def serve(name, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, int(port)))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    while True:
        data, peer = sock.recvfrom(64)
        sock.sendto(name.encode() + b" " + data, peer)


def meter(address, port, flows, interval, file):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    socks = []
    for _ in range(int(flows)):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20)
        sock.connect((address, int(port)))
        socks.append(sock)
    poll = select.epoll()
    by_fd = {}
    for i, sock in enumerate(socks):
        poll.register(sock, select.EPOLLIN)
        by_fd[sock.fileno()] = i
    sent = [[] for _ in socks]  # times
    answers = [{} for _ in socks]  # by number: who
    errors = 0
    began = time.monotonic()
    due, number = began, 0
    step = float(interval) / 1000
    pathlib.Path(file + ".ready").touch()

    def take(wait):
        nonlocal errors
        for fd, _ in poll.poll(wait):
            i = by_fd[fd]
            try:
                while True:
                    who, n = socks[i].recv(64).decode().split()
                    answers[i][int(n)] = who
            except BlockingIOError:
                pass
            except OSError:  # an ICMP error, told by the kernel
                errors += 1

    while not ended:
        for i, sock in enumerate(socks):
            sent[i].append(time.monotonic())
            try:
                sock.send(str(number).encode())
            except OSError:
                errors += 1
        number += 1
        due += step
        while (left := due - time.monotonic()) > 0 and not ended:
            take(left)
    end = time.monotonic() + 0.3
    while (left := end - time.monotonic()) > 0:
        take(left)
    rows = [[[at, answers[i].get(n)] for n, at in enumerate(times)] for i, times in enumerate(sent)]
    pathlib.Path(file).write_text(json.dumps({"flows": rows, "errors": errors}))


class Meter:
    """A meter in a namespace, as a context: `report` holds what it saw afterwards."""

    def __init__(self, host, address, port, flows=24, interval=8):
        self.host, self.file = host, host.lab.directory / f"meter-{time.monotonic_ns()}.json"
        self.arguments = [address, port, flows, interval, self.file]

    def __enter__(self):
        self.process = self.host.start(f"meter-{self.file.stem}", "/usr/bin/python3", __file__, "meter",
                                       *self.arguments)
        ready = pathlib.Path(f"{self.file}.ready")
        while not ready.exists():
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.host.lab.stop(self.process)
        self.report = json.loads(self.file.read_text())
        self.flows = self.report["flows"]

    def lost(self):
        return sum(who is None for flow in self.flows for _, who in flow)

    def owner(self, flow, before):
        """Who answered the flow last before that time."""
        return next((who for at, who in reversed(flow) if at < before and who), None)

    def outage(self, died_at, node):
        """From a death until the last packet that went unanswered of the flows that the
        dead node had, in seconds; how many those are; and how many flows of others moved."""
        worst, flows, moved = 0.0, 0, 0
        for flow in self.flows:
            owner = self.owner(flow, died_at)
            if owner == node:
                flows += 1
                lost = [at for at, who in flow if at >= died_at and who is None]
                if lost:
                    worst = max(worst, lost[-1] - died_at)
            elif any(who not in (owner, None) for at, who in flow if at >= died_at):
                moved += 1
        return worst, flows, moved


if __name__ == "__main__":
    {"serve": serve, "meter": meter}[sys.argv[1]](*sys.argv[2:])
