"""Run the alert state machine: pass it events from webhooks, lists and timers, and make its API calls.

Only the process that holds the lock of the sync's state may do this. One transaction commits the rows that an
event changes, the outbox entries of the tickets to create, and the delivery as processed. The API calls
follow after the commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import RowError
from connector.sync.alert_calls import LOST, AlertCalls, outbox_key
from connector.sync.alert_context import AlertContext
from connector.sync.alert_events import (
    Acknowledged,
    Created,
    DeviceLinked,
    Due,
    Ended,
    Event,
    Failed,
    Release,
    Retry,
    Started,
    Tick,
)
from connector.sync.alert_recovery import is_certain, is_parked, lost_rows, parked
from connector.sync.alert_rows import PENDING, Alert, is_same_start
from connector.sync.alert_step import backoff
from connector.sync.alerts import recovered, step
from connector.sync.calls import SignInLostError
from connector.sync.deliveries import AlertNews, Webhook
from connector.sync.mapping import SyncMapping
from connector.sync.records import AlertReading, ListError, Source, Target
from connector.sync.snapshots import confirmed, read_snapshot
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_queues import Delivery, Inbox, Outbox

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""The maximum number of tickets that one request reads."""
LOST_BEFORE_S = 2 * 86_400.0
"""The age of the closed tickets that are read if the state is new, in seconds."""
READ_AGAIN_S = 60.0
"""The time until another attempt if they cannot be read, in seconds."""
KNOWN_TICKETS = "tickets_known"
"""The entry of `meta` with the time when the tickets of a lost state were looked up."""
FIRST_LIST = "alerts_listed"
"""The key in the table `meta` of the time at which the first list of alerts was processed."""


