"""A small world for the alert state machine: what is true of alerts and tickets, and what is said of it.

Deliveries wait until they arrive, in any order and any number of times, or never. A call can be carried out,
refused, or lost before or after it is carried out, in which case the process is started again. Whatever must
never happen raises AssertionError where it happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from connector.sync.alert_events import (
    AlertSettings,
    Call,
    CloseTicket,
    Created,
    CreateTicket,
    Due,
    Ended,
    Event,
    Failed,
    FindTicket,
    Gone,
    Missing,
    NoteDone,
    NoteFailed,
    NotFound,
    ReadTicket,
    ReopenTicket,
    ResetAlert,
    Started,
    Tick,
    TicketRead,
    Unknown,
    UpdateSummary,
    WriteNote,
)
from connector.sync.alert_rows import PENDING, TICKET_STATES, Alert, Book, is_same_start
from connector.sync.alerts import recovered, step

MAX_CALLS = 40
"""Calls that one event can lead to; more is a loop."""


class Killed(Exception):
    """The process ends here; a blind one cannot look anything up at first, when it starts again."""

    is_blind = False


class KilledBlind(Killed):
    is_blind = True


@dataclass(frozen=True)
class Ticket:
    stamp: str
    status: str = "open"
    into: int | None = None
    closed_by: str = ""
    is_touched: bool = False
    was_reopened: bool = False
    start: float = 0.0
    made: float = 0.0


@dataclass
class World:
    settings: AlertSettings = field(default_factory=AlertSettings)
    conditions: dict[str, tuple[int, str]] = field(default_factory=lambda: {"a": (1, "x")})
    takes_reopening: bool = True
    wanted: bool = True
    automation: bool = False
    lag: float = 0.0
    """Seconds until a new ticket is found by a look-up."""
    rows: dict[tuple[str, int], Alert] = field(default_factory=dict)
    alerts: dict[str, float] = field(default_factory=dict)
    deliveries: tuple[tuple[str, str, float], ...] = ()
    tickets: dict[int, Ticket] = field(default_factory=dict)
    now: float = 1_000_000.0
    seq: int = 0
    fault: str = ""
    calls: int = 0
    fired: int = 0
    told: dict[str, float] = field(default_factory=dict)
    """The time of the latest that was said of a series."""
    ended: dict[str, float] = field(default_factory=dict)
    """The time of the latest end that was delivered of a series."""
    is_mute: bool = False
    """No write of this event has a response, and none is carried out: the fault "mute"."""
    glitched: bool = False
    """A list lacked an alert that is on."""
    snapshot: tuple[int, frozenset[tuple[str, float]]] | None = None
    """A list that was requested, and has not arrived."""

    def copy(self) -> World:
        return replace(
            self,
            rows=dict(self.rows),
            alerts=dict(self.alerts),
            told=dict(self.told),
            ended=dict(self.ended),
            tickets=dict(self.tickets),
        )

    def key(self) -> Any:
        """Return what distinguishes this world from others, apart from the numbers of deliveries."""
        rows = frozenset(replace(row, heard=0, note_count=0) for row in self.rows.values())
        late = frozenset(row.key for row in self.rows.values() if row.heard == self.seq)
        alerts = (frozenset(self.alerts.items()), frozenset(self.tickets.items()))
        message = (frozenset(self.told.items()), self.snapshot, frozenset(self.deliveries), self.glitched)
        return rows, late, alerts, message, self.now

    # What happens at the source.

    def fire(self, uid: str) -> None:
        self.now += 20
        self.fired += 1
        self.alerts[uid] = self.now
        self.deliveries += (("T", uid, self.now),)

    def heal(self, uid: str) -> None:
        self.now += 20
        del self.alerts[uid]
        self.deliveries += (("R", uid, self.now),)

    def deliver(self, index: int, *, keep: bool = False) -> None:
        kind, uid, at = self.deliveries[index]
        if not keep:
            self.deliveries = self.deliveries[:index] + self.deliveries[index + 1 :]
        self.seq += 1
        is_old = at <= self.told.get(uid, 0)
        self.told[uid] = max(at, self.told.get(uid, 0))
        before = self._shape()
        if kind == "T":
            self.react(self._started(uid, at, "event"))
        else:
            self.ended[uid] = max(at, self.ended.get(uid, 0))
            self.react(Ended(uid, at, self.now, self.seq))
        assert not is_old or self._shape() == before, f"old news of {uid} change something"

    def _shape(self) -> Any:
        rows = self.rows.values()
        return {row.key: (row.state, row.ticket, row.repeats, row.notes) for row in rows}

    def _started(self, uid: str, at: float, via: Any) -> Started:
        device, condition = self.conditions[uid]
        return Started(
            uid,
            at,
            self.now,
            self.seq,
            via=via,
            device=device,
            condition=condition,
            alert=uid,
            wanted=self.wanted,
        )

    # What people do in the target.

    def people(self, ticket: int, act: str) -> None:
        found = self.tickets[ticket]
        if act == "close":
            self.tickets[ticket] = replace(found, status="closed", closed_by="people")
        elif act == "reopen":
            self.tickets[ticket] = replace(found, status="open", was_reopened=True)
        elif act == "delete":
            self.tickets[ticket] = replace(found, status="deleted")
        elif act == "touch":
            self.tickets[ticket] = replace(found, is_touched=True)
        else:
            others = [t for t, o in self.tickets.items() if t != ticket and o.status in ("open", "closed")]
            if act == "merge_foreign" or not others:
                others = [max(self.tickets) + 1]
                self.tickets[others[0]] = Ticket("foreign")
            self.tickets[ticket] = replace(found, status="merged", into=others[0])

    # What we do.

    def poll(self) -> None:
        """Read all alerts, then every ticket that is followed."""
        self.request_list()
        self.receive_list()

    def request_list(self) -> None:
        self.snapshot = (self.seq, frozenset(self.alerts.items()))

    def glitch(self) -> None:
        """Read a list that claims to be complete, and is not."""
        self.glitched = True
        self.snapshot = (self.seq, frozenset())
        self.receive_list()

    def receive_list(self) -> None:
        """Use the list, and the tickets as they are now."""
        assert self.snapshot is not None
        (seq, items), self.snapshot = self.snapshot, None
        alerts = dict(items)
        uids = {row.uid for row in self.rows.values() if row.kind == "alert"}
        for uid in sorted(uids | set(alerts)):
            if uid in alerts:
                row = Book(self.rows).latest(uid)
                if row is None or row.heard <= seq:
                    self.told[uid] = max(alerts[uid], self.told.get(uid, 0))
                self.react(replace(self._started(uid, alerts[uid], "list"), seq=seq))
            else:
                row, before = Book(self.rows).latest(uid), self._shape()
                is_on = row is not None and self.alerts.get(uid) == row.start and not self.glitched
                self.react(Missing(uid, self.now, seq))
                assert not is_on or self._shape() == before, f"{uid} is on, and ends by an old list"
        self.read_tickets()

    def read_tickets(self) -> None:
        for ticket in sorted({r.ticket or 0 for r in self.rows.values() if r.state in TICKET_STATES} - {0}):
            self.read(ticket)
        self.react(Tick(self.now))

    def read(self, ticket: int) -> None:
        self.react(self._read(ticket))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for row in list(self.rows.values()):
            times = [row.next_try, *(note.next_try for note in row.notes)]
            if any(0 < time <= self.now for time in times):
                self.react(Due(row.uid, row.generation, self.now))

    def react(self, event: Event) -> None:
        """Commit what an event changes and make its calls, through as many deaths as there are."""
        self.calls = 0
        try:
            self._react(event)
        except Killed as death:
            self.fault = "outage" if death.is_blind else ""
            for lost in recovered(list(self.rows.values()), self.now):
                self._react(lost)
        finally:
            self.is_mute = False

    def _react(self, event: Event) -> None:
        changes, calls = step(Book(self.rows), event, self.settings)
        for row in changes:
            is_over = row.start <= self.ended.get(row.uid, -1) and not self.glitched
            is_new = row.key not in self.rows and row.kind == "alert" and row.state != "CLOSED"
            assert not (is_new and is_over), f"{row.stamp} begins, and is known to have ended"
        self.rows.update((row.key, row) for row in changes)
        self._check()
        for call in calls:
            self.calls += 1
            assert self.calls <= MAX_CALLS, "a loop of calls"
            for outcome in self._perform(call):
                self._react(outcome)

    def _perform(self, call: Call) -> list[Event]:
        fault, self.fault = self.fault, ""
        if fault == "killed_before":
            raise Killed
        row = call.row
        self.is_mute |= fault == "mute"
        if self.is_mute and isinstance(call, (CloseTicket, ReopenTicket, ResetAlert)):
            return [Unknown(row.uid, row.generation, self.now)]
        if fault in ("outage", "refused"):
            if isinstance(call, FindTicket):
                return [NotFound(row.uid, row.generation, self.now, complete=False)]
            if isinstance(call, WriteNote):
                return [NoteFailed(row.uid, row.generation, call.note.id, fault, self.now)]  # type: ignore[arg-type]
            if isinstance(call, UpdateSummary):
                return []
            return [Failed(row.uid, row.generation, fault, self.now)]  # type: ignore[arg-type]
        events = self._carry_out(call)
        if fault == "killed_after":
            raise Killed
        if fault == "killed_blind":
            raise KilledBlind
        return events

    def _carry_out(self, call: Call) -> list[Event]:
        row = call.row
        if isinstance(call, CreateTicket):
            return [self._create(row)]
        if isinstance(call, FindTicket):
            seen = (item for item in self.tickets.items() if self.now >= item[1].made + self.lag)
            found = [number for number, ticket in seen if ticket.stamp == row.stamp]
            return [
                Created(row.uid, row.generation, found[0], self.now)
                if found
                else NotFound(row.uid, row.generation, self.now)
            ]
        if isinstance(call, ReadTicket):
            return [self._read(call.ticket)]
        if isinstance(call, CloseTicket):
            return [self._close(row, call.ticket)]
        if isinstance(call, ReopenTicket):
            ticket = self.tickets[call.ticket]
            assert ticket.stamp != "foreign", "a ticket that we did not make is reopened"
            if ticket.status == "closed" and self.takes_reopening:
                self.tickets[call.ticket] = replace(ticket, status="open", closed_by="")
            return [self._read(call.ticket)]
        if isinstance(call, ResetAlert):
            return [self._reset(row)]
        if isinstance(call, WriteNote):
            assert row.ticket is not None
            if self.tickets[row.ticket].status == "deleted":
                return [NoteFailed(row.uid, row.generation, call.note.id, "refused", self.now)]
            return [NoteDone(row.uid, row.generation, call.note.id, self.now)]
        return []

    def _create(self, row: Alert) -> Event:
        assert all(t.stamp != row.stamp for t in self.tickets.values()), f"a second ticket {row.stamp}"
        for ticket in self.tickets.values():
            is_mine = row.kind == "alert" and ticket.stamp.partition("#")[0] == row.uid
            if is_mine and ticket.status != "merged" and not self.glitched:
                assert not is_same_start(ticket.start, row.start), f"a second ticket of {row.stamp}"
        number = len(self.tickets) + 1
        self.tickets[number] = Ticket(row.stamp, start=row.start, made=self.now)
        if self.automation and row.kind == "alert":
            self.tickets[number] = Ticket(row.stamp, "closed", closed_by="people", start=row.start)
        return Created(row.uid, row.generation, number, self.now)

    def _close(self, row: Alert, number: int) -> Event:
        ticket = self.tickets[number]
        assert ticket.stamp != "foreign", "a ticket that we did not make is closed"
        start = self.alerts.get(row.uid)
        is_on = start is not None and is_same_start(start, row.start)
        assert not is_on or self.glitched, f"{row.uid} is still on: wrong close"
        for other in self.rows.values():
            if other.ticket == number and other.key != row.key and other.kind == "alert":
                assert not other.is_active, f"the ticket of {other.stamp} is closed"
        if ticket.status == "open":
            self.tickets[number] = replace(ticket, status="closed", closed_by="us")
        return self._read(number)

    def _reset(self, row: Alert) -> Event:
        assert row.ticket is not None
        assert self.tickets[row.ticket].closed_by == "people", "reset, and no one has closed the ticket"
        start = self.alerts.get(row.uid)
        if start is None:
            return Gone(row.uid, row.generation, self.now)
        if start > row.start and not is_same_start(start, row.start):
            return self._started(row.uid, start, "list")
        del self.alerts[row.uid]
        self.deliveries += (("R", row.uid, self.now),)
        return Gone(row.uid, row.generation, self.now)

    def _read(self, number: int) -> TicketRead:
        ticket = self.tickets[number]
        status: Any = ticket.status
        return TicketRead(number, status, self.now, into=ticket.into, is_touched=ticket.is_touched)

    # What must always hold, and what must hold in the end.

    def _check(self) -> None:
        """No alert has two tickets: of one series, at most one is open that people have not reopened."""
        for row in self.rows.values():
            if row.state not in PENDING:
                assert row.next_try == 0 or row.state == "WAITING", f"{row} waits for nothing"
            assert row.state not in ("OPEN", "CLOSING", "RESETTING") or row.ticket is not None
        latest: dict[str, int] = {}
        for uid, generation in self.rows:
            latest[uid] = max(latest.get(uid, 0), generation)
        for (uid, generation), row in self.rows.items():
            if generation < latest[uid]:
                assert row.state == "CLOSED", f"{row.stamp} is {row.state}, and there is a later one"

    def settle(self) -> None:
        """Let three complete polls pass, an hour apart, and check that all is as the alerts are."""
        for _ in range(3):
            self.wait(3700)
            self.poll()
        for row in self.rows.values():
            assert not row.is_in_flight, f"{row.stamp} is stuck in {row.state}"
            if row.kind == "alert" and row.state == "OPEN":
                assert self.tickets[row.ticket or 0].status == "open"
        for uid in self.conditions:
            self._check_settled(uid)

    def _check_settled(self, uid: str) -> None:
        row = Book(self.rows).latest(uid)
        mine = [
            (number, ticket)
            for number, ticket in self.tickets.items()
            if ticket.stamp.partition("#")[0] == uid and "/" not in ticket.stamp
        ]
        is_open = [n for n, t in mine if t.status == "open" and not t.was_reopened]
        if row is None:
            assert uid not in self.alerts, f"{uid} is on, and nothing is known of it"
            return
        if row.state in ("ERROR", "HELD"):
            return
        if uid in self.alerts:
            assert row.state in ("OPEN", "LEFT", "ORPHANED", "SUPPRESSED"), f"{row.stamp}: {row.state}"
            assert is_same_start(row.start, self.alerts[uid]), f"{row.stamp} is of an older occurrence"
            assert self.settings.on_reset != "close" or set(is_open) <= {row.ticket} | self._shared(row)
        else:
            assert row.state == "CLOSED", f"{uid} is off, and {row.stamp} is {row.state}"
            if self.settings.on_reset == "close":
                assert set(is_open) <= self._shared(row), f"{uid} is off, and tickets {is_open} are open"

    def _shared(self, row: Alert) -> set[int | None]:
        """Return the tickets that another alert needs, and those that could not be closed."""
        others = (other for other in self.rows.values() if other.key != row.key)
        return {o.ticket for o in others if o.is_active or o.left_open or o.state == "ERROR"}
