"""A gateway that is killed forwards again by the routes of the process before, long before its
peers have dialled again."""

import signal
import time

from cluster import WORLD
from lab import wait_for
from traffic import Flows, Pings


def kill_and_start(torii):
    torii.process.send_signal(signal.SIGKILL)
    torii.process.wait(5)
    time.sleep(0.1)
    torii.start()


def restored(torii):
    return {r["prefix"] for r in torii.api.get("/api/v1/routes?limit=1000")["routes"] if r.get("restored")}


def test_a_killed_gateway_forwards_again_before_its_peers_are_back(cluster):
    torii = cluster.torii
    running = Flows(*[Pings(pod, WORLD[0]) for pod in cluster.pods],
                    *[Pings(cluster.pods[0], f"10.244.{n}.2") for n in (2, 3)])
    time.sleep(0.5)
    kill_and_start(torii)
    time.sleep(4)
    seen = running.stop()
    longest = max(gap for _, _, gap in seen.values())
    print(f"\nkill -9: longest silence {1000 * longest:.0f} ms")
    assert "ROUTES-RESTORED" in torii.log()
    # A cold start waits 7 s for the nodes to dial again; a busy machine starts slowly.
    assert longest < 4.5, seen
    cluster.converge()
    wait_for("every route is announced again", lambda: not restored(torii), 30)


def test_what_happened_meanwhile_is_corrected(cluster):
    """Another node announces what one that is gone had; the dead one's own range goes."""
    torii, (pod1, _, _) = cluster.torii, cluster.pods
    moved = "10.244.3.0/24"
    gobgp = cluster.speakers[2]
    assert torii.api.installed(moved) == ["10.0.0.13"]
    torii.process.send_signal(signal.SIGKILL)
    torii.process.wait(5)
    gobgp.withdraw(moved)
    torii.start()
    wait_for("its peer is back and does not announce it", lambda: torii.api.installed(moved) == [], 40)
    gobgp.announce(moved)
    cluster.converge()
    assert pod1.ping("10.244.2.2", 1) == 1


def test_another_configuration_starts_cold(cluster):
    torii = cluster.torii
    torii.process.send_signal(signal.SIGKILL)
    torii.process.wait(5)
    torii.write(torii.config_file.read_text().replace('"10.244.0.0/16 ge 24 le 25"', '"10.244.0.0/16 ge 24 le 24"'))
    torii.start()
    assert "ROUTES-NOT-RESTORED" in torii.log().split("id=START")[-1]
    cluster.converge()
