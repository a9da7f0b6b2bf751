"""The summary of a run: as text and as a document for programs, however the run ended."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.cli.notify_text import variables_of
from connector.cli.summary import Report, describe
from connector.common.package_data import schema
from connector.runs.job import Job
from connector.runs.summary import Summary
from connector.runs.summary_document import run_as_json
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import wait_until, write_lines
from tests.interruption import hold_from, interrupt, wait_for_requests
from tests.loopback import PATIENCE_S

pytestmark = pytest.mark.in_process


JOB = Job("reboot_device", input="in.jsonl", output="night 1.jsonl")
REBOOT = ("run", "reboot_device", "--yes", "-c", "connection.yaml", "-i", "rows.jsonl", "-o", "out.jsonl")


def read(path: Path) -> dict[str, Any]:
    """Read a summary, which must be what its schema says."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    validator(schema("summary.schema.json")).validate(document)
    assert document["started"] > 1_700_000_000
    assert document["ended"] is None or document["ended"] >= document["started"]
    return document


def write_reboots(folder: Path, *devices: int) -> None:
    write_lines(
        folder / "rows.jsonl", [{"device_id": n, "mode": "NORMAL", "reason": f"row {n}"} for n in devices]
    )


# The text


def test_all_that_a_person_wants_to_know() -> None:
    summary = Summary(
        rows=4000, succeeded=3986, failed=14, repeatable=9, warned=3, truncated=1, resumed_rows=1000,
        kinds={"retry": 2, "fix": 7, "check": 5}, seconds=1500.0,
        codes={"partial": 1, "not_found": 9, "outcome_unknown": 4},
        examples={"partial": "row 4: p", "not_found": "row 5: n", "outcome_unknown": "row 6: o"},
        warning="row 2: the field is not published",
    )  # fmt: skip
    assert describe(JOB, summary, service="NinjaOne").splitlines() == [
        "reboot_device: 4000 rows (1000 of them before it was interrupted), 3986 succeeded, 14 failed, "
        "in 25 min (2.0/s)",
        "  9 not_found, for example row 5: n",
        "  4 outcome_unknown, for example row 6: o",
        "  1 partial, for example row 4: p",
        "  3 with a warning, for example row 2: the field is not published",
        "  1 list truncated at the limit",
        "2 failed rows to retry as is: ninjaone rerun 'night 1.jsonl' --transient",
        "7 failed rows to fix first: ninjaone failed 'night 1.jsonl' -o FILE, "
        "then ninjaone rerun 'night 1.jsonl' --input FILE",
        "5 failed rows to check first (4 outcome_unknown): may have taken effect, completely or in part; "
        "check in NinjaOne before you send them again",
        "envelopes: night 1.jsonl",
    ]


def test_nothing_is_said_of_what_did_not_happen() -> None:
    assert describe(JOB, Summary(rows=1, succeeded=1, seconds=0.2)).splitlines() == [
        "reboot_device: 1 row, 1 succeeded, 0 failed, in 0.2 s",
        "envelopes: night 1.jsonl",
    ]


def test_rows_whose_work_is_queued_are_accepted_and_not_succeeded() -> None:
    summary = Summary(rows=201, succeeded=200, failed=1, seconds=0.2, queues=True)
    assert describe(JOB, summary, service="NinjaOne").splitlines()[:2] == [
        "reboot_device: 201 rows, 200 accepted, 1 failed, in 0.2 s",
        "  accepted: NinjaOne has queued the work; it may not be done yet",
    ]
    runs = [run_as_json(JOB, summary)]
    assert runs[0]["accepted"] == 200
    document = {"state": "finished", "exit_code": 1, "message": None, "runs": runs}
    lines = variables_of("night", "vm", document)["text"].splitlines()
    assert lines[1] == "reboot_device: 201 rows, 200 accepted, 1 failed"
    waited = Summary(rows=1, succeeded=1, queues=True, waits=True)
    assert "accepted" not in run_as_json(JOB, waited)
    assert "1 row, 1 succeeded" in describe(JOB, waited)
    all_failed = describe(JOB, Summary(rows=1, failed=1, queues=True))
    assert "queued" not in all_failed


