"""Errors before a row is run: responses in the format `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Response

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import ConnectorError

MEDIA_TYPE = "application/problem+json"


class ProblemError(ConnectorError):
    """The request is refused with this status; `more` has further members of the response."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.headers, self.errors = status, dict(headers or {}), errors

    def response(self) -> Response:
        """Return the response."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
        }
        if self.errors:
            body["errors"] = self.errors
        return Response(json_text.dump_bytes(body), self.status, self.headers, mimetype=MEDIA_TYPE)


def json_response(
    body: Json | bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON value, or its text, as a response."""
    content = body if isinstance(body, bytes) else json_text.dump_bytes(body)
    return Response(content, status, dict(headers or {}), mimetype="application/json")


def busy(detail: str, wait_s: float, status: int = 429) -> ProblemError:
    """Return the error of a request that the caller should send again after `wait_s` seconds."""
    return ProblemError(status, detail, headers={"Retry-After": str(max(1, math.ceil(wait_s)))})


def unauthorized(detail: str) -> ProblemError:
    """Return the error of a request without a valid key."""
    return ProblemError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="actions"'})
