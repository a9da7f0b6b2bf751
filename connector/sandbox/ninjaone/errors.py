"""NinjaOne's error bodies, as exceptions that operations raise.

Two families are served: sign-in and authorization (`error`, `error_description`, `error_code`), and
application (`resultCode`, `errorMessage`, `incidentId`).
"""

from __future__ import annotations

import secrets
import time
from http import HTTPStatus
from typing import Any

from connector.sandbox.errors import HttpError


def incident_id() -> str:
    """Return a new incident id in the vendor's form: service, node, milliseconds, eight hex digits."""
    return f"WEB_MGMT_SERVICE-2a-{time.time_ns() // 1_000_000}-{secrets.token_hex(4).upper()}"


def auth_error(status: int, error: str, code: int | None = None, description: str | None = None) -> HttpError:
    """Return the sign-in layer's error; `code` and `description` are omitted where NinjaOne omits them."""
    body: dict[str, Any] = {"error": error}
    if description is not None:
        body["error_description"] = description
    if code is not None:
        body["error_code"] = code
    return HttpError(status, body)


def application_error(status: int, result_code: str, message: Any = None) -> HttpError:
    """Return the application's error; `message` is text, an object `{code, params}`, or absent."""
    body: dict[str, Any] = {"resultCode": result_code}
    if message is not None:
        body["errorMessage"] = message
    body["incidentId"] = incident_id()
    return HttpError(status, body)


def failure(status: int) -> HttpError:
    """Return a plain `FAILURE`, which has no more information than the HTTP status."""
    return application_error(status, "FAILURE", f"HTTP {status} {HTTPStatus(status).phrase}")


def not_found(entity: str) -> HttpError:
    """Return the 404 for an entity that does not exist, such as `device` -> `device_not_found`."""
    return application_error(404, f"{entity}_not_found")


def invalid(field: str, expected: str) -> HttpError:
    """Return the 400 for a path, query or body value of the wrong type or outside its enum."""
    return application_error(
        400, "FAILURE", {"code": "validation_failed", "params": {"field": field, "expected": expected}}
    )


def invalid_filter(text: str) -> HttpError:
    """Return the error of an unreadable device filter: NinjaOne sends 500, not 400."""
    return application_error(500, "FAILURE", f"InvalidFilterException: {text}")
