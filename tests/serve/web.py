"""The application of `ninjaone serve`: within the test, or as the process that the command line starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from connector.callers.keys import Keys, Rights
from connector.catalog.catalog import Catalog
from connector.serve.app import Application
from connector.serve.repeats import RepeatStore
from connector.serve.settings import Settings
from tests.fakes import FakeClock

ALL = Rights(effects=("read", "write", "destructive"))
LINES = "application/x-ndjson"
WITHIN_S = 60.0


class Web:
    """The application within the test, with a key for everything; `settings` are those of the server."""

    def __init__(self, folder: Path, catalog: Catalog, rights: Rights = ALL, **settings: Any) -> None:
        self.clock = FakeClock()
        self.keys = Keys(folder / "config")
        self.store = RepeatStore(self.clock, folder / "store")
        self.app = Application(
            Settings(**{"delay_ms": 0, **settings}),
            catalog,
            keys=self.keys,
            store=self.store,
            clock=self.clock,
        )
        self.client = Client(self.app)
        self.key = self.keys.add("all", rights, "2026-11-29")

    def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> TestResponse:
        """Send a value as JSON, or text as JSON Lines; `headers` have underscores for hyphens."""
        data, media = (body, LINES) if isinstance(body, str) else (json.dumps(body or {}), "application/json")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Authorization", f"Bearer {key or self.key}")
        given.setdefault("Content-Type", media)
        return self.client.post(path, data=data, headers=given, buffered=True)

    def get(self, path: str, key: str | None = None) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {key or self.key}"}, buffered=True)


def problem(response: TestResponse, status: int) -> str:
    """The detail of a problem with this status."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    body = response.get_json()
    assert body["status"] == status
    return str(body["detail"])


def envelopes(response: TestResponse) -> list[dict[str, Any]]:
    """The envelopes of a streamed response."""
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


@contextmanager
def serving(*options: str, main: str = "connector", **environment: str) -> Iterator[Serving]:
    """Start the server on a free port as the command line does; end it by SIGTERM."""
    command = [sys.executable, "-m", main, "serve", "--port", "0", "--delay-ms", "0", *options]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
    )
    assert process.stderr is not None
    line = printed = process.stderr.readline()
    while line and not line.startswith("serving"):
        line = process.stderr.readline()
        printed += line
    assert line, printed
    try:
        yield Serving(process, line.partition(" on ")[2].partition(". ")[0])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WITHIN_S)


class Serving:
    """A running server: its process and its address."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
