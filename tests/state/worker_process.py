"""A worker: the command line in a process that stops or ends itself at a point of a row.

The environment has the lease (WORKER_LEASE_S) and perhaps the point, the row, and the signal (WORKER_POINT).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from connector.cli.main import main
from connector.state import database, parts
from connector.state.journal import DatabaseJournal

POINTS = ("before the intent", "after the intent", "before the answer", "after the answer")


def pause_at(point: str, row: int, what: signal.Signals) -> None:
    """Send this process a signal at a point of a row, once."""
    when, _, step = point.partition(" the ")
    name = {"intent": "sent", "answer": "answered"}[step]
    method, met = getattr(DatabaseJournal, name), []

    def noted(journal: DatabaseJournal, its_row: int, *given: Any) -> None:
        if when == "after":
            method(journal, its_row, *given)
        if its_row == row and not met:
            met.append(row)
            os.kill(os.getpid(), what)
        if when == "before":
            method(journal, its_row, *given)

    setattr(DatabaseJournal, name, noted)


if __name__ == "__main__":
    parts.LEASE_S = float(os.environ["WORKER_LEASE_S"])
    parts.RENEW_S = parts.LEASE_S / 5
    database.RESPONSE_S = float(os.environ.get("WORKER_RESPONSE_S", database.RESPONSE_S))
    if at := os.environ.get("WORKER_POINT"):
        point, row, name = at.split(":")
        pause_at(point, int(row), signal.Signals[name])
    sys.exit(main())
