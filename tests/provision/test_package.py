"""The package on a machine with systemd: install, run, supervise, upgrade, purge."""

import re
import time

import pytest

from lab import ROOT, LabError, run, wait_for
from machine import Machine
from threads import frozen, threads

CAPABILITIES = {"cap_net_admin", "cap_net_raw", "cap_ipc_lock", "cap_net_bind_service", "cap_sys_nice"}
NUMBERS = {12: "cap_net_admin", 13: "cap_net_raw", 14: "cap_ipc_lock", 10: "cap_net_bind_service",
           23: "cap_sys_nice"}

CAP_SYS_RESOURCE = 24

GATE = """
ports = { nodes = { netdev = "eth1"; addresses = ["10.0.0.1/24", "fd00::1/64"]; }; };
bgp = {
  asn = 64512;
  groups = { nodes = { remote_as = "external"; import = "any"; export = "none"; }; };
  listen = ( { range = "10.0.0.0/24"; group = "nodes"; } );
};
dataplane = { ipv4_routes = 65536; ipv6_routes = 16384; };
"""


@pytest.fixture(scope="module")
def machine(lab, package, newer):
    """A machine with one NIC, whose other end is the namespace `host`."""
    it = Machine(lab, "gate")
    host = lab.namespace("host")
    lab.link(it, "eth1", host, "eth0")
    host.address("eth0", "10.0.0.9/24", "fd00::9/64")
    it.host = host
    it.boot()
    it.copy(package, "/root/torii.deb")
    it.copy(newer, "/root/newer.deb")
    it.before = files(it)
    yield it
    it.close()


def files(machine):
    """What is on the machine, but for what packages and services keep about themselves."""
    kept = ("/var/lib/dpkg/", "/var/cache/", "/var/log/", "/var/lib/apt/", "/var/lib/systemd/", "/tmp/", "/var/tmp/",
            "/root/", "/etc/ld.so.cache", "/var/lib/ucf/", "/etc/.pwd.lock")
    found = machine.run("find", "/etc", "/usr", "/var", "/root", "/opt", "/srv", "-xdev", "-printf", "%p %U:%G\n").stdout
    lines = {line for line in found.splitlines() if not line.startswith(kept) and "__pycache__" not in line
             # Backups that the account tools keep.
             and not re.match(r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)- ", line)}
    accounts = machine.run("cat", "/etc/passwd", "/etc/group").stdout
    return lines | set(accounts.splitlines())


def pid(machine):
    """toriid's process id on the host."""
    inside = machine.show("torii", "MainPID")
    for process in run("ip", "netns", "pids", machine.id).stdout.split():
        try:
            with open(f"/proc/{process}/status") as status:
                text = status.read()
        except OSError:
            continue
        if re.search(rf"NSpid:.*\t{inside}$", text, re.M) and "Name:\ttoriid" in text:
            return int(process)
    raise LabError(f"toriid {inside} is not to be found")


def status(process):
    with open(f"/proc/{process}/status") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines)


def configure(machine, text):
    machine.write("/etc/torii/torii.cfg", text)


def test_lintian_finds_no_error(package):
    found = run("lintian", "--allow-root", "--no-cfg", "--fail-on", "error", package, check=False)
    print(found.stdout)
    assert found.returncode == 0, found.stdout
    warnings = [line for line in found.stdout.splitlines() if line.startswith("W:")]
    assert not warnings, warnings


def test_holds_what_it_should(package):
    listed = run("dpkg-deb", "-c", package).stdout
    for path in ("/usr/sbin/toriid", "/usr/bin/torii", "/lib/systemd/system/torii.service", "/etc/default/torii",
                 "/etc/torii/torii.cfg", "/usr/share/man/man1/torii.1.gz", "/usr/share/man/man8/toriid.8.gz",
                 "/usr/share/man/man5/torii.cfg.5.gz", "/usr/share/bash-completion/completions/torii",
                 "/usr/share/torii/torii-alerts.yml", "/usr/share/torii/torii-dashboard.json",
                 "/usr/share/torii/examples/cluster.cfg", "/lib/udev/rules.d/60-torii.rules"):
        assert f".{path}\n" in listed, f"{path} is missing"


def test_debug_symbols_fit_the_binary(package):
    symbols = next(package.parent.glob("torii-dbgsym_*.deb"))
    listed = run("dpkg-deb", "-c", symbols).stdout
    tree = package.parent / "unpacked"
    run("dpkg-deb", "-x", package, tree)
    note = run("readelf", "-n", tree / "usr/sbin/toriid").stdout
    build_id = re.search(r"Build ID: ([0-9a-f]+)", note).group(1)
    assert f"{build_id[:2]}/{build_id[2:]}.debug" in listed


