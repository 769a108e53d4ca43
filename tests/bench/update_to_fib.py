#!/usr/bin/python3
"""./bench update-to-fib: 50 nodes announce and withdraw, 1,000 UPDATEs a second in all;
how long each takes from its last byte read to the FIB written, as the gateway's
histogram says: the upper ends of the buckets that hold the median and the 99th
percentile. One JSON line.
"""

import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import fib_latency  # noqa: E402
from lab import Lab  # noqa: E402

BAR = 200e-6


def main():
    options = argparse.ArgumentParser(prog="./bench update-to-fib", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=10)
    options = options.parse_args()
    runs = []
    for _ in range(options.rounds):
        with Lab("bench") as lab:
            buckets, count = fib_latency.measure(lab, options.seconds)
            within = max(n for b, n in buckets.items() if b <= BAR) / count
            runs.append((fib_latency.quantile(buckets, count, 0.5), fib_latency.quantile(buckets, count, 0.99),
                         within))
    p99 = statistics.median(run[1] for run in runs)
    print(json.dumps({
        "name": "update-to-fib", "value": p99, "unit": "s", "bar": BAR, "p50": statistics.median(r[0] for r in runs),
        "within_bar": round(statistics.median(r[2] for r in runs), 5), "runs": [run[1] for run in runs]}))
    sys.exit(p99 > BAR)


if __name__ == "__main__":
    main()
