#!/usr/bin/python3
"""./bench bgp: the scenarios of a cluster's gate, torii beside BIRD, FRR and
OpenBGPD in the same run.

Each run has a namespace and a daemon of its own; bgpswarm plays every node,
full-table peer and receiver. One JSON line a result: name, value, unit, who,
and torii's ratio to each peer. Medians over --rounds interleaved rounds.
"""

import argparse
import json
import pathlib
import resource
import statistics
import sys
import textwrap
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import Lab, LabError, wait_for  # noqa: E402
from routers import build_directory, make_openbgpd_home  # noqa: E402

DUT = "172.16.0.1"
COMMON = ["--dut", f"{DUT}:179", "--src-nodes", "172.17.0.1", "--src-full", "172.18.0.1",
          "--src-receivers", "172.19.0.1", "--local-as", "65001", "--full-as", "65001",
          "--receiver-as", "65100", "--remote-as", "65000"]

# As many as 5000 sessions need, or what this machine allows.
FILES = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1] % (1 << 63))
MANY_FILES = ["prlimit", f"--nofile={FILES}:{FILES}"]


def complete(report):
    return report["convergence"]["all_receivers_complete"]


def silence(report):
    """The longest time without a word of the daemon, if nobody's hold time ran out."""
    sessions = report["sessions"]
    if sessions["drops_after_established"] or sessions["drops_before_established"]:
        return None
    return sessions["longest_silence_of_dut"]


def after_event(report):
    return report["event"]["last_change_after"]


# name -> (arguments of bgpswarm, what is measured)
SCENARIOS = {
    "full-table": (["--full-table", 1_000_000, "--receivers", 1, "--barrier", "--idle", 3], complete),
    "ten-by-100k": (["--full-peers", 10, "--full-table", 100_000, "--receivers", 1, "--barrier"], complete),
    "failover-100k": (["--full-peers", 2, "--full-table", 100_000, "--prepend-step", 8, "--receivers", 1,
                       "--barrier", "--kill-fraction", 0.5, "--kill-target", "full", "--kill-mode", "close"],
                      after_event),
    "join-1000": (["--peers", 1000, "--receivers", 1, "--connect-parallel", 256], complete),
    "join-1000-paced": (["--peers", 1000, "--receivers", 1, "--connect-parallel", 4], complete),
    "join-5000": (["--peers", 5000, "--receivers", 1, "--connect-parallel", 256], complete),
    "fanout-1000": (["--receivers", 1000, "--peers", 1, "--prefixes-per-peer", 1000, "--barrier"], complete),
    "vips-1000x100": (["--peers", 1000, "--vips", 100, "--receivers", 1, "--barrier"], complete),
    # Joined at a pace at which every peer gets all: only the death is measured.
    "vips-death": (["--peers", 1000, "--vips", 100, "--receivers", 1, "--connect-parallel", 4, "--barrier",
                    "--kill-fraction", 0.1, "--kill-mode", "rst"], after_event),
    # Nobody may starve while somebody else's full table is worked on.
    "hold-3s": (["--peers", 200, "--hold", 3, "--full-table", 1_000_000, "--receivers", 1, "--barrier",
                 "--linger", 6], silence),
    "churn-p99": (["--peers", 1000, "--receivers", 1, "--flap", 10_000, "--flap-duration", 10],
                  lambda r: r["event"]["latency_p99"]),
}


# All without graceful restart: a killed peer's routes are to go, not to be kept.
def torii_config():
    return f"""
    bgp = {{
      asn = 65000; router_id = "{DUT}"; listen_limit = 8192;
      groups = {{
        nodes = {{ remote_as = 65001; import = "any"; export = "none"; graceful_restart = "off";
                  receive_limit = 0; receive_octets = 0; }};
        sinks = {{ remote_as = 65100; import = "any"; export = "any"; graceful_restart = "off"; }};
      }};
      listen = ( {{ range = "172.17.0.0/16"; group = "nodes"; }},
                 {{ range = "172.18.0.0/16"; group = "nodes"; }},
                 {{ range = "172.19.0.0/16"; group = "sinks"; }} );
    }};
    management = {{ socket = "@DIR@/torii.sock"; http = []; }};
    log = {{ level = "warning"; }};
    """


def bird_config():
    return f"""
    router id {DUT};
    protocol device {{}}
    template bgp t {{ local {DUT} as 65000; multihop; passive; hold time 90; graceful restart off;
                      ipv4 {{ import all; export none; next hop self; }}; }}
    protocol bgp nodes from t {{ neighbor range 172.17.0.0/16 as 65001; dynamic name "n"; }}
    protocol bgp full from t {{ neighbor range 172.18.0.0/16 as 65001; dynamic name "f"; }}
    protocol bgp sinks from t {{ neighbor range 172.19.0.0/16 as 65100; dynamic name "r";
                                 ipv4 {{ import all; export all; next hop self; }}; }}
    """


def frr_config():
    groups = ""
    for name, network, asn in (("nodes", 17, 65001), ("full", 18, 65001), ("sinks", 19, 65100)):
        groups += f"""
         neighbor {name} peer-group
         neighbor {name} remote-as {asn}
         neighbor {name} ebgp-multihop 5
         neighbor {name} passive
         bgp listen range 172.{network}.0.0/16 peer-group {name}"""
    return f"""
        route-map none deny 10
        router bgp 65000
         bgp router-id {DUT}
         no bgp ebgp-requires-policy
         no bgp network import-check
         bgp graceful-restart-disable
         bgp listen limit 8192{groups}
         address-family ipv4 unicast
          neighbor nodes route-map none out
          neighbor full route-map none out
          maximum-paths 64
         exit-address-family
        """


