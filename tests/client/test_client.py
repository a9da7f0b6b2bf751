"""Requests of a client: their headers, their pace, and their token."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import connector
from connector.catalog.service import Service
from connector.client.client import Client
from connector.client.saved_tokens import FileTokens
from connector.connections.connection import Connection
from connector.http.messages import MultipartPart, Request, Response
from tests.client.responses import CREATE, OK, READ, failure, refused
from tests.fakes import FakeClock, FakeTransport, make_client, reply

# What a request carries


def test_an_api_request_carries_the_token_and_says_who_asks(client: Client, transport: FakeTransport) -> None:
    transport.answers = [OK]
    client.send(replace(CREATE, headers={"x-extra": "1"}))
    assert transport.headers == [
        {
            "authorization": "Bearer token-1",
            "accept": "application/json, */*;q=0.5",
            "accept-encoding": "gzip, deflate",
            "user-agent": f"ninjaone-connector/{connector.__version__}",
            "content-type": "application/json",
            "x-extra": "1",
        }
    ]
    assert transport.sent == [("POST", "/v2/x", {"a": 1})]


def test_a_sign_in_carries_no_token(service: Service, clock: FakeClock) -> None:
    seen: list[Any] = []

    class Watching(FakeTransport):
        def send(self, method: str, target: str, headers: Any, *more: Any, **named: Any) -> Response:
            seen.append((target, "authorization" in headers))
            return super().send(method, target, headers, *more, **named)

    make_client(service, Watching([reply({"error": "not_authenticated"}, 401), OK]), clock).send(READ)
    assert seen == [
        ("/ws/oauth/token", False),
        ("/v2/x", True),
        ("/ws/oauth/token", False),
        ("/v2/x", True),
    ]


def test_an_answer_knows_its_attempts_and_request_id(client: Client, transport: FakeTransport) -> None:
    transport.answers = [failure(503), reply({"ok": 1}, x_nj_request_id="r-2")]
    response = client.send(READ)
    assert (response.json(), response.attempts, response.request_id) == ({"ok": 1}, 2, "r-2")


def test_the_pace_is_kept_between_requests_as_they_leave(service: Service, clock: FakeClock) -> None:
    class Connecting(FakeTransport):
        def send(
            self, method: str, target: str, headers: Any, body: Any, leaving: Any = None, **_: Any
        ) -> Response:
            clock.time += 1.0
            if leaving:
                leaving()
            return super().send(method, target, headers, body)

    client = make_client(service, Connecting([OK, OK]), clock, delay_ms=300)
    client.send(READ)
    client.send(READ)
    assert sum(clock.slept) == pytest.approx(0.3, abs=0.001)


def test_what_is_checked_at_last_is_checked_after_every_wait(
    client: Client, transport: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    waits = [True, False, False]

    def at_send() -> bool:
        steps.append("check")
        return waits.pop(0)

    monkeypatch.setattr(client.pacer, "leaving", lambda turn: bool(steps.append("turn")))
    transport.answers = [failure(503), OK]
    client.send(READ, at_send=at_send)
    assert steps == ["turn", "check", "turn", "check", "turn", "check"]
    assert len(transport.sent) == 2


def test_the_pace_is_kept_over_retries_but_not_over_sign_ins(service: Service, clock: FakeClock) -> None:
    transport = FakeTransport([reply({"error": "not_authenticated"}, 401), OK, OK])
    client = make_client(service, transport, clock, delay_ms=300)
    client.sign_in()
    begin = clock.now()
    client.send(READ)
    client.send(READ)
    assert clock.slept == [pytest.approx(0.3), pytest.approx(0.3)]
    assert clock.now() - begin == pytest.approx(0.6)
    assert len(transport.signed_in) == 2


def test_a_file_that_cannot_be_read_sends_nothing(
    client: Client, transport: FakeTransport, tmp_path: Any
) -> None:
    request = replace(CREATE, parts=(MultipartPart("csv", path=tmp_path / "gone.csv"),))
    assert refused(client, request).code == "input_invalid"
    assert (transport.sent, transport.signed_in) == ([], [])


# Tokens


EXPIRED = reply(
    {"error": "not_authenticated", "error_description": "Invalid credentials", "error_code": 10}, 401
)


@pytest.mark.parametrize("expired", [EXPIRED, reply(b"", 401), reply({"error": "invalid_token"}, 401)])
def test_a_dead_token_is_renewed_once_and_a_write_is_sent_again(
    client: Client, transport: FakeTransport, clock: FakeClock, expired: Response
) -> None:
    transport.answers = [expired, OK]
    assert client.send(CREATE).attempts == 2
    assert [h["authorization"] for h in transport.headers] == ["Bearer token-1", "Bearer token-2"]
    assert clock.slept == []


def test_a_new_token_that_is_refused_too_ends_it(client: Client, transport: FakeTransport) -> None:
    transport.answers = [EXPIRED, EXPIRED]
    error = refused(client, READ)
    assert (error.code, error.status, error.attempts, error.refused) == ("auth_failed", 401, 2, True)
    assert len(transport.signed_in) == 2


def test_a_scope_that_is_missing_is_not_cured_by_a_new_token(
    client: Client, transport: FakeTransport
) -> None:
    transport.answers = [reply({"error": "insufficient_privileges"}, 401)]
    error = refused(client, READ)
    assert (error.code, error.attempts) == ("forbidden", 1)
    assert "lacks a scope" in str(error)
    assert "The token carries" not in str(error)
    assert len(transport.signed_in) == 1


@pytest.mark.parametrize(
    ("scope", "request_", "output"),
    [
        ("monitoring", CREATE, 'The token carries the scopes "monitoring" and lacks "management".'),
        (
            "management control",
            READ,
            'The token carries the scopes "management control" and lacks "monitoring',
        ),
        ("monitoring management", CREATE, None),
        ("", CREATE, None),
    ],
)
def test_a_refused_request_says_which_scope_its_token_lacks(
    service: Service, transport: FakeTransport, clock: FakeClock, tmp_path: Path,
    scope: str, request_: Request, output: str | None,
) -> None:  # fmt: skip
    client = make_client(service, transport, clock)
    cache = tmp_path / "token"
    client._auth._tokens = FileTokens(cache)
    transport.sign_ins = [reply({"access_token": "a-token", "scope": scope})]
    transport.answers = [reply({"error": "insufficient_privileges"}, 401)]
    message = str(refused(client, request_))
    assert output is None or output in message
    assert ("The token carries" in message) is bool(output)
    # A token that lacks a scope is not kept: the app may have got it when the next run signs in.
    assert cache.exists() is not bool(output)


def test_a_ready_token_that_is_refused(service: Service, transport: FakeTransport, clock: FakeClock) -> None:
    connection = Connection("ninjaone", "https://app.example.com", access_token="ready-token")
    client = make_client(service, transport, clock, connection=connection)
    transport.answers = [replace(EXPIRED, headers={**EXPIRED.headers, "x-nj-request-id": "r-1"})]
    error = refused(client, CREATE)
    assert transport.headers[0]["authorization"] == "Bearer ready-token"
    assert str(error) == (
        "POST /v2/x: the API answered 401: not_authenticated: Invalid credentials; "
        "the API refuses the connection's access_token: get a new one"
    )
    assert (error.code, error.status, error.request_id) == ("auth_failed", 401, "r-1")
    assert (error.attempts, error.refused) == (1, True)
    assert transport.signed_in == []


def test_a_sign_in_that_is_refused_in_the_middle_ends_the_request(
    client: Client, transport: FakeTransport
) -> None:
    transport.answers = [EXPIRED]
    client.sign_in()
    transport.sign_ins = [reply({"error": "invalid_client"}, 400)]
    error = refused(client, CREATE)
    assert (error.code, error.refused, error.attempts) == ("auth_failed", True, 1)
    assert "refuses the client secret" in str(error)
