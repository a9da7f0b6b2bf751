"""What a run would do about alerts: the driver on a copy of the state records its calls and makes none.

It reads the lists of alerts and tickets as in a run, and the tickets that a run would read first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from connector.common.json_text import Json
from connector.sync.alert_calls import AlertCalls
from connector.sync.alert_context import note_text
from connector.sync.alert_driver import AlertDriver
from connector.sync.alert_events import (
    Call,
    CloseTicket,
    CreateTicket,
    Event,
    Failed,
    ReadTicket,
    ReopenTicket,
    ResetAlert,
    Started,
    UpdateSummary,
    WriteNote,
)
from connector.sync.alert_rows import PENDING, Alert
from connector.sync.alert_titles import title_of
from connector.sync.mapping import SyncMapping
from connector.sync.plan_items import Change, Item, Op
from connector.sync.records import AlertReading

SHOWN = ("type", "client", "site", "user", "assets", "priority", "summary")
"""The values of a new ticket that a plan shows."""
WAITS: dict[str, str] = {
    "WAITING": "no ticket yet: it may end within alerts.wait_s",
    "HELD": "held: too many tickets within an hour; sync run --release creates its ticket",
    "LEFT": "its ticket is closed, and the alert is not reset",
    "ORPHANED": "its ticket was deleted",
}


@dataclass
class _Recorded:
    """The changes of one alert's ticket."""

    op: Op = "update"
    target: int | None = None
    changes: list[Change] = field(default_factory=list)
    reason: str = ""
    name: str = ""


class AlertPreview(AlertDriver):
    """The driver of a state's copy. After `poll`, `items()` are the items of the plan."""

    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type]
        self._before = {row.key: row.state for row in self.rows.newest((), -1)}
        self._calls = self._recorded = Recorder(self._calls)

    def items(self, mapping: SyncMapping) -> Iterator[tuple[str, Item | None]]:
        """Yield each alert that is not closed or whose ticket changes, with its item; None if unchanged."""
        found = self._recorded.of
        latest: dict[str, Alert] = {}
        for row in sorted(self.rows.newest((), -1), key=lambda row: row.generation):
            latest[row.uid] = row
        for uid, row in sorted(latest.items()):
            name = title_of(row, mapping) if row.alert or row.kind != "alert" else ""
            if uid in found:
                done = found[uid]
                yield (
                    uid,
                    Item(
                        *(done.op, "ticket", uid, done.target, "alert", tuple(done.changes)),
                        reason=done.reason,
                        name=done.name or name,
                    ),
                )
            elif row.state != "CLOSED":
                yield uid, self._waiting_item(row, name)

    def _waiting_item(self, row: Alert, name: str) -> Item | None:
        if row.state == "ERROR" or (row.state in PENDING and row.error):
            return Item("conflict", "ticket", row.uid, row.ticket, reason=row.error, name=name)
        if row.state == "SUPPRESSED":
            rule = "the rules or alerts.unmapped exclude it"
            reason = rule if not row.wanted else "active before the first run (alerts.first_run)"
            return Item("skip", "ticket", row.uid, reason=f"no ticket: {reason}", name=name)
        if row.state in WAITS:
            return Item(
                "skip", "ticket", row.uid, row.ticket, reason=row.error or WAITS[row.state], name=name
            )
        if row.key not in self._before and row.ticket is not None:
            return Item("link", "ticket", row.uid, row.ticket, "stamp" if row.has_own else "adopt", name=name)
        return None


class Recorder(AlertCalls):
    """Records the calls that write, and makes those that read."""

    def __init__(self, calls: AlertCalls) -> None:
        self.__dict__ = calls.__dict__
        self.of: dict[str, _Recorded] = {}

    def perform(self, call: Call, started: Callable[[AlertReading], Started]) -> list[Event]:
        """Record a call. Only those that read have an outcome."""
        row = call.row
        if isinstance(call, ReadTicket):
            return super().perform(call, started)
        done = self.of.setdefault(row.uid, _Recorded(target=row.ticket))
        if isinstance(call, CreateTicket):
            self._record_new(done, row)
        elif isinstance(call, (CloseTicket, ReopenTicket)):
            states = ("open", "closed") if isinstance(call, CloseTicket) else ("closed", "open")
            done.changes.append(Change("status", *states))
            done.reason = "the alert has ended" if isinstance(call, CloseTicket) else "triggered again"
        elif isinstance(call, ResetAlert):
            done.changes.append(Change("alert", "active", "reset"))
            done.reason = "its ticket was closed"
        elif isinstance(call, WriteNote):
            text = "asset" if call.note.text == "asset" else "note"
            done.changes.append(Change(text, None, note_text(call.note.text, row) if text == "note" else ""))
        elif isinstance(call, UpdateSummary):
            done.changes.append(Change("summary", None, self._context.held(call.held)["summary"]))
        else:
            done.op, done.reason = "skip", "its creation has no known outcome: it is looked up first"
        return []

    def _record_new(self, done: _Recorded, row: Alert) -> None:
        values: Mapping[str, Json] | Failed = self._prepared.pop(row.stamp)
        done.target = None
        if self.blocked:
            values = Failed(row.uid, row.generation, "outage", self._clock(), self.blocked)
        if isinstance(values, Failed):
            done.op, done.reason = "conflict", values.message
            return
        done.op, done.name = "create", str(values.get("summary") or "")
        done.changes += [Change(name, None, values[name]) for name in SHOWN if name in values]
