"""Chunks of rows over a real database and a sandbox, without a Temporal server."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any, cast

import pytest

pytest.importorskip("temporalio", reason="the package temporalio is not installed")

from connector.catalog.catalog import Catalog
from connector.common import durability
from connector.errors import ConnectionSetupError, RunError, RunInterruptedError, RunStoppedError
from connector.library.ninjaone import NinjaOne
from connector.runs import wait
from connector.runs.job import Job
from connector.runs.job_run import run_all
from connector.runs.prepared import Prepared, prepare
from connector.runs.rerun import Rerun
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.chunks import Progress, SharedRuns
from connector.state.database import DatabaseLostError
from connector.state.databases import open_database
from connector.state.envelope_blocks import blocks
from connector.state.parts import take_part
from connector.temporal import chunk, split, starter
from connector.temporal.address import Address
from connector.temporal.chunk import ChunkRun, Chunks
from connector.temporal.starter import connections_of, run_on_temporal, upload
from connector.temporal.workflow import ChunkInput
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S


class Stage:
    """A run of one connection whose rows are uploaded, and a worker in the same process."""

    def __init__(self, folder: Path, sandbox: Sandbox, catalog: Catalog, state: str) -> None:
        self.folder, self.sandbox, self.catalog, self.state = folder, sandbox, catalog, state
        self.runs = SharedRuns(open_database(state))
        self.connect("acme.yaml")

    def connect(self, name: str, **changes: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        settings = {**self.sandbox.connection, **changes}
        path.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
        return path

    def prepared(self, **settings: Any) -> Prepared:
        job = {
            "action": "create_organization",
            "templates": {"name": "Client {{ n }}"},
            "connection": str(self.folder / "acme.yaml"),
            "input": str(write_lines(self.folder / "rows.jsonl", [{"n": n} for n in range(1, 4)])),
            "output": str(self.folder / "out.jsonl"),
            "delay_ms": 0,
            "state": self.state,
        }
        return prepare(Job(**{**job, **settings}), self.catalog)

    def upload(self, prepared: Prepared) -> int:
        """Upload the rows of a job, and return the run's id."""
        ((run,),) = self.runs.database.run(
            "INSERT INTO connector_run (output, fingerprint) VALUES ('out.jsonl', '{}') RETURNING id"
        )
        rows = prepared.job.source().rows()
        held, _ = take_part(self.runs.database, run, 0, "out.jsonl", "starter")
        upload(self.runs, held, prepared, connections_of(prepared), rows, Event())
        held.release()
        return int(run)

    def chunk(self, run: int, folder: Path | None = None, number: int = 0) -> ChunkRun:
        return Chunks(self.catalog, self.state, folder)(ChunkInput(str(run), 0, number))

    def envelopes(self, run: int, part: int = 1) -> list[Mapping[str, Any]]:
        found = b"".join(lines for _, lines in blocks(self.runs.database, run, part))
        return [json.loads(line) for line in found.splitlines()]


@pytest.fixture
def stage(tmp_path: Path, catalog: Catalog, postgres: str) -> Iterator[Stage]:
    with Sandbox() as sandbox:
        yield Stage(tmp_path, sandbox, catalog, postgres)


def test_a_chunk_runs_its_rows_once_and_saves_its_progress(stage: Stage) -> None:
    run = stage.upload(stage.prepared())
    assert stage.chunk(run).run(Event())
    assert [e["result"]["name"] for e in stage.envelopes(run)] == ["Client 1", "Client 2", "Client 3"]
    assert stage.runs.progress(run) == Progress(3, 0, 3)
    assert stage.chunk(run).run(Event())
    assert len(stage.envelopes(run)) == 3
    assert stage.runs.progress(run) == Progress(3, 0, 0)
    settings = json.dumps(stage.runs.settings(run))
    assert stage.state not in settings
    assert "rows.jsonl" not in settings
    assert stage.sandbox.connection["client_secret"] not in settings