def test_binaries_are_hardened(package):
    tree = package.parent / "hardened"
    run("dpkg-deb", "-x", package, tree)
    for binary in ("usr/sbin/toriid", "usr/bin/torii"):
        headers = run("readelf", "-hdlW", tree / binary).stdout
        assert "DYN" in headers and "GNU_RELRO" in headers, binary
        assert "BIND_NOW" in headers or "NOW" in headers, binary


def test_installs_and_starts(machine):
    machine.install("/root/torii.deb")
    assert machine.systemctl("is-enabled", "torii").stdout.strip() == "enabled"
    assert machine.show("torii", "ActiveState") == "inactive", "nothing starts before it is configured"
    machine.systemctl("start", "torii")
    assert machine.show("torii", "ActiveState") == "active"
    assert "torii 0.1.0" in machine.run("torii", "status").stdout


def test_unit_is_verified_and_confined(machine):
    verified = machine.run("systemd-analyze", "verify", "--man=no", "/lib/systemd/system/torii.service", check=False)
    assert verified.returncode == 0 and not verified.stderr.strip(), verified.stderr
    score = machine.run("systemd-analyze", "security", "--offline=true", "--no-pager",
                        "/lib/systemd/system/torii.service").stdout
    exposure = float(re.search(r"Overall exposure level for torii.service: ([0-9.]+)", score).group(1))
    print(f"systemd-analyze security: {exposure}")
    assert exposure <= 3.0


def test_forwards_as_its_own_user(machine):
    """TAP twins, netlink, raw ports, port 179, DPDK's directory: all without root."""
    configure(machine, GATE)
    machine.systemctl("restart", "torii")
    process = pid(machine)
    now = status(process)
    uid = int(machine.run("id", "-u", "torii").stdout)
    assert {int(n) for n in now["Uid"].split()} == {uid} and uid != 0
    held = {NUMBERS[bit] for bit in range(64) if int(now["CapEff"], 16) >> bit & 1}
    assert held == CAPABILITIES and now["CapBnd"] == now["CapEff"]
    assert now["NoNewPrivs"] == "1" and now["Seccomp"] == "2"
    with open(f"/proc/{process}/limits") as limits:
        locked = next(line for line in limits if line.startswith("Max locked memory"))
    # A machine whose root may not raise limits passes its own on.
    may_raise = int(status("self")["CapEff"], 16) >> CAP_SYS_RESOURCE & 1
    assert locked.split()[3] == "unlimited" or not may_raise, locked
    assert "LISTEN" in machine.run("ss", "-ltn", "sport = :179").stdout
    wait_for("the gate answers a ping", lambda: machine.host.ping("10.0.0.1") == 3)
    wait_for("over IPv6 too", lambda: machine.host.ping("fd00::1") == 3)
    twin = machine.run("ip", "-d", "-o", "link", "show", "nodes").stdout
    assert "tun type tap" in twin
    # The twin's settings were written below /proc/sys, which the unit makes read-only but for these.
    assert machine.run("cat", "/proc/sys/net/ipv4/conf/nodes/arp_ignore").stdout.strip() == "1"
    assert machine.run("ls", "/run/torii/dpdk").stdout.strip() == "torii"
    assert not machine.run("sh", "-c", "ls /var/run/dpdk 2>/dev/null || true").stdout


def test_group_members_may_use_the_socket(machine):
    mode = machine.run("stat", "-c", "%U:%G %a", "/run/torii/torii.sock").stdout.split()
    assert mode == ["torii:torii", "660"]
    assert machine.run("stat", "-c", "%U:%G %a", "/etc/torii/torii.cfg").stdout.split() == ["root:torii", "640"]
    denied = machine.run("setpriv", "--reuid", "nobody", "--clear-groups", "torii", "status", check=False)
    assert denied.returncode == 3, denied.stdout + denied.stderr
    machine.run("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--groups", "torii", "torii", "status")


def test_saves_the_running_configuration(machine):
    machine.run("torii", "config", "save")
    assert "10.0.0.1/24" in machine.run("cat", "/etc/torii/torii.cfg").stdout


def test_reload_applies_and_refuses(machine):
    before = pid(machine)
    configure(machine, GATE.replace("10.0.0.1/24", "10.0.0.2/24"))
    machine.systemctl("reload", "torii")
    wait_for("the new address answers", lambda: machine.host.ping("10.0.0.2") == 3)
    configure(machine, GATE.replace("64512", '"no number"'))
    refused = machine.systemctl("reload", "torii", check=False)
    assert refused.returncode != 0
    assert re.search(r"torii.cfg:4: error: bgp.asn", machine.journal("torii")), machine.journal("torii")
    assert machine.host.ping("10.0.0.2") == 3
    configure(machine, GATE)
    machine.systemctl("reload", "torii")
    assert pid(machine) == before


