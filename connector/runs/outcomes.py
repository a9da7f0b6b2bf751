"""Finds the end of queued work in the items of a list, without requests: orders, items -> outcomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.catalog.outcome import EventLog, Outcome, member
from connector.common.json_text import Json

Key = tuple[Json, ...]
"""The values of an order's inputs, or of an item's members, by which they belong together."""


@dataclass(frozen=True)
class Order:
    """The queued work of one row: the inputs that identify it, and the name of what it runs, if known."""

    row: int
    inputs: Mapping[str, Json]
    name: str = ""


@dataclass(frozen=True)
class Ended:
    """The end of a row's work: its state in the API, such as COMPLETED; `at` is in epoch seconds."""

    succeeded: bool
    state: str
    exit_code: int | None = None
    at: float | None = None
    id: int | None = None


def is_traceable(declared: Outcome, inputs: Mapping[str, Json]) -> bool:
    """Return whether the end of a row's work can be found."""
    return all(inputs.get(name) in values for name, values in declared.when.items())


def find_ended(
    declared: Outcome, log: EventLog | None, orders: Sequence[Order], items: Iterable[Json]
) -> dict[int, Ended]:
    """Return the ended orders, keyed by row.

    `items` are those of the event log since before the first order, oldest first; or with `log` None those of
    a list that shows the current state of each item. In a log, the orders of one device get the series of its
    events in the order of the rows.
    """
    by_key: dict[Key, list[Json]] = defaultdict(list)
    keys = {_key_of(declared, order) for order in orders}
    for item in items:
        key = tuple(member(item, path) for path in declared.match)
        if key in keys:
            by_key[key].append(item)
    ended: dict[int, Ended] = {}
    taken: set[Json] = set()
    for order in orders:
        its = by_key[_key_of(declared, order)]
        if log is None:
            found = _last_end(declared, None, its)
        else:
            found = _next_series(declared, log, order, its, taken)
        if found:
            ended[order.row] = found
    return ended


def _key_of(declared: Outcome, order: Order) -> Key:
    return tuple(order.inputs.get(name) for name in declared.match.values())


def _next_series(
    declared: Outcome, log: EventLog, order: Order, items: Iterable[Json], taken: set[Json]
) -> Ended | None:
    """Return the end of the oldest series of events that is the order's and that no earlier order has."""
    for series, events in _series(log, items):
        if series not in taken and _is_of(declared, order, events):
            taken.add(series)
            return _last_end(declared, log, events)
    return None


def _series(log: EventLog, items: Iterable[Json]) -> Iterator[tuple[Json, list[Json]]]:
    """Yield the events of each series; an event without a series is one by itself."""
    found: dict[Json, list[Json]] = {}
    for item in items:
        series = member(item, log.series) or member(item, log.id)
        found.setdefault(series, []).append(item)
    yield from found.items()


def _is_of(declared: Outcome, order: Order, events: Sequence[Json]) -> bool:
    states = [member(event, declared.state) for event in events]
    if declared.started:
        if states[0] not in declared.started:
            return False
    elif not any(state in (*declared.completed, *declared.failed) for state in states):
        return False
    for path, name in declared.same.items():
        known = {str(value).lower() for event in events if (value := member(event, path)) is not None}
        if known and (given := order.inputs.get(name)) is not None and str(given).lower() not in known:
            return False
    return _has_name(declared, order, events)


def _has_name(declared: Outcome, order: Order, events: Sequence[Json]) -> bool:
    """Return whether the events name what the order runs, as far as both are known."""
    if declared.name is None or not order.name:
        return True
    texts = [str(text) for event in events for path in declared.name.members if (text := member(event, path))]
    return not texts or any(order.name.casefold() in text.casefold() for text in texts)


def _last_end(declared: Outcome, log: EventLog | None, items: Sequence[Json]) -> Ended | None:
    """Return the end in the last item that has one."""
    for item in reversed(items):
        state = member(item, declared.state)
        if state in (*declared.completed, *declared.failed):
            return _ended(declared, log, item, state)
    return None


def _ended(declared: Outcome, log: EventLog | None, item: Json, state: str) -> Ended:
    succeeded = state in declared.completed
    if log is None:
        return Ended(succeeded, state)
    exit_code = _whole(member(item, log.exit_code))
    result = member(item, log.result)
    failed = result in log.failed or (result is None and exit_code not in (None, 0))
    at, id = member(item, log.time), member(item, log.id)
    return Ended(
        succeeded and not failed,
        str(result) if succeeded and failed and result else state,
        exit_code,
        at if isinstance(at, (int, float)) else None,
        id if isinstance(id, int) else None,
    )


def _whole(value: Json) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