# who -> (configuration, command of a directory)
DAEMONS = {
    "torii": (torii_config, lambda d: [build_directory() / "toriid", "--config", d / "config"]),
    "bird": (bird_config, lambda d: ["/usr/sbin/bird", "-f", "-c", d / "config", "-s", d / "ctl", "-P", d / "pid"]),
    "frr": (frr_config, lambda d: ["/usr/lib/frr/bgpd", "-Z", "-n", "-f", d / "config", "-i", d / "pid",
                                   "--vty_socket", d, "-P", "0", "-z", d / "zserv"]),
}


def openbgpd_config():
    return f"""
        AS 65000
        router-id {DUT}
        fib-update no
        socket "@DIR@/socket"
        listen on {DUT}
        group "nodes" {{
          remote-as 65001
          passive
          announce restart no
          neighbor 172.17.0.0/16
          neighbor 172.18.0.0/16
        }}
        group "sinks" {{ remote-as 65100
          passive
          announce restart no
          neighbor 172.19.0.0/16
        }}
        allow from any
        allow to group "sinks"
        """


DAEMONS["openbgpd"] = (openbgpd_config, lambda d: ["/usr/sbin/bgpd", "-d", "-f", d / "config"])


def listens(host):
    return ":179 " in host.run("ss", "-ltn").stdout


def measure(scenario, who, timeout):
    arguments, value_of = SCENARIOS[scenario]
    with Lab("bench") as lab:
        host = lab.namespace("dut")
        for second in (16, 17, 18, 19):
            host.ip("route", "add", "local", f"172.{second}.0.0/16", "dev", "lo")
        host.run("sysctl", "-qw", "net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192", check=False)
        directory = lab.directory / who
        directory.mkdir()
        directory.chmod(0o777)
        config, command = DAEMONS[who]
        text = textwrap.dedent(config()).replace("@DIR@", str(directory))
        (directory / "config").write_text(text)
        if who == "openbgpd":
            make_openbgpd_home()
        (directory / "config").chmod(0o600 if who == "openbgpd" else 0o644)
        process = host.start("daemon", *MANY_FILES, *command(directory))
        wait_for(f"{who} listens", lambda: listens(host), 30)
        report = lab.directory / "report.json"
        host.run(*MANY_FILES, build_directory() / "bgpswarm", *COMMON, *arguments,
                 "--timeout", timeout, "--dut-pid", process.pid, "--json", report, check=False,
                 timeout=timeout + 60)
        result = json.loads(report.read_text())
        usage = result["dut_process"]["end"]
        if process.poll() is not None:
            raise LabError(f"{who} ended with {process.returncode}: {lab.log('dut-daemon')[-500:]}")
        return {
            "value": value_of(result) if result["result"] == "ok" else None,
            "result": result["result"],
            "cpu": usage["cpu_user"] + usage["cpu_system"],
            "rss_mib": usage["peak_rss_kib"] / 1024,
            "report": result,
        }


def median(rows, key):
    values = [r[key] for r in rows if r[key] is not None]
    return statistics.median(values) if values else None


def line(**fields):
    print(json.dumps(fields), flush=True)


def main():
    options = argparse.ArgumentParser(prog="./bench bgp", description=__doc__)
    options.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    options.add_argument("--against", default="bird,frr,openbgpd", help="peers to measure beside torii [%(default)s]")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--timeout", type=int, default=120)
    options.add_argument("--verbose", action="store_true", help="the swarm's whole report as well")
    options = options.parse_args()
    names = options.scenarios or list(SCENARIOS)
    for name in names:
        if name not in SCENARIOS:
            sys.exit(f"bench: no scenario '{name}'; there are {', '.join(SCENARIOS)}")
    who = ["torii", *[w for w in options.against.split(",") if w]]

    for name in names:
        rows = {w: [] for w in who}
        for _ in range(options.rounds):
            for w in who:
                try:
                    rows[w].append(measure(name, w, options.timeout))
                    if options.verbose:
                        print(json.dumps(rows[w][-1]["report"]), file=sys.stderr)
                except LabError as error:
                    print(f"{name} {w}: {error}", file=sys.stderr)
                time.sleep(0.5)
        ours = {key: median(rows["torii"], key) for key in ("value", "cpu", "rss_mib")}
        line(name=name, who="torii", value=ours["value"], unit="s", cpu=ours["cpu"], rss_mib=ours["rss_mib"],
             runs=[r["value"] for r in rows["torii"]])
        for w in who[1:]:
            theirs = {key: median(rows[w], key) for key in ("value", "cpu", "rss_mib")}
            ratio = {key: round(ours[key] / theirs[key], 3) if ours[key] and theirs[key] else None for key in ours}
            line(name=name, who="torii", value=ours["value"], unit="s", peer=w, peer_value=theirs["value"],
                 peer_cpu=theirs["cpu"], peer_rss_mib=theirs["rss_mib"], ratio=ratio["value"],
                 ratio_rss=ratio["rss_mib"])


if __name__ == "__main__":
    main()
