"""From two fresh hosts to a pair of gates by Ansible, and what packets see of it."""

import json
import shutil
import time

import pytest
import yaml

from lab import run, wait_for
from pair import WORLD
from playbooks import ANSIBLE, changed
from traffic import Flows, Pings

@pytest.mark.skipif(not shutil.which("ansible-lint"), reason="ansible-lint is not installed")
def test_roles_are_lint_clean():
    found = run("ansible-lint", "--profile", "production", "--offline", "-q", "--nocolor", cwd=ANSIBLE,
                check=False, timeout=180)
    assert found.returncode == 0, found.stdout + found.stderr
    run("yamllint", "--strict", "-c", ".yamllint", ".", cwd=ANSIBLE)


def test_check_mode_works_on_a_fresh_host(plays, pair):
    # One host will do, which Prometheus is on as well.
    done = plays.run("site.yml", "--check", "--diff", "-l", "gate2")
    assert "+  asn = \"64512\";" in done.stdout
    gate = pair.gates["gate2"]
    assert gate.run("ls", "/usr/sbin/toriid", check=False).returncode != 0, "check mode installed something"
    assert gate.run("ls", "/etc/sysctl.d/60-torii.conf", check=False).returncode != 0


def test_first_run_makes_a_pair(plays, pair):
    done = plays.run("site.yml")
    assert all(count > 5 for count in changed(done.stdout).values()), done.stdout
    assert "The kernel was started without" in done.stdout and "isolcpus=1" in done.stdout
    for gate in pair.gates.values():
        for unit in ("torii", "keepalived", "torii-firewall"):
            assert gate.show(unit, "ActiveState") == "active", gate.journal(unit)
        assert gate.run("cat", "/proc/sys/net/ipv4/ip_default_ttl").stdout.strip() == "65"
        assert "192.0.2.110" in gate.run("nft", "list", "table", "inet", "torii_management").stdout
        assert "hugepages=2 isolcpus=1" in gate.run("cat", "/etc/default/grub.d/torii.cfg").stdout


