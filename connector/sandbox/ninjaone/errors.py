"""NinjaOne's error responses, as exceptions.

There are two formats: one for sign-in and authorization (`error`, `error_description`, `error_code`), and one
for the other operations (`resultCode`, `errorMessage`, `incidentId`).
"""

from __future__ import annotations

import secrets
import time
from http import HTTPStatus
from typing import Any

from connector.sandbox.errors import HttpError


def incident_id() -> str:
    """Return a new incident id in the vendor's format: service, node, milliseconds, eight hex digits."""
    return f"WEB_MGMT_SERVICE-2a-{time.time_ns() // 1_000_000}-{secrets.token_hex(4).upper()}"


def auth_error(status: int, error: str, code: int | None = None, description: str | None = None) -> HttpError:
    """Return an error of the sign-in. `code` and `description` are omitted where NinjaOne omits them."""
    body: dict[str, Any] = {"error": error}
    if description is not None:
        body["error_description"] = description
    if code is not None:
        body["error_code"] = code
    return HttpError(status, body)


def application_error(status: int, result_code: str, message: Any = None) -> HttpError:
    """Return an error of an operation. `message` is text, an object `{code, params}`, or absent."""
    body: dict[str, Any] = {"resultCode": result_code}
    if message is not None:
        body["errorMessage"] = message
    body["incidentId"] = incident_id()
    return HttpError(status, body)


def failure(status: int) -> HttpError:
    """Return an error response that has no information except its HTTP status."""
    return application_error(status, "FAILURE", f"HTTP {status} {HTTPStatus(status).phrase}")


def not_found(entity: str) -> HttpError:
    """Return the 404 for a record that does not exist, such as `device_not_found` for `device`."""
    return application_error(404, f"{entity}_not_found")


def invalid(field: str, expected: str) -> HttpError:
    """Return the 400 for a path, query or body value that has the wrong type or is not in its enum."""
    return application_error(
        400, "FAILURE", {"code": "validation_failed", "params": {"field": field, "expected": expected}}
    )


def invalid_filter(text: str) -> HttpError:
    """Return the error for a device filter that is not valid. NinjaOne sends 500, not 400."""
    return application_error(500, "FAILURE", f"InvalidFilterException: {text}")
