"""Make the API calls of the alert state machine, and return their outcomes as events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from connector.common.json_text import Json
from connector.errors import RowError
from connector.sync.alert_context import AlertContext, note_text
from connector.sync.alert_events import (
    Call,
    CloseTicket,
    Created,
    CreateTicket,
    Event,
    Failed,
    FindTicket,
    Gone,
    NoteDone,
    NoteFailed,
    NotFound,
    ReadTicket,
    ReopenTicket,
    ResetAlert,
    Started,
    TicketRead,
    Unknown,
    UpdateSummary,
    WriteNote,
)
from connector.sync.alert_rows import Alert, is_same_start
from connector.sync.calls import SignInLostError
from connector.sync.records import AlertReading, ListError, Source, Target, TicketReading
from connector.sync.state import State
from connector.sync.state_queues import Outbox

logger = logging.getLogger(__name__)

Reason = Literal["outage", "refused", "other"]
_OUTAGES = ("rate_limited", "timeout", "network_error", "auth_failed", "cancelled")
_REFUSALS = ("forbidden", "input_invalid", "template_error", "not_found")
LOST = (ListError, SignInLostError)
"""The exceptions of a failed read after which a later attempt can succeed."""
STAMPED = "tickets_stamped"
"""The key in the table `meta` of the ticket field in which a written stamp was found when read back."""

UNSTAMPED = "tickets_unstamped"
"""The key in the table `meta` of the place in which a stamp was not found, and the message about it."""


def outbox_key(row: Alert) -> str:
    """Return the key under which the outbox stores the creation of an alert's ticket."""
    return f"ticket {row.stamp}"


def reason_of(error: Exception) -> Reason:
    """Return the kind of failure of a call that the service certainly did not execute."""
    if not isinstance(error, RowError):
        return "outage"
    status = error.status or 0
    if error.code in _REFUSALS or (error.code == "api_error" and 400 <= status < 500):
        return "refused"
    return "outage" if error.code in (*_OUTAGES, "api_error") else "other"


