"""The events of alerts, the calls that they lead to, and the settings of both.

Every event has `now`, our clock in epoch seconds. Those of the source have `seq`: deliveries are numbered as
they arrive, and a list of alerts has the number of the last delivery before it was requested, so that it
is ignored for a series with a later delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connector.sync.alert_rows import Alert, Note


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The settings of the mapping for alerts. Times are in seconds."""

    on_reset: Literal["close", "close_untouched", "note"] = "close"
    on_close: Literal["reset", "leave"] = "reset"
    repeat: Literal["note", "nothing"] = "note"
    wait_s: float = 0.0
    flap_s: float = 900.0
    tickets_per_hour: int = 50
    can_reopen: bool = True


# Events of the source.


@dataclass(frozen=True, slots=True)
class Started:
    """An alert started (a delivery), or a list of alerts shows it.

    `wanted` is whether the rules require a ticket. `existing` is true for alerts that the first run finds,
    with the ticket to `adopt`, if there is one.
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
    """A delivery reports that an alert was reset or disabled, at the source's time `at`."""

    uid: str
    at: float
    now: float
    seq: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A delivery reports that someone has acknowledged an alert."""

    uid: str
    at: float
    now: float
    seq: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A complete list of alerts does not have the series."""

    uid: str
    now: float
    seq: int


# Events of the target.


@dataclass(frozen=True, slots=True)
class TicketRead:
    """A ticket was read after our last write to it. A merged one names the ticket that it is part of now."""

    ticket: int
    status: Literal["open", "closed", "merged", "deleted"]
    now: float
    into: int | None = None
    is_touched: bool = False


@dataclass(frozen=True, slots=True)
class DeviceLinked:
    """A device had no asset when its row was created, and now has one."""

    uid: str
    generation: int
    now: float


# Events caused by our own changes.


@dataclass(frozen=True, slots=True)
class Created:
    """The ticket exists: it was created, or the look-up found it."""

    uid: str
    generation: int
    ticket: int
    now: float
    has_asset: bool = False


@dataclass(frozen=True, slots=True)
class NotFound:
    """A look-up did not find the ticket; `complete` is false if its list was incomplete."""

    uid: str
    generation: int
    now: float
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """The response to the row's call is lost, for example because the process was killed."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The row's call was certainly not executed: an outage, a refusal (400, 403), or another error."""

    uid: str
    generation: int
    reason: Literal["outage", "refused", "other"]
    now: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """The alert is reset: its series is no longer among the device's alerts (also after a 404)."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class NoteDone:
    """A note was written."""

    uid: str
    generation: int
    note: int
    now: float


@dataclass(frozen=True, slots=True)
class NoteFailed:
    """A note was not written. If the target refused it, its text is sent as a new ticket."""

    uid: str
    generation: int
    note: int
    reason: Literal["outage", "refused", "other"]
    now: float


@dataclass(frozen=True, slots=True)
class Due:
    """The time `next_try` of a row or of one of its notes has been reached."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Retry:
    """Someone requests another attempt for a row in the state ERROR."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Release:
    """Someone releases a held alert, so that it gets its ticket."""

    uid: str
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: the summary of held alerts is updated."""

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

# Calls.


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Create the row's ticket, with its stamp. Outcomes: Created, Unknown, Failed."""

    row: Alert


@dataclass(frozen=True, slots=True)
class FindTicket:
    """Look the row's ticket up by its stamp, among those created since `row.sent`.

    Outcomes: Created, NotFound (with complete=False for anything that went wrong).
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
    """Read the device's alerts; reset this one if it still has the row's start, and read them again.

    Outcomes: Gone; Started, if it has a later start, which is not reset; Unknown; Failed, also while the
    alert is still shown after the reset.
    """

    row: Alert


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Write a note to the row's ticket, or add the asset and its user to it.

    Outcomes: NoteDone, NoteFailed.
    """

    row: Alert
    note: Note


@dataclass(frozen=True, slots=True)
class UpdateSummary:
    """Update the ticket about held alerts. A failed update is corrected by the next one."""

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
