"""One step of the alert state machine: the changed rows and the calls, collected while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from connector.sync.alert_events import (
    AlertSettings,
    Call,
    CloseTicket,
    CreateTicket,
    FindTicket,
    ReadTicket,
    ResetAlert,
    WriteNote,
)
from connector.sync.alert_rows import Alert, Key, Note, Rows, State

MINUTE, HOUR = 60.0, 3600.0
ATTEMPTS = 12
"""The number of failed attempts, not counting outages, after which an alert is in the state ERROR."""
SECOND_LOOKUP_S = 600.0
"""The minimum time in seconds between a ticket's creation request and the second search for it."""
MAX_RESETS = 3
"""The maximum number of alert resets within an hour for one condition on one device."""
SUMMARY = "#held"
"""The `uid` of the row whose ticket reports how many alerts are held."""


def backoff(attempts: int) -> float:
    """Return the seconds until the next attempt: 1, 2, 4 … 60 minutes."""
    return min(MINUTE * 2.0 ** (attempts - 1), HOUR)


class Step:
    """The alert rows with the changes of this step, and the calls that the step requires."""

    def __init__(self, rows: Rows, settings: AlertSettings, now: float) -> None:
        self._rows, self.settings, self.now = rows, settings, now
        self.changed: dict[Key, Alert] = {}
        self.calls: list[Call] = []

    def get(self, uid: str, generation: int) -> Alert | None:
        """Return the row of an alert's generation, with the changes of this step."""
        return self.changed.get((uid, generation)) or self._rows.get(uid, generation)

    def latest(self, uid: str) -> Alert | None:
        """Return the alert's row with the highest generation, with the changes of this step."""
        return self._latest_of((self._rows.latest(uid), *self.changed.values()), uid)

    @staticmethod
    def _latest_of(rows: Iterable[Alert | None], uid: str) -> Alert | None:
        found = [row for row in rows if row is not None and row.uid == uid]
        return max(reversed(found), key=lambda row: row.generation, default=None)

    def of_ticket(self, ticket: int) -> list[Alert]:
        """Return the alert rows that have a ticket, with the changes of this step."""
        return [row for row in self._now(self._rows.of_ticket(ticket)) if row.ticket == ticket]

    def of_condition(self, row: Alert) -> list[Alert]:
        """Return the other alert rows with the same condition and device as `row`."""
        found = self._now(self._rows.of_condition(row.device, row.condition))
        same = (row.device, row.condition)
        return [other for other in found if (other.device, other.condition) == same and other.key != row.key]

    def held(self) -> int:
        """Return the number of held alerts before this step."""
        return self._rows.held()

    def _now(self, rows: Iterable[Alert]) -> Iterable[Alert]:
        return ({row.key: row for row in rows} | self.changed).values()

    def put(self, row: Alert, **changes: Any) -> Alert:
        """Return a changed row, and add it to the changes of this step."""
        changed = replace(row, **changes) if changes else row
        self.changed[row.key] = changed
        return changed

    def call(self, call: Call) -> None:
        """Add a call to this step; `result` replaces its row with the final one."""
        self.calls.append(call)

    def result(self) -> tuple[tuple[Alert, ...], tuple[Call, ...]]:
        """Return the changed rows and the calls of this step."""
        calls = (replace(call, row=self.changed.get(call.row.key, call.row)) for call in self.calls)
        return tuple(self.changed.values()), tuple(calls)

    def note(self, row: Alert, text: str) -> Alert:
        """Add a note for the alert's ticket; it is written now, or when the ticket exists."""
        note = Note(row.note_count + 1, text)
        row = self.put(row, notes=(*row.notes, note), note_count=note.id)
        if row.ticket is not None and row.state not in ("CREATING", "REOPENING"):
            self.call(WriteNote(row, note))
        return row

    def close(self, row: Alert, by: str) -> Alert:
        """Set the row's state to CLOSED; begin the occurrence that started in the meantime, if any."""
        again = row.again
        row = self.put(
            row,
            **IDLE,
            state="CLOSED",
            closed_by=by,
            closed_at=self.now,
            missing=0,
            shown=0,
            again=None,
            end_pending=False,
        )
        if again is not None:
            self.begin(self.successor(row, start=again))
        return row

    def successor(self, row: Alert, **fields: Any) -> Alert:
        """Return the new row of a later occurrence of the same alert."""
        return Alert(
            **{
                "uid": row.uid,
                "generation": row.generation + 1,
                "state": "CREATING",
                "device": row.device,
                "organization": row.organization,
                "condition": row.condition,
                "alert": row.alert,
                "via": row.via,
                "wanted": row.wanted,
                "heard": row.heard,
                "previous": row.ticket or row.previous,
                **fields,
            }
        )

    def begin(self, row: Alert) -> Alert:
        """Handle a new occurrence: no ticket (SUPPRESSED), one after a delay (WAITING), or one now."""
        if not row.wanted:
            return self.put(row, state="SUPPRESSED")
        if self.settings.wait_s > 0:
            return self.put(row, state="WAITING", next_try=self.now + self.settings.wait_s)
        return self.open(row)

    def open(self, row: Alert, *, released: bool = False) -> Alert:
        """Create the alert's ticket or reuse one; hold the alert at the hourly ticket limit."""
        recent = self._rows.opened_since(self.now - HOUR)
        if not released and row.kind != "held" and recent >= self.settings.tickets_per_hour:
            return self.put(row, **IDLE, state="HELD")
        row = self.put(row, opened_at=self.now)
        earlier, may_reopen = self._ticket_to_take(row)
        if earlier is None:
            return self.create(row)
        row = self.put(
            row,
            **IDLE,
            state="REOPENING",
            ticket=earlier.ticket,
            is_ours=earlier.is_ours,
            has_asset=earlier.has_asset,
            may_reopen=may_reopen,
        )
        self.call(ReadTicket(row, row.ticket or 0))
        return row

    def create(self, row: Alert) -> Alert:
        """Create a new ticket for the alert."""
        row = self.put(row, **{**IDLE, "sent": self.now}, state="CREATING", ticket=None, lookups=0)
        row = self.put(row, is_ours=True, has_own=True)
        self.call(CreateTicket(row))
        return row

    def create_instead(self, row: Alert) -> Alert:
        """Create a new ticket for an alert whose ticket could not be reopened.

        A stamp identifies one ticket. If a ticket with the row's stamp exists, the row is therefore closed,
        and a row with the next generation gets the new ticket.
        """
        fresh = {"previous": row.ticket, "has_asset": False}
        if not row.has_own:
            return self.create(self.put(row, **fresh))
        kept = {"start": row.start, "end_pending": row.end_pending, "repeats": row.repeats}
        closed = self.close(self.put(row, end_pending=False, left_open=False), "source")
        return self.create(self.put(self.successor(closed, **kept, **fresh), opened_at=self.now))

    def _ticket_to_take(self, row: Alert) -> tuple[Alert | None, bool]:
        """Return the closed row whose ticket is reused, and whether the ticket may be reopened."""
        if row.kind != "alert":
            return None, False
        last = self.get(row.uid, row.generation - 1)
        if last is not None and last.left_open and self._is_takeable(last):
            return last, self._is_flap(last)
        if not self.settings.can_reopen or self.settings.flap_s <= 0:
            return None, False
        found = [last] if last is not None else []
        found += sorted(self.of_condition(row), key=lambda other: -(other.closed_at or 0))
        return next(
            (other for other in found if self._is_flap(other) and self._is_takeable(other)), None
        ), True

    def _is_flap(self, row: Alert) -> bool:
        return row.closed_at is not None and self.now - row.closed_at <= self.settings.flap_s

    @staticmethod
    def _is_takeable(row: Alert) -> bool:
        return row.ticket is not None and row.is_ours and row.kind == "alert"

    def end(self, row: Alert) -> Alert:
        """Close the ticket of an ended alert, or write a note, as the setting `on_reset` requires."""
        assert row.ticket is not None
        if self.is_shared(row) or not row.is_ours:
            return self.close(self.note(row, "ended"), "source")
        if row.kind == "alert" and self.settings.on_reset == "note":
            return self.close(self.note(self.put(row, left_open=True), "ended"), "source")
        row = self.put(row, **IDLE, state="CLOSING", end_pending=False)
        if row.kind == "alert" and self.settings.on_reset == "close_untouched":
            self.call(ReadTicket(row, row.ticket or 0))
            return row
        return self.send_close(row)

    def send_close(self, row: Alert) -> Alert:
        """Add the call that closes the alert's ticket."""
        row = self.put(row, sent=self.now, next_try=0.0, closed_ticket=True)
        self.call(CloseTicket(row, row.ticket or 0))
        return row

    def is_being_closed(self, row: Alert) -> bool:
        """Return whether another alert row is already closing the same ticket."""
        others = (other for other in self.of_ticket(row.ticket or 0) if other.key != row.key)
        return any(other.state == "CLOSING" and other.sent is not None for other in others)

    def is_shared(self, row: Alert) -> bool:
        """Return whether another active alert has the same ticket."""
        return any(o.is_active and o.key != row.key for o in self.of_ticket(row.ticket or 0))

    def reset(self, row: Alert) -> Alert:
        """Add the call that resets the alert."""
        row = self.put(row, state="RESETTING", sent=self.now, next_try=0.0, reset_at=self.now)
        self.call(ResetAlert(row))
        return row

    def resend(self, row: Alert) -> Alert:
        """Add the call of the row's state again."""
        if row.state == "CREATING":
            if row.sent is None:
                return self.put(self.create(row), attempts=row.attempts)
            row = self.put(row, next_try=0.0)
            self.call(FindTicket(row))
        elif row.state in ("REOPENING", "CLOSING"):
            row = self.put(row, next_try=0.0, sent=None)
            self.call(ReadTicket(row, row.ticket or 0))
        elif row.state == "RESETTING":
            row = self.reset(row)
        return row

    def _give_up_ended(self, row: Alert, message: str) -> Alert:
        """Finish an ended alert whose ticket could not be created or reopened."""
        if row.state == "REOPENING":
            return self.end(self.put(row, end_pending=False))
        return self.put(self.close(row, "source"), error=message)

    def later(self, row: Alert, reason: str, message: str) -> Alert:
        """Schedule another attempt after a failure; give up after a refusal or too many attempts."""
        attempts = row.attempts + 1
        if reason == "refused" or (reason == "other" and attempts >= ATTEMPTS):
            if row.end_pending:
                return self._give_up_ended(row, message)
            if row.again is not None:  # The next row reuses the ticket that could not be closed.
                return self.close(self.put(row, left_open=True), "source")
            state: State = row.state
            return self.put(self.put(row, **IDLE), state="ERROR", resume=state, error=message)
        return self.put(
            row, sent=None, attempts=attempts, next_try=self.now + backoff(attempts), error=message
        )


IDLE: dict[str, Any] = {"sent": None, "attempts": 0, "next_try": 0.0, "resume": None, "error": ""}
"""The field values of an alert row without a call in progress."""