def test_drain_outlives_a_restart(machine):
    machine.run("torii", "drain", "on", "--reason", "new kernel")
    machine.systemctl("restart", "torii")
    said = machine.run("torii", "status", check=False)
    assert said.returncode == 4 and "new kernel" in said.stdout
    machine.run("torii", "drain", "off")
    assert machine.run("torii", "status").returncode == 0


def test_watchdog_restarts_what_stands_still(machine):
    """The manager hears that all is well only while each worker and the control thread make progress."""
    drop_in = "/run/systemd/system/torii.service.d/watchdog.conf"
    machine.run("mkdir", "-p", drop_in.rpartition("/")[0])
    machine.run("tee", drop_in, input="[Service]\nWatchdogSec=2\nLimitCORE=0\n"
                "ExecStopPost=+/bin/sh -c 'echo $SERVICE_RESULT >/run/ended'\n")
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", "torii")
    healthy = pid(machine)
    time.sleep(4.5)
    assert pid(machine) == healthy, "a healthy gate was restarted"
    for victim in ("worker", "control"):
        process = pid(machine)
        worker = next(tid for name, tid in threads(process).items() if "worker" in name)
        machine.systemctl("reset-failed", "torii", check=False)
        machine.run("rm", "-f", "/run/ended")
        frozen_at = time.monotonic()
        with frozen(worker if victim == "worker" else process):
            wait_for("systemd restarts it", lambda: machine.show("torii", "ActiveState") == "active" and
                     machine.show("torii", "MainPID") != "0" and pid(machine) != process, 60)
        print(f"\nwatchdog of 2 s: a frozen {victim} was replaced after {time.monotonic() - frozen_at:.1f} s")
        assert machine.run("cat", "/run/ended").stdout.strip() == "watchdog", victim
    machine.run("rm", "-r", drop_in.rpartition("/")[0])
    machine.systemctl("daemon-reload")


def test_crash_loop_is_bounded(machine):
    configure(machine, GATE.replace('netdev = "eth1"', 'netdev = "eth7"'))
    machine.systemctl("reset-failed", "torii", check=False)
    machine.systemctl("restart", "torii", check=False, timeout=120)
    wait_for("systemd gives up", lambda: machine.show("torii", "ActiveState") == "failed", 120)
    assert machine.show("torii", "NRestarts") in ("4", "5")
    assert "no such netdev" in machine.journal("torii")
    configure(machine, GATE)
    machine.systemctl("reset-failed", "torii")
    machine.systemctl("start", "torii")


def test_upgrade_leaves_the_running_gate_alone(machine):
    before = pid(machine)
    machine.install("/root/newer.deb")
    assert pid(machine) == before and machine.host.ping("10.0.0.1") == 3
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "torii").stdout.endswith("+1")
    assert "10.0.0.1/24" in machine.run("cat", "/etc/torii/torii.cfg").stdout
    machine.systemctl("restart", "torii")
    assert pid(machine) != before


def documented(machine, block):
    """Runs what docs/backup.md tells an operator to type, block by block."""
    text = (ROOT / "docs/backup.md").read_text()
    console = re.findall(r"(?ms)^```console\n(.*?)^```", text)[block]
    for line in re.findall(r"(?m)^# (.*)$", console):
        machine.run("sh", "-c", re.sub(r"gate1-.*?\.tar\.gz", "/root/backup.tar.gz", line))


def test_backup(machine):
    machine.run("torii", "drain", "on", "--reason", "moves house")
    documented(machine, 0)


def test_purge_ends_the_gate_and_leaves_nothing(machine):
    pid(machine)
    machine.run("apt-get", "purge", "-qq", "-y", "torii", net=False, timeout=120)
    after = files(machine)
    assert not after - machine.before, sorted(after - machine.before)
    assert not machine.before - after, sorted(machine.before - after)
    assert not machine.run("sh", "-c", "ls -d /run/torii 2>/dev/null || true").stdout
    assert "nodes" not in machine.run("ip", "-o", "link").stdout


def test_restore_gives_the_same_gate(machine):
    machine.install("/root/torii.deb")
    documented(machine, 1)
    said = machine.run("torii", "status", check=False)
    assert said.returncode == 4 and "moves house" in said.stdout, "it was drained, and is still"
    machine.run("torii", "drain", "off")
    wait_for("the gate answers a ping", lambda: machine.host.ping("10.0.0.1") == 3)
    assert machine.run("stat", "-c", "%U:%G %a", "/etc/torii/torii.cfg").stdout.split() == ["root:torii", "640"]
    machine.run("torii", "config", "save")
