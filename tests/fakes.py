"""Stand-ins for time and network, and small makers of test data."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.catalog.service import Service
from connector.client.auth import Auth
from connector.client.client import Client
from connector.client.pacing import Pacer
from connector.common.clock import SystemClock
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import TransportError
from connector.http.messages import Response


class FakeClock:
    """Time that moves only by sleeping; `slept` lists every wait."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time - 1_789_000_000.0

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.time += seconds


class HurriedClock(SystemClock):
    """The machine's clock, but nobody waits; `slept` lists what would have been waited for."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)


def make_unwritable(path: Path) -> None:
    """Replace a file by a folder, so that nothing can be written to it, whoever the user is."""
    if not path.is_dir():
        path.unlink()
        path.mkdir()


Answer = Response | TransportError | Callable[[str, str, Any], Response]


@dataclass
class FakeTransport:
    """Answers from a script, one after the other; sign-ins are answered apart. `sent` lists API requests."""

    answers: list[Answer] = field(default_factory=list)
    sign_ins: list[Answer] = field(default_factory=list)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)

    def close(self) -> None:
        """Nothing is open."""

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], bool] | None = None,
        **_: Any,
    ) -> Response:
        if target == "/ws/oauth/token":
            self.signed_in.append((body or b"").decode())
            response = self.sign_ins.pop(0) if self.sign_ins else token(f"token-{len(self.signed_in)}")
        else:
            if leaving:
                leaving()
            read = json.loads(body) if body and headers.get("content-type") == "application/json" else body
            self.sent.append((method, target, read))
            self.headers.append(headers)
            if not self.answers:
                raise AssertionError(f"no answer is left for {method} {target}")
            response = self.answers.pop(0)
        if isinstance(response, TransportError):
            raise response
        return response(method, target, body) if callable(response) else response


def reply(body: Any = b"", status: int = 200, **headers: str) -> Response:
    """An answer: JSON unless the body is bytes; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        return Response(status, named, body)
    return Response(status, {"content-type": "application/json", **named}, json.dumps(body).encode())


def token(text: str = "token-1", expires_in: int = 3600) -> Response:
    """A successful sign-in's answer."""
    return reply(
        {"access_token": text, "expires_in": expires_in, "scope": "monitoring", "token_type": "Bearer"}
    )


CONNECTION = Connection("ninjaone", "https://app.example.com", "an-app", "a-very-secret-secret")


def make_client(
    service: Service,
    transport: FakeTransport,
    clock: FakeClock,
    *,
    delay_ms: float = 0,
    connection: Connection = CONNECTION,
) -> Client:
    """A client without network, waiting or files."""
    redactor = Redactor((connection.client_secret, connection.access_token), service.secrets)
    auth = Auth(service, connection, transport, clock, redactor)
    client = Client(service, connection, transport, auth, Pacer(delay_ms, clock), clock, redactor)
    client._jitter = lambda: 1.0
    return client


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    """Write rows as JSON Lines; texts stand as they are, for broken lines."""
    path.write_text(
        "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8"
    )
    return path


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Poll until something that happens in another thread or process is there."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
