"""Errors before a row is run, with a body in the format `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from connector.common import json_text
from connector.errors import ConnectorError

MEDIA_TYPE = "application/problem+json"
_STOPPING_S = 10.0
"""How long a caller should wait before it repeats a request to a server that is stopping, in seconds."""


class ProblemError(ConnectorError):
    """The request is refused with this status; `errors` lists what is wrong with the inputs."""

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

    def body(self) -> bytes:
        """Return the body of the response, whose media type is `MEDIA_TYPE`."""
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
        }
        if self.errors:
            members["errors"] = self.errors
        return json_text.dump_bytes(members)


def busy(detail: str, wait_s: float, status: int = 429) -> ProblemError:
    """Return the error of a request that the caller should send again after `wait_s` seconds."""
    return ProblemError(status, detail, headers={"Retry-After": str(max(1, math.ceil(wait_s)))})


def stopping() -> ProblemError:
    """Return the error of a request to a server that is stopping."""
    return busy("the server is stopping; nothing was sent", _STOPPING_S, status=503)


def unauthorized(detail: str) -> ProblemError:
    """Return the error of a request without a valid key."""
    return ProblemError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="actions"'})
