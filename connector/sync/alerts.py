"""The alert state machine: a pure function from stored rows and one event to changed rows and API calls.

    changes, calls = step(rows, event, settings)

The caller commits the changed rows, then makes the calls in order and passes the outcome of each to `step` as
a further event. For a row with `next_try`, the caller passes `Due` at that time. After a restart,
`recovered(rows, now)` returns the events for the calls that were in progress.

The effects of the main events:

* The alert starts. The start of a known or older occurrence changes nothing. A later start adds a note to an
  open ticket; if the row is closed, a new row with the next generation is created. A closed alert that two
  consecutive lists show counts as started again.
* The alert ends. A row without a ticket is closed. If the ticket is being created or reopened, the end is
  handled after that. An open ticket is closed, unless another alert needs it or a setting keeps it open.
* Somebody changes the ticket. If it was closed, the alert is reset or left active, as configured. If it was
  merged, the row follows to the other ticket. If it was deleted, the row's state is ORPHANED.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connector.sync.alert_events import (
    Acknowledged,
    AlertSettings,
    Call,
    Created,
    DeviceLinked,
    Due,
    Ended,
    Event,
    Failed,
    Gone,
    Missing,
    NoteDone,
    NoteFailed,
    NotFound,
    Release,
    Retry,
    Started,
    Tick,
    TicketRead,
    Unknown,
    UpdateSummary,
    WriteNote,
)
from connector.sync.alert_outcomes import on_outcome
from connector.sync.alert_rows import PENDING, SAME_START_S, UNSENT, Alert, Note, Rows, is_same_start
from connector.sync.alert_step import SUMMARY, Step
from connector.sync.alert_tickets import on_ticket

MISSED = 2
"""The number of consecutive complete lists without an alert after which the alert counts as ended."""
SHOWN = 2
"""The number of consecutive lists with a closed alert after which the alert counts as started again."""


def step(rows: Rows, event: Event, settings: AlertSettings) -> tuple[tuple[Alert, ...], tuple[Call, ...]]:
    """Return the alert rows that an event changes, and the API calls to make."""
    s = Step(rows, settings, event.now)
    if isinstance(event, Started):
        _started(s, event)
    elif isinstance(event, Ended):
        _ended(s, event)
    elif isinstance(event, Acknowledged):
        _acknowledged(s, event)
    elif isinstance(event, Missing):
        _missing(s, event)
    elif isinstance(event, TicketRead):
        on_ticket(s, event)
    elif isinstance(event, Tick):
        _tick(s)
    elif isinstance(event, (Due, Retry, Release, DeviceLinked)):
        _ours(s, event)
    elif isinstance(event, (Created, NotFound, Unknown, Failed, Gone, NoteDone, NoteFailed)):
        on_outcome(s, event)
    return s.result()


def recovered(rows: Iterable[Alert], now: float) -> list[Event]:
    """Return the events to process after a restart: the responses to calls in progress are lost."""
    events: list[Event] = []
    for row in rows:
        if row.is_in_flight:
            events.append(Unknown(row.uid, row.generation, now))
        if row.ticket is not None:
            events += (
                NoteFailed(row.uid, row.generation, note.id, "outage", now)
                for note in row.notes
                if note.next_try == 0
            )
    return events


# Events of the source service.


def _started(s: Step, event: Started) -> None:
    row = s.latest(event.uid)
    if row is None:
        _first(s, event)
        return
    if event.via == "list" and event.seq < row.heard:
        return
    row = s.put(row, missing=0, heard=max(row.heard, event.seq) if event.via == "event" else row.heard)
    if _is_later(row, event.start):
        _later(s, row, event)
    elif event.via == "list" and row.state == "CLOSED":
        row = s.put(row, shown=row.shown + 1)
        if row.shown >= SHOWN:
            s.begin(_next(s, row, event))
    elif event.via == "event" and is_same_start(row.start, event.start):
        s.put(row, start=min(row.start, event.start))


def _first(s: Step, event: Started) -> None:
    row = Alert(
        event.uid,
        1,
        "OPEN",
        start=event.start,
        wanted=event.wanted,
        device=event.device,
        organization=event.organization,
        condition=event.condition or event.uid,
        alert=event.alert,
        via=event.via,
        heard=event.seq,
    )
    if event.adopt is not None:
        s.put(row, ticket=event.adopt, has_asset=True)
    elif event.existing:
        s.put(row, state="SUPPRESSED")
    else:
        s.begin(row)


def _is_later(row: Alert, start: float) -> bool:
    """Return whether a start time is later than all occurrences stored in the row."""
    known = row.start if row.again is None else max(row.start, row.again)
    return start > known + SAME_START_S and (row.ended is None or start > row.ended)


def _next(s: Step, row: Alert, event: Started) -> Alert:
    return s.successor(
        row,
        start=event.start,
        wanted=event.wanted,
        device=event.device or row.device,
        organization=event.organization or row.organization,
        condition=event.condition or row.condition,
        alert=event.alert or row.alert,
        via=event.via,
    )


def _later(s: Step, row: Alert, event: Started) -> None:
    """Handle a new start of an alert that already has a row."""
    if row.state in ("WAITING", "HELD"):
        s.put(row, start=event.start, alert=event.alert or row.alert)
    elif row.state == "CLOSING":
        s.put(row, again=event.start, wanted=event.wanted, alert=event.alert or row.alert)
    elif row.state in ("OPEN", "CREATING", "REOPENING"):
        row = s.put(row, start=event.start, repeats=row.repeats + 1, end_pending=False)
        if s.settings.repeat == "note":
            s.note(row, "repeat")
    elif row.state == "CLOSED":
        s.begin(_next(s, row, event))
    else:  # SUPPRESSED, RESETTING, LEFT, ORPHANED, ERROR
        if row.state == "ERROR" and row.resume in ("CLOSING", "REOPENING"):
            row = s.put(row, left_open=True)
        by = "target" if row.state in ("RESETTING", "LEFT") else "source"
        s.begin(_next(s, s.close(s.put(row, again=None), by), event))


def _ended(s: Step, event: Ended) -> None:
    row = s.latest(event.uid)
    if row is None:
        tombstone = Alert(event.uid, 1, "CLOSED", ended=event.at, closed_by="source", heard=event.seq)
        s.put(tombstone, closed_at=event.now)
        return
    row = s.put(row, heard=max(row.heard, event.seq))
    if event.at < row.start:
        return
    row = s.put(row, ended=max(row.ended or event.at, event.at), missing=0)
    if row.state == "CLOSED":
        s.put(row, shown=0)
    elif row.state == "CLOSING":
        if row.again is not None and event.at >= row.again:
            s.put(row, again=None)
    else:
        _end(s, row)


def _end(s: Step, row: Alert) -> None:
    """Handle the end of the occurrence of a row."""
    if row.state == "OPEN" or (row.state == "ERROR" and row.resume == "REOPENING"):
        s.end(row)
    elif row.state in ("CREATING", "REOPENING"):
        s.put(row, end_pending=True)
    elif row.state == "RESETTING" or row.state == "LEFT":
        s.close(row, "target")
    elif row.state != "ERROR" or row.resume != "CLOSING":  # ERROR with CLOSING: the ticket is still open.
        s.close(row, "source")


def _missing(s: Step, event: Missing) -> None:
    row = s.latest(event.uid)
    if row is None or row.kind != "alert" or event.seq < row.heard:
        return
    row = s.put(row, missing=row.missing + 1, shown=0)
    if row.state == "CLOSED":
        s.put(row, missing=0)
    elif row.state in (*UNSENT, "RESETTING") or row.missing >= MISSED:
        if row.state == "CLOSING":
            s.put(row, again=None)
        else:
            _end(s, row)


def _acknowledged(s: Step, event: Acknowledged) -> None:
    row = s.latest(event.uid)
    if row is None or event.at <= row.acknowledged:
        return
    row = s.put(row, acknowledged=event.at, heard=max(row.heard, event.seq))
    if row.is_active:
        s.note(row, "acknowledged")


# Timers, and requests of users.


def _ours(s: Step, event: Due | Retry | Release | DeviceLinked) -> None:
    row = s.get(event.uid, event.generation)
    if row is None:
        return
    if isinstance(event, Due):
        _due(s, row)
    elif isinstance(event, Retry):
        if row.state == "ERROR" and row.resume is not None:
            s.resend(s.put(row, state=row.resume, resume=None, attempts=0, error=""))
        elif row.state in PENDING and row.next_try > 0:
            s.resend(s.put(row, attempts=0))
    elif isinstance(event, Release):
        if row.state == "HELD":
            s.open(row, released=True)
    elif row.is_active and not row.has_asset:
        s.note(s.put(row, has_asset=True), "asset")


def _due(s: Step, row: Alert) -> None:
    for note in row.notes:
        if 0 < note.next_try <= s.now and row.ticket is not None:
            row = s.put(row, notes=tuple(_at_once(n) if n.id == note.id else n for n in row.notes))
            s.call(WriteNote(row, _at_once(note)))
    if 0 < row.next_try <= s.now:
        if row.state == "WAITING":
            s.open(row)
        else:
            s.resend(row)


def _at_once(note: Note) -> Note:
    return replace(note, next_try=0.0)


def _tick(s: Step) -> None:
    """Create, update or close the ticket that reports how many alerts are held."""
    held, row = s.held(), s.latest(SUMMARY)
    if row is None or row.state == "CLOSED":
        if held:
            generation = 1 if row is None else row.generation + 1
            s.open(Alert(SUMMARY, generation, "CREATING", kind="held", repeats=held))
    elif held and row.state == "OPEN" and row.repeats != held:
        row = s.put(row, repeats=held)
        s.call(UpdateSummary(row, held))
    elif not held:
        _end(s, row)
