"""Requests, and the responses and failures that answer them."""

from __future__ import annotations

import pytest

from connector.client.client import Client
from connector.errors import RowError
from connector.http.messages import Request, Response
from tests.fakes import reply

READ = Request("GET", "/v2/x")
CREATE = Request("POST", "/v2/x", body={"a": 1}, effect="write", idempotent=False)
OK = reply({"ok": True})
THROTTLE_PAGE = (
    b"<!DOCTYPE html><html><body><h1>Too many requests</h1><p>Rate limit exceeded</p></body></html>"
)


def html(body: bytes = THROTTLE_PAGE, status: int = 200, **headers: str) -> Response:
    return reply(body, status, content_type="text/html", **headers)


def failure(status: int = 500) -> Response:
    return reply({"resultCode": "FAILURE", "errorMessage": "NullPointerException"}, status)


def refused(client: Client, request: Request) -> RowError:
    """The error that a request ends in."""
    with pytest.raises(RowError) as raised:
        client.send(request)
    return raised.value
