"""A Temporal server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.temporal.server import PROGRAM, TemporalServer


def require_temporal() -> None:
    """Skip a test where there is no Temporal server."""
    pytest.importorskip("temporalio", reason="the package temporalio is not installed")
    if PROGRAM is None:
        pytest.skip("no Temporal server is installed: run `make temporal`")


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """A server that all tests of this process share; each test uses its own task queue."""
    require_temporal()
    with TemporalServer(tmp_path_factory.mktemp("temporal")) as server:
        yield server
