"""What Ansible says to an inventory that makes no sense, and which NICs it leaves alone."""

import json
import pathlib
import re

import pytest

from playbooks import Playbooks, changed

WRONG = {
    "a word for a number": ({"host_hugepages": "many"}, r"host_hugepages.*cannot be converted to an int"),
    "a page size there is not": ({"host_hugepage_size": "4M"}, r"host_hugepage_size must be one of: 2M, 1G, got: 4M"),
    "CPU 0 isolated": ({"host_isolated_cpus": "0-3"}, r'host_isolated_cpus: CPUs as in \\?"2-5,8\\?", without CPU 0'),
    "no AS number": ({"gateway_asn": "{{ nowhere }}"}, r"'nowhere' is undefined"),
    "a guard there is not": ({"gateway_guard": "maybe"}, r"gateway_guard must be one of: off, alert, enforce, got: maybe"),
    "two devices for a port": ({"gateway_ports": {"nodes": {"netdev": "eth1", "pci": "0000:01:00.0"}}},
                               r"gateway_ports.nodes: exactly one of pci, vdev, netdev and parent"),
    "an open API": ({"gateway_http": ["0.0.0.0:8443"]},
                    r"gateway_http: 0.0.0.0:8443 is more than loopback, which takes gateway_tls_certificate"),
    "a token in the clear": ({"gateway_tokens": [{"name": "ci", "hash": "s3cret"}]},
                             r"gateway_tokens: ci needs a name and the hash"),
    "a NIC named twice": ({"nic_ports": [{"pci": "0000:01:00.0", "mac": "02:00:00:00:00:01"}]},
                          r"nic_ports: each entry has either pci or mac"),
    "a priority out of range": ({"pair_priority": 300}, r"pair: router 1 to 255, priority 51 to 250"),
    "a port that is not there": ({"pair_port": "inside"}, r"pair_port: inside is not in gateway_ports \(nodes, uplink\)"),
}


def hosts(pair, count):
    """More names for the machine gate1."""
    names = [f"h{n}" for n in range(count)]
    for name in names:
        (pair.lab.directory / f"{name}.pid").write_text((pair.lab.directory / "gate1.pid").read_text())
    return names


def inventory(pair, plays, name, cases):
    """One host a case: what gate1 has, but for what the case says otherwise."""
    base = {**json.loads((plays.directory / "group_vars/all.yml").read_text()),
            **json.loads((plays.directory / "host_vars/gate1.yml").read_text())}
    names = hosts(pair, len(cases))
    values = {host: {**base, **case} for host, case in zip(names, cases)}
    return Playbooks(pair.lab, {"gateways": names}, values, name), names


def failures(output):
    """What Ansible said was wrong, by host."""
    found = {}
    for host, said in re.findall(r"(?m)^(?:fatal|failed): \[(\w+)\].*?=> (\{.*\})$", output):
        answer = json.loads(said)
        found.setdefault(host, []).append(answer.get("msg", ""))
    return found


@pytest.fixture(scope="module")
def answers(pair, plays):
    """All cases in one run, which touches no host: each fails at its first mistake, before any is entered."""
    other, names = inventory(pair, plays, "wrong", [case for case, _ in WRONG.values()])
    done = other.run("site.yml", "--forks", len(names), check=False)
    assert done.returncode != 0 and "Gathering Facts" not in done.stdout, done.stdout
    said = failures(done.stdout)
    return {what: said.get(name, []) for what, name in zip(WRONG, names)}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_value_gets_one_clear_message(answers, what):
    said = answers[what]
    print(said)
    assert len(said) == 1, said
    assert re.search(WRONG[what][1], re.sub(r"\s+", " ", said[0])), said[0]


NICS = {  # PCI address: (netdev, MAC, vendor, driver)
    "0000:00:03.0": ("ens3", "02:00:00:00:00:03", "0x1af4", "virtio-pci"),
    "0000:01:00.0": ("mgmt0", "02:00:00:00:01:00", "0x8086", "igb"),
    "0000:01:00.1": ("mgmt1", "02:00:00:00:01:01", "0x8086", "igb"),
    "0000:05:00.0": ("enp5s0", "02:00:00:00:05:00", "0x8086", "ice"),
    "0000:3b:00.0": ("enp59s0f0", "02:00:00:00:3b:00", "0x8086", "ice"),
    "0000:3b:00.1": ("enp59s0f1", "02:00:00:00:3b:01", "0x8086", "ice"),
    "0000:5e:00.0": ("enp94s0", "02:00:00:00:5e:00", "0x15b3", "mlx5_core"),
}
# Keeps what driverctl would: the override, and who drives the device now.
DRIVERCTL = """#!/bin/sh
case $1 in
list-overrides) cat /root/overrides 2>/dev/null; exit 0 ;;
set-override)
    echo "$2 $3" >>/root/overrides
    rm -rf /root/sysfs/bus/pci/devices/$2/driver /root/sysfs/bus/pci/devices/$2/net
    ln -s ../../drivers/$3 /root/sysfs/bus/pci/devices/$2/driver ;;
esac
"""


