"""The part of the alert state machine that handles tickets that were closed, merged, deleted or reopened."""

from __future__ import annotations

from connector.sync.alert_events import ReadTicket, ReopenTicket, TicketRead, WriteNote
from connector.sync.alert_rows import Alert
from connector.sync.alert_step import HOUR, IDLE, MAX_RESETS, Step


def on_ticket(s: Step, event: TicketRead) -> None:
    """Update all alert rows of a ticket that was read."""
    is_closed_by_us = any(row.closed_ticket for row in s.of_ticket(event.ticket))
    if event.status == "open":
        for row in s.of_ticket(event.ticket):
            if row.closed_ticket and row.state != "CLOSING":
                s.put(row, closed_ticket=False)
    for row in s.of_ticket(event.ticket):
        if event.status == "merged" and event.into is not None:
            _merged(s, row, event.into)
        elif row.state == "OPEN":
            _open_row(s, row, event, is_closed_by_us=is_closed_by_us)
        elif row.state == "REOPENING":
            _reopening(s, row, event)
        elif row.state == "CLOSING":
            _closing(s, row, event)
        elif row.state == "RESETTING":
            if event.status == "open" and row.sent is None:
                s.put(row, **IDLE, state="OPEN", reset_at=None)
        elif row.state == "ERROR":
            _error(s, row, event)


def _open_row(s: Step, row: Alert, event: TicketRead, *, is_closed_by_us: bool) -> None:
    if event.status == "deleted":
        s.put(row, **IDLE, state="ORPHANED")
    elif event.status == "closed" and is_closed_by_us:
        _reopening(s, s.put(row, **IDLE, state="REOPENING", may_reopen=s.settings.can_reopen), event)
    elif event.status == "closed":
        _closed_by_people(s, row)


def _closed_by_people(s: Step, row: Alert) -> None:
    if row.kind != "alert" or s.settings.on_close == "leave":
        s.put(row, state="LEFT")
        return
    since = s.now - HOUR
    resets = sum(other.reset_at is not None and other.reset_at > since for other in s.of_condition(row))
    if resets >= MAX_RESETS:
        s.put(
            row,
            state="LEFT",
            error=f"the alert is not reset: {resets} resets within an hour because its tickets were closed",
        )
    else:
        s.reset(row)


def _merged(s: Step, row: Alert, into: int) -> None:
    """Move an alert row from its merged ticket to the ticket `into`."""
    is_ours = any(other.is_ours and other.kind == "alert" for other in s.of_ticket(into))
    if row.state not in ("OPEN", "REOPENING", "CLOSING", "RESETTING", "ERROR"):
        return
    if row.state == "RESETTING" and row.sent is not None:
        return
    row = s.put(row, ticket=into, is_ours=is_ours, sent=None, closed_ticket=False)
    if row.state == "RESETTING":
        row = s.put(row, **IDLE, state="OPEN", reset_at=None)
    elif row.state == "CLOSING" and (not is_ours or s.is_shared(row)):
        s.close(s.note(row, "ended"), "source")
        return
    if row.state == "REOPENING":
        row = s.put(row, next_try=0.0, may_reopen=row.may_reopen and is_ours)
    elif row.state == "CLOSING":
        row = s.put(row, next_try=0.0)
    s.call(ReadTicket(row, into))


def _reopening(s: Step, row: Alert, event: TicketRead) -> None:
    if event.status == "open":
        opened(s, s.note(row, "repeat"))
    elif event.status == "closed" and row.may_reopen and row.sent is None:
        row = s.put(row, sent=s.now, next_try=0.0)
        s.call(ReopenTicket(row, event.ticket))
    else:
        # The ticket cannot be reopened: create a new one that mentions it.
        s.create_instead(row)


def opened(s: Step, row: Alert) -> None:
    """Set the row's state to OPEN, write its pending notes, and handle an end received earlier."""
    row = s.put(row, **IDLE, state="OPEN", lookups=0)
    for note in row.notes:
        if note.next_try == 0:
            s.call(WriteNote(row, note))
    if row.kind == "note":
        s.close(row, "source")
    elif row.end_pending:
        s.end(s.put(row, end_pending=False))


def _closing(s: Step, row: Alert, event: TicketRead) -> None:
    if event.status != "open":
        s.close(row, "source")
    elif s.is_shared(row):
        s.close(s.note(s.put(row, closed_ticket=False), "ended"), "source")
    elif row.sent is not None:
        s.later(row, "other", "the ticket is still open after it was closed")
    elif row.next_try <= s.now and not s.is_being_closed(row):
        untouched_only = row.kind == "alert" and s.settings.on_reset == "close_untouched"
        if untouched_only and event.is_touched and not row.closed_ticket:
            s.close(s.note(s.put(row, left_open=True), "ended"), "source")
        else:
            s.send_close(row)


def _error(s: Step, row: Alert, event: TicketRead) -> None:
    if row.resume == "CLOSING" and event.status != "open":
        s.close(row, "source")
    elif row.resume == "REOPENING" and event.status == "open":
        opened(s, s.note(s.put(row, state="REOPENING"), "repeat"))
    elif event.status == "deleted":
        s.put(row, **IDLE, state="ORPHANED")
    elif row.resume == "RESETTING" and event.status == "open":
        s.put(row, **IDLE, state="OPEN", reset_at=None)
