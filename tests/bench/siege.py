#!/usr/bin/python3
"""./bench siege: one hostile peer of a listen range against a gate with calm sessions.

Each attack has a toriid of its own in a namespace, and four sessions with a hold time of 3 s that
ask it something every few milliseconds. Printed for each: the longest that they waited for
an answer, the sessions that were lost, and the memory of toriid above the calm state, at its
most and afterwards. Ends with 1 if a bar is missed:
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import sys
import textwrap
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import Lab, LabError, wait_for  # noqa: E402
from routers import Api, build_directory  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GATE = "172.16.0.1"
SILENCE, MEMORY = 0.050, 64.0  # seconds; MiB above the calm state
FILES = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1] % (1 << 63))
MANY_FILES = ["prlimit", f"--nofile={FILES}:{FILES}"]

# name -> how much of it in the long form
ATTACKS = {
    "same_hash": 131_072,
    "random_sets": 131_072,
    "refused": 1 << 20,
    "path_ids": 400_000,
    "dials": 100_000,
    "half_open": 4_096,
    "withdrawals": 40_000,
    "policy": 1_000_000,
    "next_hops": 1_000_000,
    "leases": 5_000,
}
TABLES = 10
PORT = """
    ports = { flap = { netdev = "gwflap"; addresses = ["10.9.0.1/22"]; }; };
    dataplane = { mbufs = 16384; ipv4_routes = 2200000; poll = "adaptive"; };
    """


def config(name, policy=0):
    hostile = {
        "path_ids": 'import = "any"; add_path = "receive";',
        "leases": 'import = "any"; guarded = true;',
    }.get(name, 'import = ["accepted"];')
    # They hear of every path of the attacker where that is the attack.
    told = 'export = "any"; add_path = "send";' if name == "path_ids" else 'export = "none";'
    return f"""
    {PORT if name == "next_hops" else ""}
    prefix_lists = {{ accepted = ["200.0.0.0/8 le 32"]; }};
    policies = {{ once = ( {{ set = {{ local_pref = {policy + 100}; }}; action = "accept"; }} ); }};
    bgp = {{
      asn = 65000; router_id = "{GATE}";
      guard = {{ mode = "enforce"; lease = 3; }};
      groups = {{
        hostile = {{ remote_as = 65001; export = "none"; graceful_restart = "off"; {hostile} }};
        calm = {{ remote_as = 65002; import = "any"; graceful_restart = "off"; {told} }};
        full = {{ remote_as = 65001; import = "any"; import_policy = ["once"]; export = "none";
                  graceful_restart = "off"; receive_limit = 0; receive_octets = 0; }};
      }};
      listen = ( {{ range = "172.17.0.0/16"; group = "hostile"; }}, {{ range = "172.18.0.0/16"; group = "full"; }},
                 {{ range = "172.19.0.0/16"; group = "hostile"; }}, {{ range = "172.20.0.0/14"; group = "hostile"; }},
                 {{ range = "172.16.0.0/16"; group = "calm"; }} );
    }};
    management = {{ socket = "@DIR@/torii.sock"; http = []; }};
    log = {{ level = "warning"; }};
    """


def memory(process):
    """MiB that belong to the process alone, as the kernel counts them."""
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":" in line)
    return sum(int(status[key].split()[0]) for key in ("RssAnon", "RssShmem")) / 1024


class Highest(threading.Thread):
    """Looks at the memory of a process until it is told to stop."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.value, self.running = process, 0.0, True

    def run(self):
        while self.running and self.process.poll() is None:
            try:
                self.value = max(self.value, memory(self.process))
            except (OSError, KeyError):
                return
            time.sleep(0.05)


