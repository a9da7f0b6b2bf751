"""Fixtures: a sandbox of 25 devices and a signed-in client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox

from .ninjaone.client import Api
from .receiver import Receiver, receiving


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox of 25 devices; 24 and 25 await approval."""
    with Sandbox(devices=25) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    """A client of `sandbox`."""
    client = Api(sandbox)
    yield client
    client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server that takes webhooks."""
    with receiving() as running:
        yield running


@pytest.fixture
def open_api() -> Iterator[Callable[..., Api]]:
    """Creates a client of a new sandbox with the given settings."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Api:
            client = Api(stack.enter_context(Sandbox(**settings)))
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture(scope="module")
def account() -> Iterator[Api]:
    """A client of an account that a module's tests share: for requests that change nothing."""
    with Sandbox(devices=25) as running:
        client = Api(running)
        yield client
        client.close()
