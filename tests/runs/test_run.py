"""A run and the steps of a job: what is found before anything is sent, their order, and how they go on."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.connections.connection import Connection, make_connection
from connector.errors import RunFault, RunStopped
from connector.files.envelope import Envelope
from connector.files.output import Start
from connector.runs.job import Job, load_jobs
from connector.runs.job_run import run_all
from connector.runs.run import prepare, prepare_all, run
from connector.runs.summary import Summary
from connector.sandbox.server import Sandbox
from tests.fakes import wait_until, write_lines

RENAME = {
    "name": "renamed",
    "action": "update_device",
    "templates": {"device_id": "{{ device }}", "display_name": "Kiosk {{ device }}"},
}
READ = {
    "name": "read",
    "action": "get_device",
    "input": {"step": "renamed"},
    "templates": {"device_id": "{{ device }}"},
}
REBOOT = {
    "name": "rebooted",
    "action": "reboot_device",
    "input": {"step": "read"},
    "templates": {"device_id": "{{ read.id }}", "mode": "NORMAL", "reason": "{{ read.displayName }}"},
}

Ended = list[tuple[str, "Summary | None"]]
RunJob = Callable[..., Ended]


@pytest.fixture
def connection(service: Service, sandbox: Sandbox) -> Connection:
    return make_connection(service, sandbox.connection, "the sandbox")


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Path]:
    """Write a job of steps over three devices, the second of which does not exist."""
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}, {"device": 3}])

    def write(*steps: dict[str, Any], **above: Any) -> Path:
        data = {"input": "rows.jsonl", "output": "out", "delay_ms": 0, **above, "steps": list(steps)}
        path = tmp_path / "job.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        return path

    return write


@pytest.fixture
def run_job(catalog: Catalog, connection: Connection) -> RunJob:
    """Run a job's file to its end, and give its steps' names with their summaries."""

    def run(path: Path, start: Start = "new", **options: Any) -> Ended:
        ended: Ended = options.pop("ended", [])
        steps = prepare_all(load_jobs(path), catalog, now=options.pop("now", None))
        for step, summary in run_all(steps, start, connection=connection, **options):
            ended.append((step.job.step, summary))
        return ended

    return run


def results(path: Path) -> list[Any]:
    return [json.loads(line)["result"] for line in path.read_text().splitlines()]


def counts(summary: Summary | None) -> tuple[int, int, int]:
    assert summary is not None
    return summary.rows, summary.failed, summary.left_out.get("failed", 0)


def sent(sandbox: Sandbox) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in sandbox.log.requests()]


def test_steps_run_in_order_and_pass_on_what_succeeded(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    ended = run_job(job(RENAME, READ, REBOOT))
    assert [name for name, _ in ended] == ["renamed", "read", "rebooted"]
    assert [counts(summary) for _, summary in ended] == [(3, 1, 0), (2, 0, 1), (2, 0, 0)]
    assert [r["body"] for r in sandbox.log.requests() if r["method"] == "POST"] == [
        {"reason": "Kiosk 1"},
        {"reason": "Kiosk 3"},
    ]
    envelopes = [json.loads(line) for line in (tmp_path / "out/rebooted.jsonl").read_text().splitlines()]
    # A row has the number of its envelope in the step before: there the second one was already missing.
    assert [e["row"] for e in envelopes] == [1, 2]
    read = (tmp_path / "out/read.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in read] == [1, 3]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "read.jsonl",
        "rebooted.jsonl",
        "renamed.jsonl",
    ]


def test_listeners_hear_of_every_step(job: Any, run_job: RunJob) -> None:
    heard: list[Envelope] = []
    run_job(job(RENAME, READ), listeners=(heard.append,))
    assert [envelope.meta["action"] for envelope in heard] == ["update_device"] * 3 + ["get_device"] * 2


def test_a_single_run_is_a_job_without_steps(
    catalog: Catalog, connection: Connection, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    path = tmp_path / "job.yaml"
    path.write_text("action: get_device\ninput: rows.jsonl\noutput: out.jsonl\n")
    (prepared,) = prepare_all(load_jobs(path), catalog)
    ((same, summary),) = run_all([prepared], connection=connection)
    assert same is prepared
    assert summary is not None
    assert (summary.succeeded, summary.left_out) == (1, {})
    rows.unlink()
    prepared = replace(prepared, job=replace(prepared.job, output=str(tmp_path / "other.jsonl")))
    with pytest.raises(RunFault, match=r"^[^ ]*rows.jsonl: there is no such input"):
        list(run_all([prepared], connection=connection))


def test_every_row_of_every_step_sees_the_same_now(job: Any, run_job: RunJob, sandbox: Sandbox) -> None:
    named = {**RENAME, "templates": {"device_id": "1", "display_name": "{{ (now + 0.5) | iso }}"}}
    again = {**named, "name": "again", "input": {"step": "renamed", "only": "{{ now == 86400 }}"}}
    ended = run_job(job(named, again), now=86400.0)
    assert [counts(summary) for _, summary in ended] == [(3, 0, 0), (3, 0, 0)]
    assert {r["body"]["displayName"] for r in sandbox.log.requests()} == {"1970-01-02T00:00:00.500Z"}


@pytest.mark.parametrize(
    ("steps", "above", "said"),
    [
        ([RENAME, {**READ, "action": "get_devise"}], {}, 'step "read": no action "get_devise"'),
        ([RENAME, {**READ, "templates": {"device_id": "{{ x"}}], {}, 'step "read": device_id: template'),
        (
            [RENAME, {**READ, "input": {"step": "renamed", "only": "{{ x | nope }}"}}],
            {},
            'step "read": only: template, line 1: there is no filter "nope"',
        ),
        ([RENAME, {**READ, "input": "none.jsonl"}], {}, 'step "read": '),
        ([{**RENAME, "name": "device"}, {**READ, "input": {"step": "device"}}], {}, '"device" is a field of'),
        ([RENAME, READ], {"output": "rows.jsonl"}, "rows.jsonl"),
        ([RENAME, {**READ, "output": "there.jsonl"}], {}, "there.jsonl: is there already"),
        ([RENAME, {**READ, "output": "folder"}], {}, "folder: is a folder"),
    ],
)
def test_what_can_be_known_to_be_wrong_is_found_before_anything_is_sent(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path, steps: Any, above: Any, said: str
) -> None:
    (tmp_path / "there.jsonl").write_text("precious\n")
    (tmp_path / "folder").mkdir()
    path = job(*steps, **above)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunFault) as caught:
        run_job(path)
    assert said in str(caught.value)
    assert sandbox.log.requests() == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_connection_of_a_later_step_is_tried_before_anything_is_sent(
    job: Any, catalog: Catalog, sandbox: Sandbox, tmp_path: Path
) -> None:
    for name, secret in (("right", sandbox.client_secret), ("wrong", "wrong-secret")):
        settings = {**sandbox.connection, "client_secret": secret}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    path = job({**RENAME, "connection": "right.yaml"}, {**READ, "connection": "wrong.yaml"})
    steps = prepare_all(load_jobs(path), catalog)
    with pytest.raises(RunFault, match=r'step "read": .*client secret'):
        list(run_all(steps))
    assert sandbox.log.requests() == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("limit", [{"on_error": "stop"}, {"max_errors": 0}])
def test_a_failed_row_stops_the_job_where_it_says_so_and_resume_goes_on_behind_it(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path, limit: dict[str, Any]
) -> None:
    path = job({**RENAME, **limit}, READ)
    ended: Ended = []
    with pytest.raises(
        RunStopped, match=r"renamed \(update_device\): 1 row failed, and nothing more"
    ) as caught:
        run_job(path, ended=ended)
    assert "--resume goes on" in str(caught.value)
    assert [(name, counts(summary)) for name, summary in ended] == [("renamed", (2, 1, 0))]
    assert not (tmp_path / "out/read.jsonl").exists()
    (first, second) = run_job(path, "resume")
    assert (first[0], counts(first[1])) == ("renamed", (3, 1, 0))
    assert (second[0], counts(second[1])) == ("read", (2, 0, 1))
    assert sent(sandbox) == [
        *(f"PATCH /v2/device/{n}" for n in (1, 999, 3)),
        *(f"GET /v2/device/{n}" for n in (1, 3)),
    ]


def test_a_step_that_ends_with_too_many_errors_lets_no_later_one_begin(
    job: Any, run_job: RunJob, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}])
    path = job({**RENAME, "on_error": "stop"}, READ)
    ended: Ended = []
    with pytest.raises(RunStopped, match="1 row failed"):
        run_job(path, ended=ended)
    assert [(name, counts(summary)) for name, summary in ended] == [("renamed", (2, 1, 0))]
    assert [name for name, _ in run_job(path, "resume")] == ["renamed", "read"]


def test_fewer_errors_than_are_allowed_stop_nothing(job: Any, run_job: RunJob) -> None:
    assert [name for name, _ in run_job(job({**RENAME, "max_errors": 1}, READ))] == ["renamed", "read"]


def test_errors_in_the_last_row_of_the_last_step_have_nothing_to_stop(
    job: Any, run_job: RunJob, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}])
    ((_, summary),) = run_job(job({**RENAME, "on_error": "stop"}))
    assert counts(summary) == (2, 1, 0)


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
    with pytest.raises(RunFault, match=r"an interrupted run is here|is there already"):
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
    with pytest.raises(RunFault, match="the interrupted run was another one: its input differed"):
        run_job(path, "resume")


def test_only_what_is_interrupted_can_be_resumed(job: Any, run_job: RunJob, tmp_path: Path) -> None:
    path = job(RENAME, READ)
    with pytest.raises(RunFault, match="there is no interrupted job to resume"):
        run_job(path, "resume")
    run_job(path)
    with pytest.raises(RunFault, match="every step is finished: there is nothing to resume"):
        run_job(path, "resume")
    (tmp_path / "out/renamed.jsonl").unlink()
    with pytest.raises(RunFault, match=r"read.jsonl: is there already"):
        run_job(path, "resume")


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


def test_a_fault_after_something_was_sent_stops_the_job(job: Any, run_job: RunJob, tmp_path: Path) -> None:
    path = job(RENAME, READ)

    def spoil(envelope: Envelope) -> None:
        (tmp_path / "out/read.jsonl").mkdir(exist_ok=True)

    with pytest.raises(RunStopped, match=r'step "read": .*is a folder.*--resume goes on'):
        run_job(path, listeners=(spoil,))
    (tmp_path / "out/read.jsonl").rmdir()
    assert [name for name, _ in run_job(path, "resume")] == ["renamed", "read"]


def test_a_step_without_rows_leaves_an_empty_output(job: Any, run_job: RunJob, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": 999}])
    ended = run_job(job(RENAME, READ, REBOOT))
    assert [counts(summary) for _, summary in ended] == [(1, 1, 0), (0, 0, 1), (0, 0, 0)]
    assert (tmp_path / "out/rebooted.jsonl").read_text() == ""


def test_lists_fan_out_and_outputs_may_be_json(job: Any, run_job: RunJob, tmp_path: Path) -> None:
    write_lines(
        tmp_path / "rows.jsonl", [{"site": "a", "wanted": "org = 1"}, {"site": "b", "wanted": "org = 99"}]
    )
    listed = {
        "name": "found",
        "action": "list_devices",
        "rows": "each",
        "output_format": "json",
        "templates": {"filter": "{{ wanted }}"},
    }
    read = {
        **READ,
        "input": {"step": "found"},
        "templates": {"device_id": "{{ found.id }}"},
        "keep_row": True,
    }
    ended = run_job(job(listed, read))
    devices = json.loads((tmp_path / "out/found.json").read_text())
    found = [e["result"]["id"] for e in devices if e["result"]]
    assert len(found) > 1
    assert counts(ended[1][1]) == (len(found), 0, 0)
    lines = [json.loads(line) for line in (tmp_path / "out/read.jsonl").read_text().splitlines()]
    assert [(e["input"]["site"], e["result"]["id"]) for e in lines] == [("a", n) for n in found]


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
    with pytest.raises(RunFault, match=f"the interrupted run was another one: its {differs} differed"):
        run(prepare(replace(interrupted, **change), catalog), "resume", connection=connection)
    assert len(sandbox.log.requests()) == 1


def test_another_account_is_another_run(
    interrupted: Job, catalog: Catalog, service: Service, connection: Connection, sandbox: Sandbox
) -> None:
    with Sandbox() as elsewhere:
        other = make_connection(service, elsewhere.connection, "another sandbox")
        with pytest.raises(RunFault, match="its connection differed"):
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
        "import pickle, sys; from connector.runs.run import prepare, run; "
        "from connector.catalog.catalog import Catalog;"
        "job, connection = pickle.load(sys.stdin.buffer); run(prepare(job, Catalog()), connection=connection)"
    )
    sandbox.set_faults(queue=[{"fault": "slow", "seconds": 60}])
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(pickle.dumps((job, connection)))
    process.stdin.close()
    wait_until(lambda: len(sandbox.log.requests()) == 30)
    journal = tmp_path / "out.jsonl.run" / "journal.jsonl"
    wait_until(lambda: journal.read_bytes().count(b'"answer"') == 29)
    process.kill()
    process.wait()
    written = (tmp_path / "out.jsonl.run" / "envelopes.jsonl").read_text().splitlines()
    summary = run(prepare(replace(job, concurrency=1), catalog), "resume", connection=connection)
    assert (summary.resumed_rows, summary.rows) == (len(written), 30)
    assert summary.codes == {"outcome_unknown": 1}
    assert len(sandbox.log.requests()) == 30
    envelopes = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [e["row"] for e in envelopes] == list(range(1, 31))
