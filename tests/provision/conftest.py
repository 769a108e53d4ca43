"""Debian machines with systemd, the package, and what Ansible makes of them."""

import os
import pathlib
import re
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import machine  # noqa: E402
import playbooks  # noqa: E402
from lab import Lab, run  # noqa: E402
from pair import GATES, SHARED, Pair  # noqa: E402
from routers import build_directory  # noqa: E402


def pytest_collection_modifyitems(items):
    """A machine that cannot be made here is a skip that says why."""
    reason = machine.missing()
    if not reason:
        return
    print(f"\nSKIPPED: provision: {reason}")
    for item in items:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The package, with the binaries of the build directory that is there.

    TORII_PACKAGE takes one that was built before, TORII_WHOLE_PACKAGE builds it
    all as a builder of packages does.
    """
    if ready := os.environ.get("TORII_PACKAGE"):
        return pathlib.Path(ready)
    tree = tmp_path_factory.mktemp("package") / "torii"
    files = run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    for file in filter(None, files):
        if not (ROOT / file).is_file() or file.startswith("tests/vectors"):
            continue
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tree / file)
    environment = {**os.environ, "DEB_BUILD_OPTIONS": "nocheck"}
    if not os.environ.get("TORII_WHOLE_PACKAGE"):
        environment["PREBUILT"] = str(build_directory())
    run("dpkg-buildpackage", "-us", "-uc", "-b", "-d", cwd=tree, env=environment, timeout=900)
    return next(path for path in tree.parent.glob("torii_*.deb"))


@pytest.fixture(scope="session")
def newer(package):
    """The same with the next version."""
    tree = package.parent / "newer"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+1", control.read_text()))
    target = package.parent / package.name.replace("_amd64", "+1_amd64")
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, target)
    return target


@pytest.fixture(scope="session")
def broken(package):
    """A version after that, whose daemon does not start."""
    tree = package.parent / "broken"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+0broken", control.read_text()))
    daemon = tree / "usr/sbin/toriid"
    daemon.write_text("#!/bin/sh\nexit 1\n")
    daemon.chmod(0o755)
    target = package.parent / package.name.replace("_amd64", "+0broken_amd64")
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, target)
    return target


@pytest.fixture(scope="module")
def lab(request):
    with Lab("prov-" + re.sub(r"\W", "", request.module.__name__)[5:9]) as it:
        yield it


def variables(package):
    """The inventory of the pair."""
    common = {
        # Pages of 1 GiB are the boot loader's business: the test leaves the host's memory alone.
        "host_hugepage_size": "1G", "host_hugepages": 2, "host_isolated_cpus": "1",
        "host_sysctl": {"net.ipv4.ip_default_ttl": 65},
        "gateway_package": str(package), "gateway_asn": "64512",
        "gateway_dataplane": {"ipv4_routes": 65536, "ipv6_routes": 16384},
        "gateway_node_ranges": ["10.0.0.0/24"], "gateway_pods": ["10.244.0.0/16 ge 24 le 24"],
        "gateway_services": ["10.96.0.0/16 ge 32 le 32"], "gateway_node_settings": {"hold_time": 9, "passive": True},
        "gateway_management_allow": ["192.0.2.110/32"],
        "pair_port": "nodes", "pair_addresses": [f"{SHARED}/24"],
    }
    own = {name: {
        "gateway_router_id": address,
        "gateway_ports": {"nodes": {"netdev": "eth1", "addresses": [f"{address}/24"]},
                          "uplink": {"netdev": "eth2", "addresses": [f"192.0.2.{4 * number + 1}/30"]}},
        "gateway_upstreams": [{"address": f"192.0.2.{4 * number + 2}", "remote_as": 65000, "hold_time": 3,
                               "import": "default-only", "export": "pods"}],
        "pair_priority": 150 - 50 * number,
    } for number, (name, address) in enumerate(GATES.items())}
    monitoring = {"monitoring_targets": ["192.0.2.1:8443", "192.0.2.5:8443"],
                  "monitoring_token_file": "/etc/prometheus/torii.token", "monitoring_grafana": True}
    return {"all": common, "monitoring": monitoring, **own}


# As Debian's package has it, in short.
PROMETHEUS = """
global:
  scrape_interval: 15s
rule_files:
  # - "first_rules.yml"
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["localhost:9090"]
"""


@pytest.fixture(scope="session")
def pair():
    if reason := playbooks.missing():
        print(f"\nSKIPPED: provision: {reason}")
        pytest.skip(reason)
    with Lab("prov-pair") as lab:
        it = Pair(lab).boot()
        it.gates["gate2"].write("/etc/prometheus/prometheus.yml", PROMETHEUS)
        yield it
        for gate in it.gates.values():
            gate.close()


@pytest.fixture(scope="session")
def plays(pair, package):
    return playbooks.Playbooks(pair.lab, {"gateways": list(GATES), "monitoring": ["gate2"]},
                               variables(package))
