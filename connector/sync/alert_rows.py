"""The stored rows of alerts: one row for each occurrence of an alert.

All occurrences of an alert have one `uid`: they are a *series*. An occurrence is identified by its start:
the time of the webhook event, or the alert's creation time in a list of alerts. Two starts within
`SAME_START_S` are the same occurrence. A row's key is its `uid` and `generation`: an alert that starts again
after its row was closed gets a new row with the next generation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal[
    "WAITING",  # the ticket is created unless the alert ends within `wait_s`
    "HELD",  # too many tickets within an hour: the ticket is created when a user releases the alert
    "SUPPRESSED",  # no ticket: a rule excludes the alert, or it started before the first run
    "CREATING",  # the ticket's creation is in the outbox; `sent` is the time at which it was sent
    "REOPENING",  # an existing ticket is reused, and reopened if it is closed
    "OPEN",
    "CLOSING",  # the alert has ended, and the ticket is being closed
    "RESETTING",  # an agent has closed the ticket, and the alert is being reset
    "LEFT",  # the ticket is closed, and the alert stays active
    "CLOSED",
    "ORPHANED",  # the ticket was deleted
    "ERROR",  # the target refused a call; `resume` is the state to which a retry returns
]
Kind = Literal["alert", "note", "held"]
"""`note` is a ticket for a note that another ticket refused; `held` is the ticket about held alerts."""

SAME_START_S = 5.0
UNSENT: tuple[State, ...] = ("WAITING", "HELD", "SUPPRESSED")
PENDING: tuple[State, ...] = ("CREATING", "REOPENING", "CLOSING", "RESETTING")
"""The states in which a call is in progress (`next_try` 0) or is retried at `next_try`."""
TICKET_STATES: tuple[State, ...] = ("OPEN", "REOPENING", "CLOSING", "RESETTING", "ERROR")
"""The states in which each poll reads the alert's ticket."""

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Note:
    """A note to write to a ticket. `text` is its kind: repeat, ended, acknowledged, asset."""

    id: int
    text: str
    next_try: float = 0.0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """One occurrence of an alert. Times are epoch seconds: `start` and `ended` of the source, others local.

    `heard` is the number of the last webhook delivery about the alert. `wanted` is false if a rule excludes a
    ticket. `condition` is the condition that raised the alert, or else its `uid`. `alert` is the alert as
    JSON, from which the ticket is rendered. `again` is the start of an occurrence that started while the
    ticket was being closed. `has_own` is true once the creation of a ticket with the row's stamp was sent.
    `previous` is the alert's last ticket, which the text of a new ticket mentions. `closed_ticket` is true
    from the connector's request to close the ticket until the ticket is read as open again. `left_open` is
    true if the alert has ended and its ticket stays open.
    """

    uid: str
    generation: int
    state: State
    kind: Kind = "alert"
    start: float = 0.0
    ended: float | None = None
    end_pending: bool = False
    again: float | None = None
    wanted: bool = True
    device: int | None = None
    organization: int | None = None
    condition: str = ""
    alert: str = ""
    via: str = ""
    ticket: int | None = None
    is_ours: bool = True
    has_own: bool = False
    previous: int | None = None
    may_reopen: bool = False
    repeats: int = 0
    notes: tuple[Note, ...] = ()
    note_count: int = 0
    has_asset: bool = False
    acknowledged: float = 0.0
    heard: int = 0
    missing: int = 0
    shown: int = 0
    opened_at: float | None = None
    closed_at: float | None = None
    closed_by: Literal["", "source", "target"] = ""
    closed_ticket: bool = False
    left_open: bool = False
    reset_at: float | None = None
    sent: float | None = None
    lookups: int = 0
    attempts: int = 0
    next_try: float = 0.0
    resume: State | None = None
    error: str = ""

    @property
    def key(self) -> Key:
        """The row's key: the alert's uid and the generation."""
        return self.uid, self.generation

    @property
    def stamp(self) -> str:
        """The text in a ticket by which the alert's ticket is found again."""
        return f"{self.uid}#{self.generation}"

    @property
    def is_active(self) -> bool:
        """Whether this alert requires its ticket to stay open."""
        state = self.resume if self.state == "ERROR" and self.resume == "REOPENING" else self.state
        return state in ("OPEN", "REOPENING", "CREATING")

    @property
    def is_in_flight(self) -> bool:
        """Whether a request for this alert is in progress; if the process ends, its response is lost."""
        return self.state in PENDING and self.next_try == 0


class Rows(Protocol):
    """The stored alert rows that one step of the state machine reads."""

    def get(self, uid: str, generation: int) -> Alert | None:
        """Return the row of an alert's generation; None if there is none."""

    def latest(self, uid: str) -> Alert | None:
        """Return the alert's row with the highest generation; None if there is none."""

    def of_ticket(self, ticket: int) -> Iterable[Alert]:
        """Return the alert rows that have a ticket."""

    def of_condition(self, device: int | None, condition: str) -> Iterable[Alert]:
        """Return the recent rows of one condition on one device: opened, closed or reset in the last hour."""

    def opened_since(self, time: float) -> int:
        """Return the number of tickets that were created or reopened since an epoch time."""

    def held(self) -> int:
        """Return the number of rows in the state HELD."""


class Book:
    """Alert rows kept in memory."""

    def __init__(self, rows: Mapping[Key, Alert] | None = None) -> None:
        self.rows: dict[Key, Alert] = dict(rows or {})

    def __iter__(self) -> Iterator[Alert]:
        return iter(self.rows.values())

    def get(self, uid: str, generation: int) -> Alert | None:
        """Return the row of an alert's generation; None if there is none."""
        return self.rows.get((uid, generation))

    def latest(self, uid: str) -> Alert | None:
        """Return the alert's row with the highest generation; None if there is none."""
        return max((row for row in self if row.uid == uid), key=lambda row: row.generation, default=None)

    def of_ticket(self, ticket: int) -> list[Alert]:
        """Return the alert rows that have a ticket."""
        return [row for row in self if row.ticket == ticket]

    def of_condition(self, device: int | None, condition: str) -> list[Alert]:
        """Return the alert rows of one condition on one device."""
        return [row for row in self if row.device == device and row.condition == condition]

    def opened_since(self, time: float) -> int:
        """Return the number of tickets that were created or reopened since an epoch time."""
        return sum(row.opened_at is not None and row.opened_at > time for row in self)

    def held(self) -> int:
        """Return the number of rows in the state HELD."""
        return sum(row.state == "HELD" for row in self)

    def put(self, changes: Iterable[Alert]) -> None:
        """Add alert rows, or replace those with the same key."""
        self.rows.update((row.key, row) for row in changes)


def is_same_start(one: float, other: float) -> bool:
    """Return whether two start times in epoch seconds are those of one occurrence of an alert."""
    return abs(one - other) <= SAME_START_S
