"""Determines whether a recorded run is running, finished, stopped or was killed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from connector.errors import RunError
from connector.runs.record import UPDATE_INTERVAL_S, Record
from connector.runs.run_stores import store_of

State = Literal["running", "finished", "stopped", "killed"]
LABELS: Mapping[str, str] = {
    "running": "running",
    "finished": "finished",
    "stopped": "stopped",
    "killed": "interrupted",
}
"""The label of each state."""


def state_of(record: Record, now: float) -> State:
    """Return a run's state at `now` (epoch seconds).

    If its record was updated recently, it is running; otherwise its lock decides. While a run is running, its
    lock is not tried: the run itself could then fail to lock its file.

    A run whose database cannot be used counts as running.
    """
    if record.ended is not None:
        return "stopped" if (record.summary or {}).get("stopped") else "finished"
    if 0 <= now - (record.seen or record.started) < 3 * UPDATE_INTERVAL_S:
        return "running"
    try:
        store_of(record.job.state).check_not_running(record.output, record.run_id)
    except RunError:
        return "running"
    return "killed"
