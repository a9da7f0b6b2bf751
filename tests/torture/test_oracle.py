"""Tests of the oracle itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.torture.kinds import ORGANIZATION, READ, Entry
from tests.torture.oracle import Oracle

RESET = "the connection broke before the response was complete: reset"
PATCH = "PATCH /v2/organization/5/custom-fields"


def entry(method: str, path: str, status: int | None, fault: str | None, body: Any = None) -> Entry:
    executed = status is not None and status < 300
    return {
        "method": method, "path": path, "status": status, "fault": fault, "body": body, "executed": executed,
    }  # fmt: skip


def envelope(
    code: str | None, attempts: int, error: str | None, status: int | None = None, **more: Any
) -> Any:
    repeatable = {} if code is None else {"repeatable": more.pop("repeatable", True)}
    meta = {"code": code, "attempts": attempts, "status": status, **repeatable}
    return {"row": 1, "error": error, "result": None, "meta": meta, **more}


LATE = [
    entry("GET", "/v2/device/1", None, "reset"),
    entry("GET", "/v2/device/1", None, "reset"),
    entry("GET", "/v2/device/1", 401, "expire"),
]
"""The client timed out before the server handled the request with the 401; the next two were reset."""
GAVE_UP = envelope("network_error", 3, f"GET /v2/device/1: {RESET}")


def test_a_request_that_the_client_gave_up_on_may_be_handled_after_the_next_ones() -> None:
    Oracle(READ, LATE, patient=False, timeouts={1: 1}).check([GAVE_UP], 1, 0)
    with pytest.raises(AssertionError, match="the log proves auth_failed"):
        Oracle(READ, LATE, patient=False).check([GAVE_UP], 1, 0)
    wrong = envelope("not_found", 3, "GET /v2/device/1: no", 404)
    with pytest.raises(AssertionError, match="the log proves one of"):
        Oracle(READ, LATE, patient=False, timeouts={1: 1}).check([wrong], 1, 0)


def test_a_read_may_be_lost_on_a_connection_that_the_server_has_closed_unannounced() -> None:
    """The 401 is followed by an attempt on a connection that had been closed after another row's response."""
    entries = [
        entry("GET", "/v2/device/1", 500, "500"),
        entry("GET", "/v2/device/1", None, "reset"),
        entry("GET", "/v2/device/1", 401, None),
    ]
    closed = entry("GET", "/v2/device/2", 200, "hang_up")
    other = {
        "row": 2,
        "error": None,
        "result": {"id": 2},
        "meta": {"code": None, "attempts": 1, "status": 200},
    }
    gave_up = envelope("network_error", 4, f"GET /v2/device/1: {RESET}")
    Oracle(READ, [closed, *entries]).check([gave_up, other], 2, 0)
    logged = envelope("network_error", 3, f"GET /v2/device/1: {RESET}")
    with pytest.raises(AssertionError, match="the log proves auth_failed"):
        Oracle(READ, [closed, *entries]).check([logged, other], 2, 0)


def organization(resets: int) -> list[Entry]:
    """A row's first write, and its second one, reset each time before its row could be read."""
    lost = entry("PATCH", "/v2/organization/5/custom-fields", None, "reset_unread")
    return [entry("POST", "/v2/organizations", 200, None, {"name": "Row 1."}), *[lost] * resets]


def test_a_last_request_whose_tries_were_all_reset_unread_is_not_in_the_list_as_the_rows() -> None:
    partial = envelope(
        "partial", 3, f"POST /v2/organizations succeeded (id 5); then {PATCH}: {RESET}", repeatable=False,
        result={"done": [], "failed": "network_error"},
    )  # fmt: skip
    Oracle(ORGANIZATION, organization(3)).check([partial], 1, 0)
    with pytest.raises(AssertionError):  # nothing in the log can be these attempts
        Oracle(ORGANIZATION, organization(0)).check([partial], 1, 0)
    early = {**partial, "meta": {**partial["meta"], "attempts": 2}}
    with pytest.raises(AssertionError, match="too few attempts"):
        Oracle(ORGANIZATION, organization(3)).check([early], 1, 0)
