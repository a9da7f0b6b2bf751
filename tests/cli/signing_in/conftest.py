"""Signing in from the command line: a browser, refresh tokens over processes and kills, and refusals.

The authorization server is the sandbox, and the browser a script that does what one does with an address.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.sandbox.ninjaone.server import Sandbox
from tests.loopback import free_port

BROWSER = """#!{python}
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=120).read()
"""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sandbox(port: int) -> Iterator[Sandbox]:
    with Sandbox(redirect_uris=[f"http://127.0.0.1:{port}/"], user_context=["runScriptOnDevice"]) as running:
        yield running


@pytest.fixture(autouse=True)
def browser(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path_factory.mktemp("bin") / "browser"
    path.write_text(BROWSER.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(path))


@pytest.fixture
def user(sandbox: Sandbox) -> None:
    """The connection acme of a user who has signed in before; nothing was used yet."""
    settings = {**sandbox.user_connection, "service": "ninjaone"}
    for field in ("client_secret", "refresh_token"):
        SecretStore().set("acme", field, settings.pop(field), "file")
    SavedConnections().save("acme", settings)
    SavedConnections().make_default("acme")
