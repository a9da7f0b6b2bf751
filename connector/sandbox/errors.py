"""The vendor's error bodies (FACTS.md A and D), as exceptions that routes raise.

Three families are served: sign-in and authorization (`error`, `error_description`, `error_code`), application
(`resultCode`, `errorMessage`, `incidentId`), and HTML pages (see `faults`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """An answer other than success: `status`, a JSON `body` and extra `headers`."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def incident_id() -> str:
    """A fresh incident id in the vendor's form: service, node, milliseconds, eight hex digits."""
    return f"WEB_MGMT_SERVICE-2a-{time.time_ns() // 1_000_000}-{secrets.token_hex(4).upper()}"


def auth_error(status: int, error: str, code: int | None = None, description: str | None = None) -> ApiError:
    """The sign-in layer's error; `code` and `description` are left out where the vendor leaves them out."""
    body: dict[str, Any] = {"error": error}
    if description is not None:
        body["error_description"] = description
    if code is not None:
        body["error_code"] = code
    return ApiError(status, body)


def application_error(status: int, result_code: str, message: Any = None) -> ApiError:
    """The application's error; `message` is text, an object `{code, params}`, or absent."""
    body: dict[str, Any] = {"resultCode": result_code}
    if message is not None:
        body["errorMessage"] = message
    body["incidentId"] = incident_id()
    return ApiError(status, body)


def failure(status: int, headers: Mapping[str, str] | None = None) -> ApiError:
    """The generic `FAILURE`, which says no more than the HTTP status does."""
    error = application_error(status, "FAILURE", f"HTTP {status} {HTTPStatus(status).phrase}")
    error.headers.update(headers or {})
    return error


def not_found(entity: str) -> ApiError:
    """A 404 for an entity that does not exist, such as `device` -> `device_not_found`."""
    return application_error(404, f"{entity}_not_found")


def invalid(field: str, expected: str) -> ApiError:
    """A 400 for a path, query or body value of the wrong type or outside its enum."""
    return application_error(
        400, "FAILURE", {"code": "validation_failed", "params": {"field": field, "expected": expected}}
    )


def invalid_filter(text: str) -> ApiError:
    """A device filter that cannot be read: the vendor answers 500, not 400 (FACTS.md D and E)."""
    return application_error(500, "FAILURE", f"InvalidFilterException: {text}")
