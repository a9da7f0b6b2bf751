"""Sessions with the sandbox, without a delay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector import NinjaOne
from connector.sandbox.ninjaone.server import Sandbox


@pytest.fixture
def ninja(sandbox: Sandbox) -> Iterator[NinjaOne]:
    with NinjaOne(**sandbox.connection, delay_ms=0) as session:
        yield session


def paths(sandbox: Sandbox) -> list[str]:
    """What was asked of the API, as `METHOD PATH`."""
    return [f"{request['method']} {request['path']}" for request in sandbox.log.requests()]