@pytest.mark.parametrize(
    ("job", "stopped"),
    [
        (Job("x", input="in.csv", output="out.csv"), False),
        (Job("x", input="in.csv", output="out", output_format="csv"), False),
        (Job("x", input="in.csv", output="-"), False),
        (Job("x", input="-", output="out.jsonl"), False),
        (JOB, True),
    ],
)
def test_rerun_is_told_of_only_where_it_can_be_done(job: Job, stopped: bool) -> None:
    message = describe(
        job, Summary(rows=2, failed=2, kinds={"retry": 1, "fix": 1, "check": 0}, stopped=stopped)
    )
    assert "1 failed row to retry as is\n1 failed row to fix first\n" in message + "\n"
    assert "ninjaone rerun" not in message


# The document


def test_the_summary_of_a_finished_run(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_reboots(tmp_path, 1, 2, 999, 4)
    sandbox.set_faults(queue=[None, "reset_after"])
    done = ninjaone(*REBOOT, "--delay-ms", 0, "--summary", "sum.json")
    assert done.returncode == 1, done.stderr
    document = read(tmp_path / "sum.json")
    assert (document["state"], document["exit_code"], document["message"]) == ("finished", 1, None)
    (run,) = document["runs"]
    counts = {name: run[name] for name in ("rows", "succeeded", "failed", "repeatable", "resumed_rows")}
    assert counts == {"rows": 4, "succeeded": 2, "failed": 2, "repeatable": 1, "resumed_rows": 0}
    assert {code: found["rows"] for code, found in run["codes"].items()} == {
        "outcome_unknown": 1,
        "not_found": 1,
    }
    assert run["codes"]["not_found"]["example"].startswith("row 3: POST /v2/device/999/reboot/NORMAL: ")
    assert (run["action"], run["output"], run["stopped"]) == ("reboot_device", "out.jsonl", False)
    assert run["kinds"] == {"retry": 0, "fix": 1, "check": 1}
    assert "1 failed row to fix first: ninjaone failed out.jsonl -o FILE, then" in done.stderr
    assert "1 failed row to check first (1 outcome_unknown): may have taken effect" in done.stderr
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "sum.json").stat().st_mode) == 0o666 & ~umask
    assert {path.name for path in tmp_path.iterdir()} == {
        "connection.yaml",
        "rows.jsonl",
        "out.jsonl",
        "sum.json",
    }


def test_the_steps_of_a_job_and_warnings_and_caps(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"name": "Heron", "tag": "a"}])
    (tmp_path / "job.yaml").write_text(
        "connection: connection.yaml\ninput: rows.jsonl\noutput: out\ndelay_ms: 0\nsteps:\n"
        "  - name: made\n    action: create_organization\n"
        "    templates: {name: '{{ name }}', tags: '[\"{{ tag }}\"]'}\n"
        "  - name: listed\n    action: list_devices\n    input: {step: made}\n    templates: {limit: '3'}\n"
    )
    done = ninjaone("run", "--yes", "job.yaml", "--summary", "sum.json", "--json")
    assert done.returncode == 0, done.stderr
    made, listed = read(tmp_path / "sum.json")["runs"]
    assert (made["step"], made["warned"], made["truncated"]) == ("made", 1, 0)
    assert (listed["step"], listed["warned"], listed["truncated"]) == ("listed", 0, 1)
    assert [json.loads(line) for line in done.stderr.splitlines()] == [made, listed]


def test_a_run_that_could_not_begin(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "sum.json").write_text('{"summary": 1}')
    done = ninjaone("run", "reboot_devise", "--summary", "sum.json")
    assert done.returncode == 2
    document = read(tmp_path / "sum.json")
    assert (document["state"], document["exit_code"], document["runs"]) == ("nothing_run", 2, [])
    assert 'no action "reboot_devise"' in document["message"]


