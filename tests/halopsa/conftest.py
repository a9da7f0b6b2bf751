"""A small HTTP server that a test scripts, and a client of HaloPSA for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.account_limit import FRESH, AccountLimit
from connector.client.auth import Auth
from connector.client.client import Client
from connector.client.pacing import Pacer
from connector.client.shared_times import FileTimes
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.http.transport import HttpTransport
from tests.fakes import FakeClock
from tests.loopback import PATIENCE_S, Received, Server, Talk

SECRET = "a-very-secret-secret"


@dataclass(frozen=True)
class Asked:
    """A request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def read(cls, came: Received) -> Asked:
        method, target, _ = came.line.split(" ")
        parts = urlsplit(target)
        is_json = "json" in came.headers.get("content-type", "")
        body = json.loads(came.body) if is_json and came.body else came.body.decode()
        return cls(method, parts.path, dict(parse_qsl(parts.query)), came.headers, body)


@dataclass(frozen=True)
class Says:
    """A response: JSON unless the body is bytes."""

    body: Any = b""
    status: int = 200
    headers: tuple[str, ...] = ()

    def send(self, talk: Talk) -> None:
        is_raw = isinstance(self.body, bytes)
        body = self.body if is_raw else json.dumps(self.body).encode()
        kind = () if is_raw else ("Content-Type: application/json",)
        lines = [f"HTTP/1.1 {self.status} Says", f"Content-Length: {len(body)}", *kind, *self.headers, "", ""]
        talk.send("\r\n".join(lines).encode() + body)


TOKEN = {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"}
Answer = Callable[[Asked], Says]


@dataclass
class Api:
    """The server: answers a sign-in, and all else with `answer`. `asked` and `sign_ins` are what came."""

    answer: Answer
    sign_in: Answer = lambda _: Says(TOKEN)
    asked: list[Asked] = field(default_factory=list)
    sign_ins: list[Asked] = field(default_factory=list)

    def talk(self, talk: Talk) -> None:
        while came := talk.read():
            asked = Asked.read(came)
            if asked.path in ("/auth/token", "/api/authinfo", "/elsewhere/token"):
                self.sign_ins.append(asked)
                self.sign_in(asked).send(talk)
            else:
                self.asked.append(asked)
                self.answer(asked).send(talk)


@pytest.fixture(scope="session")
def halopsa(catalog: Catalog) -> Service:
    return catalog.service("halopsa")


OpenClient = Callable[..., Client]


@pytest.fixture
def open_client(halopsa: Service, clock: FakeClock) -> Iterator[OpenClient]:
    """Makes the client of a server that answers so; `tenant` is the connection's."""
    with ExitStack() as opened:

        def open_client(
            api: Api,
            *,
            tenant: str = "acme",
            delay_ms: float = 0,
            limits: Path | None = None,
            service: Service = halopsa,
            **settings: Any,
        ) -> Client:
            server = opened.enter_context(Server((api.talk,)))
            own = {"tenant": tenant} if tenant else {}
            connection = Connection(
                "halopsa", server.base_url, "an-app", SECRET, settings=own, timeout_s=PATIENCE_S, **settings
            )
            transport = HttpTransport(server.base_url, timeout_s=PATIENCE_S)
            opened.callback(transport.close)
            redactor = Redactor(connection.secrets, service.secrets)
            auth = Auth(service, connection, transport, clock, redactor)
            times = FileTimes(limits, clock, FRESH) if limits else None
            pacer = Pacer(delay_ms, clock, limit=AccountLimit(service.title, clock, times))
            client = Client(service, connection, transport, auth, pacer, clock, redactor)
            client._jitter = lambda: 1.0
            return client

        yield open_client