def test_an_earlier_progress_does_not_replace_that_of_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeats save the progress from another thread, which can be slow."""
    run, save = stage.upload(stage.prepared()), SharedRuns.save_progress
    chunk, is_saving, is_saved = stage.chunk(run), Event(), Event()
    beats = Thread(target=chunk.beat)

    def save_slowly(runs: SharedRuns, *given: Any) -> None:
        if current_thread() is beats:
            is_saving.set()
            is_saved.wait(0.2)
            save(runs, *given)
        else:
            save(runs, *given)
            is_saved.set()

    def begin_to_beat(_: object) -> None:
        if not beats.ident:
            beats.start()
            assert is_saving.wait(PATIENCE_S)

    monkeypatch.setattr(SharedRuns, "save_progress", save_slowly)
    stage.sandbox.before_response(begin_to_beat)
    assert chunk.run(Event())
    beats.join()
    assert stage.runs.progress(run) == Progress(3, 0, 3)


@pytest.mark.parametrize("stops", [False, True])
def test_a_database_that_is_lost_at_the_end_is_waited_for_unless_the_run_is_stopped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    prepared, stop, losses = stage.prepared(), Event(), [1, 2]
    progress, copy = SharedRuns.progress, starter.copy_envelopes

    class Engine:
        """Runs the only chunk at once."""

        def __init__(self, _: Address) -> None: ...

        def state(self, _: str) -> str:
            return "completed"

        def start(self, _: str, run: str, chunks: list[int]) -> None:
            assert chunks == [1]
            assert stage.chunk(int(run)).run(Event())
            monkeypatch.setattr(SharedRuns, "progress", lost)
            if stops:
                stop.set()

        def close(self) -> None: ...

    def lost(runs: SharedRuns, run: int) -> Progress:
        if losses:
            losses.pop()
            raise DatabaseLostError("the database did not respond")
        return progress(runs, run)

    def copy_once_it_is_back(*given: Any) -> list[Path]:
        assert len(losses) == stops
        return copy(*given)

    monkeypatch.setattr(starter, "Engine", Engine)
    monkeypatch.setattr(starter, "copy_envelopes", copy_once_it_is_back)
    summary = run_on_temporal(Address("localhost:7233", "default", "q"), prepared, stop=stop)
    assert (summary.rows, summary.failed, summary.stopped) == (3, 0, False)
    assert len((stage.folder / "out.jsonl").read_text().splitlines()) == 3


def test_a_chunk_that_is_stopped_says_so_and_goes_on_later(stage: Stage) -> None:
    run, stop = stage.upload(stage.prepared()), Event()
    stop.set()
    with pytest.raises(RunInterruptedError):
        stage.chunk(run).run(stop)
    assert stage.envelopes(run) == []
    assert stage.chunk(run).run(Event())
    assert len(stage.envelopes(run)) == 3


def test_a_worker_refuses_a_connection_to_another_account(stage: Stage) -> None:
    run = stage.upload(stage.prepared())
    stage.connect("workers/acme.yaml", client_id="another-app")
    with pytest.raises(ConnectionSetupError, match="is for another account than the run"):
        stage.chunk(run, stage.folder / "workers")
    stage.connect("workers/acme.yaml")
    assert stage.chunk(run, stage.folder / "workers").run(Event())


def test_a_worker_refuses_an_action_that_differs_and_a_run_that_is_elsewhere(stage: Stage) -> None:
    prepared = stage.prepared()
    other = replace(prepared.action, file=stage.catalog.action("get_organization").file)
    run = stage.upload(replace(prepared, action=other))
    with pytest.raises(RunError, match="create_organization: its declaration on this worker is not that"):
        stage.chunk(run)
    with pytest.raises(RunError, match="run 4711 is not in the database of this worker"):
        stage.chunk(4711)


def test_a_worker_refuses_another_handler(stage: Stage, tmp_path: Path) -> None:
    prepared, handler = stage.prepared(), tmp_path / "create_organization.py"
    handler.write_text("def handle(inputs): ...")
    run = stage.upload(replace(prepared, action=replace(prepared.action, handler=handler)))
    with pytest.raises(RunError, match="create_organization: its Python handler or the connector on this"):
        stage.chunk(run)


def test_a_worker_of_another_version_refuses_the_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stage.upload(stage.prepared())
    with monkeypatch.context() as patched:
        patched.setattr(chunk, "__version__", "1.0.0")
        with pytest.raises(RunError, match=r"on this worker \(version 1\.0\.0\) is not that of the run"):
            stage.chunk(run)
    assert stage.chunk(run).run(Event())


def test_a_worker_that_does_not_know_a_setting_refuses_the_run(stage: Stage) -> None:
    run = stage.upload(stage.prepared())
    stage.runs.database.run(
        """UPDATE connector_shared_run SET settings = jsonb_set(settings::jsonb, '{job,newer}', '"x"')"""
    )
    with pytest.raises(RunError, match=r"a setting that this worker does not know: .*newer.*; use the same"):
        stage.chunk(run)


def test_a_chunk_never_counts_earlier_rows_as_finished(stage: Stage) -> None:
    run = stage.upload(stage.prepared())
    chunk = stage.chunk(run)
    chunk._earlier_rows = 2  # as another thread sees it while the chunk is opened
    assert chunk.finished == 0


def test_a_chunk_says_what_the_database_does_not_permit(stage: Stage) -> None:
    run, role = stage.upload(stage.prepared()), "clerk_of_" + stage.state.rpartition("/")[2]
    database = stage.runs.database
    database.run(f"CREATE ROLE {role}")
    try:
        database.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
        database.run(f"REVOKE INSERT ON connector_envelopes FROM {role}")
        refused = Chunks(stage.catalog, f"{stage.state}?options=-crole%3D{role}")(ChunkInput(str(run), 0, 0))
        with pytest.raises(
            RunStoppedError, match="refused a statement: permission denied for table"
        ) as caught:
            refused.run(Event())
        assert not isinstance(caught.value, DatabaseLostError)
        assert (refused.finished, stage.envelopes(run)) == (0, [])
        database.run(f"GRANT INSERT ON connector_envelopes TO {role}")
        allowed = Chunks(stage.catalog, f"{stage.state}?options=-crole%3D{role}")(ChunkInput(str(run), 0, 0))
        assert allowed.run(Event())
        assert (allowed.finished, len(stage.envelopes(run))) == (3, 3)
    finally:
        database.run(f"DROP OWNED BY {role}")
        database.run(f"DROP ROLE {role}")


def test_a_worker_knows_which_rows_of_a_rerun_are_continued_or_were_checked(stage: Stage) -> None:
    done = {2: [{"sha256": "of another request", "status": 201, "body": "{}"}]}
    rerun = Rerun(stage.folder / "first.jsonl", array("Q", [1, 2, 3]), done=done, checked=frozenset({3}))
    run = stage.upload(replace(stage.prepared(), rerun=rerun))
    assert stage.chunk(run).run(Event())
    first, second, third = stage.envelopes(run)
    assert not first["has_error"]
    assert "checked" not in first["meta"]
    assert "done in part with other data" in second["error"]
    assert third["meta"]["checked"] is True


def test_a_starter_that_cannot_read_the_progress_says_what_it_waits_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prepared = stage.prepared()
    shared = stage.runs.find(stage.upload(prepared))
    assert shared
    watcher = starter._RunWatcher(cast(Any, None), stage.runs, shared, prepared, Event())

    def refuse(error: Exception) -> None:
        monkeypatch.setattr(SharedRuns, "progress", lambda *_: (_ for _ in ()).throw(error))

    refuse(DatabaseLostError("the database cannot be used"))
    watcher._look()
    watcher._report("running")
    assert "the database cannot be used; waiting for it" in caplog.text
    refuse(RunStoppedError("the database refused a statement"))
    with pytest.raises(RunStoppedError, match="refused a statement"):
        watcher._look()


def test_failed_rows_of_other_chunks_count(stage: Stage) -> None:
    run = stage.upload(stage.prepared(max_errors=3))
    stage.runs.save_progress(run, 0, 1, 1, Progress(9, 4, 9))
    assert not stage.chunk(run).run(Event())
    assert stage.envelopes(run) == []
    held, _ = take_part(stage.runs.database, run, 0, "out.jsonl", "starter")
    stage.runs.restart_limit(held)  # as a resumed run does
    held.release()
    assert stage.chunk(run).run(Event())
    assert len(stage.envelopes(run)) == 3


def test_each_chunk_looks_names_up_once_and_finds_what_was_created_since(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "ROWS_A_PART", 2)
    given: dict[str, Any] = stage.sandbox.connection
    ninjaone = NinjaOne(**given, delay_ms=0)
    ninjaone.call("create_organization", name="Early")
    rows = [{"n": n, "site": site} for n, site in enumerate(("Early", "Early", "Late"), 1)]
    prepared = stage.prepared(
        action="create_location",
        templates={"organization_id": "{{ site }}", "name": "Depot {{ n }}"},
        input=str(write_lines(stage.folder / "sites.jsonl", rows)),
    )
    run = stage.upload(prepared)
    assert stage.chunk(run).run(Event())
    ninjaone.call("create_organization", name="Late")
    assert stage.chunk(run, number=1).run(Event())
    found = [*stage.envelopes(run), *stage.envelopes(run, part=2)]
    assert [(e["row"], e["meta"]["code"]) for e in found] == [(1, None), (2, None), (3, None)]
    paths = [(r["method"], r["path"]) for r in stage.sandbox.log.requests()]
    assert paths.count(("GET", "/v2/organizations")) == 2


@pytest.fixture
def slow_stage(
    tmp_path: Path, catalog: Catalog, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A stage whose devices do their work later; that of device 7 fails."""
    monkeypatch.setattr(wait, "_POLLS_S", (0.0, 0.1))
    with Sandbox(devices=25, order_s=0.2) as sandbox:
        yield Stage(tmp_path, sandbox, catalog, postgres)


