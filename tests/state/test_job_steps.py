"""Workers that run the steps of one job: each has a folder of its own, and they share a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.connections.connection import make_connection
from connector.errors import RunError, RunStoppedError
from connector.files.work_folder import Start
from connector.runs.job import Job
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.sandbox.ninjaone.server import Sandbox
from connector.state import run_table
from connector.state.databases import open_database
from tests.fakes import write_lines
from tests.library.conftest import paths

TICKET = {"client_id": "1", "ticket_form_id": "1", "subject": "Row {{ n }}."}

Steps = Callable[[str, Start], Iterator[object]]


@pytest.fixture
def steps(
    request: pytest.FixtureRequest,
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    catalog: Catalog,
    service: Service,
    sandbox: Sandbox,
) -> Steps:
    """Runs a job of two steps in the folder of a worker, and yields after each."""
    monkeypatch.setattr(run_table, "key_of", lambda path: path.name)
    acme = str(tmp_path / "acme.yaml")
    Path(acme).write_text(json.dumps(sandbox.connection))
    tenants: dict[str, Any] = {"connection": "{{ who }}", "allow_connections": {acme: acme}}
    is_alone = getattr(request, "param", "one connection") == "one connection"
    connection = make_connection(service, sandbox.connection, "the sandbox") if is_alone else None
    rows = tmp_path / "rows.jsonl"
    write_lines(rows, [{"n": n, "who": acme} for n in (1, 2)])

    def run_steps(worker: str, start: Start) -> Iterator[object]:
        jobs = [
            Job(
                "create_ticket",
                templates=TICKET,
                step=step,
                input=str(rows),
                output=str(tmp_path / worker / f"{step}.jsonl"),
                state=postgres,
                **({} if is_alone else tenants),
            )
            for step in ("first", "second")
        ]
        return run_all(prepare_all(jobs, catalog), start, connection=connection)

    return run_steps


@pytest.mark.parametrize(
    ("steps", "start"),
    [
        ("one connection", "new"),
        ("one connection", "resume"),
        ("tenants", "new"),
        pytest.param("tenants", "resume", marks=pytest.mark.slow),
    ],
    indirect=["steps"],
)
def test_a_step_that_another_worker_has_finished_in_the_meantime_is_not_run_again(
    steps: Steps, sandbox: Sandbox, start: Start
) -> None:
    """Otherwise a worker that was paused between two steps would run the second one again."""
    if start == "resume":
        next(iter(steps("earlier", "new")))
    paused = steps("a", start)
    next(paused)
    assert len(list(steps("b", "resume"))) == 2
    posts = [path for path in paths(sandbox) if path.startswith("POST /v2/ticketing")]
    assert len(posts) == 4
    with pytest.raises(RunStoppedError, match=r"another worker has started .* --resume"):
        next(paused)
    assert len(list(steps("a", "resume"))) == 2
    assert [path for path in paths(sandbox) if path.startswith("POST /v2/ticketing")] == posts


def test_a_new_job_elsewhere_repeats_no_step_of_one_that_is_unfinished(
    steps: Steps, sandbox: Sandbox, postgres: str
) -> None:
    """Not even the finished steps before the unfinished one, although their outputs are not here."""
    next(iter(steps("a", "new")))
    open_database(postgres).run(
        "INSERT INTO connector_run (output, fingerprint) VALUES ('second.jsonl', '{}')"
    )
    with pytest.raises(RunError, match="an unfinished run is in"):
        list(steps("b", "new"))
    assert len([path for path in paths(sandbox) if path.startswith("POST /v2/ticketing")]) == 2


def test_a_finished_run_that_was_there_before_a_new_job_is_replaced(steps: Steps, sandbox: Sandbox) -> None:
    list(steps("a", "new"))
    list(steps("b", "new"))
    assert len([path for path in paths(sandbox) if path.startswith("POST /v2/ticketing")]) == 8
