"""Every trap of the table, and a connection that ends at every point of a response."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.connections.connection import Connection
from connector.errors import RowError
from connector.http.messages import Request
from connector.http.transport import HttpTransport
from tests.client.responses import CREATE, READ
from tests.client.traps.table import SIGN_INS, TRAPS, Outcome, Trap
from tests.client.traps.talks import (
    BODY,
    MAX_BODY_BYTES,
    Serve,
    chunked,
    cuts,
    encoded,
    packed,
    response,
    sends,
)
from tests.fakes import FakeClock, make_client
from tests.loopback import PATIENCE_S, Server, Talk

UPDATE = Request("PATCH", "/v2/x", body={"a": 1}, effect="write", idempotent=True)
KINDS = {"read": READ, "repeatable write": UPDATE, "other write": CREATE}
PATIENT = {"timeout_s": PATIENCE_S, "total_timeout_s": 4 * PATIENCE_S}
"""For traps that do not hang: nothing else can end them, however busy the machine is."""


@contextlib.contextmanager
def trapped(service: Service, serve: Serve, *, is_ready: bool = True, **limits: float) -> Iterator[Client]:
    """A client of a server with a trap, with a ready token or one that has to sign in."""
    with Server((serve,)) as server:
        secret = {"access_token": "a-ready-token"} if is_ready else {"client_secret": "a-client-secret"}
        connection = Connection(service.name, server.base_url, "an-app", **secret)
        transport = HttpTransport(server.base_url, largest_body=MAX_BODY_BYTES, **(limits or PATIENT))
        yield make_client(service, transport, FakeClock(), connection=connection)
        transport.close()


def outcome(client: Client, request: Request) -> Outcome:
    before = client.requests
    try:
        client.send(request).json()
    except RowError as error:
        return error.code, client.requests - before, error.refused
    return "ok", client.requests - before, None


def limits_of(trap: Trap) -> dict[str, float]:
    # Where a good response follows, a busy machine needs time for that one.
    short_s = 1.5 if "then well" in trap.name else 0.05
    if "drip" in trap.name:
        return {"timeout_s": PATIENCE_S, "total_timeout_s": short_s}
    if "stall" in trap.name or "nothing" in trap.name:
        return {"timeout_s": short_s, "total_timeout_s": PATIENCE_S}
    return PATIENT


def parametrized(traps: list[Trap]) -> list[object]:
    return [pytest.param(t, id=t.name, marks=pytest.mark.slow if t.is_slow else ()) for t in traps]


@pytest.mark.parametrize("trap", parametrized(TRAPS))
def test_a_trap(service: Service, trap: Trap) -> None:
    found = []
    for request in KINDS.values():
        with trapped(service, trap.serve, **limits_of(trap)) as client:
            found.append(outcome(client, request))
    assert dict(zip(KINDS, found, strict=True)) == dict(zip(KINDS, trap.right, strict=True))


@pytest.mark.parametrize("trap", parametrized(SIGN_INS))
def test_a_trap_at_the_sign_in(service: Service, trap: Trap) -> None:
    for request, right in zip(KINDS.values(), trap.right, strict=True):
        with trapped(service, trap.serve, is_ready=False, **limits_of(trap)) as client:
            assert outcome(client, request)[:2] == right[:2]


WHOLE = {
    "length": response(),
    "chunks": chunked(BODY),
    "gzip": encoded(packed(), "gzip"),
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n" + response(),
}


@pytest.mark.parametrize("ends", ["closed", "reset"])
@pytest.mark.parametrize("framing", WHOLE)
def test_a_connection_that_ends_at_any_point(service: Service, framing: str, ends: str) -> None:
    parts = list(cuts(WHOLE[framing]))
    at = 0

    def serve(talk: Talk) -> None:
        sends(parts[at])(talk)
        if ends == "reset":
            talk.reset()

    with trapped(service, serve) as client:
        for at in range(len(parts)):
            code, tries, refused = outcome(client, CREATE)
            assert (code, tries, refused) == ("outcome_unknown", 1, False), parts[at]
            if at % 20 == 0:
                code, tries, refused = outcome(client, READ)
                assert (code in ("network_error", "bad_response"), tries, refused) == (True, 3, False)


def test_there_are_enough_traps() -> None:
    names = [trap.name for trap in TRAPS]
    assert len(names) == len(set(names)) > 100