def test_prometheus_learns_of_the_gates(plays, pair):
    directory = pair.gates["gate2"].root / "etc/prometheus"
    written = yaml.safe_load((directory / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in written["scrape_configs"]}
    assert jobs["torii"]["authorization"] == {"credentials_file": "/etc/prometheus/torii.token"}
    assert yaml.safe_load((directory / "torii-targets.yml").read_text()) == [
        {"targets": ["192.0.2.1:8443", "192.0.2.5:8443"]}]
    assert written["rule_files"] == ["/etc/prometheus/torii-alerts.yml"]
    assert (pair.gates["gate2"].root / "var/lib/grafana/dashboards/torii.json").exists()
    run("promtool", "check", "rules", directory / "torii-alerts.yml")


def test_second_run_changes_nothing(plays):
    done = plays.run("site.yml")
    assert set(changed(done.stdout).values()) == {0}, done.stdout


def test_a_change_reloads_and_never_restarts(plays, pair):
    gate = pair.gates["gate1"]
    before = gate.show("torii", "MainPID")
    services = ["10.96.0.0/16 ge 32 le 32", "10.97.0.0/16 ge 32 le 32"]
    done = plays.run("site.yml", "--tags", "gateway", "-l", "gate1", "-e", json.dumps({"gateway_services": services}))
    assert changed(done.stdout) == {"gate1": 2}, done.stdout
    assert gate.show("torii", "MainPID") == before
    assert "10.97.0.0/16" in gate.run("torii", "config", "show").stdout


def test_no_secret_is_shown_by_a_diff(plays):
    secret = json.dumps({"gateway_node_settings": {"hold_time": 9, "passive": True, "password": "hunter2"}})
    done = plays.run("site.yml", "--tags", "gateway", "-l", "gate1", "--check", "--diff", "-e", secret)
    assert "hunter2" not in done.stdout
    assert changed(done.stdout)["gate1"] >= 1, done.stdout


def test_all_gates_are_not_drained_at_once(plays, pair):
    done = plays.run("drain.yml", check=False)
    assert done.returncode != 0 and "all gates out of service" in done.stdout, done.stdout
    for gate in pair.gates.values():
        assert not json.loads(gate.run("torii", "--json", "drain").stdout)["drained"]


def test_rules_of_the_api_outlive_a_reload_of_nftables(pair):
    gate = pair.gates["gate1"]
    gate.systemctl("start", "nftables")
    gate.systemctl("reload", "nftables")
    wait_for("the rules are there", lambda: "192.0.2.110" in gate.run(
        "nft", "list", "table", "inet", "torii_management", check=False).stdout, 5)


def test_pair_carries_traffic(pair):
    pair.start_routers()
    pair.converge()
    assert pair.owner() == ["gate1"], "the higher priority has the address"


def flows(pair):
    """From the world to each pod and back, so that both gates carry some."""
    return Flows(*[Pings(pair.up, f"10.244.{n}.2", WORLD) for n in (1, 2, 3)], Pings(pair.pods[0], WORLD))


def report(what, seen):
    sent, lost = sum(s for s, _, _ in seen.values()), sum(lost for _, lost, _ in seen.values())
    longest = max(gap for _, _, gap in seen.values())
    print(f"\n{what}: {lost} of {sent} packets lost, longest silence {1000 * longest:.0f} ms")
    for label, (count, gone, gap) in seen.items():
        print(f"  {label}: {gone} of {count} lost, {1000 * gap:.0f} ms")
    return lost


def test_drained_gate_loses_nothing(pair):
    gate = pair.gates["gate1"]
    running = flows(pair)
    time.sleep(0.5)
    gate.run("torii", "drain", "on", "--reason", "test")
    wait_for("the other gate has the address", lambda: pair.owner() == ["gate2"], 15)
    pair.converge(["gate2"])
    gate.run("torii", "drain", "on", "--wait", "20", "--below", "20", timeout=40)
    gate.run("torii", "drain", "off")
    wait_for("it has the address again", lambda: pair.owner() == ["gate1"], 15)
    pair.converge()
    time.sleep(0.5)
    assert report("drain and back", running.stop()) == 0


def longest_gap_of_egress(pair, what, fail, mend):
    """A pod to the world, while the uplink of the gate that has the shared address fails."""
    running = Flows(*(Pings(pod, WORLD) for pod in pair.pods))
    time.sleep(0.5)
    fail()
    time.sleep(4)
    seen = running.stop()
    report(what, seen)
    mend()
    pair.converge()
    return max(gap for _, _, gap in seen.values())


def test_uplink_that_fails_costs_the_nodes_less_than_a_second(pair):
    gate, up = pair.gates["gate1"], pair.up
    assert pair.owner() == ["gate1"]

    def silent(on):
        for chain in ("INPUT", "OUTPUT", "FORWARD"):
            up.run("iptables", "-A" if on else "-D", chain, "-i" if chain != "OUTPUT" else "-o", gate.uplink, "-j",
                   "DROP")
        up.run("ip", "link", "set", gate.uplink, "arp", "off" if on else "on")

    for what, fail, mend in (
            ("uplink pulled", lambda: up.ip("link", "set", gate.uplink, "down"),
             lambda: up.ip("link", "set", gate.uplink, "up")),
            ("upstream silent", lambda: silent(True), lambda: silent(False))):
        assert longest_gap_of_egress(pair, what, fail, mend) < 1.0, what
        wait_for("it has the address again", lambda: pair.owner() == ["gate1"], 30)


def test_of_two_gates_without_uplink_one_stays_master(pair):
    for gate in pair.gates.values():
        pair.up.ip("link", "set", gate.uplink, "down")
    time.sleep(3)
    assert len(pair.owner()) == 1
    for gate in pair.gates.values():
        status = gate.run("torii", "status", check=False)
        assert status.returncode != 0 and "NOT MET uplink" in status.stdout, status.stdout
        pair.up.ip("link", "set", gate.uplink, "up")
    pair.converge()


def test_a_version_that_does_not_start_goes_back_and_stops_the_play(pair, plays, broken):
    version = {name: gate.run("dpkg-query", "-W", "-f", "${Version}", "torii").stdout
               for name, gate in pair.gates.items()}
    other = pair.gates["gate2"].show("torii", "MainPID")
    done = plays.run("upgrade.yml", "-e", f"gateway_package={broken}", "-e", "gateway_drain_below=20", check=False)
    assert done.returncode != 0 and "the upgrade failed" in done.stdout, done.stdout
    for name, gate in pair.gates.items():
        assert gate.run("dpkg-query", "-W", "-f", "${Version}", "torii").stdout == version[name]
    assert pair.gates["gate2"].show("torii", "MainPID") == other, "the other gate was touched"
    gate = pair.gates["gate1"]
    assert json.loads(gate.run("torii", "--json", "drain").stdout)["drained"]
    gate.run("torii", "drain", "off")
    pair.converge()


def test_upgrade_by_the_play_loses_nothing(pair, plays, newer):
    before = {name: gate.show("torii", "MainPID") for name, gate in pair.gates.items()}
    running = flows(pair)
    plays.run("upgrade.yml", "-e", f"gateway_package={newer}", "-e", "gateway_drain_below=20")
    pair.converge()
    assert report("upgrade of both", running.stop()) == 0
    for name, gate in pair.gates.items():
        assert gate.run("dpkg-query", "-W", "-f", "${Version}", "torii").stdout.endswith("+1")
        assert gate.show("torii", "MainPID") != before[name], "the new version does not run"


def test_killed_gate_costs_the_failover_time(pair):
    """The host that has the shared address loses power: processes and links are gone at once."""
    gate = pair.gates["gate1"]
    running = flows(pair)
    time.sleep(0.5)
    pair.fabric.ip("link", "set", gate.fabric_port, "down")
    pair.up.ip("link", "set", gate.uplink, "down")
    gate.close()
    wait_for("the other gate has the address", lambda: pair.owner() == ["gate2"], 15)
    pair.converge(["gate2"])
    time.sleep(0.5)
    seen = running.stop()
    report("one gate killed", seen)
    # Three advertisements of 0.2 s and the skew, the neighbors' caches, slack for a slow machine.
    assert max(gap for _, _, gap in seen.values()) < 2.5
    assert min(lost for _, lost, _ in seen.values()) < 250
