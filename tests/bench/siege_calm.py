"""Calm sessions of ./bench siege: hold time 3 s, and a question (a route refresh) all the time.

    siege_calm.py GATE SOURCE AS SESSIONS

Prints a line when all are up; at SIGTERM one of JSON: the longest that an answer took, the
longest time without a word, what became of the sessions, and how late this process itself ran.
"""

import json
import select
import signal
import struct
import sys
import time

from siege_wire import KEEPALIVE, PROBE, REFRESH, Session, frames

EVERY = 0.004  # between two questions, whoever asks


class Calm:
    def __init__(self, gate, source, asn):
        self.session = Session(gate, source, asn, hold=3, add_path=1)
        self.buffer = bytearray(self.session.buffer)
        self.asked = None
        self.heard = self.sent = time.monotonic()
        self.end = self.session.ended

    def read(self, now, answers):
        try:
            data = self.session.socket.recv(65536)
        except BlockingIOError:
            return 0.0
        except OSError as error:
            self.end = str(error)
            return 0.0
        if not data:
            self.end = self.end or "closed"
            return 0.0
        quiet, self.heard = now - self.heard, now
        self.buffer += data
        for kind, body in frames(self.buffer):
            if kind == 3:
                self.end = f"NOTIFICATION {body[:4].hex()}"
            elif kind == REFRESH and body[2] == 1 and self.asked is not None:
                answers.append(now - self.asked)
            elif kind == REFRESH and body[2] == 2:
                self.asked = None
        return quiet


def main():
    gate, source, asn, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    first, last = source.rsplit(".", 1)
    calm = [Calm(gate, f"{first}.{int(last) + i}", asn) for i in range(count)]
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.__setitem__(0, False))
    print("up", flush=True)
    answers, quiet, late, turn = [], 0.0, 0.0, 0
    began = due = time.monotonic()
    while running[0]:
        now = time.monotonic()
        if now >= due:
            late = max(late, now - due)
            due = now + EVERY
            for _ in calm:
                turn = (turn + 1) % len(calm)
                one = calm[turn]
                if one.end is None and one.asked is None:
                    one.session.socket.send(PROBE)
                    one.asked = one.sent = now
                    break
        alive = {one.session.socket: one for one in calm if one.end is None}
        for one in alive.values():
            if now - one.sent > 0.8:
                try:
                    one.session.socket.send(KEEPALIVE)
                except OSError as error:
                    one.end = str(error)
                one.sent = now
        for readable in select.select(list(alive), [], [], max(0.0, due - time.monotonic()))[0]:
            quiet = max(quiet, alive[readable].read(time.monotonic(), answers))
    now = time.monotonic()
    for one in calm:
        if one.asked is not None:
            answers.append(now - one.asked)
    answers.sort()
    print(json.dumps({
        "longest_answer": answers[-1] if answers else None,
        "p99_answer": answers[len(answers) * 99 // 100] if answers else None,
        "answers": len(answers), "longest_quiet": quiet, "own_lateness": late, "seconds": now - began,
        "lost": [one.end for one in calm if one.end is not None]}), flush=True)


if __name__ == "__main__":
    main()
