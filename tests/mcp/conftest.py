"""An MCP server in the test's process, over a sandbox or over a transport that counts requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from tests.fakes import FakeClock, FakeTransport, make_client, reply

Serve = Callable[..., Any]


@pytest.fixture(autouse=True)
def sdk() -> None:
    if find_spec("mcp") is None:
        pytest.skip("the package mcp is not installed: install ninjaone-connector[mcp]")


@pytest.fixture
def serve(catalog: Catalog) -> Iterator[Serve]:
    """Makes servers with these settings, and closes them."""
    from connector.mcp.server import McpServer
    from connector.mcp.settings import Settings

    made: list[McpServer] = []

    def serve(**settings: Any) -> McpServer:
        made.append(McpServer(catalog, Settings(**{"delay_ms": 0, **settings})))
        return made[-1]

    yield serve
    for server in made:
        server.close()


@pytest.fixture
def connected(serve: Serve, connection_file: Path) -> Serve:
    """Makes servers over the test's sandbox."""
    return lambda **settings: serve(connections=(str(connection_file),), **settings)


class Counting(FakeTransport):
    """Answers every request with an empty success, and lists it in `sent`."""

    def send(self, *asked: Any, **more: Any) -> Any:
        self.answers.append(reply({}))
        return super().send(*asked, **more)


@pytest.fixture
def counted(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Serve, Counting]:
    """Makes servers whose requests go nowhere, and lists them."""
    transport, clock = Counting(), FakeClock()

    def open_client(service: Any, connection: Any, delay_ms: float, **_: Any) -> Any:
        return make_client(
            service, transport, clock, connection=replace(connection, access_token="a-ready-token")
        )

    monkeypatch.setattr("connector.library.session.open_client", open_client)
    monkeypatch.setattr("connector.library.session.sign_in", lambda client: None)
    for name in ("NINJAONE", "HALOPSA"):
        for setting, value in (
            ("BASE_URL", "https://app.example.com"),
            ("CLIENT_ID", "an-app"),
            ("CLIENT_SECRET", "a-very-secret-secret"),
        ):
            monkeypatch.setenv(f"{name}_{setting}", value)
    return serve, transport
