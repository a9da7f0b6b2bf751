"""Error messages: they quote the vendor's errors, and no secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.http.messages import Response
from tests.client.responses import CREATE, READ, html, refused
from tests.fakes import FakeClock, FakeTransport, make_client, reply, token

INCIDENT = "WEB_MGMT_SERVICE-2a-1785400000001-506D7AC1"
FORBIDDEN = "Check the scopes and the access of the client app (Administration > Apps > API)"
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
        "insufficient_privileges. The sign-in lacks a scope: reads require Monitoring, writes require "
        "Management. Add it to the client app (Administration > Apps > API), and to the scope of the "
        "connection if it has one; users must then sign in again",
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
        "This operation requires a user, and a machine-to-machine app has none. Create a Web or Native app "
        "under Administration > Apps > API with the grant types Authorization code and Refresh token, and "
        "sign in as a user with `ninjaone connection add NAME --browser`",
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
        f"node_maintenance_date_in_past (incident {INCIDENT}). The maintenance window must end in the future",
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
    (400, b"\xfd\xfc", "api_error", "\ufffd\ufffd"),
    (404, b"", "not_found", "an empty body. This instance may not offer the operation"),
    (
        404,
        b"<html><head><title>404 Not Found</title></head></html>",
        "not_found",
        "an HTML page. This instance may not offer the operation",
    ),
]


@pytest.mark.parametrize(("status", "body", "code", "message"), SHAPES)
def test_what_the_vendor_says(
    client: Client, transport: FakeTransport, status: int, body: Any, code: str, message: str
) -> None:
    transport.answers = [reply(body, status, x_nj_request_id="r-9")] * 3
    error = refused(client, READ)
    assert str(error) == f"GET /v2/x: the API answered {status}: {message}"
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
        "check base_url of the connection"
    )


@pytest.mark.parametrize("body", [b"", b"<html>302 Found</html>"])
def test_a_wanted_redirect_is_the_answer(client: Client, transport: FakeTransport, body: bytes) -> None:
    transport.answers = [html(body, 302, location="https://dl.example.com/a")]
    response = client.send(replace(READ, redirects=True))
    assert (response.status, response.headers["location"]) == (302, "https://dl.example.com/a")


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
