"""FRR decides what an FRR configuration means: bgpd and torii get the same random file and the
same random routes from the same peers, and what each passes on is compared. TORII_FRR_FILES=500
compares so many files, TORII_FRR_SEED chooses the first."""

import json
import os

import pytest
from frr_files import COLLECTOR, File, TAKERS, address, v6_address
from lab import ROOT, Lab, run, wait_for
from routers import Frr, Torii, build_directory

FILES = int(os.environ.get("TORII_FRR_FILES", "4"))
SEED = int(os.environ.get("TORII_FRR_SEED", "1"))
ROUTES = 60
MANAGEMENT = '\nmanagement = { socket = "@SOCKET@"; http = []; };\n'


@pytest.fixture(scope="module")
def world(lab_prefix):
    with Lab(lab_prefix + "-frrmap") as lab:
        gate, peers = lab.namespace("gw"), lab.namespace("peers")
        lab.link(gate, "gate0", peers, "p0")
        for number in [11, 12, 13, 14, 15, 16, COLLECTOR, *TAKERS, 77]:
            peers.address("p0", f"{address(number)}/24", f"{v6_address(number)}/64")
        yield lab, gate, peers


def exchange(lab, peers, task, name):
    """What each speaker has received, without its own routes, which FRR sends back."""
    file = lab.directory / f"{name}.json"
    file.write_text(json.dumps(task))
    done = peers.run("/usr/bin/python3", ROOT / "tests/support/bgp_probe.py", file, check=False)
    assert done.returncode == 0, done.stderr
    ases = {speaker["source"]: speaker["as"] for speaker in task["speakers"]}
    return {source: {prefix: route for prefix, route in table.items() if ases[source] not in route["as_path"]}
            for source, table in json.loads(done.stdout).items()}


def of_frr(world, text, task, name):
    lab, gate, peers = world
    gate.address("gate0", "10.0.0.1/24", "fd00::1/64")
    frr = Frr(gate, text, name=name).start()
    try:
        return exchange(lab, peers, task, name)
    finally:
        frr.stop()
        gate.ip("address", "flush", "dev", "gate0")


def of_torii(world, text, task, name):
    lab, gate, peers = world
    torii = Torii(gate, text + MANAGEMENT, name=name).start()
    try:
        return exchange(lab, peers, task, name)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{torii.log()[-3000:]}") from error
    finally:
        torii.stop()


def differences(frr, torii, exact):
    """What torii passes on and FRR does not; where `exact`, the opposite too. The attributes of
    a route that both pass are compared always."""
    out = []
    for peer, theirs in frr.items():
        ours = torii[peer]
        for route in [*theirs.values(), *ours.values()]:
            # Without zebra bgpd has no IPv6 address of the link to name.
            if route["next_hop"] in ("10.0.0.1", "fd00::1", "::ffff:10.0.0.1", "::ffff:a00:1"):
                route["next_hop"] = "the gate"
        for prefix in sorted(set(theirs) | set(ours)):
            if prefix not in theirs:
                out.append(f"{peer}: {prefix} from torii alone: {ours[prefix]}")
            elif prefix not in ours:
                if exact:
                    out.append(f"{peer}: {prefix} from FRR alone: {theirs[prefix]}")
            elif theirs[prefix] != ours[prefix]:
                out.append(f"{peer}: {prefix}: FRR {theirs[prefix]}, torii {ours[prefix]}")
    return out


def compare(world, seed):
    lab = world[0]
    file = File(seed)
    text, ordered = file.make()
    path = lab.directory / f"gate-{seed}.frr"
    path.write_text(text)
    done = run(build_directory() / "torii", "--json", "import", "frr", path, check=False)
    imported = json.loads(done.stdout)
    assert not [p for p in imported["problems"] if "error" in p], imported["problems"]
    effects = {item["effect"] for item in imported["left_out"]}
    assert done.returncode == (1 if effects & {"wider", "dead"} else 0)
    task = file.task(ROUTES)
    frr = of_frr(world, ordered, task, f"frr{seed}")
    torii = of_torii(world, imported["configuration"], task, f"torii{seed}")
    exact = not effects & {"narrower", "dead", "wider"}
    found = [] if "wider" in effects else differences(frr, torii, exact)
    report = "\n".join(f"{i['line']}: {i['effect']}: {i['text']}: {i['why']}" for i in imported["left_out"])
    assert not found, "\n".join([f"seed {seed}", *found[:20], text, imported["configuration"], report])
    return exact, sum(map(len, frr.values())), sum(map(len, torii.values()))


def test_torii_passes_on_what_frr_does_and_nothing_else(world):
    results = [compare(world, seed) for seed in range(SEED, SEED + FILES)]
    assert sum(frr for _, frr, _ in results) > 0
    print(f"{len(results)} files, {sum(r[0] for r in results)} of them exactly; routes passed on: "
          f"{sum(r[1] for r in results)} by FRR, {sum(r[2] for r in results)} by torii")
