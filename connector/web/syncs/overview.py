"""The overview of a sync: who works on it, what it has linked, what waits, and its last runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.sync.alert_rows import PENDING, Alert
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_lock import Holder, StateLock
from connector.sync.state_queues import Inbox
from connector.sync.state_reports import (
    Run,
    RunItem,
    items_without,
    last_runs,
    link_counts,
    outcomes,
    undecided,
    unsettled,
)
from connector.web.runs.plot import time_text
from connector.web.runs.run_view import clock_text
from connector.web.syncs.folders import SyncFolder

RUNS_SHOWN, ERRORS_SHOWN = 20, 50
DONE = "ok"
"""The outcome of an item that was applied."""


@dataclass(frozen=True)
class RunLine:
    """A run as shown in the list."""

    id: int
    kind: str
    began: str
    took: str
    state: str
    counts: Sequence[tuple[str, str]]
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class Overview:
    """Everything that the page shows. `waits` are alerts whose ticket is late, with the reason."""

    holder: Holder | None
    since: str
    links: Mapping[str, int]
    undecided: int
    unsettled: int
    inbox: int
    alerts: Mapping[str, int]
    waits: Sequence[Alert]
    runs: Sequence[RunLine]
    errors: Sequence[RunItem]
    error_run: int

    @property
    def open_alerts(self) -> int:
        """The number of alerts with an open ticket."""
        return self.alerts.get("OPEN", 0) + self.alerts.get("REOPENING", 0)

    @property
    def waiting_alerts(self) -> int:
        """The number of alerts whose next step has not been taken yet."""
        return sum(self.alerts.get(state, 0) for state in ("WAITING", "HELD", *PENDING))

    @property
    def failed_alerts(self) -> int:
        """The number of alerts that the target refused."""
        return self.alerts.get("ERROR", 0)


def make_overview(sync: SyncFolder) -> Overview:
    """Return the overview of a sync. Raises RunError if its state cannot be read."""
    holder = StateLock(sync.path).holder()
    with sync.state() as state:
        alerts = AlertRows(state)
        runs = last_runs(state, RUNS_SHOWN)
        last = next((run for run in runs if outcomes(state, run.id)), None)
        return Overview(
            holder,
            clock_text(holder.since) if holder else "",
            link_counts(state),
            undecided(state),
            unsettled(state),
            Inbox(state).waiting(),
            alerts.count(),
            [row for row in alerts.newest(("WAITING", "HELD", "ERROR", *PENDING), ERRORS_SHOWN) if row.error],
            [_line(state, run, holder) for run in runs],
            items_without(state, last.id, DONE, ERRORS_SHOWN) if last else [],
            last.id if last else 0,
        )


def _line(state: State, run: Run, holder: Holder | None) -> RunLine:
    is_live = run.ended is None and holder is not None and holder.since <= run.began
    return RunLine(
        run.id,
        run.kind,
        clock_text(run.began),
        "" if run.ended is None else time_text(round(run.ended - run.began)),
        run.outcome if run.ended is not None else "running" if is_live else "interrupted",
        [(name, f"{value:,}") for name, value in run.counts.items() if type(value) is int],
        outcomes(state, run.id),
    )
