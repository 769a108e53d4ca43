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
from lab import Here, UnixConnection, wait_for
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
    commit(torii, config(torii, "10.0.0.0/8"))
    before = torii.config_file.read_text()
    status, problem = torii.api.request("POST", "/api/v1/config/save")
    assert status == 409 and str(parts / "10.cfg") in problem["detail"]
    assert torii.config_file.read_text() == before


def test_a_commit_that_cannot_be_saved_applies_nothing(torii):
    parts = torii.config_file.parent / "conf.d"
    parts.mkdir()
    (parts / "10.cfg").write_text("# nothing yet\n")
    before = running(torii)
    status, problem = torii.api.request("POST", "/api/v1/config/commit",
                                        {"text": config(torii, "10.0.0.0/8"), "save": True})
    assert status == 409 and "conf.d" in problem["detail"], problem
    assert running(torii) == before
    # What the files say already needs no writing.
    assert torii.api.request("POST", "/api/v1/config/save")[0] == 204


def test_of_commits_with_one_tag_exactly_one_wins(torii):
    tag = '"1"'
    answers = []

    def one(n):
        connection = UnixConnection(torii.socket)
        connection.request("POST", "/api/v1/config/commit", config(torii, f"10.{n}.0.0/16"),
                           {"Content-Type": "text/plain", "If-Match": tag})
        answers.append((connection.getresponse().status, n))
        connection.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [n for status, n in answers if status == 200]
    assert len(won) == 1 and sorted({status for status, _ in answers}) == [200, 412], answers
    assert f"10.{won[0]}.0.0/16" in running(torii)


def test_what_waits_for_a_restart_is_a_difference_and_is_saved(torii):
    text = config(torii).replace("prefix_lists", "dataplane = { workers = 2; };\nprefix_lists")
    answer = commit(torii, text, save=True)
    assert answer["waits_for_restart"] == ["dataplane.workers: changed (restart)"]
    assert torii.config_file.read_text() == text
    assert "workers = 2" in running(torii)
    # Back again: nothing waits any more.
    assert commit(torii, config(torii))["waits_for_restart"] == []
    assert not any("restart" in reason for reason in torii.api.get("/api/v1/status")["reasons"])


def test_a_rollback_gives_back_what_the_commit_changed_and_nothing_else(torii):
    commit(torii, config(torii, "10.0.0.0/8"), confirm_within=600)
    assert torii.api.request("PUT", "/api/v1/drop-sources/203.0.113.0%2F24")[0] == 201
    assert torii.api.request("POST", "/api/v1/config/reload")[0] == 409, "while a commit is on trial"
    torii.process.send_signal(signal.SIGHUP)
    wait_for("a signal is refused as well", lambda: "CONFIG-RELOAD-REFUSED" in torii.log(), 5)
    assert torii.api.request("POST", "/api/v1/config/abort")[0] == 200
    now = running(torii)
    assert "10.0.0.0/8" not in now and "203.0.113.0/24" in now
    # Nor does a reload lose it.
    assert torii.api.request("POST", "/api/v1/config/reload")[0] == 200
    assert "203.0.113.0/24" in running(torii)
    assert not torii.api.get("/api/v1/status")["config_saved"]


def test_the_operators_text_is_edited_with_its_secrets_masked(torii):
    text = config(torii) + 'bgp = { asn = 64512; neighbors = (\n' \
        '  { address = "10.9.9.9"; remote_as = 64513; multihop = 9; password = "open sesame"; } );\n};  # peers\n'
    text = text.replace("bgp = {", "bgp = { router_id = \"10.0.0.1\"; listen_addresses = [];")
    commit(torii, text, save=True)
    shown = torii.api.get("/api/v1/config/text")
    assert "open sesame" not in shown and "# peers" in shown and '"********"' in shown
    commit(torii, shown.replace("# peers", "# our peers"), save=True)
    assert torii.config_file.read_text() == text.replace("# peers", "# our peers")
    status, problem = torii.api.request("POST", "/api/v1/config/commit",
                                        {"text": shown.replace("10.9.9.9", "10.9.9.8")})
    assert status == 422 and "masked" in problem["errors"][0]["message"]


#: Of commits, saves, reloads, rollbacks and kills, one after the other.
STEPS = int(os.environ.get("TORII_CONFIG_STEPS", "60"))


def test_after_any_history_the_file_is_what_was_saved_and_the_gate_what_was_committed(torii):
    chance = random.Random(11)
    saved = torii.config_file.read_text()
    committed, known = saved, {}
    fresh = iter(range(100_000))

    def another():
        n = next(fresh)
        return f"# change {n}\n" + config(torii, f"10.{n // 250}.{n % 250}.0/24")

    def revision():
        return torii.api.get("/api/v1/config/revisions")["revisions"][0]["number"]

    for _ in range(STEPS):
        step = chance.choice(("commit", "commit", "commit and save", "save", "reload", "rollback", "kill"))
        if step.startswith("commit"):
            committed = another()
            answer = commit(torii, committed, save=step != "commit")
            known[answer["revision"]] = committed
            if step != "commit":
                saved = committed
        elif step == "save":
            assert torii.api.request("POST", "/api/v1/config/save")[0] == 204
            saved = committed
        elif step == "reload":
            assert torii.api.request("POST", "/api/v1/config/reload")[0] == 200
            committed = saved
        elif step == "rollback" and known:
            number = chance.choice(sorted(known)[-5:])
            assert torii.api.request("POST", f"/api/v1/config/rollback/{number}")[0] == 200
            committed = known[number]
        elif step == "kill":
            torii.process.send_signal(signal.SIGKILL)
            torii.process.wait(5)
            torii.start()
            committed = saved
        assert torii.config_file.read_text() == saved, step
        assert torii.api.get("/api/v1/config/text").endswith(committed), step
        known[revision()] = committed


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
