"""The contract as a linter sees it, and the dashboard as people see it: in Debian's
Chromium, beside a gate with neighbors and traffic."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from cluster import Cluster  # noqa: E402
from lab import ROOT, Lab, run  # noqa: E402

TOOLS = pathlib.Path(os.environ.get("TORII_WEB_TOOLS", "/var/cache/torii-tests/web"))
PICTURES = pathlib.Path(os.environ.get("TORII_PICTURES", "/tmp/torii-dashboard"))


@pytest.fixture(scope="session")
def tools():
    """redocly, axe and playwright from npm's registry, kept for the next run."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: apt-get install npm")
    wanted = ("@redocly/cli", "axe-core", "playwright-core")
    if not all((TOOLS / "node_modules" / name).exists() for name in wanted):
        TOOLS.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests/web/package.json", TOOLS)
        done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=TOOLS,
                              capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip("npm's registry cannot be reached:\n" + done.stderr[-500:])
    return TOOLS


def test_the_contract_is_lint_free(tools):
    done = run(tools / "node_modules/.bin/redocly", "lint", ROOT / "mgmt/openapi.yaml", check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    # It complains of old Node.js in a box of its own, which is no finding of the contract's.
    findings = [line for line in (done.stdout + done.stderr).splitlines() if "║" not in line and "warning" in line.lower()]
    assert not findings, done.stdout + done.stderr


@pytest.fixture(scope="module")
def seen(tools):
    if not shutil.which("chromium"):
        pytest.skip("Chromium is not installed: apt-get install chromium")
    PICTURES.mkdir(exist_ok=True)
    with Lab("tt-web") as lab:
        cluster = Cluster(lab, http="127.0.0.1:8080").start()
        cluster.converge()
        traffic = cluster.upstream.start("traffic", "ping", "-i", "0.01", "-s", "1000", "-I", "198.51.100.1", "10.244.1.2")
        cluster.upstream.ping("10.99.0.1", 5)  # a drop to show
        # A service with two members, one of which has traffic.
        status, answer = cluster.torii.api.request("PUT", "/api/v1/routes/static/10.96.0.10%2F32",
                                                   {"via": ["10.0.0.11", "10.0.0.12"]})
        assert status == 201, answer
        shown = cluster.gateway.run("node", ROOT / "tests/web/look.js", tools, "http://127.0.0.1:8080/", PICTURES,
                                    timeout=120)
        lab.stop(traffic)
        yield json.loads(shown.stdout)
        assert cluster.torii.stop() == 0, cluster.torii.log()


@pytest.mark.parametrize("shape", ["light", "dark", "phone"])
def test_the_dashboard_shows_the_gate(seen, shape):
    page = seen[shape]
    print(f"{PICTURES}/{shape}.png")
    assert not page["errors"], page["errors"]
    assert not page["outside"], "the page asks others for something"
    assert page["state"] == "ready"
    assert page["neighbors"] == 7 and page["filtered"] == 0
    assert page["members"] == ["100 %", "0 %"], "a service's members have the packets they are sent"
    assert page["ports"] == 2 and page["routes"] >= 8 and page["events"] > 5
    assert not page["sideways"], "the page is wider than its window"


@pytest.mark.parametrize("shape", ["light", "dark", "phone"])
def test_everybody_can_use_the_dashboard(seen, shape):
    serious = [v for v in seen[shape]["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, serious
    for place in ("find-neighbor", "BGP neighbors, a table", "q", "source", "events"):
        assert place in seen[shape]["reached"], f"{place}: not by the keyboard: {seen[shape]['reached']}"