def scripts(stage: Stage, **settings: Any) -> Prepared:
    """A job that runs a script on two devices, and waits for its end."""
    rows = [{"id": id, "acme": str(stage.folder / "acme.yaml")} for id in (4, 7)]
    return stage.prepared(
        action="run_script",
        templates={"device_id": "{{ id }}", "type": "SCRIPT", "script_id": "1"},
        input=str(write_lines(stage.folder / "devices.jsonl", rows)),
        wait_s=60.0,
        **settings,
    )


def ends(envelopes: Iterable[Mapping[str, Any]]) -> list[tuple[str | None, str]]:
    """The code and the outcome of each envelope; none of them waits."""
    assert not any("order" in envelope["meta"] for envelope in envelopes)
    return [(envelope["meta"]["code"], envelope["meta"]["outcome"]["state"]) for envelope in envelopes]


ENDS = [(None, "completed"), ("execution_failed", "failed")]


def scripts_sent(stage: Stage) -> int:
    return sum(request["method"] == "POST" for request in stage.sandbox.log.requests())


@pytest.mark.parametrize("of_rows", [False, True])
def test_a_chunk_waits_for_the_end_of_queued_work(
    slow_stage: Stage, monkeypatch: pytest.MonkeyPatch, of_rows: bool
) -> None:
    monkeypatch.setattr(split, "ROWS_A_PART", 1)  # The rows of a connection wait together, in one chunk.
    acme = str(slow_stage.folder / "acme.yaml")
    chosen = {"connection": "{{ acme }}", "allow_connections": {acme: acme}} if of_rows else {}
    run = slow_stage.upload(scripts(slow_stage, max_errors=0, **chosen))
    slow_stage.chunk(run).run(Event())
    assert ends(slow_stage.envelopes(run)) == ENDS
    assert slow_stage.runs.progress(run)[:2] == (2, 1)


