"""A worker: the command line in a process that stops or ends itself at a point of a row.

The environment has the lease (WORKER_LEASE_S) and perhaps the point, the row, and the signal (WORKER_POINT).
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

from connector.cli.main import main
from connector.client.client import Client
from connector.http.transport import HttpTransport
from connector.invocation.exchange import Exchange
from connector.state import database, parts
from connector.state.journal import DatabaseJournal


def _row_in(body: bytes | None) -> int:
    """Return the row that has sent an update of ONE_DEVICE; 0 for other requests."""
    found = re.search(rb'"Row (\d+)\."', body or b"")
    return int(found[1]) if found else 0


_Step = tuple[type, str, Callable[..., int]]
_STEPS: dict[str, _Step] = {
    "intent": (DatabaseJournal, "sent", lambda journal, row, *_: row),
    "answer": (DatabaseJournal, "answered", lambda journal, row, *_: row),
    "wait": (Client, "_log_retry", lambda client, *given: given[-1].row),
    "transport": (HttpTransport, "send", lambda own, method, target, headers, body, *_: _row_in(body)),
    "update": (Exchange, "_send", lambda own, request: own.row if request.effect != "read" else 0),
}
"""The steps of a row: the methods that execute them, and how to find the row from their arguments."""
POINTS = ("before the intent", "after the intent", "before the answer", "after the answer")


def pause_at(point: str, row: int, what: signal.Signals) -> None:
    """Send this process a signal at a point of a row, once."""
    when, _, step = point.partition(" the ")
    owner, name, row_of = _STEPS[step]
    method, met = getattr(owner, name), []

    def noted(*given: Any, **named: Any) -> Any:
        result = method(*given, **named) if when == "after" else None
        if (when, step) == ("after", "answer"):
            given[0]._part.flush()  # It is committed soon, and not waited for.
        if row_of(*given) == row and not met:
            met.append(row)
            os.kill(os.getpid(), what)
        return method(*given, **named) if when == "before" else result

    setattr(owner, name, noted)


if __name__ == "__main__":
    parts.LEASE_S = float(os.environ["WORKER_LEASE_S"])
    parts.RENEW_S = parts.LEASE_S / 5
    database.RESPONSE_S = float(os.environ.get("WORKER_RESPONSE_S", database.RESPONSE_S))
    database._OPTIONS["connect_timeout"] = int(min(database.RESPONSE_S, database.CONNECT_S))
    if at := os.environ.get("WORKER_POINT"):
        point, row, name = at.split(":")
        pause_at(point, int(row), signal.Signals[name])
    sys.exit(main())
