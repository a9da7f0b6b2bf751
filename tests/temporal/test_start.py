"""Starters and workers that must not run a run on Temporal: nothing is sent twice, or in another way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

pytest.importorskip("temporalio", reason="the package temporalio is not installed")

from connector.catalog.catalog import Catalog
from connector.errors import RunStoppedError
from connector.files.work_folder import Start
from connector.runs.job import Job
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.sandbox.ninjaone.server import Sandbox
from connector.state import run_table
from connector.temporal import chunk
from connector.temporal.address import Address, read_address
from connector.temporal.chunk import Chunks
from connector.temporal.starter import run_on_temporal
from connector.temporal.worker import run_worker
from tests.declared import declare
from tests.fakes import wait_until, write_lines
from tests.library.conftest import paths
from tests.loopback import PATIENCE_S
from tests.temporal.server import TemporalServer
from tests.temporal.stage import Stage

pytestmark = pytest.mark.slow


@contextmanager
def worker(address: Address, chunks: Chunks) -> Iterator[None]:
    """A worker in a thread of this process."""
    stop, started = Event(), Event()
    thread = Thread(target=run_worker, args=(address, chunks, 2, stop, started.set))
    thread.start()
    try:
        assert started.wait(PATIENCE_S)
        yield
    finally:
        stop.set()
        thread.join()


def test_a_step_that_another_starter_has_finished_in_the_meantime_is_not_run_again(
    temporal: TemporalServer,
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    catalog: Catalog,
    sandbox: Sandbox,
) -> None:
    """Otherwise a starter that was paused between two steps would run the second one again."""
    monkeypatch.setattr(run_table, "key_of", lambda path: path.name)
    address = read_address(temporal.url(tmp_path.name), "")
    acme = tmp_path / "acme.yaml"
    acme.write_text(json.dumps(sandbox.connection))
    rows = write_lines(tmp_path / "rows.jsonl", [{"n": 1}, {"n": 2}])

    def steps(folder: str, start: Start) -> Iterator[object]:
        jobs = [
            Job(
                "create_organization",
                templates={"name": f"{step} {{{{ n }}}}"},
                connection=str(acme),
                step=step,
                input=str(rows),
                output=str(tmp_path / folder / f"{step}.jsonl"),
                delay_ms=0,
                state=postgres,
            )
            for step in ("first", "second")
        ]
        return run_all(prepare_all(jobs, catalog), start, run_step=partial(run_on_temporal, address))

    with worker(address, Chunks(catalog, postgres)):
        paused = steps("a", "new")
        next(paused)
        assert len(list(steps("b", "resume"))) == 2
        posts = [path for path in paths(sandbox) if path.startswith("POST")]
        assert len(posts) == 4
        with pytest.raises(RunStoppedError, match=r"another worker has started .* --resume"):
            next(paused)
        assert len(list(steps("a", "resume"))) == 2
    assert [path for path in paths(sandbox) if path.startswith("POST")] == posts


@pytest.fixture
def stage(tmp_path: Path, temporal: TemporalServer, postgres: str) -> Iterator[Stage]:
    with Sandbox() as sandbox:
        yield Stage(tmp_path / "stage", [sandbox], postgres, temporal.url(tmp_path.name), 10)


def test_a_worker_of_another_version_leaves_a_run_to_others(
    stage: Stage, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.write_job()
    address = read_address(stage.on, "")
    with stage.run() as run:
        monkeypatch.setattr(chunk, "__version__", "1.0.0")
        with worker(address, Chunks(catalog, stage.state, stage.starter)):
            wait_until(lambda: "on this worker (version 1.0.0) is not that of the run" in run.said(), 60)
        assert not stage.sent()
        with stage.worker("two"):
            assert run.wait() == 0, run.said()
    stage.check_complete()


HANDLER = """
def handle(inputs):
    yield inputs.request()
    return "%s"
"""


def test_a_worker_with_another_handler_leaves_a_run_to_others(stage: Stage) -> None:
    own = ("--actions", "actions", "--allow-handlers")
    for folder, change in (("starter", ""), ("one", "another handler"), ("two", "")):
        declare(
            stage.folder / folder,
            "create_client",
            HANDLER % change,
            request="POST /v2/organizations",
            effect="write",
            idempotent=False,
            inputs={"name": "body.name"},
        )
        (stage.folder / folder / "actions" / "ninjaone" / "service.yaml").unlink()  # it is built in
    stage.write_job(action="create_client", templates={"name": "Client {{ n }}"})
    with stage.run(*own, "--yes") as run:
        with stage.worker("one", *own) as one:
            wait_until(lambda: "create_client: its Python handler or the connector" in run.said(), 60)
            assert not stage.sent()
            one.kill()
        with stage.worker("two", *own):
            assert run.wait() == 0, run.said()
    stage.check_complete()
    assert {envelope["result"] for envelope in stage.envelopes()} == {""}
