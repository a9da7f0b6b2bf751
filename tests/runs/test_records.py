"""Records of runs: their content, their permissions, and that no run fails because of one."""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.common import user_folders
from connector.common.redaction import Secret
from connector.connections.connection import Connection, make_connection
from connector.errors import RunStoppedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.runs import recording, records
from connector.runs.active_run import ActiveRun
from connector.runs.job import Job
from connector.runs.output_names import absolute
from connector.runs.prepared import prepare
from connector.runs.record import Record
from connector.runs.recorded_job import job_to_json
from connector.runs.recording import MAX_POINTS, Timeline, recorded
from connector.runs.records import find, list_records, save
from connector.runs.run import run
from connector.runs.summary import Summary
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import FakeClock, write_lines
from tests.loopback import PATIENCE_S


@dataclass
class Rows:
    """The rows of a run, which are only counted."""

    number: int

    def rows(self) -> Iterator[InputRow]:
        return iter(())

    def count(self, go_on: Callable[[], bool]) -> int:
        return self.number

    def passed(self, row: int) -> int:
        return row


def record(output: Path, **more: Any) -> Record:
    return Record(absolute(output), Job("reboot_device", output=str(output)), {"input": "d"}, 1.0, **more)


def test_a_record_is_found_by_its_output_however_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    save(record(Path("out.jsonl")))
    for name in ("out.jsonl", "../real/out.jsonl", tmp_path / "real/out.jsonl", tmp_path / "link/out.jsonl"):
        found = find(Path(name))
        assert found is not None
        assert found.output == (tmp_path / "real/out.jsonl").resolve()
    assert find(Path("other.jsonl")) is None


def test_every_setting_of_a_job_comes_back_with_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given: dict[str, Any] = {
        "connection": "c.yaml", "allow_connections": {"a": "a", "b.yaml": "b.yaml"},
        "connections": {"a": "a", "b": "b.yaml"},
        "uploads": Path("up"), "files": Path("down"), "audit": Path("a"),
        "errors": Path("e"), "summary": Path("s"),
        "templates": {"a": "{{ b }}", "c": {"template": "", "empty": "send"}},
        "input": "rows.csv", "output": "out.jsonl", "step_outputs": ["out.jsonl", "more.jsonl"],
        "input_format": "csv", "output_format": "json", "rows": "each", "on_error": "stop", "delay_ms": 1.5,
    }  # fmt: skip
    for of in fields(Job):
        if of.name not in given:
            given[of.name] = {"bool": True, "int": 7}.get(str(of.type).partition(" ")[0], "text")
    before = Job(**given)
    save(Record(absolute("out.jsonl"), before, {}, 1.0))
    found = find(Path("out.jsonl"))
    assert found is not None
    for name, value in given.items():
        if name in ("uploads", "files", "audit", "errors", "summary"):
            value = tmp_path / value
        elif name in ("connection", "input", "output"):
            value = str(tmp_path / value)
        elif name == "allow_connections":
            value = {"a": "a", "b.yaml": str(tmp_path / "b.yaml")}
        elif name == "connections":
            value = {"a": "a", "b": str(tmp_path / "b.yaml")}
        elif name == "step_outputs":
            value = [str(tmp_path / output) for output in value]
        assert getattr(found.job, name) == value, name


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("postgresql://me@host/state", "postgresql://me@host/state"),
        ("postgresql://me:open-sesame@host/state", ""),
        ("postgresql://me@host/state?password=open-sesame", ""),
    ],
)
def test_the_state_of_a_run_is_kept_unless_it_has_a_password(tmp_path: Path, state: str, kept: str) -> None:
    before = Job(action="x", output="out.jsonl", state=Secret(state))
    save(Record(tmp_path / "out.jsonl", before, {}, 1.0))
    found = find(tmp_path / "out.jsonl")
    assert found is not None
    assert found.job.state == kept
    assert type(job_to_json(before).get("state", "")) is str


def test_a_saved_connections_name_is_no_path(tmp_path: Path) -> None:
    save(Record(tmp_path / "out.jsonl", Job(action="x", connection="acme", output="out.jsonl"), {}, 1.0))
    found = find(tmp_path / "out.jsonl")
    assert found is not None
    assert found.job.connection == "acme"


def test_a_template_for_the_connection_is_no_path(tmp_path: Path) -> None:
    job = Job(action="x", connection="{{ folder }}/{{ tenant }}.yaml", allow_connections={"a": "a"})
    save(Record(tmp_path / "out.jsonl", job, {}, 1.0))
    found = find(tmp_path / "out.jsonl")
    assert found is not None
    assert found.job.connection == job.connection


