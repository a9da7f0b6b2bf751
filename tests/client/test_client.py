"""One connection's HTTP: what is sent again and when, what errors say, and what they mean for the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

import connector
from connector.catalog.service import Service
from connector.client.client import Client
from connector.connections.connection import Connection
from connector.errors import AnswerLost, NotSent, RowError
from connector.http.messages import Part, Request, Response
from tests.fakes import FakeClock, FakeTransport, make_client, reply, token

READ = Request("GET", "/v2/x")
BOARD = Request("POST", "/v2/board/1/run", body={}, effect="read")
UPDATE = Request("PATCH", "/v2/x", body={"a": 1}, effect="write", idempotent=True)
CREATE = Request("POST", "/v2/x", body={"a": 1}, effect="write", idempotent=False)
DELETE = Request("DELETE", "/v2/x/7", effect="destructive", idempotent=True)

OK = reply({"ok": True})
THROTTLE_PAGE = (
    b"<!DOCTYPE html><html><body><h1>Too many requests</h1><p>Rate limit exceeded</p></body></html>"
)
IN_DOUBT = "Whether it was carried out is not known: look before you send it again"


def html(body: bytes = THROTTLE_PAGE, status: int = 200, **headers: str) -> Response:
    return reply(body, status, content_type="text/html", **headers)


def gateway(status: int) -> Response:
    return html(f"<html><h1>{status} Bad</h1></html>".encode(), status)


def failure(status: int = 500) -> Response:
    return reply({"resultCode": "FAILURE", "errorMessage": "NullPointerException"}, status)


def lost(code: str = "timeout") -> AnswerLost:
    return AnswerLost("no whole answer within 60 s", code)


def unsent() -> NotSent:
    return NotSent("no connection: Connection refused")


def refused(client: Client, request: Request) -> RowError:
    """The error that a request ends in."""
    with pytest.raises(RowError) as raised:
        client.send(request)
    return raised.value


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
        def send(self, method: str, target: str, headers: Any, *more: Any) -> Response:
            seen.append((target, "authorization" in headers))
            return super().send(method, target, headers, *more)

    make_client(service, Watching([reply({"error": "not_authenticated"}, 401), OK]), clock).send(READ)
    assert seen == [
        ("/ws/oauth/token", False),
        ("/v2/x", True),
        ("/ws/oauth/token", False),
        ("/v2/x", True),
    ]


def test_an_answer_knows_its_attempts_and_request_id(client: Client, transport: FakeTransport) -> None:
    transport.answers = [failure(503), reply({"ok": 1}, x_nj_request_id="r-2")]
    answer = client.send(READ)
    assert (answer.json(), answer.attempts, answer.request_id) == ({"ok": 1}, 2, "r-2")


def test_the_pace_is_kept_between_requests_as_they_leave(service: Service, clock: FakeClock) -> None:
    class Connecting(FakeTransport):
        def send(self, method: str, target: str, headers: Any, body: Any, leaving: Any = None) -> Response:
            clock.time += 1.0
            if leaving:
                leaving()
            return super().send(method, target, headers, body)

    client = make_client(service, Connecting([OK, OK]), clock, delay_ms=300)
    client.send(READ)
    client.send(READ)
    assert sum(clock.slept) == pytest.approx(0.3, abs=0.001)


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
    request = replace(CREATE, parts=(Part("csv", path=tmp_path / "gone.csv"),))
    assert refused(client, request).code == "input_invalid"
    assert (transport.sent, transport.signed_in) == ([], [])


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
        # Perhaps done: only where that does no harm.
        pytest.param(READ, [html(), OK], [B1], id="throttle page"),
        pytest.param(READ, [html()] * 5 + [OK], [1, 2, 4, 8, 16], id="throttle page five times"),
        pytest.param(BOARD, [html(), OK], [B1], id="throttle page, reading by POST"),
        pytest.param(UPDATE, [html(), OK], [B1], id="throttle page, idempotent"),
        pytest.param(READ, [html(status=503), OK], [B1], id="throttle page with 503"),
        pytest.param(READ, [html(status=403), OK], [B1], id="throttle page with 403"),
        *(
            pytest.param(request, [answer, answer, OK], [B1, B2], id=f"{name} {request.method}")
            for request in (READ, BOARD, UPDATE, DELETE)
            for name, answer in [
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
    answer = client.send(request_)
    assert answer.json() == {"ok": True}
    assert answer.attempts == len(transport.sent) == len(answers)
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
    answer = client.send(DELETE)
    assert (answer.status, answer.body, answer.attempts, answer.request_id) == (204, b"", 2, "r-2")


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
    ("scope", "request_", "said"),
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
    scope: str, request_: Request, said: str | None,
) -> None:  # fmt: skip
    client = make_client(service, transport, clock)
    client._auth._cache = cache = tmp_path / "token"
    transport.sign_ins = [reply({"access_token": "a-token", "scope": scope})]
    transport.answers = [reply({"error": "insufficient_privileges"}, 401)]
    message = str(refused(client, request_))
    assert said is None or said in message
    assert ("The token carries" in message) is bool(said)
    # A token that lacks a scope is not kept: the app may have got it when the next run signs in.
    assert cache.exists() is not bool(said)


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


# What errors say: the vendor's own shapes, word by word

INCIDENT = "WEB_MGMT_SERVICE-2a-1785400000001-506D7AC1"
FORBIDDEN = "Check the client app's scopes and its access (Administration > Apps > API)"
SHAPES: list[Any] = [
    (
        400,
        {"error": "missing_header", "error_description": "Missing required header", "error_code": 2},
        "auth_failed",
        "missing_header: Missing required header",
    ),
    (400, {"error": "invalid_header", "error_code": 1}, "auth_failed", "invalid_header"),
    (
        401,
        {"error": "insufficient_privileges"},
        "forbidden",
        "insufficient_privileges. The sign-in lacks a scope: reads need Monitoring, writes need Management. "
        "Give it to the client app (Administration > Apps > API), and to the connection's scope if that "
        "names any; a user then has to sign in anew",
    ),
    (
        403,
        {
            "error": "user_context_required",
            "error_description": "Access key does not have user context which is required for this request",
            "error_code": 5,
        },
        "forbidden",
        "user_context_required: Access key does not have user context which is required for this request. "
        "This operation needs a user, and a machine-to-machine app has none. Make a Web or Native app under "
        "Administration > Apps > API that allows Authorization code and Refresh token, and sign in as a user "
        "with `ninjaone connection add NAME --browser`",
    ),
    (400, {"error": "invalid_scope"}, "api_error", "invalid_scope"),
    (400, {"error": "invalid_token"}, "auth_failed", "invalid_token"),
    (
        404,
        {"resultCode": "FAILURE", "errorMessage": "HTTP 404 Not Found", "incidentId": INCIDENT},
        "not_found",
        f"FAILURE: HTTP 404 Not Found (incident {INCIDENT}). This instance may not offer the operation",
    ),
    (
        404,
        {"resultCode": "agreement_not_found", "incidentId": INCIDENT},
        "not_found",
        f"agreement_not_found (incident {INCIDENT}). Check the ids in this row",
    ),
    (
        400,
        {"resultCode": "node_maintenance_date_in_past", "incidentId": INCIDENT},
        "api_error",
        f"node_maintenance_date_in_past (incident {INCIDENT}). The window has to end in the future",
    ),
    (
        400,
        {
            "resultCode": "FAILURE",
            "errorMessage": {"code": "validation_failed", "params": {"field": "name", "max": 3}},
            "incidentId": INCIDENT,
        },
        "api_error",
        f"FAILURE: validation_failed (field=name, max=3) (incident {INCIDENT})",
    ),
    (
        400,
        {"resultCode": "FAILURE", "errorMessage": {"code": "validation_failed"}, "incidentId": INCIDENT},
        "api_error",
        f"FAILURE: validation_failed (incident {INCIDENT})",
    ),
    (
        500,
        {"resultCode": "FAILURE", "errorMessage": "NullPointerException", "incidentId": INCIDENT},
        "api_error",
        f"FAILURE: NullPointerException (incident {INCIDENT})",
    ),
    (
        500,
        {"errorCode": "permission_denied", "message": "permission_denied"},
        "forbidden",
        f"permission_denied. {FORBIDDEN}",
    ),
    (
        403,
        {"resultCode": "organization_access_violation", "incidentId": INCIDENT},
        "forbidden",
        f"organization_access_violation (incident {INCIDENT}). Give the client app or its user access "
        "to this organization",
    ),
    (
        415,
        {"resultCode": "FAILURE", "errorMessage": "HTTP 415 Unsupported Media Type", "incidentId": INCIDENT},
        "api_error",
        f"FAILURE: HTTP 415 Unsupported Media Type (incident {INCIDENT})",
    ),
    (400, {"errorMessage": "Only this", "incidentId": "i-1"}, "api_error", "Only this (incident i-1)"),
    (400, {"message": "Only that"}, "api_error", "Only that"),
    (
        400,
        {"errorMessage": "no", "incidentId": int("9" * 4000)},
        "api_error",
        f"no (incident {'9' * 200}… (4000 characters))",
    ),
    (403, "Only administrators can do this", "forbidden", f"Only administrators can do this. {FORBIDDEN}"),
    (400, {"odd": [1]}, "api_error", '{"odd": [1]}'),
    (400, ["odd"], "api_error", '["odd"]'),
    (400, b"", "api_error", "an empty body"),
    (400, b"  ", "api_error", "an empty body"),
    (400, b"null", "api_error", "null"),
    (400, b"plain\n  text", "api_error", "plain text"),
    (400, b"\xff\xfe", "api_error", "\ufffd\ufffd"),
    (404, b"", "not_found", "an empty body. This instance may not offer the operation"),
    (
        404,
        b"<html><head><title>404 Not Found</title></head></html>",
        "not_found",
        "an HTML page. This instance may not offer the operation",
    ),
]


@pytest.mark.parametrize(("status", "body", "code", "said"), SHAPES)
def test_what_the_vendor_says(
    client: Client, transport: FakeTransport, status: int, body: Any, code: str, said: str
) -> None:
    transport.answers = [reply(body, status, x_nj_request_id="r-9")] * 3
    error = refused(client, READ)
    assert str(error) == f"GET /v2/x: the API answered {status}: {said}"
    assert (error.code, error.status, error.request_id) == (code, status, "r-9")
    assert error.refused is (status < 500 or code == "forbidden")


def test_a_long_error_is_cut_and_says_so(client: Client, transport: FakeTransport) -> None:
    transport.answers = [reply({"resultCode": "x", "errorMessage": "y" * 5000, "incidentId": "i-1"}, 400)]
    message = str(refused(client, READ))
    assert len(message) < 300
    assert "(5003 characters) (incident i-1)" in message


def test_an_unwanted_redirect_names_its_target(client: Client, transport: FakeTransport) -> None:
    transport.answers = [html(b"<html>302 Found</html>", 302, location="https://login.example.com/")]
    assert str(refused(client, READ)) == (
        "GET /v2/x: the API answered 302: redirects to https://login.example.com/; "
        "check the connection's base_url"
    )


@pytest.mark.parametrize("body", [b"", b"<html>302 Found</html>"])
def test_a_wanted_redirect_is_the_answer(client: Client, transport: FakeTransport, body: bytes) -> None:
    transport.answers = [html(body, 302, location="https://dl.example.com/a")]
    answer = client.send(replace(READ, redirects=True))
    assert (answer.status, answer.headers["location"]) == (302, "https://dl.example.com/a")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_success(client: Client, transport: FakeTransport, status: int) -> None:
    transport.answers = [reply(b"", status)]
    assert client.send(CREATE).status == status


SECRET = "a-very-secret-secret"


@pytest.mark.parametrize(
    "make",
    [
        lambda text: reply({"resultCode": "x", "errorMessage": text}, 400),
        lambda text: reply({"resultCode": "y" * 185, "errorMessage": text}, 400),
        lambda text: reply(text, 400),
        lambda text: reply(("z" * 190 + text).encode(), 400),
        lambda text: reply(b"", 302, location=f"https://x.example.com/?t={text}"),
    ],
)
@pytest.mark.parametrize("secret", [SECRET, "token-number-1"])
def test_no_secret_stands_in_a_message_not_even_a_half_of_one(
    service: Service, clock: FakeClock, make: Callable[[str], Response], secret: str
) -> None:
    transport = FakeTransport([make(secret)], sign_ins=[token("token-number-1")])
    message = str(refused(make_client(service, transport, clock), READ))
    assert secret[:6] not in message
    assert "•" in message
