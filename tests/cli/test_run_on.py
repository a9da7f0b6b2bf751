"""`run --on`: each option has the same effect as on one machine, or is refused before anything is sent."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from threading import Event
from typing import ClassVar

import pytest

pytest.importorskip("temporalio", reason="the package temporalio is not installed")

from connector.cli.main import build_parser
from connector.errors import RunStoppedError
from connector.runs import wait
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.temporal import starter
from connector.temporal.address import Address
from connector.temporal.chunk import Chunks
from connector.temporal.workflow import ChunkInput
from tests.cli.conftest import Ninjaone
from tests.conftest import ROOT
from tests.fakes import write_lines
from tests.kept_catalog import CATALOG
from tests.loopback import closed_port

pytestmark = pytest.mark.in_process("patched")


def test_the_page_says_what_each_option_does() -> None:
    page = (ROOT / "docs/scaling.md").read_text(encoding="utf-8")
    table = page.partition("What the options of `run` do with `--on`:")[2].partition("\n## ")[0]
    named = re.findall(r"`(--[a-z-]+)`", "\n".join(row.split(" | ")[0] for row in table.splitlines()))
    commands = build_parser(["run"])._subparsers
    assert commands
    (choices,) = (action.choices for action in commands._group_actions)
    options = {action.option_strings[-1] for action in choices["run"]._actions if action.option_strings}
    assert sorted(named) == sorted(options - {"--help"})


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("run", "update_device", "-o", "-", "--resume"), "a run to standard output cannot be resumed"),
        (("run", "update_device", "-o", "out.jsonl"), "a run on Temporal requires state that workers share"),
        (("rerun", "first.jsonl"), "a run on Temporal requires state that workers share"),
    ],
)
def test_what_workers_cannot_do_is_refused_before_anything_is_sent(
    ninjaone: Ninjaone,
    sandbox: Sandbox,
    connection_file: Path,
    tmp_path: Path,
    command: tuple[str, ...],
    message: str,
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1, "mode": "NORMAL"}, {"device_id": 999}])
    if command[0] == "rerun":
        sent = ("run", "update_device", "-i", "rows.jsonl", "-t", "display_name=PC", "-o", "first.jsonl")
        first = ninjaone(*sent, "-t", "device_id={{ device_id }}", "-c", "connection.yaml", "--delay-ms", "0")
        assert first.returncode == 1, first.stderr
    else:
        command += ("--yes",)
    if command[0] == "run":
        command += ("-i", "rows.jsonl", "-c", "connection.yaml", "--match-fields")
    before = [*sandbox.log.requests(), *sandbox.log.signins()]
    refused = ninjaone(*command, "--on", f"temporal://127.0.0.1:{closed_port()}")
    assert (refused.returncode, message in refused.stderr) == (2, True), refused.stderr
    assert [*sandbox.log.requests(), *sandbox.log.signins()] == before
    assert not list(tmp_path.glob("out*"))


class Engine:
    """Runs the chunks of a run at once, in this process."""

    url = ""
    is_lost = False
    cancelled: ClassVar[list[str]] = []

    def __init__(self, address: Address) -> None:
        self.address = address
        self._state = "none"

    def state(self, _: str) -> str:
        return self._state

    def start(self, _: str, run: str, chunks: list[int]) -> None:
        if self.is_lost:
            raise RunStoppedError("the workflow cannot be started")
        for group, count in enumerate(chunks):
            for chunk in range(count):
                Chunks(CATALOG, self.url)(ChunkInput(run, group, chunk)).run(Event())
        self._state = "completed"

    def cancel(self, id: str) -> bool:
        self.cancelled.append(f"{id} on {self.address.host}")
        return not self.is_lost

    def close(self) -> None: ...


@pytest.fixture
def engine(postgres: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Engine]:
    """Replaces Temporal and its workers; the files of runs without an output are in the folder `spare`."""
    monkeypatch.setattr(Engine, "url", postgres)
    monkeypatch.setattr(Engine, "is_lost", False)
    monkeypatch.setattr(Engine, "cancelled", [])
    monkeypatch.setattr(starter, "Engine", Engine)
    monkeypatch.setattr("connector.temporal.engine.Engine", Engine)
    monkeypatch.setenv("NINJAONE_STATE", postgres)
    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spare"))
    return Engine


ON = ("--on", "temporal://localhost")
COMMAND = ("run", "get_device", "-t", "device_id={{ id }}", "-c", "connection.yaml", "--delay-ms", "0")


@pytest.mark.parametrize(
    ("state", "on", "is_lost", "text"),
    [
        ("running", (), False, "is cancelled"),
        ("running", ("--on", "temporal://other:7"), False, "is cancelled"),
        ("cancelled", (), True, "is cancelled"),
        ("completed", (), True, "had already ended"),
        ("failed", (), False, "had already ended"),
        ("running", (), True, "localhost:7233: the Temporal server does not respond"),
        (None, (), False, "localhost:7233: the Temporal server does not respond"),
        ("none", (), False, "localhost:7233 has no such workflow"),
        ("running", ("--on", "temporal:///"), False, "is not the address of a Temporal server"),
    ],
)
def test_the_workflow_of_a_run_that_is_discarded_is_cancelled_if_possible(
    ninjaone: Ninjaone,
    engine: type[Engine],
    connection_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str | None,
    on: tuple[str, ...],
    is_lost: bool,
    text: str,
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}])
    engine.is_lost = True
    assert ninjaone(*COMMAND, "-i", "rows.jsonl", "-o", "out.jsonl", *ON).returncode == 3
    engine.is_lost = is_lost
    monkeypatch.setattr(Engine, "state", lambda *_: state)
    done = ninjaone("rerun", "out.jsonl", "--discard", *on)
    assert (done.returncode, text in done.stderr) == (0, True), done.stderr
    is_over = text in ("is cancelled", "had already ended")
    assert ("temporal workflow cancel --workflow-id run-" in done.stderr) != is_over
    host = "other:7" if on else "localhost:7233"
    is_asked = state == "running" and "address" not in text
    assert [name.partition(" on ")[2] for name in engine.cancelled] == ([host] if is_asked else [])
    assert open_database(engine.url).run("SELECT 1 FROM connector_run") == []


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_the_workflow_is_named_if_its_cancellation_is_interrupted(
    ninjaone: Ninjaone,
    engine: type[Engine],
    connection_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    as_json: tuple[str, ...],
) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    write_lines(tmp_path / "rows.jsonl", [{"id": 1}])
    engine.is_lost = True
    assert ninjaone(*COMMAND, "-i", "rows.jsonl", "-o", "out.jsonl", *ON).returncode == 3
    ((workflow,),) = open_database(engine.url).run("SELECT workflow::text FROM connector_shared_run")
    monkeypatch.setattr(Engine, "state", interrupt)
    done = ninjaone("rerun", "out.jsonl", "--discard", *as_json)
    assert (done.returncode, f"run-{workflow}" in done.stderr) == (130, True), done.stderr
    first = done.stderr.splitlines()[0]
    if as_json:
        assert json.loads(first) == {
            **{"discarded": "out.jsonl", "workflow": f"run-{workflow}"},
            **{"cancelled": False, "had_ended": False},
        }
    else:
        assert first.startswith("out.jsonl: the unfinished run was removed; ")
        assert first.endswith(f"run-{workflow}")


@pytest.mark.parametrize("form", [("--results",), ("--output-format", "csv"), ("--output-format", "table")])
def test_results_are_printed_as_those_of_a_run_on_one_machine(
    ninjaone: Ninjaone, engine: type[Engine], connection_file: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": id} for id in (2, 1, 3)])
    here = ninjaone(*COMMAND, "-i", "rows.jsonl", *form)
    there = ninjaone(*COMMAND, "-i", "rows.jsonl", *form, *ON)
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout) == (0, here.stdout)
    assert there.stdout.count("\n") >= 3
    assert not list((tmp_path / "spare").glob("steps-*"))


def test_results_with_failed_rows_are_kept_after_they_were_printed(
    ninjaone: Ninjaone, engine: type[Engine], connection_file: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}, {"id": 999}])
    done = ninjaone(*COMMAND, "-i", "rows.jsonl", "--results", *ON)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1), done.stderr
    assert "row 2: not_found: " in done.stderr
    (kept,) = (tmp_path / "spare").glob("steps-*/results.jsonl")
    assert f"results: {kept.parent}" in done.stderr
    assert kept.read_text() == done.stdout


HOW = r"can be continued with the options --resume --output (\S+)"
NOT = r"cannot be continued; `ninjaone rerun (\S+) --discard` removes it"


@pytest.mark.parametrize(("form", "lines"), [((), 2), (("--results",), 2), (("--output-format", "csv"), 3)])
def test_a_run_that_prints_its_results_can_be_resumed(
    ninjaone: Ninjaone,
    engine: type[Engine],
    connection_file: Path,
    tmp_path: Path,
    form: tuple[str, ...],
    lines: int,
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}, {"id": 2}])
    engine.is_lost = True
    command = (*COMMAND, "-i", "rows.jsonl", *form, *ON)
    stopped = ninjaone(*command)
    assert (stopped.returncode, stopped.stdout) == (3, ""), stopped.stderr
    (output,) = set(re.findall(HOW, stopped.stderr))
    engine.is_lost = False
    done = ninjaone(*command, "--resume", "--output", output)
    assert done.returncode == 0, done.stderr
    assert len(Path(output).read_text().splitlines()) == lines


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_how_to_continue_is_said_when_the_run_begins(
    ninjaone: Ninjaone, engine: type[Engine], connection_file: Path, tmp_path: Path, as_json: tuple[str, ...]
) -> None:
    """Nothing can be said if the process is killed."""
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}])
    done = ninjaone(*COMMAND, "-i", "rows.jsonl", *as_json, *ON)
    first, *others = done.stderr.splitlines()
    said = json.loads(first)["notice"] if as_json else first
    assert re.fullmatch(f"if the run is interrupted, it {HOW}", said)
    assert not re.search(HOW, "".join(others))


def test_a_run_of_piped_rows_cannot_be_resumed(
    ninjaone: Ninjaone, engine: type[Engine], connection_file: Path
) -> None:
    engine.is_lost = True
    stopped = ninjaone(*COMMAND, *ON, stdin='{"id": 1}\n')
    assert (stopped.returncode, re.findall(HOW, stopped.stderr)) == (3, []), stopped.stderr
    (output,) = set(re.findall(NOT, stopped.stderr))
    assert ninjaone("rerun", output, "--discard").returncode == 0
    assert open_database(engine.url).run("SELECT 1 FROM connector_run") == []


@pytest.mark.parametrize(
    ("of_job", "of_first", "of_last", "options", "can_resume"),
    [
        ({}, {}, {}, (), True),
        ({}, {"output": "own/first.jsonl"}, {"output_format": "csv"}, (), True),
        ({"output": "folder"}, {}, {}, (), False),
        ({"output": "folder"}, {"output": "own/first.jsonl"}, {}, (), True),
        ({}, {}, {"output": "own/last.jsonl"}, (), False),
        ({}, {}, {}, ("--results",), False),
    ],
)
def test_steps_whose_results_are_printed_can_be_resumed_if_their_files_are_found_again(
    ninjaone: Ninjaone,
    engine: type[Engine],
    connection_file: Path,
    tmp_path: Path,
    of_job: dict[str, str],
    of_first: dict[str, str],
    of_last: dict[str, str],
    options: tuple[str, ...],
    can_resume: bool,
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}])
    get = {"action": "get_device", "templates": {"device_id": "{{ id }}"}}
    first = {**get, "name": "first", **of_first}
    last = {**get, "name": "last", "input": {"step": "first"}, **of_last}
    job = {"connection": "connection.yaml", "input": "rows.jsonl", "delay_ms": 0, **of_job}
    (tmp_path / "job.yaml").write_text(json.dumps({**job, "steps": [first, last]}))
    engine.is_lost = True
    stopped = ninjaone("run", "job.yaml", "--output", "-", *options, *ON)
    assert (stopped.returncode, stopped.stdout) == (3, ""), stopped.stderr
    (found,) = set(re.findall(HOW if can_resume else NOT, stopped.stderr))
    assert re.findall(NOT if can_resume else HOW, stopped.stderr) == []
    assert "results: " not in stopped.stderr
    engine.is_lost = False
    if can_resume:
        done = ninjaone("run", "job.yaml", "--resume", "--output", found, *ON)
        (output,) = Path(found).glob("last.*")
        assert (done.returncode, output.stat().st_size > 0) == (0, True), done.stderr
    else:
        assert ninjaone("rerun", found, "--discard").returncode == 0
    assert open_database(engine.url).run("SELECT 1 FROM connector_run WHERE finished IS NULL") == []


def test_the_last_step_of_a_job_is_printed_and_waits(
    ninjaone: Ninjaone,
    engine: type[Engine],
    connection_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wait, "_POLLS_S", (0.0, 0.05))
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    steps = [
        {"name": "found", "action": "get_device", "templates": {"device_id": "{{ device_id }}"}},
        {"name": "again", "action": "run_script", "input": {"step": "found"}, "templates": SCRIPT},
    ]
    job = {"connection": "connection.yaml", "input": "rows.jsonl", "wait": "60s", "delay_ms": 0}
    (tmp_path / "job.yaml").write_text(json.dumps({**job, "steps": steps}))
    done = ninjaone("run", "job.yaml", "--output", "-", "--yes", *ON)
    assert done.returncode == 0, done.stderr
    (envelope,) = map(json.loads, done.stdout.splitlines())
    assert (envelope["has_error"], envelope["meta"]["outcome"]["state"]) == (False, "completed")
    assert not list((tmp_path / "spare").glob("steps-*"))


SCRIPT = {"device_id": "{{ device_id }}", "type": "SCRIPT", "script_id": 1}