def test_standard_input_and_what_is_not_given_stay_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(record(Path("out.jsonl")))
    found = find(Path("out.jsonl"))
    assert found is not None
    assert found.job == Job("reboot_device", output=str(tmp_path / "out.jsonl"), uploads=tmp_path)


def test_records_are_their_users_alone_and_listed(tmp_path: Path) -> None:
    outputs = {tmp_path / f"{n}.jsonl" for n in range(3)}
    for output in outputs:
        save(record(output))
        save(record(output, rerun_of=tmp_path / "x"))
    assert {r.output for r in list_records()} == outputs
    assert all(r.rerun_of == tmp_path / "x" for r in list_records())
    written = list(user_folders.records_folder().iterdir())
    assert len(written) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert stat.S_IMODE(user_folders.records_folder().stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "change",
    [lambda d: d | {"record": 2}, lambda d: {}, lambda d: [], lambda d: d | {"job": {"unknown": 1}},
     lambda d: {k: v for k, v in d.items() if k != "started"}],
)  # fmt: skip
def test_what_is_no_record_of_this_version_is_none(tmp_path: Path, change: Any) -> None:
    save(record(tmp_path / "out.jsonl"))
    (path,) = user_folders.records_folder().iterdir()
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert find(tmp_path / "out.jsonl") is None
    assert list(list_records()) == []
    path.write_bytes(b"\xff{")
    assert find(tmp_path / "out.jsonl") is None


def test_only_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "KEPT", 3)
    for n in range(5):
        save(record(tmp_path / f"{n}.jsonl"))
        for path in user_folders.records_folder().iterdir():
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert {r.output.name for r in list_records()} == {"2.jsonl", "3.jsonl", "4.jsonl"}


def test_no_run_fails_for_a_record_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    save(record(tmp_path / "out.jsonl"))
    assert list(user_folders.records_folder().iterdir()) == []


def test_a_summary_is_complete_however_the_run_ends(tmp_path: Path) -> None:
    clock = FakeClock()
    summary = Summary()
    job = Job("reboot_device", output=str(tmp_path / "out.jsonl"))
    running = ActiveRun(job, Rows(7), summary, 0, int)
    with suppress(RunStoppedError), recorded(running, {"input": "d"}, clock, None, "acme (eu.example)"):
        begun = find(tmp_path / "out.jsonl")
        assert begun is not None
        assert (begun.started, begun.ended, begun.summary) == (clock.now(), None, None)
        summary.count(Envelope(1, None, None, {"code": None}))
        clock.sleep(5)
        raise RunStoppedError("the disk is full")
    assert (summary.stopped, summary.seconds) == (True, 5)
    ended = find(tmp_path / "out.jsonl")
    assert ended is not None
    assert (ended.started, ended.ended) == (clock.now() - 5, clock.now())
    assert ended.summary == summary.as_json()

    again = Summary(resumed_rows=1)
    clock.sleep(100)
    with recorded(ActiveRun(job, Rows(7), again, 0, int), {}, clock):
        clock.sleep(1)
    resumed = find(tmp_path / "out.jsonl")
    assert resumed is not None
    assert (resumed.started, resumed.ended) == (ended.started, clock.now())
    assert again.stopped is False


def test_a_run_that_goes_on_can_be_watched_from_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "UPDATE_INTERVAL_S", 0.01)
    summary, written = Summary(), Event()
    job = Job("reboot_device", output=str(tmp_path / "out.jsonl"))
    write = recording.write

    def noting(record: Record, *shared: Any) -> None:
        write(record, *shared)
        if record.summary and record.summary["rows"] and record.ended is None:
            written.set()

    monkeypatch.setattr(recording, "write", noting)
    with recorded(ActiveRun(job, Rows(7), summary, 0, int), {}, FakeClock(), None, "acme (eu.example)"):
        summary.count(Envelope(1, "no", None, {"code": "not_found", "repeatable": True}))
        assert written.wait(PATIENCE_S)
        found = find(tmp_path / "out.jsonl")
        assert found is not None
        assert (found.ended, found.total, found.where) == (None, 7, "acme (eu.example)")
        assert found.summary is not None
        assert found.summary["codes"] == {"not_found": {"rows": 1, "example": "row 1: no"}}
    ended = find(tmp_path / "out.jsonl")
    assert ended is not None
    assert ended.timeline[0] == (0, 0)
    assert ended.timeline[-1] == (0, 1)
    assert ended.ended == ended.seen