class Siege:
    def __init__(self, lab, name, size):
        self.lab, self.name, self.size = lab, name, size
        self.host = lab.namespace("dut")
        for network in ("172.16.0.0/16", "172.17.0.0/16", "172.18.0.0/16", "172.19.0.0/16", "172.20.0.0/14"):
            self.host.ip("route", "add", "local", network, "dev", "lo")
        self.host.run("sysctl", "-qw", "net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192",
                      "net.ipv4.tcp_syncookies=1", check=False)
        if name == "next_hops":
            self.far = lab.namespace("far")
            lab.link(self.host, "gwflap", self.far, "eth0")
            self.far.address("eth0", "10.9.3.254/22")
        self.file = lab.directory / "config"
        self.write(0)
        self.api = Api(lab.directory / "torii.sock")
        # The machine may be slow; that of a gate has a CPU for it.
        self.torii = self.host.start("torii", "nice", "-n", "-10", *MANY_FILES, build_directory() / "toriid",
                                     "--config", self.file)
        wait_for("toriid answers", lambda: self.torii.poll() is not None
                 or self.api.request("GET", "/healthz")[0] == 200, 60)
        if self.torii.poll() is not None:
            raise LabError(f"toriid ended with {self.torii.returncode}: {lab.log('dut-torii')[-800:]}")

    def write(self, policy):
        self.file.write_text(textwrap.dedent(config(self.name, policy)).replace("@DIR@", str(self.lab.directory)))

    def script(self, name, *arguments, nice=5):
        return self.host.start(name, "nice", "-n", nice, *MANY_FILES, sys.executable, HERE / f"siege_{name}.py",
                               *arguments)

    def tables(self, peers, prefixes):
        """Full tables that are there before the attack begins."""
        if peers > 1:
            swarm = self.host.start(
                "tables", *MANY_FILES, build_directory() / "bgpswarm", "--dut", f"{GATE}:179",
                "--src-full", "172.18.0.1", "--full-peers", peers, "--full-table", prefixes, "--full-as", 65001, "--remote-as", 65000,
                "--no-gr", "--linger", 600, "--timeout", 900)
        else:
            swarm = self.host.start("tables", sys.executable, HERE / "siege_attacks.py", "table", GATE, prefixes)
        wanted = peers * prefixes

        def there():
            if swarm.poll() is not None:
                raise LabError(f"the tables went: {self.lab.log('dut-tables')[-500:]}")
            rows = [n for n in self.api.neighbors().values() if n["group"] == "full"]
            return sum(f["accepted"] for n in rows for f in n["families"]) >= wanted

        wait_for("the tables are there", there, 600, 0.5)
        time.sleep(3)

    def attack(self):
        """What is done; the answer is printed."""
        if self.name == "policy":
            for n in (1, 2, 3):
                self.write(n)
                self.torii_signal(signal.SIGHUP)
                time.sleep(max(1.0, 10 * self.size / ATTACKS["policy"]))
            return {"changes": 3}
        if self.name == "next_hops":
            for n in range(6):
                self.far.ip("link", "set", "eth0", "up" if n % 2 else "down")
                time.sleep(1.5)
            return {"flaps": 6}
        hostile = self.script("attacks", self.name, GATE, self.size)
        wait_for("the attack is over", lambda: hostile.poll() is not None, 900)
        lines = self.lab.log("dut-attacks").splitlines()
        if hostile.returncode != 0:
            raise LabError("\n".join(lines[-5:]))
        return json.loads(lines[-1])

    def torii_signal(self, which):
        """`nice` and the like become toriid: one process."""
        os.kill(self.torii.pid, which)

    def run(self):
        if self.name == "policy":
            self.tables(TABLES, self.size)
        elif self.name == "next_hops":
            self.tables(1, self.size)
        calm = self.script("calm", GATE, "172.16.1.1", 65002, 4, nice=-15)
        wait_for("the calm sessions are up", lambda: "up" in self.lab.log("dut-calm"), 20)
        time.sleep(1)
        before, highest = memory(self.torii), Highest(self.torii)
        highest.start()
        done = self.attack()
        time.sleep(1)
        highest.running = False
        highest.join()
        calm.send_signal(signal.SIGTERM)
        calm.wait(20)
        seen = json.loads(self.lab.log("dut-calm").splitlines()[-1])
        if self.torii.poll() is not None:
            raise LabError(f"toriid ended with {self.torii.returncode}: {self.lab.log('dut-torii')[-800:]}")
        time.sleep(2)
        return {
            "name": self.name, "size": self.size,
            "silence_ms": round(seen["longest_answer"] * 1000, 1), "p99_ms": round(seen["p99_answer"] * 1000, 1),
            "longest_quiet_ms": round(seen["longest_quiet"] * 1000),
            "machine_ms": round(seen["own_lateness"] * 1000, 1),
            "lost": len(seen["lost"]), "calm_mib": round(before, 1), "above_mib": round(highest.value - before, 1),
            "after_mib": round(memory(self.torii) - before, 1), "reasons": seen["lost"], "attack": done,
        }


def missed(row):
    bars = (("silence", row["silence_ms"] > SILENCE * 1000), ("sessions", row["lost"] > 0),
            ("memory", row["above_mib"] > MEMORY), ("memory afterwards", row["after_mib"] > MEMORY))
    return [name for name, bad in bars if bad]


def main():
    bars = f"{SILENCE * 1000:g} ms of silence, no session lost, {MEMORY:g} MiB."
    options = argparse.ArgumentParser(prog="./bench siege", description=__doc__ + bars,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    options.add_argument("--scale", type=float, default=1.0, help="part of each attack's size [%(default)s]")
    options.add_argument("--json", action="store_true", help="one JSON line an attack instead of the table")
    options.add_argument("--rounds", type=int, default=1, help="the best of so many counts [%(default)s]")
    options = options.parse_args()
    for name in options.attacks:
        if name not in ATTACKS:
            sys.exit(f"bench: no attack '{name}'; there are {', '.join(ATTACKS)}")
    failed = False
    if not options.json:
        print(f"{'attack':<12} {'size':>8} {'silence':>9} {'p99':>7} {'lost':>5} {'memory':>8} {'after':>7}  missed")
    for name in options.attacks or ATTACKS:
        size = max(64, round(ATTACKS[name] * options.scale))
        rows = []
        for _ in range(options.rounds):
            with Lab("siege") as lab:
                rows.append(Siege(lab, name, size).run())
            if not missed(rows[-1]):
                break
        row = min(rows, key=lambda r: (len(missed(r)), r["silence_ms"]))
        row["missed"] = missed(row)
        failed |= bool(row["missed"])
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        print(f"{name:<12} {size:>8} {row['silence_ms']:>6.1f} ms {row['p99_ms']:>4.1f} ms {row['lost']:>5} "
              f"{row['above_mib']:>4.0f} MiB {row['after_mib']:>3.0f} MiB  {', '.join(row['missed']) or '-'}",
              flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
