"""Two workers: the flows of each port over both, and nothing lost between them."""

import pathlib
import re

from lab import wait_for
from test_static import ask_telemetry, prefix, start
from traffic import Flows, Pings

FLOWS, PINGS = 40, 5


def samples(torii, name):
    metrics = torii.api.get("/metrics")
    return {labels: float(value) for labels, value in re.findall(rf"{name}\{{(.*?)\}} (\S+)", metrics)}


def test_two_workers_share_the_flows_of_each_port(lab):
    left, _, torii = start(lab, more="workers = 2;", count=FLOWS, queues=2)
    wait_for("the first one is forwarded", lambda: left.ping("10.128.0.1", 1) == 1, 10)
    # Long flows beside many short ones, so that both workers have packets at once.
    steady = Flows(*(Pings(left, prefix(n).replace(".0/24", ".7")) for n in range(4)))
    for n in range(FLOWS):
        assert left.ping(prefix(n).replace(".0/24", ".9"), PINGS, interval=0.005, wait=5) == PINGS
    for flow, (sent, lost, _) in steady.stop().items():
        assert sent > 0 and lost == 0, flow

    # The driver spreads flows over its queues, and each worker polls one queue of each port.
    directory = pathlib.Path("/var/run/dpdk", f"{lab.prefix}-static")
    for device in (0, 1):
        stats = ask_telemetry(directory, f"/ethdev/stats,{device}")["/ethdev/stats"]
        assert sum(stats["q_ipackets"]) > FLOWS * PINGS
        assert all(packets > 0 for packets in stats["q_ipackets"][:2]), stats["q_ipackets"]
    busy = samples(torii, "torii_lcore_busy_ratio")
    assert len(busy) == 2 and all(ratio > 0 for ratio in busy.values()), busy

    def balanced():
        b = samples(torii, "torii_packets_total")
        number = {k.split('"')[1]: v for k, v in b.items()}
        entered = number["received"] + number["injected"] + number["generated"]
        return entered == number["transmitted"] + number["punted"] + number["dropped"] + number["held"]

    wait_for("the books balance", balanced, 10)
    assert torii.stop() == 0, torii.log()
    assert "Sanitizer" not in torii.log()