class AlertCalls:
    """Makes the calls of the alert state machine to the source and target services.

    `blocked` is the reason why no tickets are created; empty text if they are. `perform` returns RowError,
    ListError and SignInLostError as events. Any other error ends the process; the next process looks up
    whether the call was executed.
    """

    def __init__(
        self, state: State, source: Source, target: Target, context: AlertContext, clock: Callable[[], float]
    ) -> None:
        self._state, self._source, self._target = state, source, target
        self._context, self._clock = context, clock
        self._outbox = Outbox(state)
        place, _, text = (state.meta(UNSTAMPED) or "").partition("\n")
        self.blocked = text if place == self._place else ""
        self.lost_sign_in = False
        self._prepared: dict[str, Mapping[str, Json] | Failed] = {}

    @property
    def _place(self) -> str:
        """The part of a ticket that has the stamp."""
        return self._context.alerts.stamp or "details"

    def prepare(self, call: Call) -> Mapping[str, Json] | None:
        """Render the ticket of a CreateTicket call; return the data for finding it later, else None."""
        if not isinstance(call, CreateTicket):
            return None
        row = call.row
        try:
            values = self._context.ticket(row)
        except (RowError, *LOST) as error:
            self._prepared[row.stamp] = self._failed(row, error)
            return {}
        self._prepared[row.stamp] = {**values, "stamp": row.stamp}
        known: dict[str, Json] = {
            name: values[name] for name in ("client", "type", "assets") if name in values
        }
        return {**known, "ahead_s": self._target.ahead_s}

    def perform(self, call: Call, started: Callable[[AlertReading], Started]) -> list[Event]:
        """Make a call and return its outcome as events.

        `started` is called with an alert that was found active, and returns the event for it.
        """
        row = call.row
        try:
            return self._perform(call, started)
        except (RowError, *LOST) as error:
            return self._failure(call, row, error)

    def _failure(self, call: Call, row: Alert, error: Exception) -> list[Event]:
        now = self._clock()
        logger.info("alert %s: %s: %s", row.stamp, type(call).__name__, error)
        if isinstance(call, FindTicket):
            return [NotFound(row.uid, row.generation, now, complete=False)]
        if isinstance(call, WriteNote):
            if reason_of(error) == "refused":
                what = "ticket %s does not accept a note, which becomes a separate ticket: %s"
                logger.warning(what, row.ticket, error, extra={"notice": True})
            return [NoteFailed(row.uid, row.generation, call.note.id, reason_of(error), now)]
        if isinstance(call, UpdateSummary):
            return []
        if isinstance(error, RowError) and not error.refused:
            return [Unknown(row.uid, row.generation, now)]
        return [self._failed(row, error)]

    def _failed(self, row: Alert, error: Exception) -> Failed:
        self.lost_sign_in |= isinstance(error, SignInLostError)
        return Failed(row.uid, row.generation, reason_of(error), self._clock(), str(error))

    def _perform(self, call: Call, started: Callable[[AlertReading], Started]) -> list[Event]:
        row = call.row
        if isinstance(call, CreateTicket):
            return [self._create(row)]
        if isinstance(call, FindTicket):
            return [self._find(row)]
        if isinstance(call, ReadTicket):
            return [self._read(call.ticket)]
        if isinstance(call, CloseTicket):
            return [self._close(row, call.ticket)]
        if isinstance(call, ReopenTicket):
            self._target.save_ticket(call.ticket, {"reopen": self._context.alerts.reopen_status})
            return [self._read(call.ticket)]
        if isinstance(call, ResetAlert):
            return [self._reset(row, started)]
        if isinstance(call, WriteNote):
            return [self._note(call)]
        if row.ticket is not None:
            self._target.save_ticket(row.ticket, self._context.held(call.held))
        return []

    def _create(self, row: Alert) -> Event:
        values = self._prepared.pop(row.stamp)
        if isinstance(values, Failed):
            return values
        if self.blocked:
            return Failed(row.uid, row.generation, "outage", self._clock(), self.blocked)
        self._outbox.sent(outbox_key(row), self._clock())
        ticket = self._target.save_ticket(None, values)
        self._require_stamp(row, ticket)
        return Created(row.uid, row.generation, ticket, self._clock(), has_asset="assets" in values)

    def _require_stamp(self, row: Alert, ticket: int) -> None:
        """Check once that the target returns a ticket's stamp."""
        place = self._place
        if self._state.meta(STAMPED) == place:
            return
        try:
            (found,) = self._target.tickets([ticket])
        except LOST:
            return
        if found.stamp == row.stamp:
            self._state.set_meta(STAMPED, place)
        elif found.status != "deleted":
            self.blocked = (
                f"no tickets are created: ticket {ticket} was read back without the stamp written to its "
                f"{place}, so a ticket whose creation got no response could not be found again. Change "
                "alerts.stamp in the mapping, or let the agent write the field, then use `sync run --retry`"
            )
            self._state.set_meta(UNSTAMPED, f"{place}\n{self.blocked}")
            logger.error("%s", self.blocked)

    def unblock(self) -> None:
        """Create tickets again: the first one is read back."""
        self.blocked = ""
        self._state.set_meta(UNSTAMPED, "")

    def _find(self, row: Alert) -> Event:
        intent = self._outbox.get(outbox_key(row))
        known = dict(intent.inputs) if intent else {}
        has_asset = known.pop("assets", None) is not None
        # Allow for the difference between the target's clock and the local clock.
        ahead = float(known.pop("ahead_s", 0.0))
        began = intent.began if intent else row.sent or row.opened_at or 0.0
        sent = max(began, intent.sent or 0.0) if intent else began
        began, until = began + min(ahead, 0.0), sent + max(ahead, 0.0)
        found = self._target.find("ticket", {**known, "stamp": row.stamp, "until": until}, began)
        if found is None:
            return NotFound(row.uid, row.generation, self._clock())
        return Created(row.uid, row.generation, found, self._clock(), has_asset=has_asset)

    def adoptable(self, reading: AlertReading) -> int | None:
        """Return the id of the open ticket that the target already has for an alert. Raises ListError."""
        return self._target.find("ticket", {"alert": reading.uid}, reading.start)

    def stamped(self, since: float) -> list[TicketReading]:
        """Return the tickets with a stamp of the mapping's types. Raises ListError."""
        return list(self._target.stamped_tickets(self._context.alerts.ticket_types, since))

    def read(self, tickets: list[int]) -> list[TicketRead]:
        """Read tickets by id and return them as events. Raises ListError."""
        return [
            TicketRead(
                found.id, cast(Any, found.status), self._clock(), into=found.into, is_touched=found.is_touched
            )
            for found in self._target.tickets(tickets)
        ]

    def _read(self, ticket: int) -> TicketRead:
        (found,) = self.read([ticket])
        return found

    def _close(self, row: Alert, ticket: int) -> Event:
        try:
            self._target.save_ticket(ticket, {"close": self._context.alerts.closed_status})
        except RowError as error:
            if not error.refused or error.code not in ("conflict", "not_found"):
                raise
            # The ticket was merged or deleted in the meantime, or the target refused to close it.
            found = self._read(ticket)
            return self._failed(row, error) if found.status == "open" else found
        return self._read(ticket)

    def _note(self, call: WriteNote) -> Event:
        row, note = call.row, call.note
        assert row.ticket is not None
        if note.text == "asset":
            place = self._context.place(row).values()
            values = {name: value for name, value in place.items() if name in ("user", "site")}
            values |= {"asset": place["assets"][0]} if "assets" in place else {}
        else:
            values = {"note": note_text(note.text, row), "outcome": self._context.alerts.note_outcome}
        if values:
            self._target.save_ticket(row.ticket, values)
        return NoteDone(row.uid, row.generation, note.id, self._clock())

    def _reset(self, row: Alert, started: Callable[[AlertReading], Started]) -> Event:
        alert = self._alert(row)
        if alert is not None and alert.start > row.start and not is_same_start(alert.start, row.start):
            return started(alert)
        if alert is not None:
            self._source.reset_alert(row.uid, {"source": self._target.title, "ticket": row.ticket})
            alert = self._alert(row)
        if alert is None:
            return Gone(row.uid, row.generation, self._clock())
        if alert.start > row.start and not is_same_start(alert.start, row.start):
            return started(alert)
        message = "the alert is still active after it was reset"
        return Failed(row.uid, row.generation, "other", self._clock(), message)

    def _alert(self, row: Alert) -> AlertReading | None:
        """Return the active alert with the row's uid, whenever it started; None if there is none."""
        listed = self._source.alerts() if row.device is None else self._source.device_alerts(row.device)
        return next((alert for alert in listed if alert.uid == row.uid), None)
