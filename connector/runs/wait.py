"""Waits for the end of the work that an action's requests have queued.

Each poll reads the events of all waiting rows together, not those of one row after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.outcome import EventLog, Outcome, member
from connector.catalog.service import Service
from connector.client.client import Client
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.errors import Code, RowError, RunError
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker
from connector.runs.outcomes import Ended, Found, Order, find_ended, is_traceable
from connector.runs.summary import Awaited

logger = logging.getLogger(__name__)

_POLLS_S = (0.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0)
"""The waits before each poll, in seconds; the last one is repeated."""
_LASTING: tuple[Code, ...] = ("auth_failed", "forbidden", "not_found")
"""Errors of a poll that a later poll is likely to repeat."""
_LASTING_POLLS = 3
"""The number of such errors in a row that end the wait."""
_OVERLAP_S = 300.0
"""Events of this time are read again in each poll, in case one is listed later than a newer one."""
_SHOWN_DEVICES = 5


@dataclass(frozen=True)
class WaitPlan:
    """The lists to read for the outcomes of an action's rows: their actions, keyed by declared name."""

    action: Action
    service: Service
    outcome: Outcome
    lists: Mapping[str, Action]
    timeout_s: float

    @property
    def log(self) -> EventLog | None:
        """The service's event log, if the outcomes are found in it."""
        return None if self.outcome.action else self.service.event_log


def plan_wait(action: Action, service: Service, catalog: Catalog, timeout_s: float) -> WaitPlan:
    """Return what to read for the outcomes of an action. Raises RunError if they cannot be found."""
    if action.outcome is None:
        reason = "only queues work whose end the API does not show" if action.accepted else "queues no work"
        raise RunError(f"{action.name} {reason}, so there is nothing to wait for; omit --wait")
    outcome, names = action.outcome, []
    names.append(outcome.action or (service.event_log.action if service.event_log else ""))
    if outcome.name:
        names.append(outcome.name.action)
    if outcome.after:
        names.append(outcome.after.action)
    if service.offline:
        names.append(service.offline.action)
    lists = {name: catalog.action(service.prefix + name) for name in names}
    return WaitPlan(action, service, outcome, lists, timeout_s)


Report = Callable[[Awaited], None]
"""A function that is called with the state of a wait."""


@dataclass(frozen=True)
class Outcomes:
    """What is known of the orders at the end of the wait; the rows of offline devices; why a poll failed.

    `is_late` is true if the time to wait is over. If it is false and there is a `problem`, the wait has ended
    because of it. `values` are the values that rows have asked for after the end, keyed by row.
    """

    found: Found = field(default_factory=Found)
    offline: frozenset[int] = frozenset()
    problem: str = ""
    is_late: bool = False
    values: Mapping[int, Json] = field(default_factory=dict)

    @property
    def is_cut_short(self) -> bool:
        """Whether a problem has ended the wait before its time."""
        return bool(self.problem) and not self.is_late


