"""The engine against the sandbox over real HTTP, without the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import make_connection
from connector.files.envelope import Envelope
from connector.runs.job import Job
from connector.runs.prepared import make_invoker, prepare
from connector.sandbox.ninjaone.server import Sandbox

Call = Callable[..., Envelope]


def run_row(
    catalog: Catalog,
    sandbox: Sandbox,
    action: str,
    row: dict[str, Any],
    uploads: Path = Path(),
    **templates: Any,
) -> Iterator[Envelope]:
    """Run one row through one action; without templates, inputs take the row's fields."""
    prepared = prepare(Job(action=action, templates=templates, delay_ms=0, uploads=uploads), catalog)
    connection = make_connection(prepared.service, sandbox.connection, "the sandbox")
    client = open_client(prepared.service, connection, 0)
    return make_invoker(prepared, client).envelopes(1, row)


@pytest.fixture
def call(catalog: Catalog, sandbox: Sandbox) -> Call:
    """Run an action once with values by input name, and return its envelope."""

    def run(action: str, /, **values: Any) -> Envelope:
        (envelope,) = run_row(catalog, sandbox, action, values)
        return envelope

    return run
