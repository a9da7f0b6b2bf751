"""The part of the alert state machine that handles the outcomes of its API calls."""

from __future__ import annotations

from dataclasses import replace

from connector.sync.alert_events import (
    Created,
    Failed,
    FindTicket,
    Gone,
    NoteDone,
    NoteFailed,
    NotFound,
    ReadTicket,
    Unknown,
)
from connector.sync.alert_rows import PENDING, Alert
from connector.sync.alert_step import ATTEMPTS, MINUTE, SECOND_LOOKUP_S, Step, backoff
from connector.sync.alert_tickets import opened


def on_outcome(s: Step, event: Created | NotFound | Unknown | Failed | Gone | NoteDone | NoteFailed) -> None:
    """Update the row of an alert with the outcome of its call."""
    row = s.get(event.uid, event.generation)
    if row is None:
        return
    if isinstance(event, NoteDone):
        s.put(row, notes=tuple(note for note in row.notes if note.id != event.note))
    elif isinstance(event, NoteFailed):
        _note_failed(s, row, event)
    elif isinstance(event, Created):
        if row.state == "CREATING":
            opened(s, s.put(row, ticket=event.ticket, has_asset=event.has_asset))
    elif isinstance(event, NotFound):
        if row.state == "CREATING":
            _not_found(s, row, event)
    elif isinstance(event, Gone):
        if row.state == "RESETTING":
            s.close(row, "target")
    elif isinstance(event, Unknown):
        _unknown(s, row)
    elif row.state == "REOPENING" and event.reason == "refused" and row.sent is not None:
        s.create_instead(row)
    elif row.state in PENDING:
        s.later(row, event.reason, event.message)


def _unknown(s: Step, row: Alert) -> None:
    """Handle a lost response: search for the ticket of a creation, else make the call again."""
    if row.state == "CREATING":
        if row.sent is not None:
            row = s.put(row, next_try=0.0)
            s.call(FindTicket(row))
    elif row.state in PENDING:
        attempts = row.attempts + 1
        row = s.put(row, attempts=attempts)
        if attempts > 1:
            s.put(row, next_try=s.now + backoff(attempts))
        else:
            s.resend(row)


def _not_found(s: Step, row: Alert, event: NotFound) -> None:
    """Create the ticket again after two complete searches without a result; incomplete ones do not count."""
    sent = row.sent or 0.0
    lookups = row.lookups + (event.complete and (row.lookups == 0 or s.now >= sent + SECOND_LOOKUP_S))
    if lookups >= 2:
        s.create(row)
    elif event.complete:
        s.put(row, lookups=lookups, next_try=max(s.now + MINUTE, sent + SECOND_LOOKUP_S))
    else:
        attempts = row.attempts + 1
        s.put(row, attempts=attempts, next_try=s.now + backoff(attempts))


def _note_failed(s: Step, row: Alert, event: NoteFailed) -> None:
    """Retry a note later; create a ticket with the text of a note that was refused."""
    note = next((note for note in row.notes if note.id == event.note), None)
    if note is None:
        return
    attempts = note.attempts + 1
    if event.reason == "outage" or (event.reason == "other" and attempts < ATTEMPTS):
        later = replace(note, attempts=attempts, next_try=s.now + backoff(attempts))
        s.put(row, notes=tuple(later if n.id == note.id else n for n in row.notes))
        return
    row = s.put(row, notes=tuple(n for n in row.notes if n.id != note.id))
    if row.state == "OPEN" and row.ticket is not None:
        s.call(ReadTicket(row, row.ticket))
    if note.text == "asset":
        return
    fallback = Alert(
        f"{row.stamp}/{note.text}",
        note.id,
        "CREATING",
        kind="note",
        device=row.device,
        organization=row.organization,
        alert=row.alert,
        previous=row.ticket,
        heard=row.heard,
    )
    s.open(fallback)
