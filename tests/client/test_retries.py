"""Retries: what is sent again, when, and how often."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.errors import NotSentError, ResponseLostError, ResponseTooLargeError
from connector.http.messages import Request, Response
from tests.client.responses import CREATE, OK, READ, failure, html, refused
from tests.fakes import FakeClock, FakeTransport, make_client, reply

BOARD = Request("POST", "/v2/board/1/run", body={}, effect="read")
UPDATE = Request("PATCH", "/v2/x", body={"a": 1}, effect="write", idempotent=True)
DELETE = Request("DELETE", "/v2/x/7", effect="destructive", idempotent=True)
IN_DOUBT = "It may have taken effect: check before you send it again"


TOO_LARGE = ResponseTooLargeError("the response body exceeds 64 MiB")


def gateway(status: int) -> Response:
    return html(f"<html><h1>{status} Bad</h1></html>".encode(), status)


def lost(code: str = "timeout") -> ResponseLostError:
    return ResponseLostError("no complete response: nothing was received for 60 s", code)


def unsent() -> NotSentError:
    return NotSentError("no connection: Connection refused")


# What is sent again


B1, B2 = 1.0, 2.0
"""The waits after the first and the second try, without jitter."""


@pytest.mark.parametrize(
    ("request_", "answers", "slept"),
    [
        # The API says that it did not do it: always.
        pytest.param(CREATE, [reply(b"", 429, retry_after="7"), OK], [7], id="429 seconds"),
        pytest.param(CREATE, [reply(b"", 429, retry_after="0"), OK], [], id="429 zero"),
        pytest.param(CREATE, [reply(b"", 429), OK], [B1], id="429 none"),
        pytest.param(CREATE, [reply(b"", 429, retry_after="soon"), OK], [B1], id="429 unreadable"),
        pytest.param(CREATE, [reply(b"", 429, retry_after="-3"), OK], [B1], id="429 negative"),
        pytest.param(CREATE, [reply(b"", 429, retry_after="300"), OK], [300], id="429 the longest"),
        pytest.param(CREATE, [html(status=429, retry_after="5"), OK], [5], id="429 as an HTML page"),
        pytest.param(DELETE, [reply(b"", 429)] * 5 + [OK], [1, 2, 4, 8, 16], id="429 five times"),
        # Nothing was sent: always.
        pytest.param(CREATE, [unsent(), OK], [B1], id="not sent"),
        pytest.param(CREATE, [unsent(), unsent(), OK], [B1, B2], id="not sent twice"),
        pytest.param(CREATE, [unsent(), reply(b"", 429, retry_after="1"), OK], [B1, 1], id="a mixture"),
        # Refused, and perhaps not the next time.
        *(
            pytest.param(request, [reply(b"", status), OK], [B1], id=f"{status} {request.method}")
            for request in (READ, BOARD, UPDATE, DELETE)
            for status in (408, 425)
        ),
        # Perhaps done: only where that does no harm.
        pytest.param(READ, [html(), OK], [B1], id="throttle page"),
        pytest.param(READ, [html()] * 5 + [OK], [1, 2, 4, 8, 16], id="throttle page five times"),
        pytest.param(BOARD, [html(), OK], [B1], id="throttle page, reading by POST"),
        pytest.param(UPDATE, [html(), OK], [B1], id="throttle page, idempotent"),
        pytest.param(READ, [html(status=503), OK], [B1], id="throttle page with 503"),
        pytest.param(READ, [html(status=403), OK], [B1], id="throttle page with 403"),
        *(
            pytest.param(request, [response, response, OK], [B1, B2], id=f"{name} {request.method}")
            for request in (READ, BOARD, UPDATE, DELETE)
            for name, response in [
                *((str(status), failure(status)) for status in (500, 501, 502, 503, 504)),
                ("gateway 502", gateway(502)),
                ("timeout", lost()),
                ("cut short", lost("bad_response")),
                ("broken", lost("network_error")),
            ]
        ),
    ],
)
def test_what_is_sent_again_and_after_how_long(
    client: Client,
    transport: FakeTransport,
    clock: FakeClock,
    request_: Request,
    answers: list[Any],
    slept: list[float],
) -> None:
    transport.answers = list(answers)
    response = client.send(request_)
    assert response.json() == {"ok": True}
    assert response.attempts == len(transport.sent) == len(answers)
    assert transport.answers == []
    assert clock.slept == slept
    assert len(set(map(str, transport.sent))) == 1
    assert len(transport.signed_in) == 1


@pytest.mark.parametrize(
    ("request_", "answers", "code", "is_refused", "slept"),
    [
        # Given up after so many tries.
        pytest.param(CREATE, [reply(b"", 429)] * 6, "rate_limited", True, [1, 2, 4, 8, 16], id="429"),
        pytest.param(READ, [html()] * 6, "rate_limited", False, [1, 2, 4, 8, 16], id="throttle page"),
        pytest.param(CREATE, [unsent()] * 3, "network_error", True, [B1, B2], id="not sent"),
        pytest.param(READ, [failure()] * 3, "api_error", False, [B1, B2], id="500"),
        pytest.param(UPDATE, [gateway(504)] * 3, "api_error", False, [B1, B2], id="504"),
        pytest.param(READ, [lost()] * 3, "timeout", False, [B1, B2], id="timeout"),
        pytest.param(UPDATE, [lost("bad_response")] * 3, "bad_response", False, [B1, B2], id="cut short"),
        pytest.param(READ, [reply(b"", 429, retry_after="301")], "rate_limited", True, [], id="too long"),
        pytest.param(READ, [TOO_LARGE], "bad_response", False, [], id="too large"),
        pytest.param(UPDATE, [TOO_LARGE], "bad_response", False, [], id="too large, idempotent"),
        pytest.param(CREATE, [TOO_LARGE], "outcome_unknown", False, [], id="too large, write"),
        pytest.param(READ, [reply(b"", 408)] * 3, "api_error", True, [B1, B2], id="408"),
        pytest.param(CREATE, [reply(b"", 408)], "api_error", True, [], id="408, write"),
        pytest.param(CREATE, [reply(b"", 425)], "api_error", True, [], id="425, write"),
        # Perhaps done, and not to be done twice.
        pytest.param(CREATE, [html()], "rate_limited", False, [], id="throttle page, write"),
        pytest.param(CREATE, [failure(500)], "api_error", False, [], id="500, write"),
        pytest.param(CREATE, [failure(503)], "api_error", False, [], id="503, write"),
        pytest.param(CREATE, [gateway(502)], "outcome_unknown", False, [], id="502, write"),
        pytest.param(CREATE, [failure(504)], "outcome_unknown", False, [], id="504, write"),
        pytest.param(CREATE, [lost()], "outcome_unknown", False, [], id="timeout, write"),
        pytest.param(CREATE, [lost("bad_response")], "outcome_unknown", False, [], id="cut short, write"),
        pytest.param(CREATE, [lost("network_error")], "outcome_unknown", False, [], id="broken, write"),
        pytest.param(CREATE, [unsent(), lost()], "outcome_unknown", False, [B1], id="not sent, then lost"),
        pytest.param(CREATE, [html(b"<html>hello</html>")], "bad_response", False, [], id="HTML, write"),
        # No use.
        pytest.param(READ, [html(b"<html>hello</html>")], "bad_response", False, [], id="HTML"),
        pytest.param(
            CREATE, [reply({"errorCode": "permission_denied"}, 500)], "forbidden", True, [], id="500 as a no"
        ),
        pytest.param(READ, [reply(b"", 400)], "api_error", True, [], id="400"),
        pytest.param(READ, [reply(b"", 403)], "forbidden", True, [], id="403"),
        pytest.param(READ, [reply(b"", 404)], "not_found", True, [], id="404"),
        pytest.param(READ, [reply(b"", 409)], "conflict", True, [], id="409"),
        pytest.param(CREATE, [reply(b"", 302, location="/x")], "api_error", True, [], id="302"),
        pytest.param(CREATE, [html(b"<html>Moved</html>", 302)], "api_error", True, [], id="302 as HTML"),
    ],
)
def test_where_it_ends(
    client: Client,
    transport: FakeTransport,
    clock: FakeClock,
    request_: Request,
    answers: list[Any],
    code: str,
    is_refused: bool,
    slept: list[float],
) -> None:
    transport.answers = list(answers)
    error = refused(client, request_)
    assert (error.code, error.refused) == (code, is_refused)
    assert error.attempts == len(transport.sent) == len(answers)
    assert clock.slept == slept
    assert str(error).startswith(f"{request_.method} {request_.path}: ")
    assert (IN_DOUBT in str(error)) is (not is_refused and not request_.repeatable)


def test_retry_after_as_a_date(client: Client, transport: FakeTransport, clock: FakeClock) -> None:
    def at(seconds: float) -> Response:
        date = format_datetime(datetime.fromtimestamp(clock.now() + seconds, timezone.utc), usegmt=True)
        return reply(b"", 429, retry_after=date)

    transport.answers = [at(42), at(-100), OK]
    client.send(READ)
    assert clock.slept == [42]


def test_the_wait_is_spread(service: Service, transport: FakeTransport, clock: FakeClock) -> None:
    client = make_client(service, transport, clock)
    client._jitter = lambda: 0.0
    transport.answers = [lost(), lost(), OK]
    client.send(READ)
    assert clock.slept == [0.5, 1.0]


# A DELETE that is repeated


GONE = reply({"resultCode": "thing_not_found", "incidentId": "i-1"}, 404, x_nj_request_id="r-2")


@pytest.mark.parametrize("first", [lost(), failure(500), gateway(502), html()])
def test_a_repeated_delete_that_finds_nothing_succeeded(
    client: Client, transport: FakeTransport, first: Any
) -> None:
    transport.answers = [first, GONE]
    response = client.send(DELETE)
    assert (response.status, response.body, response.attempts, response.request_id) == (204, b"", 2, "r-2")


@pytest.mark.parametrize(
    "before",
    [[], [unsent()], [reply(b"", 429)], [reply({"error": "not_authenticated"}, 401)]],
)
def test_a_delete_that_finds_nothing_at_first_fails(
    client: Client, transport: FakeTransport, before: list[Any]
) -> None:
    transport.answers = [*before, GONE]
    assert refused(client, DELETE).code == "not_found"


def test_another_request_that_is_repeated_and_finds_nothing_fails(
    client: Client, transport: FakeTransport
) -> None:
    transport.answers = [lost(), GONE]
    assert refused(client, UPDATE).code == "not_found"
