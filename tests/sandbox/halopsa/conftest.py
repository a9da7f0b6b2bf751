"""Fixtures: sandboxes of HaloPSA and signed-in clients for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from connector.sandbox.halopsa.server import HaloSandbox

from .client import HaloApi, OpenHalo


@pytest.fixture
def open_halo() -> Iterator[OpenHalo]:
    """Creates a client of a new sandbox with the given settings, by default without tickets."""
    with ExitStack() as stack:

        def make(traps: dict[str, str] | None = None, *, tickets: int = 0, **settings: Any) -> HaloApi:
            api = HaloApi(stack.enter_context(HaloSandbox(traps=traps, tickets=tickets, **settings)))
            stack.callback(api.close)
            return api

        yield make


@pytest.fixture
def halo(open_halo: OpenHalo) -> HaloApi:
    """A client of a fresh sandbox of 25 assets, 4 clients and no tickets, with the defaults of all traps."""
    return open_halo()
