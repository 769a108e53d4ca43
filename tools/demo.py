#!/usr/bin/python3
"""The demo: a cluster of real routers around torii, one line PASS or FAIL for
each thing a gate must do, with the time it took."""

import argparse
import concurrent.futures
import json
import pathlib
import signal
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))

import loopback_proxy  # noqa: E402
from cluster import WORLD, Cluster  # noqa: E402
from lab import Lab, LabError, wait_for  # noqa: E402

failures = 0


def check(title, action):
    """Runs one step; its return value is shown behind the verdict."""
    global failures
    begin = time.monotonic()
    try:
        detail = action() or ""
        verdict = "PASS"
    except (LabError, OSError, ValueError, KeyError, IndexError) as error:
        detail = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        verdict = "FAIL"
        failures += 1
    took = time.monotonic() - begin
    print(f"{verdict}  {took:7.2f} s  {title}{': ' + str(detail) if detail else ''}", flush=True)
    return verdict == "PASS"


def demand(condition, message):
    if not condition:
        raise LabError(message)


def pod_to_pod(cluster):
    count = 0
    for i, pod in enumerate(cluster.pods):
        for j in range(3):
            if i == j:
                continue
            for target in (f"10.244.{j + 1}.2", f"fd00:244:{j + 1}::2"):
                demand(pod.ping(target) == 3, f"pod{i + 1} lost packets to {target}")
                count += 1
    return f"{count} pairs, none lost"


def pod_to_world(cluster):
    for n, pod in enumerate(cluster.pods, 1):
        for target in WORLD:
            demand(pod.ping(target) == 3, f"pod{n} lost packets to {target}")
    return "3 pods, IPv4 and IPv6"


def traceroute(cluster):
    for options, target, gateway in ((["-4"], "10.244.2.2", "10.0.0.1"), (["-6"], "fd00:244:2::2", "fd00::1")):
        path = cluster.pods[0].run("traceroute", *options, "-n", "-q", "1", "-w", "1", target).stdout
        hops = [line.split()[1] for line in path.splitlines()[1:]]
        demand(gateway in hops, f"{gateway} is not among the hops {hops}")
        demand(hops[-1] == target, f"the last hop is {hops[-1]}")
    return "10.0.0.1 and fd00::1 are hops"


def iperf(cluster):
    server = cluster.pods[1].start("iperf", "iperf3", "-s", "-1")
    time.sleep(0.3)
    report = cluster.pods[0].run("iperf3", "-c", "10.244.2.2", "-t", "3", "-J").stdout
    rate = json.loads(report)["end"]["sum_received"]["bits_per_second"]
    cluster.lab.stop(server)
    demand(rate > 50e6, f"only {rate / 1e6:.0f} Mbit/s")
    return f"{rate / 1e9:.2f} Gbit/s TCP, pod1 to pod2"


def node_dies(cluster):
    api = cluster.torii.api
    begin = time.monotonic()
    cluster.silence(2)
    wait_for("the dead node's routes go", lambda: not api.installed("10.244.3.0/24"), 20)
    gone = time.monotonic() - begin
    demand(gone < 12, f"gone only after {gone:.1f} s with a hold time of 9 s")
    demand(cluster.pods[0].ping("10.244.2.2") == 3, "other nodes' pods suffered")
    return f"silent node gone after {gone:.1f} s (hold time 9 s), others unharmed"


def node_returns(cluster):
    api = cluster.torii.api
    cluster.silence(2, False)
    wait_for("the node's routes return", lambda: api.installed("10.244.3.0/24"), 40)
    wait_for("its pod answers", lambda: cluster.pods[0].ping("10.244.3.2", 1) == 1, 10)


def refused(cluster):
    node, api = cluster.speakers[2], cluster.torii.api
    reasons = []
    for prefix in ("0.0.0.0/0", "192.168.77.0/24"):
        node.announce(prefix)

        def filtered():
            rows = api.get(f"/api/v1/routes?table=filtered&neighbor=10.0.0.13&prefix={prefix}")["routes"]
            return [r["filtered_by"] for r in rows if r["prefix"] == prefix and r.get("filtered_by")]

        reasons.append(f"{prefix} ({wait_for(f'{prefix} is refused', filtered, 5)[0]})")
        demand("10.0.0.13" not in api.installed(prefix), f"{prefix} is forwarded to the node")
        node.withdraw(prefix)
    return "refused: " + ", ".join(reasons)


