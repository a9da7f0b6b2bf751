"""HaloPSA's error responses, as exceptions.

The form of the body of a 400, and whether a 403 has a body, can be set (see `traps`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from connector.sandbox.errors import HttpError
from connector.sandbox.faults import GATEWAY_PAGE
from connector.sandbox.halopsa.traps import Traps

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>HaloPSA</title></head><body><h1>Sign in to HaloPSA</h1></body></html>"
)
HTML = {"Content-Type": "text/html"}
TEXT = {"Content-Type": "text/plain"}
NOT_AN_ARRAY = (
    'Cannot deserialize the current JSON object (e.g. {"name":"value"}) because the type requires a JSON '
    "array (e.g. [1,2,3]) to deserialize correctly."
)


class InvalidRecordError(Exception):
    """A record in the body of a POST is not valid. `path` is its JSON path, such as `[0].outcome_id`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def invalid(traps: Traps, error: InvalidRecordError) -> HttpError:
    """Return the 400 response for a record that is not valid."""
    form, message = traps["invalid"], error.message
    if form == "text":
        return HttpError(400, text=message, headers=TEXT)
    bodies: dict[str, dict[str, Any]] = {
        "by_path": {error.path: [message]},
        "message": {"Message": message},
        "class_name": {"ClassName": "System.ArgumentException", "Message": message},
        "result_code": {"resultCode": "INVALID", "errorMessage": message},
        "error": {"error": message},
    }
    return HttpError(400, bodies[form])


def forbidden(traps: Traps) -> HttpError:
    """Return the 403 response for an operation that the agent is not allowed to perform."""
    if traps.is_on("forbidden", "text"):
        return HttpError(403, {"error": "You do not have permission to do this"})
    return HttpError(403, text="")


def not_found(what: str, number: object) -> HttpError:
    """Return the 404 response for a record that does not exist."""
    return HttpError(404, {"ClassName": "NotFoundException", "Message": f"{what} {number} was not found"})


def gateway_timeout() -> HttpError:
    """Return the 504 response of the gateway in front of the instance."""
    return HttpError(504, text=GATEWAY_PAGE.format("504 Gateway Time-out"), headers=HTML)


def plain(status: int) -> dict[str, Any]:
    """Return the body of an error response that has no information except its HTTP status."""
    return {"Message": HTTPStatus(status).phrase}
