"""Jobs that are run against the sandbox, and rows that are run against a fake transport."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.connections.connection import Connection, make_connection
from connector.files.work_folder import Start
from connector.invocation.invoke import Invoker
from connector.runs.job_file import load_jobs
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.sandbox.ninjaone.server import Sandbox
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, write_lines
from tests.runs.batches import echo
from tests.runs.jobs import Ended, RunJob


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
    """Run a job's file to its end, and return its steps' names with their summaries."""

    def run(path: Path, start: Start = "new", **options: Any) -> Ended:
        ended: Ended = options.pop("ended", [])
        steps = prepare_all(load_jobs(path), catalog, now=options.pop("now", None))
        for step, summary in run_all(steps, start, connection=connection, **options):
            ended.append((step.job.step, summary))
        return ended

    return run


@pytest.fixture
def run(client: Client, transport: FakeTransport, tmp_path: Path) -> Invoker:
    """Runs an action that sends the row's `n`."""

    transport.answers = [echo] * 1000
    return invoker(declare(tmp_path, inputs={"n": "query.n"}, required=["n"]), client)