def test_the_course_of_a_long_run_is_kept_from_its_beginning_to_its_end() -> None:
    timeline = Timeline(5)
    for second in range(1, 10_001):
        timeline.add(second * 1.001, second + 5)
    timeline.add(10_010.25, 10_006, last=True)
    seconds = [point[0] for point in timeline.points]
    assert 40 < len(timeline.points) <= MAX_POINTS
    assert timeline.points[0] == (0, 5)
    assert timeline.points[-1] == (10_010.25, 10_006)
    apart = [b - a for a, b in itertools.pairwise(seconds)]
    assert max(apart) < 130  # 128 s and a little: evenly over the whole of it
    assert seconds == sorted(seconds)


def test_a_record_of_an_older_version_of_the_package_is_read(tmp_path: Path) -> None:
    save(record(tmp_path / "out.jsonl"))
    (path,) = user_folders.records_folder().iterdir()
    data = json.loads(path.read_text())
    for added in ("where", "total", "seen", "timeline"):
        del data[added]
    path.write_text(json.dumps(data))
    found = find(tmp_path / "out.jsonl")
    assert found is not None
    assert (found.where, found.total, found.seen, found.timeline) == ("", None, None, ())


@pytest.mark.parametrize("id", ["", "../x", "0" * 31, "0" * 32])
def test_what_names_no_record_finds_none(tmp_path: Path, id: str) -> None:
    save(record(tmp_path / "out.jsonl"))
    (path,) = user_folders.records_folder().iterdir()
    (path.parent.parent / "x.json").write_bytes(path.read_bytes())
    assert records.find_by_id(id) is None
    assert records.find_by_id(path.stem) is not None


# Runs


@pytest.fixture
def connection(service: Service, sandbox: Sandbox) -> Connection:
    return make_connection(service, sandbox.connection, "the sandbox")


def jobs(folder: Path, **more: Any) -> Iterator[Job]:
    rows = write_lines(folder / "rows.jsonl", [{"device_id": n, "mode": "NORMAL"} for n in (1, 2, 999, 4)])
    for output in (str(folder / "out.jsonl"), "-"):
        yield Job("reboot_device", input=str(rows), output=output, delay_ms=0, **more)


def test_a_run_to_a_file_leaves_a_record_without_secrets(
    catalog: Catalog, connection: Connection, sandbox: Sandbox, tmp_path: Path
) -> None:
    to_file, to_stream = jobs(tmp_path)
    summary = run(prepare(to_file, catalog), connection=connection)
    run(prepare(to_stream, catalog), connection=connection)
    (left,) = list_records()
    assert left.output == tmp_path / "out.jsonl"
    assert left.fingerprint.keys() == {"action", "templates", "connection", "input", "settings"}
    assert left.summary == summary.as_json()
    assert left.where == sandbox.base_url.removeprefix("http://")
    assert records.find_by_id(left.id) == left
    (path,) = user_folders.records_folder().iterdir()
    assert sandbox.client_secret not in path.read_text()
    assert connection.client_id not in path.read_text()


def test_an_onlooker_sees_a_run_go_on(catalog: Catalog, connection: Connection, tmp_path: Path) -> None:
    to_file, _ = jobs(tmp_path)
    seen: list[ActiveRun] = []
    moments: list[tuple[int, int, int]] = []

    def listener(envelope: Envelope) -> None:
        (running,) = seen
        moments.append(
            (running.rows.passed(running.summary.last_row), running.summary.failed, running.requests())
        )

    run(prepare(to_file, catalog), connection=connection, observer=seen.append, listeners=(listener,))
    assert moments == [(1, 0, 1), (2, 0, 2), (3, 1, 3), (4, 1, 4)]
    assert (seen[0].rows.count(lambda: True), seen[0].delay_ms, seen[0].job) == (4, 0, to_file)


def test_a_resumed_run_is_told_of_as_a_whole(
    catalog: Catalog, connection: Connection, tmp_path: Path
) -> None:
    to_file, _ = jobs(tmp_path)
    stop = Event()

    def listener(envelope: Envelope) -> None:
        if envelope.row == 3:
            stop.set()

    run(prepare(to_file, catalog), connection=connection, listeners=(listener,), stop=stop)
    seen: list[int] = []
    summary = run(
        prepare(to_file, catalog), "resume", connection=connection,
        observer=lambda running: seen.append(running.rows.passed(running.summary.last_row)),
    )  # fmt: skip
    assert seen == [3]
    counts = (summary.rows, summary.succeeded, summary.failed, summary.repeatable, summary.resumed_rows)
    assert counts == (4, 3, 1, 1, 3)
    assert summary.examples.keys() == {"not_found"}