@pytest.fixture(scope="module")
def sysfs(pair):
    """A machine of paper with seven NICs; enp5s0 is a member of bond0, ens3 hangs below a virtio device."""
    gate = pair.gates["gate1"]
    root = gate.root / "root/sysfs"
    for pci, (netdev, mac, vendor, driver) in NICS.items():
        device, interface = root / "bus/pci/devices" / pci, root / "class/net" / netdev
        carrier = device / "virtio0" if driver == "virtio-pci" else device
        for directory in (carrier / "net" / netdev, interface, root / "bus/pci/drivers" / driver):
            directory.mkdir(parents=True, exist_ok=True)
        (device / "vendor").write_text(vendor + "\n")
        (device / "driver").symlink_to(f"../../drivers/{driver}")
        (interface / "address").write_text(mac + "\n")
        (interface / "device").symlink_to(pathlib.Path("../../..", carrier.relative_to(root)))
    (root / "bus/pci/drivers/vfio-pci").mkdir()
    (root / "class/net/bond0/lower_enp5s0").mkdir(parents=True)
    gate.write("/usr/local/bin/fake-driverctl", DRIVERCTL)
    (gate.root / "usr/local/bin/fake-driverctl").chmod(0o755)
    return gate


def nic_run(pair, plays, name, cases, *arguments):
    settings = {"nic_sysfs": "/root/sysfs", "nic_driverctl": "/usr/local/bin/fake-driverctl"}
    other, names = inventory(pair, plays, name, [{**settings, **case} for case in cases])
    done = other.run("site.yml", "--tags", "nic", "-e", "site_serial=100%", "--forks", len(names), *arguments, check=False,
                     environment={"TORII_SSH_ADDRESS": "192.168.99.2"})
    return done, failures(done.stdout), names


def test_the_hosts_own_nics_are_refused(pair, plays, sysfs):
    cases = {
        "carries the default route": {"nic_ports": [{"pci": "0000:01:00.0"}]},
        "carries the Ansible connection": {"nic_ports": [{"mac": "02:00:00:00:01:01"}]},
        r"is enp5s0 \(below bond0\), which is in nic_protect":
            {"nic_ports": [{"pci": "05:00.0"}], "nic_protect": ["bond0"]},
        "0000:00:03.0 is ens3, which is in nic_protect":
            {"nic_ports": [{"mac": "02:00:00:00:00:03"}], "nic_protect": ["ens3"]},
        "no PCI device 0000:99:00.0": {"nic_ports": [{"pci": "0000:99:00.0"}]},
        "no NIC has the MAC 02:00:00:00:99:99": {"nic_ports": [{"mac": "02:00:00:00:99:99"}]},
        # One that is refused keeps the good one before it from being bound too.
        "0000:01:00.0 is mgmt0, which": {"nic_ports": [{"pci": "0000:3b:00.0"}, {"pci": "0000:01:00.0"}]},
    }
    _, said, names = nic_run(pair, plays, "refused", list(cases.values()))
    for name, expected in zip(names, cases):
        assert len(said.get(name, [])) == 1 and re.search(expected, said[name][0]), (expected, said.get(name))
    assert not (sysfs.root / "root/overrides").exists(), "something was bound"


def test_others_are_bound_once(pair, plays, sysfs):
    good = [{"nic_ports": [{"pci": "0000:3b:00.0"}, {"mac": "02:00:00:00:3B:01"}, {"pci": "0000:5e:00.0"}]}]
    done, _, _ = nic_run(pair, plays, "trial", good, "--check", "--diff")
    assert "0000:3b:00.0: ice -> vfio-pci" in done.stdout, done.stdout
    assert not (sysfs.root / "root/overrides").exists(), "check mode bound something"
    done, _, _ = nic_run(pair, plays, "bound", good)
    assert done.returncode == 0 and set(changed(done.stdout).values()) == {1}, done.stdout
    # NVIDIA's keeps its driver.
    assert (sysfs.root / "root/overrides").read_text().split() == [
        "0000:3b:00.0", "vfio-pci", "0000:3b:00.1", "vfio-pci"]
    done, _, _ = nic_run(pair, plays, "again", good)
    assert set(changed(done.stdout).values()) == {0}, done.stdout
