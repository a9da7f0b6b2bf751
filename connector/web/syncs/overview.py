"""The overview of a sync: the process that works on it, its links, its pending records, and its last runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.common import json_text
from connector.common.json_text import Json
from connector.sync.alert_rows import PENDING, Alert
from connector.sync.apply import FAILED
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_lock import Holder, StateLock
from connector.sync.state_queues import Inbox
from connector.sync.state_reports import RunItem, items_with, last_error, link_counts, outcomes, unsettled
from connector.web.runs.plot import time_text
from connector.web.runs.run_view import clock_text
from connector.web.syncs.folders import SyncFolder

RUNS_SHOWN, ERRORS_SHOWN = 20, 50


@dataclass(frozen=True)
class RunLine:
    """A run in the list of runs."""

    id: int
    kind: str
    began: str
    took: str
    state: str
    counts: Sequence[tuple[str, str]]
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class Progress:
    """The progress of a run: the number of writes done, their total, and the expected end."""

    done: int
    total: int
    a_minute: float
    end: str


@dataclass(frozen=True)
class Overview:
    """The data of the overview. `waits` has the alerts whose ticket is pending, each with the reason."""

    holder: Holder | None
    since: str
    progress: Progress | None
    links: Mapping[str, int]
    undecided: int
    unsettled: int
    inbox: int
    alerts: Mapping[str, int]
    waits: Sequence[Alert]
    runs: Sequence[RunLine]
    errors: Sequence[RunItem]
    error_run: int
    failed_at: str = ""
    failed_why: str = ""
    """When and why the last attempt to run failed; empty texts if it did not."""

    @property
    def open_alerts(self) -> int:
        """The number of alerts with an open ticket."""
        return self.alerts.get("OPEN", 0) + self.alerts.get("REOPENING", 0)

    @property
    def waiting_alerts(self) -> int:
        """The number of alerts that are waiting or have pending requests."""
        return sum(self.alerts.get(state, 0) for state in ("WAITING", "HELD", *PENDING))

    @property
    def failed_alerts(self) -> int:
        """The number of alerts whose requests the target rejected."""
        return self.alerts.get("ERROR", 0)


def make_overview(sync: SyncFolder) -> Overview:
    """Return the overview of a sync. Raises RunError if its state cannot be read."""
    holder = StateLock(sync.path).holder()
    with sync.state() as state:
        alerts = AlertRows(state)
        runs = state.runs(RUNS_SHOWN)
        last = next((run["run"] for run in runs if outcomes(state, run["run"])), 0)
        late = ("WAITING", "HELD", "ERROR", *PENDING)
        error = last_error(state)
        return Overview(
            holder,
            clock_text(holder.since) if holder else "",
            _progress(state.meta("progress")) if holder else None,
            link_counts(state),
            sum(row["op"] == "conflict" for row in state.unmatched()),
            unsettled(state),
            Inbox(state).waiting(),
            alerts.count(),
            [row for row in alerts.newest(late, ERRORS_SHOWN) if row.error],
            [_line(state, run, holder) for run in runs],
            items_with(state, last, FAILED, ERRORS_SHOWN),
            last,
            clock_text(error["at"]) if error else "",
            str(error["text"]) if error else "",
        )


def _progress(saved: str | None) -> Progress | None:
    """Return the progress that a run has saved, or None if it is not valid."""
    try:
        data = json_text.loads(saved or "null")
        return Progress(
            int(data["done"]), int(data["total"]), float(data["a_minute"]), clock_text(data["end"])
        )
    except (ValueError, KeyError, TypeError):
        return None


def _line(state: State, run: Mapping[str, Json], holder: Holder | None) -> RunLine:
    began, ended = run["began"], run["ended"]
    is_live = ended is None and holder is not None and holder.since <= began
    return RunLine(
        run["run"],
        run["kind"],
        clock_text(began),
        "" if ended is None else time_text(round(ended - began)),
        run["outcome"] or "ended" if ended is not None else "running" if is_live else "interrupted",
        [(name, f"{value:,}") for name, value in run["counts"].items() if type(value) is int],
        outcomes(state, run["run"]),
    )
