"""Pings at a steady rate, and what of them was lost."""

import re
import signal


class Pings:
    """From one host to another, a hundred a second, until stop()."""

    def __init__(self, host, target, source=None, interval=0.01):
        self.interval, self.target = interval, target
        extra = ["-I", source] if source else []
        self.process = host.start(f"ping-{target}", "ping", "-n", "-D", "-i", interval, "-W", "1", *extra, target)
        self.label = f"{host.name} -> {target}"

    def stop(self):
        """(sent, lost, longest silence in seconds)."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        text = self.process.log_file.read_text(errors="replace")
        self.process.log_file.unlink()
        sent = int(re.search(r"(\d+) packets transmitted", text).group(1))
        came = {}
        for at, number in re.findall(r"(?m)^\[([0-9.]+)\] .*icmp_seq=(\d+) ttl", text):
            came.setdefault(int(number), float(at))
        # The last few may have been on their way.
        sent -= 5
        answered = sorted(number for number in came if number <= sent)
        if not answered:
            return sent, sent, sent * self.interval
        # By the clock: a busy machine sends fewer than a hundred a second.
        silence = max([came[b] - came[a] for a, b in zip(answered, answered[1:]) if b - a > 1], default=0.0)
        return sent, sent - len(answered), max(silence, (sent - answered[-1]) * self.interval)


class Flows:
    """Several of them at once."""

    def __init__(self, *pings):
        self.pings = pings

    def stop(self):
        return {ping.label: ping.stop() for ping in self.pings}