class Waiter:
    """Finds the outcomes of one account's rows."""

    def __init__(self, plan: WaitPlan, client: Client, clock: Clock) -> None:
        self._plan, self._client, self._clock = plan, client, clock

    def newest_event(self) -> int:
        """Return the id of the newest event; 0 if the log is empty or not used. Raises RunError."""
        log = self._plan.log
        if log is None:
            return 0
        try:
            newest = self._list(log.action, log.newest)
        except RowError as error:
            raise RunError(f"--wait cannot read the outcomes ({log.action}): {error}") from error
        return member(newest[0], log.id) if newest else 0

    def wait(
        self, orders: Sequence[Order], since: int, deadline: float, report: Report = lambda _: None
    ) -> Outcomes:
        """Wait until all orders have ended, at most until `deadline` (epoch seconds).

        Events after the id `since` are read. `report` is called with the state of the wait after each poll.
        Raises RunInterruptedError if the run is stopping.
        """
        orders = [order for order in orders if is_traceable(self._plan.outcome, order.inputs)]
        number_of_rows = sum(order.is_sure for order in orders)
        if not number_of_rows:
            return Outcomes()
        report(Awaited(number_of_rows))
        orders = self._with_names(orders)
        result = Outcomes(offline=self._offline(orders))
        events: dict[Json, Json] = {}
        lasting = 0
        for number in range(1_000_000):
            self._sleep(number, deadline)
            try:
                items, since = self._poll(events, since)
            except RowError as error:
                logger.warning("outcomes: %s", error, extra={"notice": not result.problem})
                result = replace(result, problem=str(error))
                lasting = lasting + 1 if error.code in _LASTING else 0
                if lasting >= _LASTING_POLLS:
                    break
            else:
                lasting = 0
                found = find_ended(self._plan.outcome, self._plan.log, orders, items)
                result = replace(result, found=found, problem="")
            ended = result.found.ended.values()
            completed = sum(end.succeeded for end in ended)
            awaited = Awaited(number_of_rows, completed, len(ended) - completed, len(result.found.final))
            report(awaited)
            logger.info("outcomes: %d of %d rows are known", len(ended), number_of_rows)
            if not awaited.left or self._clock.now() >= deadline:
                result = replace(result, is_late=True)
                break
        return replace(result, values=self._values_after(orders, result.found.ended))

    def _values_after(self, orders: Sequence[Order], ended: Mapping[int, Ended]) -> dict[int, Json]:
        """Return the values that the rows have asked for, keyed by row, after work that has succeeded."""
        after = self._plan.outcome.after
        values: dict[int, Json] = {}
        if after is None:
            return values
        for order in orders:
            name = order.inputs.get(after.member)
            if name is None or not (order.row in ended and ended[order.row].succeeded):
                continue
            try:
                result = self._result(after.action, {i: order.inputs[of] for i, of in after.inputs.items()})
            except RowError as error:
                if error.code != "not_found":
                    logger.warning("row %d: %s: %s", order.row, name, error, extra={"notice": True})
                    continue
                result = {}
            values[order.row] = result.get(name)
        return values

    def _sleep(self, number: int, deadline: float) -> None:
        pause = _POLLS_S[min(number, len(_POLLS_S) - 1)]
        self._clock.sleep(min(pause, max(0.0, deadline - self._clock.now())))

    def _poll(self, events: dict[Json, Json], since: int) -> tuple[list[Json], int]:
        """Return the items in which to look, and the id of the event after which to read next."""
        outcome, log = self._plan.outcome, self._plan.log
        if log is None:
            return self._list(outcome.action, outcome.inputs), 0
        for event in self._list(log.action, {**outcome.inputs, log.since: since}):
            events[member(event, log.id)] = event
        ordered = [events[id] for id in sorted(events)]
        if ordered:
            recent = member(ordered[-1], log.time) - _OVERLAP_S
            since = max([since, *(member(e, log.id) for e in ordered if member(e, log.time) < recent)])
        return ordered, since

    def _with_names(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Add the names of what the orders run; if they cannot be read, orders are found without them."""
        named = self._plan.outcome.name
        if named is None or all(order.inputs.get(named.input) is None for order in orders):
            return orders
        try:
            names = {item.get("id"): str(item.get("name") or "") for item in self._list(named.action, {})}
        except RowError as error:
            logger.warning(
                "%s: %s. Without these names, other work that a device does at the same time can be taken "
                "for that of a row",
                *(named.action, error),
                extra={"notice": True},
            )
            return orders
        return [replace(order, name=names.get(order.inputs.get(named.input), "")) for order in orders]

    def _offline(self, orders: Sequence[Order]) -> frozenset[int]:
        """Return the rows whose device is offline, and report them."""
        offline = self._plan.service.offline
        if offline is None or offline.input not in self._plan.outcome.match.values():
            return frozenset()
        try:
            devices = {item.get("id"): item for item in self._list(offline.action, offline.inputs)}
        except RowError as error:
            logger.warning("%s: %s", offline.action, error)
            return frozenset()
        rows = {order.row: id for order in orders if (id := order.inputs.get(offline.input)) in devices}
        if rows:
            names = [str(devices[id].get(offline.name, id)) for id in dict.fromkeys(rows.values())]
            more = ", ..." if len(names) > _SHOWN_DEVICES else ""
            logger.warning(
                "offline devices: %d; they may not do the work before the timeout: %s%s",
                *(len(names), ", ".join(names[:_SHOWN_DEVICES]), more),
                extra={"notice": True},
            )
        return frozenset(rows)

    def _list(self, name: str, inputs: Mapping[str, Json]) -> list[Json]:
        """Return the items of a list. Raises RowError."""
        items: list[Json] = self._result(name, inputs)
        return items

    def _result(self, name: str, inputs: Mapping[str, Json]) -> Any:
        """Return the result of an action. Raises RowError."""
        action = self._plan.lists[name]
        invoker = Invoker(
            action, self._plan.service, bind(action, dict(inputs)), self._client, uploads=Path()
        )
        (envelope,) = invoker.envelopes(1, {})
        if envelope.has_error:
            raise RowError(envelope.meta["code"], str(envelope.error), status=envelope.meta["status"])
        return envelope.result