@pytest.mark.parametrize("of_rows", [False, True])
def test_a_worker_that_takes_over_waits_and_sends_nothing_again(
    slow_stage: Stage, monkeypatch: pytest.MonkeyPatch, of_rows: bool
) -> None:
    acme = str(slow_stage.folder / "acme.yaml")
    chosen = {"connection": "{{ acme }}", "allow_connections": {acme: acme}} if of_rows else {}
    run, stop = slow_stage.upload(scripts(slow_stage, **chosen)), Event()
    with monkeypatch.context() as patched:
        patched.setattr(wait, "_POLLS_S", (0.0, 60.0))
        patched.setattr(wait.Waiter, "_poll", lambda *given: (stop.set(), ([], given[2]))[1])
        with pytest.raises(RunInterruptedError):
            slow_stage.chunk(run).run(stop)
    assert ["order" in envelope["meta"] for envelope in slow_stage.envelopes(run)] == [True, True]
    assert slow_stage.chunk(run).run(Event())
    assert ends(slow_stage.envelopes(run)) == ENDS
    assert scripts_sent(slow_stage) == 2


def test_a_run_whose_wait_was_interrupted_is_not_complete_until_it_is_resumed(
    slow_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its rows have envelopes, but those of the database still wait for their outcomes."""
    stop, output = Event(), slow_stage.folder / "out.jsonl"

    class Engine:
        """Runs the only chunk at once."""

        def __init__(self, _: Address) -> None:
            self._state = "none"

        def state(self, _: str) -> str:
            return self._state

        def start(self, _: str, run: str, chunks: list[int]) -> None:
            self._state = "completed"
            if stop.is_set():
                assert slow_stage.chunk(int(run)).run(Event())
                return
            monkeypatch.setattr(wait.Waiter, "_poll", lambda *_: stop.set() or ([], 0))
            monkeypatch.setattr(wait, "_POLLS_S", (0.0, 60.0))
            with pytest.raises(RunInterruptedError):
                slow_stage.chunk(int(run)).run(stop)
            self._state = "cancelled"

        def close(self) -> None: ...

    poll = wait.Waiter._poll
    monkeypatch.setattr(starter, "Engine", Engine)
    address = Address("localhost:7233", "default", "q")
    summary = run_on_temporal(address, scripts(slow_stage), stop=stop)
    assert (summary.rows, summary.stopped, output.exists()) == (2, True, False)
    monkeypatch.setattr(wait.Waiter, "_poll", poll)
    monkeypatch.setattr(wait, "_POLLS_S", (0.0, 0.1))
    summary = run_on_temporal(address, scripts(slow_stage), "resume")
    assert (summary.rows, summary.failed, summary.stopped) == (2, 1, False)
    assert not summary.is_accepted
    assert ends([json.loads(line) for line in output.read_text().splitlines()]) == ENDS
    assert scripts_sent(slow_stage) == 2


@pytest.mark.parametrize("settings", [{"bom": True, "output": "out.csv"}, {"output_format": "xlsx"}])
def test_a_worker_does_not_check_the_output_of_the_starter(stage: Stage, settings: dict[str, Any]) -> None:
    run = stage.upload(stage.prepared(**settings))
    assert stage.chunk(run).run(Event())


@pytest.mark.parametrize("of_rows", [False, True])
def test_files_are_reserved_for_all_rows_in_progress(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, of_rows: bool
) -> None:
    """On a worker, and on one machine."""
    reserved: list[int] = []
    monkeypatch.setattr(durability, "allow_open_files", reserved.append)
    acme = str(stage.folder / "acme.yaml")
    rows = write_lines(stage.folder / "own.jsonl", [{"n": n, "acme": acme} for n in (1, 2)])
    settings: dict[str, Any] = {"concurrency": 200, "input": str(rows), "connection": acme}
    if of_rows:
        settings |= {"connection": "{{ acme }}", "allow_connections": {acme: acme}}
    stage.chunk(stage.upload(stage.prepared(**settings))).run(Event())
    assert max(reserved) >= 600
    reserved.clear()
    list(run_all([stage.prepared(**settings)], "new"))
    assert max(reserved) >= 600
    assert durability._reserved == 0


def test_a_row_that_waits_when_its_worker_is_stopped_is_left_to_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not fail as in a run that cannot be resumed."""
    acme = str(stage.folder / "acme.yaml")
    rows = write_lines(stage.folder / "own.jsonl", [{"n": n, "acme": acme} for n in range(1, 4)])
    chosen = {"connection": "{{ acme }}", "allow_connections": {acme: acme}, "input": str(rows)}
    run, stop = stage.upload(stage.prepared(**chosen)), Event()
    stage.sandbox.set_faults(queue=[None, "429"])
    responses: list[object] = []

    def stop_at_the_second(request: object) -> None:
        responses.append(request)
        if len(responses) == 2:
            stop.set()

    stage.sandbox.before_response(stop_at_the_second)
    monkeypatch.setattr("connector.common.clock.PATIENCE_S", 0.0)
    with pytest.raises(RunInterruptedError):
        stage.chunk(run).run(stop)
    assert stage.chunk(run).run(Event())
    assert [envelope["meta"]["code"] for envelope in stage.envelopes(run)] == [None] * 3
