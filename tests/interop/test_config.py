"""Commits, confirmations and revisions of a toriid that dies, is killed, or whose
client goes away. It needs no port and no neighbor."""

import http.client
import os
import random
import re
import signal
import threading
import time

import pytest
from lab import Here, wait_for
from routers import Torii, build_directory

#: Of a gate in the middle of its commits; the file's writer alone is killed 200 times in the unit tests.
KILLS = int(os.environ.get("TORII_KILLS", "5"))

CONFIG = """
# What the operators wrote, with a reason.
prefix_lists = { @LISTS@ };
management = { socket = "@SOCKET@"; http = []; };
"""


def config(torii, *prefixes):
    lists = " ".join(f'list{i} = ["{prefix}"];' for i, prefix in enumerate(prefixes))
    return CONFIG.replace("@LISTS@", lists).replace("@SOCKET@", str(torii.socket))


@pytest.fixture
def torii(lab):
    torii = Torii(Here(lab, "gw"), CONFIG.replace("@LISTS@", ""),
                  env={"STATE_DIRECTORY": str(lab.directory / "state")})
    yield torii.start()
    torii.process.kill()


def commit(torii, text, **more):
    status, answer = torii.api.request("POST", "/api/v1/config/commit", {"text": text, **more})
    assert status == 200, answer
    return answer


def running(torii):
    return torii.api.get("/api/v1/config")


def test_a_commit_rolls_back_when_its_client_vanishes(torii):
    before = running(torii)
    done = commit(torii, config(torii, "10.0.0.0/8"), comment="on trial", confirm_within=1)
    assert done["confirm_within"] == 1
    assert "10.0.0.0/8" in running(torii)
    status, problem = torii.api.request("POST", "/api/v1/config/save")
    assert status == 409 and "confirm" in problem["detail"]
    # The client says nothing more.
    wait_for("the commit is rolled back", lambda: running(torii) == before, 3)
    newest = torii.api.get("/api/v1/config/revisions")["revisions"][0]
    assert (newest["author"], newest["comment"]) == ("confirm timer", "the commit was not confirmed")
    assert torii.api.get("/api/v1/status")["config_saved"]
    status, _ = torii.api.request("POST", "/api/v1/config/confirm")
    assert status == 409


def test_what_is_confirmed_stays_and_is_saved_with_its_comments(torii):
    text = config(torii, "10.0.0.0/8")
    commit(torii, text, confirm_within=60, save=True)
    assert torii.config_file.read_text() != text
    assert torii.api.request("POST", "/api/v1/config/confirm")[0] == 200
    assert torii.config_file.read_text() == text
    assert torii.api.get("/api/v1/status")["config_saved"]


def test_revisions_outlive_the_process(torii):
    first = running(torii)
    for n in (1, 2):
        commit(torii, config(torii, f"10.{n}.0.0/16"), comment=f"step {n}")
    # What is not saved is not there after a restart; its revision is.
    assert torii.stop() == 0
    torii.start()
    assert running(torii) == first
    notes = torii.api.get("/api/v1/config/revisions")["revisions"]
    assert [n.get("comment", "") for n in notes] == ["", "step 2", "step 1", ""]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", notes[1]["time"])
    assert notes[1]["author"].startswith("unix")
    shown = torii.cli("config", "diff", "--revision", notes[1]["number"]).stdout
    assert "list0" in shown
    assert "10.2.0.0/16" in torii.cli("config", "show", "--revision", notes[1]["number"]).stdout
    torii.cli("config", "rollback", notes[1]["number"])
    assert "10.2.0.0/16" in running(torii)
    for path in (torii.config_file.parent / "state" / "revisions").iterdir():
        assert path.stat().st_mode & 0o077 == 0, "a revision may hold passwords"


def test_nothing_is_saved_beside_parts(torii, lab):
    parts = torii.config_file.parent / "conf.d"
    parts.mkdir()
    (parts / "10.cfg").write_text("")
    before = torii.config_file.read_text()
    status, problem = torii.api.request("POST", "/api/v1/config/save")
    assert status == 409 and str(parts / "10.cfg") in problem["detail"]
    assert torii.config_file.read_text() == before


class Committer(threading.Thread):
    """Commits and saves, one configuration after the other, until nobody answers."""

    def __init__(self, torii):
        super().__init__(daemon=True)
        self.torii, self.done = torii, 0

    def prefix(self, n):
        return f"10.{n % 200}.99.0/24"

    def run(self):
        try:
            while True:
                n = (self.done + 1) % 200
                commit(self.torii, config(self.torii, *(f"10.{n}.{i}.0/24" for i in range(100))), save=True)
                self.done += 1
        except (OSError, http.client.HTTPException):
            pass


def test_a_gate_killed_in_the_middle_of_its_commits_starts_again(torii):
    random.seed(3)
    for _ in range(KILLS):
        committer = Committer(torii)
        committer.start()
        wait_for("a commit is done", lambda: committer.done > 0, 10, 0.005)
        time.sleep(random.uniform(0, 0.1))
        torii.process.send_signal(signal.SIGKILL)
        torii.process.wait(5)
        committer.join(10)
        checked = torii.host.run(build_directory() / "toriid", "--check", torii.config_file)
        assert "good" in checked.stdout
        torii.start()
        text = running(torii)
        # What was answered for is there, or the one that was being written.
        assert any(committer.prefix(n) in text for n in (committer.done, committer.done + 1)), committer.done
        for note in torii.api.get("/api/v1/config/revisions")["revisions"][:2]:
            torii.api.get(f"/api/v1/config/revisions/{note['number']}")
