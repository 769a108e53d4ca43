"""Pings at a steady rate, and what of them was lost."""

import re
import signal


class Pings:
    """From one host to another, a hundred a second, until stop()."""

    def __init__(self, host, target, source=None, interval=0.01):
        self.interval, self.target = interval, target
        extra = ["-I", source] if source else []
        self.process = host.start(f"ping-{target}", "ping", "-n", "-i", interval, "-W", "1", *extra, target)
        self.label = f"{host.name} -> {target}"

    def stop(self):
        """(sent, lost, longest silence in seconds)."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        text = self.process.log_file.read_text(errors="replace")
        self.process.log_file.unlink()
        sent = int(re.search(r"(\d+) packets transmitted", text).group(1))
        answered = sorted({int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", text)})
        # The last few may have been on their way.
        sent -= 5
        answered = [n for n in answered if n <= sent]
        edges = [0, *answered, sent + 1]
        longest = max(b - a - 1 for a, b in zip(edges, edges[1:]))
        return sent, sent - len(answered), longest * self.interval


class Flows:
    """Several of them at once."""

    def __init__(self, *pings):
        self.pings = pings

    def stop(self):
        return {ping.label: ping.stop() for ping in self.pings}