def test_an_interrupted_run_and_its_resumption(
    sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    """What failed before the interruption is in the summary after it, and in the exit code."""
    write_reboots(tmp_path, 999, *range(1, 20))
    command = [sys.executable, "-m", "connector", *REBOOT, "--summary", "sum.json", "--delay-ms", "0"]
    hold_from(sandbox, 3)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    wait_for_requests(process, 3, sandbox)
    message = interrupt(process, sandbox)
    assert process.returncode == 130, message
    document = read(tmp_path / "sum.json")
    assert (document["state"], document["exit_code"], document["message"]) == ("interrupted", 130, None)
    (run,) = document["runs"]
    assert (run["stopped"], run["failed"], run["rows"]) == (True, 1, len(sandbox.log.requests()))
    before = run["rows"]

    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    (run,) = read(tmp_path / "sum.json")["runs"]
    assert (run["stopped"], run["failed"], run["rows"], run["resumed_rows"]) == (False, 1, 20, before)
    assert f"reboot_device: 20 rows ({before} of them before it was interrupted), 19 accepted" in done.stderr
    assert "1 not_found, for example row 1: " in done.stderr


@pytest.mark.parametrize("how", [(signal.SIGKILL,), (signal.SIGINT, signal.SIGINT)])
def test_a_run_that_is_killed_leaves_no_summary_of_an_earlier_one(
    sandbox: Sandbox, connection_file: Path, tmp_path: Path, how: tuple[signal.Signals, ...]
) -> None:
    write_reboots(tmp_path, 1, 2, 3)
    (tmp_path / "sum.json").write_text('{"summary": 1}')
    sandbox.set_faults(queue=[None, {"fault": "slow", "seconds": 60}])
    command = [sys.executable, "-m", "connector", *REBOOT, "--summary", "sum.json", "--delay-ms", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    wait_until(lambda: len(sandbox.log.requests()) >= 2)
    assert process.stderr is not None
    for number in how:
        process.send_signal(number)
        if number == signal.SIGINT and process.poll() is None:
            process.stderr.readline()
    process.communicate(timeout=PATIENCE_S)
    document = read(tmp_path / "sum.json")
    assert (document["state"], document["exit_code"], document["runs"]) == ("begun", None, [])


def test_a_full_disk(connection_file: Path, tmp_path: Path) -> None:
    """The run stops where its envelopes find no room; the summary, which is smaller, is written."""
    write_reboots(tmp_path, *range(1, 21), *[999] * 40)
    command = [sys.executable, "-m", "connector", *REBOOT, "--summary", "sum.json", "--delay-ms", "0"]

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, preexec_fn=small)
    assert done.returncode == 3, done.stderr
    document = read(tmp_path / "sum.json")
    assert (document["state"], document["exit_code"]) == ("stopped", 3)
    assert "File too large" in document["message"]
    (run,) = document["runs"]
    assert run["stopped"] is True
    assert 10 < run["rows"] < 60
    assert f"reboot_device: {run['rows']} rows, " in done.stderr
    assert "ninjaone: stopped: " in done.stderr


def test_a_step_that_was_finished_before(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    write_reboots(tmp_path, 1, 999)
    step = (
        "  - {name: %s, action: reboot_device, templates: {device_id: '{{ device_id }}', mode: NORMAL}%s}\n"
    )
    (tmp_path / "job.yaml").write_text(
        "connection: connection.yaml\ninput: rows.jsonl\noutput: out\ndelay_ms: 0\nsteps:\n"
        + step % ("first", ", on_error: stop") + step % ("second", "")
    )  # fmt: skip
    stopped = ninjaone("run", "--yes", "job.yaml", "--summary", "sum.json")
    assert stopped.returncode == 3
    document = read(tmp_path / "sum.json")
    assert "first (reboot_device): 1 row failed, more than the run allows" in document["message"]
    assert [(run["step"], run["too_many_errors"]) for run in document["runs"]] == [("first", True)]
    assert ninjaone("run", "--yes", "job.yaml", "--resume", "--summary", "sum.json").returncode == 1
    first, second = read(tmp_path / "sum.json")["runs"]
    assert (first["step"], first["finished_before"]) == ("first", True)
    assert (second["step"], second["rows"]) == ("second", 2)


@pytest.mark.parametrize("where", ["none/sum.json", "folder"])
def test_a_place_where_no_summary_can_be_is_found_before_anything_is_sent(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path, where: str
) -> None:
    write_reboots(tmp_path, 1)
    (tmp_path / "folder").mkdir()
    done = ninjaone(*REBOOT, "--summary", where)
    assert done.returncode == 2
    assert f"{where}: the summary cannot be written: " in done.stderr
    assert sandbox.log.requests() == []


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with Report(pipe):
        pass
    assert json.loads(os.read(reader, 65536))["state"] == "finished"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_summary_that_finds_no_room_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sum.json"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Report(path) as report:
        begun = path.read_text()
        monkeypatch.setattr("os.replace", full)
    assert (path.read_text(), report.exit_code) == (begun, 0)
    assert list(tmp_path.iterdir()) == [path]
    assert "the summary cannot be written: No space left on device" in capsys.readouterr().err
