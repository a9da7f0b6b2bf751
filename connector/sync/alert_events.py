"""The events and calls of the alert state machine, and its settings.

Every event has `now`, the local time in epoch seconds. Events of the source service have `seq`. For a webhook
delivery, `seq` is its number in order of arrival. For a list of alerts, it is the number of the last delivery
before the list was requested, so that the list is ignored for alerts with a later delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connector.sync.alert_rows import Alert, Note


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The settings of the mapping file for alerts. Times are in seconds."""

    on_reset: Literal["close", "close_untouched", "note"] = "close"
    on_close: Literal["reset", "leave"] = "reset"
    repeat: Literal["note", "nothing"] = "note"
    wait_s: float = 0.0
    flap_s: float = 900.0
    tickets_per_hour: int = 50
    can_reopen: bool = True


# Events of the source service.


@dataclass(frozen=True, slots=True)
class Started:
    """An alert is active, as a webhook delivery or a list of alerts shows.

    `wanted` is true if the mapping's rules require a ticket. `existing` is true for an alert that was active
    before the first run; `adopt` is the id of the ticket that it already has, if any.
    """

    uid: str
    start: float
    now: float
    seq: int
    via: Literal["event", "list"] = "event"
    device: int | None = None
    organization: int | None = None
    condition: str = ""
    alert: str = ""
    wanted: bool = True
    existing: bool = False
    adopt: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A webhook delivery reports that an alert was reset or disabled, at the source's time `at`."""

    uid: str
    at: float
    now: float
    seq: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A webhook delivery reports that somebody acknowledged an alert, at the source's time `at`."""

    uid: str
    at: float
    now: float
    seq: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A complete list of alerts does not contain the alert `uid`."""

    uid: str
    now: float
    seq: int


# Events of the target service.


@dataclass(frozen=True, slots=True)
class TicketRead:
    """A ticket was read. `into` is the ticket that a merged ticket is part of now."""

    ticket: int
    status: Literal["open", "closed", "merged", "deleted"]
    now: float
    into: int | None = None
    is_touched: bool = False


@dataclass(frozen=True, slots=True)
class DeviceLinked:
    """The device of an alert is now linked to an asset, which it was not when its ticket was created."""

    uid: str
    generation: int
    now: float


# Outcomes of calls, timers, and requests of users.


@dataclass(frozen=True, slots=True)
class Created:
    """The ticket exists: its creation succeeded, or a search found it."""

    uid: str
    generation: int
    ticket: int
    now: float
    has_asset: bool = False


@dataclass(frozen=True, slots=True)
class NotFound:
    """A search did not find the ticket; `complete` is false if the searched list was incomplete."""

    uid: str
    generation: int
    now: float
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """The response to an alert's call was lost, for example because the process was killed."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Failed:
    """An alert's call was certainly not executed: an outage, a refusal (400, 403), or another error."""

    uid: str
    generation: int
    reason: Literal["outage", "refused", "other"]
    now: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """The alert was reset: it is no longer among its device's alerts (or the reset returned 404)."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class NoteDone:
    """A note was written to a ticket."""

    uid: str
    generation: int
    note: int
    now: float


@dataclass(frozen=True, slots=True)
class NoteFailed:
    """A note was not written to its ticket. A note that the target refuses becomes a new ticket."""

    uid: str
    generation: int
    note: int
    reason: Literal["outage", "refused", "other"]
    now: float


@dataclass(frozen=True, slots=True)
class Due:
    """The time `next_try` of an alert or of one of its notes has passed."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Retry:
    """A user requests another attempt for an alert whose last call failed or was refused."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Release:
    """A user releases a held alert, so that its ticket is created."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer: the ticket that reports how many alerts are held is updated."""

    now: float


Event = (
    Started
    | Ended
    | Acknowledged
    | Missing
    | TicketRead
    | DeviceLinked
    | Created
    | NotFound
    | Unknown
    | Failed
    | Gone
    | NoteDone
    | NoteFailed
    | Due
    | Retry
    | Release
    | Tick
)


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Create the alert's ticket, with its stamp. Outcomes: Created, Unknown, Failed."""

    row: Alert


@dataclass(frozen=True, slots=True)
class FindTicket:
    """Find the alert's ticket by its stamp, among the tickets created since `row.sent`.

    Outcomes: Created, NotFound (with complete=False if the tickets could not be read).
    """

    row: Alert


@dataclass(frozen=True, slots=True)
class ReadTicket:
    """Read a ticket. Outcomes: TicketRead, Failed."""

    row: Alert
    ticket: int


@dataclass(frozen=True, slots=True)
class CloseTicket:
    """Close a ticket and read it back. Outcomes: TicketRead, Unknown, Failed."""

    row: Alert
    ticket: int


@dataclass(frozen=True, slots=True)
class ReopenTicket:
    """Reopen a ticket and read it back. Outcomes: TicketRead, Unknown, Failed."""

    row: Alert
    ticket: int


@dataclass(frozen=True, slots=True)
class ResetAlert:
    """Read the device's alerts, reset this one if it has not started again, and read the alerts again.

    Outcomes: Gone; Started if the alert has started again (it is not reset then); Unknown; Failed, also if
    the alert is still active after the reset.
    """

    row: Alert


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Write a note to the alert's ticket, or add the asset and its user to the ticket.

    Outcomes: NoteDone, NoteFailed.
    """

    row: Alert
    note: Note


@dataclass(frozen=True, slots=True)
class UpdateSummary:
    """Update the ticket that reports how many alerts are held. A failed update is not retried."""

    row: Alert
    held: int


Call = (
    CreateTicket
    | FindTicket
    | ReadTicket
    | CloseTicket
    | ReopenTicket
    | ResetAlert
    | WriteNote
    | UpdateSummary
)