def stolen(cluster):
    node, api = cluster.speakers[2], cluster.torii.api
    reasons = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answered = pool.submit(cluster.pods[1].ping, "10.244.1.2", 300, 0.01)
        for prefix in ("10.244.1.0/24", "10.244.1.0/25"):
            node.announce(prefix)

            def filtered():
                rows = api.get(f"/api/v1/routes?table=filtered&neighbor=10.0.0.13&prefix={prefix}")["routes"]
                return [r["filtered_by"] for r in rows if r["prefix"] == prefix and r.get("filtered_by")]

            reasons.append(wait_for(f"{prefix} is refused", filtered, 5)[0])
        demand(api.installed("10.244.1.0/24") == ["10.0.0.11"], "the route moved")
        lost = 300 - answered.result()
        for prefix in ("10.244.1.0/24", "10.244.1.0/25"):
            node.withdraw(prefix)
    demand(lost == 0, f"node1's pod lost {lost} of 300 packets")
    return "; ".join(reasons) + "; node1's pod lost nothing"


def rest_table(cluster):
    rows = cluster.torii.api.get("/api/v1/routes?source=bgp")["routes"]
    return f"{len(rows)} BGP routes"


def cli_table(cluster):
    print(cluster.torii.cli("bgp", "peers").stdout.rstrip())
    print(cluster.torii.cli("route", "list").stdout.rstrip())


def dashboard(cluster, listener):
    """Leads the host's loopback to the gateway's; the address for a browser."""
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    loopback_proxy.start(cluster.gateway, listener, 8080)

    def page():
        with urllib.request.urlopen(f"http://{address}/", timeout=2) as answer:
            return b"<html" in answer.read().lower()

    wait_for(f"http://{address}/ answers with a page", page, 10)
    return f"http://{address}/"


def main():
    options = argparse.ArgumentParser(prog="./demo", description=__doc__)
    options.add_argument("--for", dest="seconds", type=float, default=None, metavar="SECONDS",
                         help="end after this time; without it the demo stays up until Ctrl-C")
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begin = time.monotonic()

    with Lab("demo") as lab:
        cluster = Cluster(lab, http="127.0.0.1:8080")
        check("the gateway and its nodes start", lambda: cluster.start() and None)
        check("sessions up, one listen range, no line a node",
              lambda: cluster.converge() or f"{len(Cluster.SESSIONS)} sessions")
        check("pod to pod, IPv4 and IPv6", lambda: pod_to_pod(cluster))
        check("pod to world", lambda: pod_to_world(cluster))
        check("traceroute shows the gateway", lambda: traceroute(cluster))
        check("iperf3 through the gateway", lambda: iperf(cluster))
        check("a node dies", lambda: node_dies(cluster))
        check("the node returns", lambda: node_returns(cluster))
        check("a node that announces too much", lambda: refused(cluster))
        check("a node that announces what another owns", lambda: stolen(cluster))
        check("the route table by REST", lambda: rest_table(cluster))
        check("the route table by the CLI", lambda: cli_table(cluster))
        listener = loopback_proxy.listen(range(8080, 8100))
        check("the dashboard for this host's browser", lambda: dashboard(cluster, listener))

        print(f"\nThe gateway runs in the namespace {cluster.gateway.id}; look around:\n"
              f"  build/torii --socket {cluster.torii.socket} bgp neighbors\n"
              f"  ip netns exec {cluster.pods[0].id} ping 10.244.2.2\n"
              f"  dashboard: http://127.0.0.1:{listener.getsockname()[1]}/\n", flush=True)
        try:
            if options.seconds is None:
                print("Ctrl-C ends the demo.", flush=True)
                signal.pause()
            else:
                time.sleep(max(0.0, options.seconds - (time.monotonic() - begin)))
        except KeyboardInterrupt:
            pass
        code = cluster.torii.stop()
        check("the gateway stops by itself", lambda: demand(code == 0, f"exit code {code}"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
