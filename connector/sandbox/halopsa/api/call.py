"""The endpoints of HaloPSA, and helpers that read the query of a request."""

from __future__ import annotations

from connector.sandbox.endpoints import Endpoints, OperationCall
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.errors import InvalidRecordError, forbidden, not_found
from connector.sandbox.types import TEXT, Scalar

HaloCall = OperationCall[State]
ENDPOINTS = Endpoints()
"""The endpoints; modules in `areas` add theirs when they are imported."""
endpoint = ENDPOINTS.declare


def query(*names: str) -> dict[str, Scalar]:
    """Return the type `text` for query parameters; each endpoint interprets the text itself."""
    return dict.fromkeys(names, TEXT)


LIST = query("pageinate", "page_no", "page_size", "count", "order", "orderdesc", "search", "idonly")
"""The query parameters that all lists have."""


def flag(call: HaloCall, name: str) -> bool:
    """Return whether a query parameter is true.

    The text `1` is true only with `orderdesc=lenient` (see `traps`).
    """
    text = str(call.query.get(name, "")).lower()
    return text == "true" or (text == "1" and call.state.traps.is_on("orderdesc", "lenient"))


def integer(call: HaloCall, name: str) -> int | None:
    """Return an integer in the query, or None if it is absent. Raises InvalidRecordError."""
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidRecordError(name, f"The value '{text}' is not valid.") from None


def integers(call: HaloCall, name: str) -> list[int]:
    """Return the integers in a comma-separated query parameter. Raises InvalidRecordError."""
    text = call.query.get(name, "")
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise InvalidRecordError(name, f"The value '{text}' is not valid.") from None


def require_client(call: HaloCall, client_id: int, what: str, number: object) -> None:
    """Raise HttpError 403 or 404 if the agent is not allowed to see records of this client."""
    if not call.state.sees_client(client_id):
        if call.state.traps["agent_sees"] == "one_client_404":
            raise not_found(what, number)
        raise forbidden(call.state.traps)
