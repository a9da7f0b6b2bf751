"""A sandbox for all tests of a module, and the application over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.sandbox.ninjaone.server import Sandbox
from tests.serve.web import Web


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def acme(shared_sandbox: Sandbox, tmp_path: Path) -> Path:
    """The file of a connection to the sandbox, whose log is empty."""
    shared_sandbox.log.clear("requests")
    shared_sandbox.set_faults(queue=[], rates={})
    path = tmp_path / "acme.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in shared_sandbox.connection.items()))
    return path


@pytest.fixture
def web(acme: Path, tmp_path: Path, catalog: Catalog) -> Iterator[Web]:
    made = Web(tmp_path, catalog, connections=(str(acme),))
    yield made
    made.app.close()
