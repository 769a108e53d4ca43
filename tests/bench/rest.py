#!/usr/bin/python3
"""./bench rest: what the API costs, and what it does to BGP.

A table of --routes is taught by one peer, 200 nodes flap 10,000 updates a second.
  idle     update latency with nobody asking
  lpm      longest-match questions at --rate a second meanwhile: their p99, and
           what the updates' latency is then
  ndjson   the whole table, line by line: plain, zstd and gzip
  tables   the same again and again, and what the updates' latency is then
  slow     1,000 clients that ask for tables and read nothing, and a slowloris that
           sends a byte at a time, beside sessions with a hold time of 3 s
One JSON line a result.
"""

import argparse
import json
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bgp  # noqa: E402
from lab import Api, Lab, LabError, wait_for  # noqa: E402
from routers import build_directory  # noqa: E402


class Client:
    """One kept connection that costs little: the machine's other core is the router's."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))

    def get(self, target, headers=""):
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        return int(head.split()[1]), body

    def _more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise LabError("the connection was closed")
        return piece

    def whole_table(self, coding, keep=None):
        """Seconds, octets and line feeds of the table. HTTP/1.0: no chunks between the lines."""
        self.socket.sendall(f"GET /api/v1/routes HTTP/1.0\r\nHost: x\r\nAccept: application/x-ndjson\r\n"
                            f"Accept-Encoding: {coding}\r\n\r\n".encode())
        buffer = bytearray(1 << 20)
        octets = lines = 0
        began = time.monotonic()
        while size := self.socket.recv_into(buffer):
            octets += size
            lines += buffer.count(b"\n", 0, size)
            if keep is not None:
                keep.append(buffer[:size])
        return time.monotonic() - began, octets, lines


def line(**fields):
    print(json.dumps(fields), flush=True)


class Run:
    """toriid in a namespace and a swarm that teaches it."""

    def __init__(self, lab, swarm):
        self.host = lab.namespace("dut")
        for second in (16, 17, 18, 19):
            self.host.ip("route", "add", "local", f"172.{second}.0.0/16", "dev", "lo")
        self.directory = lab.directory
        (self.directory / "config").write_text(bgp.torii_config().replace("@DIR@", str(self.directory)))
        self.torii = self.host.start("daemon", *bgp.MANY_FILES, build_directory() / "toriid",
                                     "--config", self.directory / "config")
        wait_for("toriid listens", lambda: bgp.listens(self.host), 30)
        self.api = Api(self.directory / "torii.sock")
        self.report = self.directory / "report.json"
        self.swarm = self.host.start(
            "swarm", *bgp.MANY_FILES, build_directory() / "bgpswarm", *bgp.COMMON, *swarm, "--timeout", 150,
            "--dut-pid", self.torii.pid, "--json", self.report)

    def loaded(self, routes):
        wait_for(f"{routes} routes are known",
                 lambda: self.api.get("/api/v1/status")["routes_ipv4"] >= routes or self.routes() >= routes, 100, 0.3)

    def routes(self):
        return self.api.get("/api/v1/routes?limit=1")["total"]

    def finish(self):
        self.swarm.wait(160)
        return json.loads(self.report.read_text())


def ask_lpm(path, rate, duration):
    """Latencies of questions that are due at fixed times, whether or not earlier ones were late."""
    client = Client(path)
    random.seed(1)
    asked, late, worst = [], 0, 0
    begin = time.monotonic()
    for i in range(int(rate * duration)):
        due = begin + i / rate
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        elif now - due > 0.002:
            late += 1
        target = f"{random.randrange(1, 224)}.{random.randrange(256)}.{random.randrange(256)}.1"
        sent = time.monotonic()
        status, _ = client.get(f"/api/v1/routes?match=lpm&prefix={target}")
        asked.append(time.monotonic() - sent)
        if status not in (200, 404):
            raise LabError(f"{target}: {status}")
    asked.sort()
    return asked, late


def swarm_arguments(options, duration):
    return ["--full-table", options.routes, "--peers", 200, "--receivers", 1, "--barrier",
            "--flap", options.churn, "--flap-duration", duration, "--settle", 1]


def lines_in(answer, coding):
    head, _, body = b"".join(answer).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.0 200"):
        raise LabError(head.decode(errors="replace"))
    if coding == "gzip":
        body = zlib.decompress(body, wbits=31)
    elif coding == "zstd":
        body = subprocess.run(["zstd", "-dcq"], input=body, stdout=subprocess.PIPE, check=True).stdout
    return body.count(b"}\n")


def measure_updates(options, beside):
    with Lab("bench-rest") as lab:
        run = Run(lab, swarm_arguments(options, options.seconds + 2))
        run.loaded(options.routes)
        if beside:
            time.sleep(1.5)  # --settle, then the flapping begins
        if beside == "tables":
            until = time.monotonic() + options.seconds
            took = []
            while time.monotonic() < until:
                took.append(Client(run.directory / "torii.sock").whole_table("identity")[0])
            line(name="tables beside updates", churn=options.churn, unit="s", number=len(took),
                 median=round(statistics.median(took), 3))
        if beside == "lpm":
            asked, late = ask_lpm(run.directory / "torii.sock", options.rate, options.seconds)
            at = lambda q: round(asked[min(len(asked) - 1, int(len(asked) * q))] * 1000, 3)  # noqa: E731
            line(name="lpm", routes=run.routes(), rate=options.rate, churn=options.churn, unit="ms", p50=at(0.5),
                 p99=at(0.99), worst=at(1), sent_late=late)
        report = run.finish()
        line(name=f"updates beside {beside}" if beside else "updates alone", unit="s",
             p50=report["event"].get("latency_p50"), p99=report["event"]["latency_p99"],
             drops=report["sessions"]["drops_after_established"])


def measure_ndjson(options):
    with Lab("bench-rest") as lab:
        run = Run(lab, ["--full-table", options.routes, "--peers", 50, "--hold", 3, "--receivers", 1, "--barrier",
                        "--linger", 14])
        run.loaded(options.routes)
        answers = {}
        for coding in ("identity", "zstd", "gzip"):
            # The first one is 300 MB of which only the line feeds count.
            answers[coding] = None if coding == "identity" else []
            took, octets, lines = Client(run.directory / "torii.sock").whole_table(coding, answers[coding])
            line(name="ndjson", coding=coding, unit="s", value=round(took, 3), octets=octets)
            if coding == "identity" and lines < options.routes:
                raise LabError(f"{lines} lines of {options.routes} routes")
        report = run.finish()
        for coding, answer in answers.items():
            if answer and (found := lines_in(answer, coding)) < options.routes:
                raise LabError(f"{coding}: {found} lines of {options.routes} routes")
        line(name="sessions beside ndjson", hold=3, unit="s", drops=report["sessions"]["drops_after_established"],
             longest_silence=report["sessions"]["longest_silence_of_dut"])


def measure_slow(options):
    with Lab("bench-rest") as lab:
        run = Run(lab, ["--full-table", 100_000, "--peers", 50, "--hold", 3, "--receivers", 1, "--barrier",
                        "--linger", options.seconds + 6])
        run.loaded(100_000)
        path = str(run.directory / "torii.sock")
        slow, stop = [], threading.Event()
        for _ in range(1000):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(path)
                client.send(b"GET /api/v1/routes?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")
            except BlockingIOError:
                pass
            slow.append(client)

        def slowloris():
            drips = [socket.socket(socket.AF_UNIX) for _ in range(50)]
            for s in drips:
                s.connect(path)
            while not stop.wait(0.5):
                for s in drips:
                    try:
                        s.send(b"G")
                    except OSError:
                        pass

        thread = threading.Thread(target=slowloris)
        thread.start()
        waits = []
        until = time.monotonic() + options.seconds
        while time.monotonic() < until:
            began = time.monotonic()
            status, _ = Client(path).get("/healthz")
            waits.append(time.monotonic() - began)
            if status != 200:
                raise LabError(f"a healthy client got {status}")
            time.sleep(0.05)
        stop.set()
        thread.join()
        report = run.finish()
        line(name="slow", clients=len(slow), slowloris=50, unit="ms",
             healthy_p50=round(statistics.median(waits) * 1000, 2), healthy_worst=round(max(waits) * 1000, 2),
             drops=report["sessions"]["drops_after_established"], hold=3,
             longest_silence=report["sessions"]["longest_silence_of_dut"])


def main():
    options = argparse.ArgumentParser(prog="./bench rest", description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=["idle", "lpm", "ndjson", "tables", "slow"])
    options.add_argument("--routes", type=int, default=1_000_000)
    options.add_argument("--rate", type=int, default=1000, help="questions a second [%(default)s]")
    options.add_argument("--churn", type=int, default=10_000, help="updates a second [%(default)s]")
    options.add_argument("--seconds", type=int, default=8)
    options = options.parse_args()
    parts = {"idle": lambda: measure_updates(options, ""), "lpm": lambda: measure_updates(options, "lpm"),
             "ndjson": lambda: measure_ndjson(options), "tables": lambda: measure_updates(options, "tables"),
             "slow": lambda: measure_slow(options)}
    for part in options.parts:
        if part not in parts:
            sys.exit(f"bench: no part '{part}'; there are {', '.join(parts)}")
        parts[part]()


if __name__ == "__main__":
    main()
