#!/usr/bin/python3
"""./bench reload: one changed line in a configuration of many neighbors, applied by
SIGHUP and by the API. Prints how long that took, what it touched, and the longest
that a question to the control thread waited meanwhile. One JSON line a result.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import Lab, wait_for  # noqa: E402
from routers import Torii  # noqa: E402


def config(neighbors, changed=0):
    """`changed` is part of one neighbor's line alone."""
    lines = "\n".join(
        f'    {{ address = "10.{n // 62500}.{n // 250 % 250}.{n % 250 + 1}"; group = "nodes"; '
        f'description = "node {n}";{f" password = {chr(34)}p{changed}{chr(34)};" if n == 17 else ""} }},'
        for n in range(neighbors)).rstrip(",")
    return f"""
bgp = {{
  asn = 64512; router_id = "10.255.255.1"; port = 1790;
  groups = {{ nodes = {{ remote_as = 64513; passive = true; import = "any"; export = "none"; }}; }};
  neighbors = (
{lines}
  );
}};
management = {{ socket = "@SOCKET@"; http = []; }};
"""


class Questions(threading.Thread):
    """Asks the control thread something small all the time, and keeps the longest wait."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api, self.longest, self.running = api, 0.0, True

    def run(self):
        while self.running:
            began = time.monotonic()
            self.api.get("/api/v1/status")
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)


def measure(torii, neighbors, rounds, how):
    took, summaries = [], set()
    questions = Questions(torii.api)
    questions.start()
    for n in range(rounds):
        torii.write(config(neighbors, f"{how}{n}"))
        before = torii.api.get("/api/v1/status")["config_revision"]
        began = time.monotonic()
        if how == "sighup":
            os.kill(torii.process.pid, signal.SIGHUP)
        else:
            status, answer = torii.api.request("POST", "/api/v1/config/reload")
            assert status == 200, answer
        wait_for("the change is applied",
                 lambda: torii.api.get("/api/v1/status")["config_revision"] > before, 20, 0.002)
        took.append(time.monotonic() - began)
        summaries.add(torii.api.get("/api/v1/config/revisions")["revisions"][0]["summary"])
    questions.running = False
    questions.join()
    print(json.dumps({"name": "reload", "by": how, "neighbors": neighbors, "unit": "ms",
                      "median": round(statistics.median(took) * 1000, 1), "worst": round(max(took) * 1000, 1),
                      "longest_wait_of_a_question": round(questions.longest * 1000, 1),
                      "changes": sorted(summaries)}), flush=True)


def main():
    options = argparse.ArgumentParser(prog="./bench reload", description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--neighbors", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    with Lab("bench-reload") as lab:
        torii = Torii(lab.namespace("gw"), config(options.neighbors),
                      env={"STATE_DIRECTORY": str(lab.directory / "state")}).start()
        for how in ("sighup", "api"):
            measure(torii, options.neighbors, options.rounds, how)
        torii.stop()


if __name__ == "__main__":
    main()
