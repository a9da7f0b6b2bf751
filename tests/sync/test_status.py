"""`sync status` and `sync explain`, and `run --every`, by the command line and both sandboxes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.server import MockServer
from connector.sync.state import State
from tests.loopback import PATIENCE_S
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        made.map(clients={"take": "all"}, devices=DEVICES)
        yield made


def test_status_before_and_after_the_first_run(pair: Pair) -> None:
    assert "never run" in pair.sync("status", sends=False).out
    pair.run()
    status = pair.sync("status", "--json", sends=False).json
    assert status["last_run"]["outcome"] == "ok"
    assert status["last_full_read"]
    assert status["linked"] == {"client": 4, "site": 8, "asset": 10}
    text = pair.sync("status", "--links", sends=False).out
    assert "ok" in text
    assert "5001" in text


def test_a_run_whose_process_was_killed_is_interrupted_and_not_running(pair: Pair) -> None:
    with State(pair.folder, write=True, now=1.0) as state:
        state.begin_run("full", 1.0)
        state.set_meta("progress", '{"done": 1, "total": 37, "a_minute": 38, "end": 60}')
        text = pair.sync("status", sends=False).out
        assert "unfinished" in text
        assert "running: 1 of 37" in text
    text = pair.sync("status", sends=False).out
    assert "interrupted" in text
    assert "running" not in text
    assert pair.sync("status", "--json", sends=False).json["interrupted"] is True


def test_only_a_run_that_writes_all_assets_counts_as_a_full_read(pair: Pair) -> None:
    def full() -> object:
        return pair.sync("status", "--json", sends=False).json["last_full_read"]

    pair.run("--item", "device:1")
    pair.run("--only", "clients,sites")
    assert full() is None
    pair.run("--only", "clients,sites,devices")
    assert full()


def test_status_lists_what_has_no_match_with_its_reason(pair: Pair) -> None:
    pair.map(clients={"take": "mapped", "map": [{"organization": 1, "client": 11}]}, devices=DEVICES)
    pair.run()
    text = pair.sync("status", "--unmatched", sends=False).out
    assert "organization 2: the organization is not mapped" in text
    pair.map(clients={"take": "all"}, devices=DEVICES)
    pair.run()
    assert pair.sync("status", "--json", "--unmatched", sends=False).json["unmatched"] == []


def test_explain_names_each_step_and_the_last_changes(pair: Pair) -> None:
    before = pair.sync("explain", "device", 1, "--json").json
    assert [step["step"] for step in before["steps"]] == ["pin", "link", "stamp", "field"]
    assert before["decision"]["op"] == "link"
    assert pair.writes() == [request for request in pair.writes() if request["path"] == "/auth/token"]
    pair.run()
    after = pair.sync("explain", "device", 1, "--json").json
    assert after["decision"] is None
    assert after["link"]["target"] == 5001
    assert after["history"][0]["changes"][0]["field"] == "stamp"
    assert "nothing to do" in pair.sync("explain", "organization", 1).out
    assert pair.sync("explain", "device", 999).code == 2


def test_explain_renders_the_match_field_as_a_plan_does(pair: Pair) -> None:
    """Fails if the template sees the device alone."""
    name = "{{ organization.name }} {{ location.name }} {{ last_user }}"
    pair.map(clients={"take": "all"}, devices={**DEVICES, "fields": {"117": name}})
    steps = {s["step"]: s["looked_at"] for s in pair.sync("explain", "device", 1, "--json").json["steps"]}
    assert steps["field"].startswith("field 117 = alderdentalbranch")
    assert pair.sync("explain", "organization", 99).code == 2
    found = {s["step"]: s["found"] for s in pair.sync("explain", "location", 1, "--json").json["steps"]}
    assert found == {"pin": "none", "map": "none", "link": "none", "stamp": "none", "name": "site 201"}


def test_explain_shows_a_conflict_of_an_earlier_run_as_text(pair: Pair) -> None:
    for asset in (5001, 5011):
        pair.halo.agent.asset(asset, client_id=11, site_id=201, fields={117: "EX0000001"})
    assert pair.sync("run").code == 1
    for _ in range(2):
        found = pair.sync("explain", "device", 1, "--json").json
        steps = {step["step"]: step["found"] for step in found["steps"]}
        reason = "2 assets have 117 = ex0000001: 5001, 5011"
        assert steps["link"] == f"none, because of a conflict: {reason}"
        assert (found["decision"]["op"], found["decision"]["reason"]) == ("conflict", reason)
        text = pair.sync("explain", "device", 1).out
        assert "{" not in text
        assert reason in text
        assert pair.sync("run").code == 1


def test_a_run_at_intervals_goes_on_after_a_failure_until_it_is_stopped(pair: Pair) -> None:
    """Fails if one failed run ends the loop, or if a signal does not."""
    words = ["sync", "run", str(pair.folder), "--every", "1s", "--delay-ms", "0"]
    command = [sys.executable, "-m", "connector", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:

        def wait_for(box: MockServer, path: str, count: int) -> None:
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and process.poll() is None:
                if len([r for r in box.log.requests() if r["path"] == path]) >= count:
                    return
                time.sleep(0.02)

        wait_for(pair.ninja, "/v2/organizations", 1)
        pair.halo.set_trap("html", "page")
        failed = len([r for r in pair.halo.log.requests() if r["path"] == "/api/Control"])
        wait_for(pair.halo, "/api/Control", failed + 1)  # the next run begins with it, and fails, too
        pair.halo.set_trap("html", "no")
        runs = len([r for r in pair.ninja.log.requests() if r["path"] == "/v2/organizations"])
        wait_for(pair.ninja, "/v2/organizations", runs + 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, (out, err)
    assert out.count(" ok: ") >= 2
    assert "ninjaone: " in err
    assert "Traceback" not in err
