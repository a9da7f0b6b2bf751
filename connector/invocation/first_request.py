"""The request of a row without sending it: as declared, or the first one of its handler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.errors import RowError
from connector.http.messages import Request
from connector.invocation.bindings import Bindings
from connector.invocation.changes import require_change
from connector.invocation.handlers import Inputs, Note, Page, find_handler


def declared_request(
    action: Action, service: Service, bindings: Bindings, uploads: Path, row: Mapping[str, Json]
) -> Request:
    """Return the request that the declaration describes for a row, before names are looked up.

    Raises RowError.
    """
    return Inputs(action, service, bindings.values(row), uploads).request()


def first_request(
    action: Action, service: Service, bindings: Bindings, uploads: Path, row: Mapping[str, Json]
) -> Request:
    """Return the first request of a row without sending it. Raises RowError."""
    values = bindings.values(row)
    require_change(bindings, row, values)
    steps = find_handler(action)(Inputs(action, service, values, uploads))
    try:
        step = next(steps)
        while isinstance(step, (Page, Note)):
            step = next(steps)
        return step
    except StopIteration:
        raise RowError("input_invalid", "no request to send for this row") from None
    finally:
        steps.close()
