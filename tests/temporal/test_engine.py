"""The workflow of a run over a real Temporal server, with chunks that a test controls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

pytest.importorskip("temporalio", reason="the package temporalio is not installed")

from connector.errors import ConnectionSetupError, RunError, RunInterruptedError, RunStoppedError
from connector.state.database import DatabaseLostError
from connector.temporal import activity
from connector.temporal.address import read_address
from connector.temporal.engine import Engine
from connector.temporal.worker import run_worker
from connector.temporal.workflow import ChunkInput
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S, closed_port
from tests.temporal.server import TemporalServer

pytestmark = pytest.mark.slow


class Chunks:
    """Opens chunks that do what a test says, and notes which ones were run."""

    def __init__(self, act: Callable[[ChunkInput, Event], bool] | None = None) -> None:
        self.act = act or (lambda given, stop: True)
        self.run: list[tuple[int, int]] = []
        self.beats = self.finished = 0
        self._lock = Lock()

    def __call__(self, given: ChunkInput) -> Chunk:
        return Chunk(self, given)

    def note(self, given: ChunkInput) -> None:
        with self._lock:
            self.run.append((given.group, given.chunk))


class Chunk:
    def __init__(self, chunks: Chunks, given: ChunkInput) -> None:
        self._chunks, self._given = chunks, given

    @property
    def finished(self) -> int:
        return self._chunks.finished

    def run(self, stop: Event) -> bool:
        self._chunks.note(self._given)
        return self._chunks.act(self._given, stop)

    def beat(self) -> None:
        self._chunks.beats += 1


class Stage:
    def __init__(self, server: TemporalServer, name: str) -> None:
        self.address = read_address(server.url(name), "")
        self.engine = Engine(self.address)
        self.id = name

    @contextmanager
    def worker(self, chunks: Chunks) -> Iterator[Event]:
        stop = Event()
        thread = Thread(target=run_worker, args=(self.address, chunks, 4, stop))
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join()

    def start(self, chunks: Sequence[int]) -> None:
        self.engine.start(self.id, "17", chunks)

    def history(self) -> str:
        handle = self.engine._client.get_workflow_handle(self.id)
        return self.engine._wait(handle.fetch_history()).to_json()

    def ends(self) -> str:
        wait_until(lambda: self.engine.state(self.id) != "running")
        return str(self.engine.state(self.id))


@pytest.fixture
def stage(temporal: TemporalServer, request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(temporal, request.node.name)
    yield stage
    stage.engine.close()


def test_the_chunks_of_a_group_run_in_order_and_a_stopped_group_runs_no_further(stage: Stage) -> None:
    chunks = Chunks(lambda given, stop: (given.group, given.chunk) != (1, 0))
    with stage.worker(chunks):
        stage.start([3, 2])
        assert stage.ends() == "completed"
    assert [chunk for group, chunk in chunks.run if group == 0] == [0, 1, 2]
    assert [chunk for group, chunk in chunks.run if group == 1] == [0]


def test_a_workflow_that_cannot_be_started_leaves_the_run_to_be_resumed(stage: Stage) -> None:
    elsewhere = Engine(replace(stage.address, namespace="nowhere"))
    try:
        with pytest.raises(RunStoppedError, match=r"the workflow cannot be started: .*; use --resume"):
            elsewhere.start(stage.id, "17", [1])
    finally:
        elsewhere.close()


def test_a_chunk_that_fails_is_run_again_and_other_groups_do_not_wait_for_it(stage: Stage) -> None:
    other_is_done = Event()

    def act(given: ChunkInput, stop: Event) -> bool:
        if given.group == 1:
            other_is_done.set()
        elif not other_is_done.wait(0):
            raise RunStoppedError("no room on the disk")
        return True

    chunks = Chunks(act)
    with stage.worker(chunks):
        stage.start([1, 1])
        assert stage.ends() == "completed"
    assert sorted(set(chunks.run)) == [(0, 0), (1, 0)]


def test_a_chunk_that_no_worker_can_start_fails_its_group_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_MAX_ERRORS", 2)

    def act(given: ChunkInput, stop: Event) -> bool:
        if given.group == 0:
            raise ConnectionSetupError("there is no connection acme")
        if given.chunk == 0:
            wait_until(lambda: chunks.run.count((0, 0)) == 2)
            Event().wait(1)  # until the server knows that the other group has failed
        return True

    chunks = Chunks(act)
    with stage.worker(chunks):
        stage.start([2, 3])
        assert stage.ends() == "failed"
    assert stage.engine.why_failed(stage.id) == "there is no connection acme"
    assert chunks.run.count((0, 0)) == 2
    assert [chunk for chunk in chunks.run if chunk[0] == 1] == [(1, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize("error", [RunStoppedError("no room on the disk"), KeyError("of a bug")])
def test_an_error_that_lasts_fails_the_chunk_unless_rows_finish(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(activity, "_MAX_ERRORS", 2)
    monkeypatch.setattr(activity, "HEARTBEAT_S", 0.1)

    def act(given: ChunkInput, stop: Event) -> bool:
        chunks.finished = 3 if len(chunks.run) <= 2 else 0
        beats = chunks.beats
        wait_until(lambda: chunks.beats > beats + 1)
        raise error

    chunks = Chunks(act)
    with stage.worker(chunks):
        stage.start([1])
        assert stage.ends() == "failed"
    assert len(chunks.run) == 4


def test_a_database_that_is_lost_does_not_fail_the_chunk(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_MAX_ERRORS", 2)

    def act(given: ChunkInput, stop: Event) -> bool:
        if len(chunks.run) < 4:
            raise DatabaseLostError("the database cannot be used")
        return True

    chunks = Chunks(act)
    with stage.worker(chunks):
        stage.start([1])
        assert stage.ends() == "completed"


def test_values_in_the_message_of_a_bug_do_not_reach_the_server(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    failed = Event()

    def act(given: ChunkInput, stop: Event) -> bool:
        if not failed.is_set():
            failed.set()
            raise KeyError("Jane Doe")
        return True

    with stage.worker(Chunks(act)):
        stage.start([1])
        assert stage.ends() == "completed"
    assert "Jane Doe" in caplog.text
    assert "Jane Doe" not in stage.history()


def test_a_cancelled_run_ends_after_the_rows_in_progress_and_can_be_started_again(stage: Stage) -> None:
    begun, stopping, rows_end, goes_on = Event(), Event(), Event(), Event()

    def act(given: ChunkInput, stop: Event) -> bool:
        begun.set()
        if goes_on.is_set():
            return True
        assert stop.wait(PATIENCE_S)
        stopping.set()
        assert rows_end.wait(PATIENCE_S)
        raise RunInterruptedError("stopped")

    chunks = Chunks(act)
    with stage.worker(chunks):
        stage.start([2])
        assert begun.wait(PATIENCE_S)
        stage.engine.cancel(stage.id)
        assert stopping.wait(PATIENCE_S)
        assert stage.engine.state(stage.id) == "running"
        rows_end.set()
        assert stage.ends() == "cancelled"
        goes_on.set()
        stage.start([2])
        assert stage.ends() == "completed"
    assert chunks.run == [(0, 0), (0, 0), (0, 1)]
    assert chunks.beats > 0


def test_a_worker_that_is_stopped_leaves_its_chunk_to_another_one(stage: Stage) -> None:
    begun, stopped = Event(), Event()

    def act(given: ChunkInput, stop: Event) -> bool:
        begun.set()
        assert stop.wait(PATIENCE_S)
        stopped.set()
        raise RunInterruptedError("stopped")

    first, second = Chunks(act), Chunks()
    with stage.worker(first):
        stage.start([1])
        assert begun.wait(PATIENCE_S)
    assert stopped.is_set()
    with stage.worker(second):
        assert stage.ends() == "completed"
    assert (first.run, second.run) == ([(0, 0)], [(0, 0)])


def test_a_run_survives_the_server(tmp_path: Path) -> None:
    begun, goes_on = Event(), Event()

    def act(given: ChunkInput, stop: Event) -> bool:
        begun.set()
        assert goes_on.wait(PATIENCE_S)
        return True

    chunks = Chunks(act)
    with TemporalServer(tmp_path) as server:
        stage = Stage(server, "run")
        with stage.worker(chunks):
            stage.start([3])
            assert begun.wait(PATIENCE_S)
            server.kill()
            assert stage.engine.state(stage.id) is None
            goes_on.set()
            server.start()
            assert stage.ends() == "completed"
        stage.engine.close()
    assert [chunk for _, chunk in chunks.run][-2:] == [1, 2]


def test_the_history_of_a_long_run_is_begun_anew(tmp_path: Path) -> None:
    chunks = Chunks()
    with TemporalServer(tmp_path, "limit.historyCount.suggestContinueAsNew=20") as server:
        stage = Stage(server, "run")
        with stage.worker(chunks):
            stage.start([12, 7])
            assert stage.ends() == "completed"
        assert len(json.loads(stage.history())["events"]) < 40
        stage.engine.close()
    for group, count in enumerate([12, 7]):
        assert [chunk for its, chunk in chunks.run if its == group] == list(range(count))


def test_a_queue_without_workers_and_a_server_that_is_absent_are_reported(stage: Stage) -> None:
    assert not stage.engine.has_workers()
    with stage.worker(Chunks()):
        wait_until(stage.engine.has_workers)
    assert stage.engine.state("another") == "none"
    assert stage.engine.cancel("another")
    with pytest.raises(RunError, match=r"cannot be reached: Connection refused$") as refused:
        Engine(read_address(f"temporal://127.0.0.1:{closed_port()}", "q"))
    assert refused.value.transient
