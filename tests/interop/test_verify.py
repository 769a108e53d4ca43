"""What the forwarding tables hold is compared with the routes, without end. Here somebody writes
into the memory of the running process, as a failing DIMM or a bug would."""

import re
import struct

from lab import wait_for
from test_static import prefix, start

SLOTS = 1 << 24
HUGE = 2 << 20


class Root4:
    """The direct stage of the IPv4 table: a word for each /24, in a mapping of its own."""

    def __init__(self, pid, known):
        self.memory = open(f"/proc/{pid}/mem", "r+b", buffering=0)
        for line in open(f"/proc/{pid}/maps"):
            first, last = (int(x, 16) for x in re.match(r"([0-9a-f]+)-([0-9a-f]+)", line).groups())
            if last - first < SLOTS * 4:
                continue
            # The table begins at the first huge page of its mapping, which may hang together
            # with others.
            for base in range((first + HUGE - 1) & ~(HUGE - 1), last - SLOTS * 4 + 1, HUGE):
                self.base = base
                if all(self.depth(network) == 24 for network in known):
                    return
        raise AssertionError("the table was not found")

    def at(self, network):
        a, b, c, _ = (int(x) for x in network.split("/")[0].split("."))
        return self.base + 4 * (a << 16 | b << 8 | c)

    def read(self, network):
        self.memory.seek(self.at(network))
        try:
            return struct.unpack("<I", self.memory.read(4))[0]
        except OSError:
            return 0

    def write(self, network, word):
        self.memory.seek(self.at(network))
        self.memory.write(struct.pack("<I", word))

    def depth(self, network):
        return self.read(network) >> 24 & 63


def faults(torii):
    counters = torii.api.get("/api/v1/counters?name=torii_fib_faults_total")["counters"]
    return sum(sample["value"] for counter in counters for sample in counter["samples"])


def test_a_word_that_differs_is_found_and_corrected(lab):
    left, right, torii = start(lab)
    targets = [prefix(n).replace(".0/24", ".9") for n in (0, 77, 10_239)]
    for target in targets:
        assert left.ping(target, 1) == 1, target
    answer = torii.cli("verify").stdout
    assert "faults: 0" in answer, answer
    assert int(re.search(r"compared: ([\d,]+)", answer)[1].replace(",", "")) >= 10_240

    root = Root4(torii.process.pid, [prefix(0), prefix(77), prefix(10_239)])
    right_word = root.read(prefix(77))
    assert right_word != 0 and right_word == root.read(prefix(78))
    # By itself, within ten seconds.
    root.write(prefix(77), 0)
    wait_for("it is corrected", lambda: root.read(prefix(77)) == right_word, 15)
    assert left.ping(targets[1], 1) == 1
    assert faults(torii) == 1
    event = next(e for e in torii.api.get("/api/v1/events?limit=1000")["events"] if e["id"] == "FIB-FAULT")
    assert event["fields"]["where"].startswith("10.128.77."), event
    # A prefix that nobody announced.
    root.write("10.200.1.0/24", right_word)
    wait_for("it is gone", lambda: root.read("10.200.1.0/24") == 0, 15)
    # At once, when somebody asks.
    root.write(prefix(0), right_word ^ 1)
    answer = torii.cli("verify", check=False)
    assert answer.returncode == 1 and "faults: 1, all corrected" in answer.stdout, answer.stdout
    assert root.read(prefix(0)) == right_word
    assert torii.cli("verify").stdout.endswith("faults: 0\n")
    assert faults(torii) == 3
    assert torii.stop() == 0
