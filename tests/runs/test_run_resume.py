"""A job that was interrupted continues where it was, and is not confused with another one."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.connections.connection import Connection, make_connection
from connector.errors import RunError, RunStoppedError
from connector.files.envelope import Envelope
from connector.runs.job import Job
from connector.runs.prepared import prepare
from connector.runs.run import run
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.state.setting import find_state
from tests.fakes import wait_until, write_lines
from tests.runs.jobs import READ, REBOOT, RENAME, Ended, RunJob, counts

pytestmark = pytest.mark.usefixtures("each_state")


def results(path: Path) -> list[Any]:
    return [json.loads(line)["result"] for line in path.read_text().splitlines()]


def sent(sandbox: Sandbox) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in sandbox.log.requests()]


@pytest.mark.parametrize("limit", [{"on_error": "stop"}, {"max_errors": 0}])
def test_a_failed_row_stops_the_job_where_it_says_so_and_resume_goes_on_behind_it(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path, limit: dict[str, Any]
) -> None:
    path = job({**RENAME, **limit}, READ)
    ended: Ended = []
    with pytest.raises(RunStoppedError, match=r"renamed \(update_device\): 1 row failed, more") as caught:
        run_job(path, ended=ended)
    assert "--resume" in str(caught.value)
    assert [(name, counts(summary)) for name, summary in ended] == [("renamed", (2, 1, 0))]
    assert not (tmp_path / "out/read.jsonl").exists()
    (first, second) = run_job(path, "resume")
    assert (first[0], counts(first[1])) == ("renamed", (3, 1, 0))
    assert (second[0], counts(second[1])) == ("read", (2, 0, 1))
    assert sent(sandbox) == [
        *(f"PATCH /v2/device/{n}" for n in (1, 999, 3)),
        *(f"GET /v2/device/{n}" for n in (1, 3)),
    ]


def answers(journal: Path) -> int:
    """The number of responses that a running process has recorded."""
    if url := find_state():
        time.sleep(0.05)  # each look costs much more than that at a file
        count = "SELECT count(*) FROM connector_journal WHERE answer IS NOT NULL"
        return int(open_database(url).run(count)[0][0])
    return journal.read_bytes().count(b'"answer"')


class StopAfter:
    """Asks for the end after some envelopes."""

    def __init__(self, envelopes: int) -> None:
        self.left, self.event = envelopes, Event()

    def __call__(self, envelope: Envelope) -> None:
        self.left -= 1
        if self.left == 0:
            self.event.set()


@pytest.mark.parametrize("envelopes", [1, 2, 4])
def test_an_interrupted_job_goes_on_where_it_was(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path, envelopes: int
) -> None:
    path = job(RENAME, READ, REBOOT)
    stop = StopAfter(envelopes)
    ended = run_job(path, listeners=(stop,), stop=stop.event)
    assert ended[-1][1] is not None
    assert ended[-1][1].stopped
    with pytest.raises(RunError, match=r"an unfinished run is in|already exists"):
        run_job(path)
    names = [name for name, _ in run_job(path, "resume")]
    assert names == ["renamed", "read", "rebooted"]
    assert results(tmp_path / "out/rebooted.jsonl") == [None, None]
    assert sent(sandbox) == [
        "PATCH /v2/device/1",
        "PATCH /v2/device/999",
        "PATCH /v2/device/3",
        "GET /v2/device/1",
        "GET /v2/device/3",
        "POST /v2/device/1/reboot/NORMAL",
        "POST /v2/device/3/reboot/NORMAL",
    ]


def test_an_interrupted_step_keeps_its_place_when_only_chooses_others_by_then(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": n} for n in (1, 2, 3, 4)])
    # Before 100 these are the devices from 2 on; later all of them.
    chosen = {"step": "renamed", "only": "{{ device > 1 or now > 100 }}"}
    path = job(
        RENAME, {**REBOOT, "input": chosen, "templates": {"device_id": "{{ device }}", "mode": "NORMAL"}}
    )
    stop = StopAfter(4 + 1)
    run_job(path, listeners=(stop,), stop=stop.event, now=50.0)
    run_job(path, "resume", now=150.0)
    posts = [line for line in sent(sandbox) if line.startswith("POST")]
    assert posts == [f"POST /v2/device/{n}/reboot/NORMAL" for n in (2, 3, 4)]


def test_a_changed_output_of_a_finished_step_is_not_taken_for_the_same(
    job: Any, run_job: RunJob, tmp_path: Path
) -> None:
    path = job(RENAME, READ)
    stop = StopAfter(4)
    run_job(path, listeners=(stop,), stop=stop.event)
    out = tmp_path / "out/renamed.jsonl"
    out.write_text(out.read_text().replace('"device":1', '"device":2'))
    with pytest.raises(RunError, match="differs from the unfinished one in its input"):
        run_job(path, "resume")


def test_only_what_is_interrupted_can_be_resumed(
    job: Any, run_job: RunJob, tmp_path: Path, each_state: str, sandbox: Sandbox
) -> None:
    path = job(RENAME, READ)
    with pytest.raises(RunError, match="no unfinished job to resume"):
        run_job(path, "resume")
    run_job(path)
    with pytest.raises(RunError, match="all steps are finished, nothing to resume"):
        run_job(path, "resume")
    before = (tmp_path / "out/renamed.jsonl").read_bytes()
    (tmp_path / "out/renamed.jsonl").unlink()
    if each_state == "files":
        with pytest.raises(RunError, match=r"read.jsonl: already exists"):
            run_job(path, "resume")
        return
    requests = len(sent(sandbox))
    run_job(path, "resume")  # as on another machine: it has the results of the finished run
    assert (tmp_path / "out/renamed.jsonl").read_bytes() == before
    assert len(sent(sandbox)) == requests


def test_restart_begins_again_and_takes_no_output_of_before(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    path = job(RENAME, READ)
    run_job(path)
    write_lines(tmp_path / "rows.jsonl", [{"device": 4}])
    stop = StopAfter(1)
    run_job(path, "restart", listeners=(stop,), stop=stop.event)
    # What the first run left of the second step is gone, so that resuming cannot take it for finished.
    assert not (tmp_path / "out/read.jsonl").exists()
    run_job(path, "resume")
    assert [result["id"] for result in results(tmp_path / "out/read.jsonl")] == [4]
    assert sent(sandbox).count("PATCH /v2/device/4") == 1


# --- the same run, and another one -------------------------------------------------------------------------


@pytest.fixture
def interrupted(catalog: Catalog, connection: Connection, tmp_path: Path) -> Job:
    """A run that was stopped after its first row."""
    write_lines(tmp_path / "rows.jsonl", [{"device": n} for n in (1, 2, 3)])
    job = Job(
        action="update_device",
        templates={"device_id": "{{ device }}", "display_name": "Kiosk {{ device }}"},
        input=str(tmp_path / "rows.jsonl"),
        output=str(tmp_path / "out.jsonl"),
        delay_ms=0,
    )
    stop = StopAfter(1)
    summary = run(prepare(job, catalog), "new", listeners=(stop,), stop=stop.event, connection=connection)
    assert (summary.stopped, summary.rows) == (True, 1)
    return job


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"action": "get_device", "templates": {"device_id": "{{ device }}"}}, "action, templates"),
        ({"templates": {"device_id": "{{ device }}", "display_name": "Other"}}, "templates"),
        ({"input": "other.jsonl"}, "input"),
        ({"rows": "each"}, "settings"),
        ({"keep_row": True}, "settings"),
        ({"match_fields": True}, "settings"),
        ({"reveal_secrets": True}, "settings"),
        ({"output_format": "json"}, "settings"),
    ],
)
def test_another_run_is_not_taken_for_the_interrupted_one(
    interrupted: Job,
    catalog: Catalog,
    connection: Connection,
    sandbox: Sandbox,
    tmp_path: Path,
    change: dict[str, Any],
    differs: str,
) -> None:
    if "input" in change:
        other = write_lines(tmp_path / "other.jsonl", [{"device": n} for n in (1, 2, 4)])
        change = {"input": str(other)}
    with pytest.raises(RunError, match=f"differs from the unfinished one in its {differs}"):
        run(prepare(replace(interrupted, **change), catalog), "resume", connection=connection)
    assert len(sandbox.log.requests()) == 1


def test_another_account_is_another_run(
    interrupted: Job, catalog: Catalog, service: Service, connection: Connection, sandbox: Sandbox
) -> None:
    with Sandbox() as elsewhere:
        other = make_connection(service, elsewhere.connection, "another sandbox")
        with pytest.raises(RunError, match="differs from the unfinished one in its connection"):
            run(prepare(interrupted, catalog), "resume", connection=other)
        assert elsewhere.log.requests() == []


def test_how_fast_and_how_careful_it_goes_on_is_another_matter(
    interrupted: Job, catalog: Catalog, connection: Connection, sandbox: Sandbox, tmp_path: Path
) -> None:
    job = replace(interrupted, concurrency=3, delay_ms=1, on_error="stop", max_errors=5, fsync=True)
    summary = run(prepare(job, catalog), "resume", connection=connection)
    assert (summary.resumed_rows, summary.succeeded) == (1, 3)
    assert sorted(sent(sandbox)) == [f"PATCH /v2/device/{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("concurrency", [2, 8])
def test_rows_that_were_answered_behind_one_that_hung_are_answered_from_the_journal(
    catalog: Catalog, connection: Connection, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    """One request stays without an answer, the other rows' envelopes wait for it; then all is over."""
    write_lines(tmp_path / "rows.jsonl", [{"reason": f"row {n}"} for n in range(1, 31)])
    job = Job(
        action="reboot_device",
        templates={"device_id": "1", "mode": "NORMAL", "reason": "{{ reason }}"},
        input=str(tmp_path / "rows.jsonl"),
        output=str(tmp_path / "out.jsonl"),
        delay_ms=0,
        concurrency=concurrency,
    )
    code = (
        "import pickle, sys; from connector.catalog.catalog import Catalog; "
        "from connector.runs.prepared import prepare; from connector.runs.run import run; "
        "job, connection = pickle.load(sys.stdin.buffer); run(prepare(job, Catalog()), connection=connection)"
    )
    sandbox.set_faults(queue=[{"fault": "slow", "seconds": 60}])
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(pickle.dumps((job, connection)))
    process.stdin.close()
    wait_until(lambda: len(sandbox.log.requests()) == 30)
    journal = tmp_path / "out.jsonl.run" / "journal.jsonl"
    wait_until(lambda: answers(journal) == 29)
    process.kill()
    process.wait()
    written = (tmp_path / "out.jsonl.run" / "envelopes.jsonl").read_text().splitlines()
    summary = run(prepare(replace(job, concurrency=1), catalog), "resume", connection=connection)
    assert (summary.resumed_rows, summary.rows) == (len(written), 30)
    assert summary.codes == {"outcome_unknown": 1}
    assert len(sandbox.log.requests()) == 30
    envelopes = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [e["row"] for e in envelopes] == list(range(1, 31))
