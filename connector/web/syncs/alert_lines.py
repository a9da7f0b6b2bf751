"""The timelines of alerts: when each alert started, and when its ticket was opened and closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.sync.alert_rows import PENDING, UNSENT, Alert
from connector.sync.alert_titles import STATES, title_of
from connector.sync.mapping import SyncMapping
from connector.sync.state_alerts import AlertRows
from connector.web.runs.plot import time_text
from connector.web.runs.run_view import clock_text
from connector.web.syncs.folders import Sides, SyncFolder

PAGE = 50
WIDTH = 600
GROUPS: dict[str, tuple[str, ...]] = {
    "": (),
    "open": ("OPEN", "REOPENING"),
    "waiting": (*UNSENT[:2], *PENDING),
    "error": ("ERROR", "ORPHANED"),
    "closed": ("CLOSED", "LEFT"),
    "none": ("SUPPRESSED",),
}
"""The states of alerts that each filter of the page shows."""


@dataclass(frozen=True)
class Mark:
    """An event in an alert's history: its position on the timeline, its kind, and a description."""

    at: float
    kind: str
    text: str
    clock: str


@dataclass(frozen=True)
class AlertLine:
    """One alert and its timeline. `open` are the positions where its ticket was opened and closed."""

    row: Alert
    title: str
    state: str
    marks: Sequence[Mark]
    begin: float
    end: float
    open: tuple[float, float] | None
    described: str
    lasted: str
    ticket_url: str
    device_url: str


@dataclass(frozen=True)
class AlertList:
    """A page of alerts, and the start and end of their common timeline."""

    lines: Sequence[AlertLine] = ()
    since: str = ""
    until: str = ""
    more: bool = False
    counts: dict[str, int] = field(default_factory=dict)


def make_alerts(sync: SyncFolder, sides: Sides, group: str, page: int, now: float) -> AlertList:
    """Return a page of the alerts in a group of states. Raises RunError if the state cannot be read."""
    with sync.state() as state:
        alerts = AlertRows(state)
        by_state = alerts.count()
        rows = alerts.newest(GROUPS[group], PAGE + 1, (page - 1) * PAGE)
    counts = {
        name: sum(n for state, n in by_state.items() if not states or state in states)
        for name, states in GROUPS.items()
    }
    shown = rows[:PAGE]
    if not shown:
        return AlertList(counts=counts)
    first = min(_begin(row, now) for row in shown)
    last = max(now, first + 1)
    scale = _Scale(first, last)
    mapping = None if sides.fault else sync.mapping()
    lines = [_line(row, scale, now, mapping, sides) for row in shown]
    return AlertList(lines, clock_text(first), clock_text(last), len(rows) > PAGE, counts)


@dataclass(frozen=True)
class _Scale:
    first: float
    last: float

    def at(self, moment: float) -> float:
        """Return the position of a time on the timeline."""
        share = (min(max(moment, self.first), self.last) - self.first) / (self.last - self.first)
        return round(8 + share * (WIDTH - 16), 1)


def _begin(row: Alert, now: float) -> float:
    return row.start or row.opened_at or row.closed_at or now


def _line(row: Alert, scale: _Scale, now: float, mapping: SyncMapping | None, sides: Sides) -> AlertLine:
    begin = _begin(row, now)
    moments = sorted(_moments(row), key=lambda moment: moment[0])
    marks = [Mark(scale.at(at), kind, text, clock_text(at)) for at, kind, text in moments]
    is_over = row.state in ("CLOSED", "LEFT", "ORPHANED")
    end = max((at for at, *_ in moments), default=begin) if is_over else now
    opened = None
    if row.opened_at is not None:
        opened = (scale.at(row.opened_at), scale.at(row.closed_at or (row.opened_at if is_over else now)))
    words = [f"{mark.text} {mark.clock}" for mark in marks]
    return AlertLine(
        row,
        title_of(row, mapping),
        STATES[row.state],
        marks,
        scale.at(begin),
        scale.at(end),
        opened,
        "; ".join(words) or "nothing has happened yet",
        time_text(round(max(0.0, end - begin))),
        sides.target.url("ticket", row.ticket) if row.ticket is not None else "",
        sides.source.url("device", row.device) if row.device is not None else "",
    )


def _moments(row: Alert) -> list[tuple[float, str, str]]:
    by = {"source": ", as the alert ended", "target": ", by an agent"}.get(row.closed_by, "")
    known: list[tuple[float | None, str, str]] = [
        (row.start or None, "start", "alert started"),
        (row.opened_at, "ticket", "ticket opened"),
        (row.acknowledged or None, "note", "acknowledged"),
        (row.ended, "end", "alert ended"),
        (row.reset_at, "reset", "alert reset"),
        (row.closed_at, "close", f"closed{by}"),
    ]
    return [(at, kind, text) for at, kind, text in known if at is not None]