class AlertDriver:
    """Processes the alerts of one sync.

    `hooks` maps a service's name, stored with each webhook delivery, to the parser of its deliveries.
    """

    def __init__(
        self,
        state: State,
        source: Source,
        target: Target,
        mapping: SyncMapping,
        clock: Callable[[], float],
        hooks: Mapping[str, Webhook] | None = None,
        *,
        may_reset: bool = True,
    ) -> None:
        self._state, self._source, self._clock = state, source, clock
        self._context = AlertContext(state, source, target, mapping, clock)
        self._calls = AlertCalls(state, source, target, self._context, clock)
        self._hooks = hooks or {}
        settings = self._context.alerts.settings
        self._settings = settings if may_reset else replace(settings, on_close="leave")
        self.rows = AlertRows(state)
        self._inbox, self._outbox = Inbox(state), Outbox(state)
        self._waiting: dict[int, tuple[int, float]] = {}
        self._recover_at = 0.0

    @property
    def lost_sign_in(self) -> bool:
        """Whether a service has rejected the sign-in, so that the connections must be opened again."""
        return self._calls.lost_sign_in

    @property
    def blocked(self) -> str:
        """The reason why no tickets are created at all; empty text if they are."""
        return self._calls.blocked

    def start(self) -> None:
        """Look up the outcomes of the calls that were in progress when the last process ended."""
        for event in recovered(self.rows.unfinished(), self._clock()):
            row = self.rows.get(event.uid, event.generation)  # type: ignore[union-attr]
            if row is not None and row.state == "CREATING" and self._was_not_sent(row):
                event = Failed(row.uid, row.generation, "outage", self._clock(), "the process ended")
            self.react(event)

    def work(self) -> None:
        """Process the deliveries in the inbox and make the calls that are due."""
        self.take()
        self.due()

    def take(self) -> None:
        """Process the deliveries in the inbox; retry one later if a service cannot be read now."""
        if not self._is_state_known():
            return
        while True:
            now = self._clock()
            ready = [d for d in self._inbox.open() if self._waiting.get(d.seq, (0, 0.0))[1] <= now]
            if not ready:
                return
            for delivery in ready:
                try:
                    self._apply(delivery)
                    self._waiting.pop(delivery.seq, None)
                except LOST as error:
                    attempts = self._waiting.get(delivery.seq, (0, 0.0))[0] + 1
                    self._waiting[delivery.seq] = (attempts, now + backoff(attempts))
                    logger.error("a webhook delivery of %s is retried later: %s", delivery.source, error)
                    return

    def due(self) -> None:
        """Make the calls whose scheduled time has passed."""
        for row in self.rows.due(self._clock()):
            self.react(Due(row.uid, row.generation, self._clock()))

    def poll(self, only: Collection[str] | None = None) -> bool:
        """Read all alerts and their open tickets; return False if one of the lists was incomplete.

        With `only`, nothing is changed but these series.
        """
        self._recover_at = 0.0
        self.take()
        if not self._is_state_known():
            return False
        is_complete = self._guarded("alerts", lambda: self._read_alerts(only))
        is_complete &= self._guarded("tickets", lambda: self.read_tickets(self._tickets(only)))
        for row in self.rows.of_state("OPEN"):
            if only is not None and row.uid not in only:
                continue
            if not row.has_asset and row.kind == "alert" and self._context.is_linked(row.device):
                self.react(DeviceLinked(row.uid, row.generation, self._clock()))
        if only is None:
            self.react(Tick(self._clock()))
        return is_complete

    def _tickets(self, only: Collection[str] | None) -> list[int]:
        """Return the tickets to read in a poll."""
        tickets = self.rows.tickets()
        if only is None:
            return tickets
        return [ticket for ticket in tickets if any(row.uid in only for row in self.rows.of_ticket(ticket))]

    def retry(self, only: Collection[str] | None = None) -> int:
        """Retry the alerts whose calls the target refused, and create tickets again; return the number.

        With `only`, only the alerts of these series are retried.
        """
        self._calls.unblock()
        found = self.rows.of_state("ERROR", *PENDING)
        rows = [row for row in found if row.error and (only is None or row.uid in only)]
        for row in rows:
            self.react(Retry(row.uid, row.generation, self._clock()))
        return len(rows)

    def release(self, only: Collection[str] | None = None) -> int:
        """Create the tickets of all held alerts, or of those of the series `only`; return the number."""
        rows = [row for row in self.rows.of_state("HELD") if only is None or row.uid in only]
        for row in rows:
            self.react(Release(row.uid, row.generation, self._clock()))
        self.react(Tick(self._clock()))
        return len(rows)

    def _is_state_known(self) -> bool:
        """Return whether the tickets of a lost state were looked up; do it if that is due."""
        if self._state.meta(KNOWN_TICKETS) is not None or self._state.meta(FIRST_LIST) is not None:
            return True
        if self._clock() < self._recover_at:
            return False
        if not self._guarded("tickets of earlier runs", self._recover):
            self._recover_at = self._clock() + READ_AGAIN_S
            return False
        return True

    def _recover(self) -> None:
        lost = self.lost()
        now = self._clock()
        rows = [row if is_certain(row) else parked(row, now) for row in lost]
        with self._state.transaction():
            self.recover(rows)
            self._state.set_meta(KNOWN_TICKETS, str(self._clock()))
        if others := sum(is_parked(row) for row in rows):
            tickets = "1 open ticket has a stamp" if others == 1 else f"{others} open tickets have stamps"
            what = "%s, but the alert is not active: sync rebuild proposes what to close"
            logger.warning(what, tickets, extra={"notice": True})

    def lost(self) -> list[Alert]:
        """Return the rows that the state does not have, and whose tickets exist. Raises ListError."""
        seq, now = self._inbox.last(), self._clock()
        shown = {alert.uid: self._started(alert, "list", seq) for alert in self._source.alerts()}
        rows = lost_rows(self._calls.stamped(now - LOST_BEFORE_S), shown, now)
        return [row for row in rows if self._is_lost(row)]

    def _is_lost(self, row: Alert) -> bool:
        known = self.rows.latest(row.uid)
        return known is None or (is_parked(known) and known.key == row.key and row.state != "CLOSED")

    def recover(self, rows: Sequence[Alert]) -> int:
        """Keep rows of a lost state, and return the number of those that are not closed."""
        self.rows.put(rows)
        found = sum(row.state != "CLOSED" for row in rows)
        if found:
            logger.warning("tickets that were found by their stamps: %d", found, extra={"notice": True})
        return found

    def react(self, event: Event, delivery: Delivery | None = None) -> None:
        """Commit the changes that an event causes, make its calls, and process their outcomes."""
        if self._state.is_in_transaction:
            raise RuntimeError("react() was called within a transaction")
        changes, calls = step(self.rows, event, self._settings)
        intents = [(call.row, self._calls.prepare(call)) for call in calls]
        with self._state.transaction():
            self.rows.put(changes)
            if isinstance(event, Created):
                key = outbox_key(Alert(event.uid, event.generation, "OPEN"))
                self._outbox.settle(key, "created", event.ticket)
            for row, known in intents:
                if known is not None:
                    self._begin(row, known)
            if delivery is not None:
                self._inbox.done(delivery.seq, self._clock())
        for call in calls:
            for outcome in self._calls.perform(call, self._found):
                self.react(outcome)

    def _found(self, reading: AlertReading) -> Started:
        """Return the event of an alert that was found active while its series was being reset."""
        return self._started(reading, "list", self._inbox.last())

    def _begin(self, row: Alert, known: Mapping[str, Json]) -> None:
        key = outbox_key(row)
        self._outbox.settle(key, "not created")  # by an earlier attempt
        self._outbox.begin(key, "create_ticket", known, row.stamp, self._clock())

    def _was_not_sent(self, row: Alert) -> bool:
        intent = self._outbox.get(outbox_key(row))
        return intent is not None and intent.outcome is None and intent.sent is None

    def _apply(self, delivery: Delivery) -> None:
        events = self._events(delivery)
        for event in events[:-1]:
            self.react(event)
        if events:
            self.react(events[-1], delivery)
        else:
            self._inbox.done(delivery.seq, self._clock())

    def _events(self, delivery: Delivery) -> list[Event]:
        hook = self._hooks.get(delivery.source)
        if hook is None:
            logger.error(
                "a webhook delivery of %s is ignored: that service is not part of this sync", delivery.source
            )
            return []
        body = json_text.loads(delivery.raw.decode())
        news = [event for said in hook.alerts(body) if (event := self._event(said, delivery.seq))]
        tickets = [number for number in hook.tickets(body) if any(self.rows.of_ticket(number))]
        found: list[Event] = [*news, *(self._calls.read(tickets) if tickets else ())]
        if not found:
            logger.info(
                "delivery %d of %s has no alert and no ticket of this sync", delivery.seq, delivery.source
            )
        return found

    def _event(self, news: AlertNews, seq: int) -> Event | None:
        now = self._clock()
        if news.kind == "started":
            return self._started(news.reading, "event", seq)
        kind = Ended if news.kind == "ended" else Acknowledged
        return kind(news.reading.uid, news.at, now, seq)

    def _started(self, reading: AlertReading, via: str, seq: int, *, existing: bool = False) -> Started:
        """Return the event of an active alert; evaluate the rules only if it may need a ticket."""
        row = self.rows.latest(reading.uid)
        event = Started(
            *(reading.uid, reading.start, self._clock(), seq, via),  # type: ignore[arg-type]
            device=reading.device,
            organization=reading.organization,
            condition=reading.condition,
        )
        if row is not None and is_same_start(row.start, reading.start) and row.state != "CLOSED":
            return event
        if via == "event":
            reading = self._context.completed(reading)
        return replace(
            event,
            organization=self._context.organization_of(reading),
            alert=json_text.dumps(dict(reading.data)),
            wanted=self._context.is_wanted(reading),
            existing=existing,
            adopt=self._calls.adoptable(reading) if existing and row is None else None,
        )

    def _read_alerts(self, only: Collection[str] | None) -> None:
        seq, now = self._inbox.last(), self._clock()
        alerts = list(self._source.alerts())
        is_first = self._state.meta(FIRST_LIST) is None and self._context.alerts.first_run == "adopt"
        shown = {
            alert.uid: self._started(alert, "list", seq, existing=is_first)
            for alert in alerts
            if only is None or alert.uid in only
        }
        rows = (row for row in self.rows.in_list() if only is None or row.uid in only)
        snapshot = read_snapshot(rows, shown, now, seq)
        for event in snapshot.events:
            self.react(event)
        if snapshot.devices:
            logger.error("%d alerts are missing from one list: reading each device", len(snapshot.absent))
            found = {number: self._uids_of(number) for number in snapshot.devices}
            devices = {number: uids for number, uids in found.items() if uids is not None}
            for event in confirmed(snapshot.absent, devices, self._clock(), seq):
                self.react(event)
        if only is None and self._state.meta(FIRST_LIST) is None:
            self._state.set_meta(FIRST_LIST, str(now))

    def _uids_of(self, device: int) -> list[str] | None:
        """Return the uids of a device's active alerts; None if they cannot be read now."""
        try:
            return [alert.uid for alert in self._source.device_alerts(device)]
        except ListError as error:
            is_gone = isinstance(error.__cause__, RowError) and error.__cause__.code == "not_found"
            return [] if is_gone else None

    def read_tickets(self, tickets: Sequence[int]) -> None:
        """Read tickets by id and process their changes. Raises ListError."""
        for numbers in _chunks(tickets, AT_ONCE):
            for event in self._calls.read(numbers):
                self.react(event)

    def _guarded(self, what: str, read: Callable[[], None]) -> bool:
        try:
            read()
        except LOST as error:
            self._calls.lost_sign_in |= isinstance(error, SignInLostError)
            logger.error("the list of %s is ignored because it is incomplete: %s", what, error)
            return False
        return True


def _chunks(numbers: Sequence[int], size: int) -> Iterator[list[int]]:
    rest = iter(numbers)
    while found := list(islice(rest, size)):
        yield found
