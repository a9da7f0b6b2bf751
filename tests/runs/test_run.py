"""Jobs with steps: their order, which rows each step reads, and what stops them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.connections.connection import Connection
from connector.errors import RunError, RunStoppedError
from connector.files.envelope import Envelope
from connector.runs.job_file import load_jobs
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import write_lines
from tests.runs.jobs import READ, REBOOT, RENAME, Ended, RunJob, counts


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
    with pytest.raises(RunError, match=r"^[^ ]*rows.jsonl: no such file or folder"):
        list(run_all([prepared], connection=connection))


def test_every_row_of_every_step_sees_the_same_now(job: Any, run_job: RunJob, sandbox: Sandbox) -> None:
    named = {**RENAME, "templates": {"device_id": "1", "display_name": "{{ (now + 0.5) | iso }}"}}
    again = {**named, "name": "again", "input": {"step": "renamed", "only": "{{ now == 1748390400 }}"}}
    ended = run_job(job(named, again), now=1748390400.0)
    assert [counts(summary) for _, summary in ended] == [(3, 0, 0), (3, 0, 0)]
    assert {r["body"]["displayName"] for r in sandbox.log.requests()} == {"2025-05-28T00:00:00.500Z"}


@pytest.mark.parametrize(
    ("steps", "above", "message"),
    [
        ([RENAME, {**READ, "action": "get_devise"}], {}, 'step "read": no action "get_devise"'),
        ([RENAME, {**READ, "templates": {"device_id": "{{ x"}}], {}, 'step "read": device_id: template'),
        (
            [RENAME, {**READ, "input": {"step": "renamed", "only": "{{ x | nope }}"}}],
            {},
            'step "read": only: template, line 1: there is no filter "nope"',
        ),
        ([RENAME, {**READ, "input": "none.jsonl"}], {}, 'step "read": '),
        (
            [{**RENAME, "name": "device"}, {**READ, "input": {"step": "device"}}],
            {},
            '"device" is both a field of',
        ),
        ([RENAME, READ], {"output": "rows.jsonl"}, "rows.jsonl"),
        ([RENAME, {**READ, "output": "there.jsonl"}], {}, "there.jsonl: already exists"),
        ([RENAME, {**READ, "output": "folder"}], {}, "folder: is a folder"),
    ],
)
def test_what_can_be_known_to_be_wrong_is_found_before_anything_is_sent(
    job: Any, run_job: RunJob, sandbox: Sandbox, tmp_path: Path, steps: Any, above: Any, message: str
) -> None:
    (tmp_path / "there.jsonl").write_text("precious\n")
    (tmp_path / "folder").mkdir()
    path = job(*steps, **above)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError) as caught:
        run_job(path)
    assert message in str(caught.value)
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
    with pytest.raises(RunError, match=r'step "read": .*client secret'):
        list(run_all(steps))
    assert sandbox.log.requests() == []
    assert not (tmp_path / "out").exists()


def test_a_step_that_ends_with_too_many_errors_lets_no_later_one_begin(
    job: Any, run_job: RunJob, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}])
    path = job({**RENAME, "on_error": "stop"}, READ)
    ended: Ended = []
    with pytest.raises(RunStoppedError, match="1 row failed"):
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


def test_a_fault_after_something_was_sent_stops_the_job(job: Any, run_job: RunJob, tmp_path: Path) -> None:
    path = job(RENAME, READ)

    def spoil(envelope: Envelope) -> None:
        (tmp_path / "out/read.jsonl").mkdir(exist_ok=True)

    with pytest.raises(RunStoppedError, match=r'step "read": .*is a folder.*--resume'):
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
