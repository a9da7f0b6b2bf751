"""Finds the end of queued work in the items of a list, without requests: orders, items -> outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.catalog.outcome import EventLog, Outcome, member
from connector.common.json_text import Json
from connector.runs.claims import Claim, find_candidates

Key = tuple[Json, ...]
"""The values of an order's inputs, or of an item's members, by which they belong together."""


@dataclass(frozen=True)
class Order:
    """The queued work of one row: the inputs that identify it, and the name of what it runs, if known.

    `is_sure` is false if the response to the request was lost: the order claims its place among those of its
    device, and gets no outcome. `is_alone` is true if no other request was being sent at the same time.
    """

    row: int
    inputs: Mapping[str, Json]
    name: str = ""
    is_sure: bool = True
    is_alone: bool = True

    @property
    def claim(self) -> Claim:
        """The place of the row among the rows of its device."""
        return Claim(self.row, self.is_sure, self.is_alone)


@dataclass(frozen=True)
class Ended:
    """The end of a row's work: its state in the API, such as COMPLETED; `at` is in epoch seconds."""

    succeeded: bool
    state: str
    exit_code: int | None = None
    at: float | None = None
    id: int | None = None


@dataclass(frozen=True)
class Found:
    """The ended orders, and those whose end cannot be told from that of other rows (`unclear`), by row.

    `unclear` has the numbers of those rows and of the row itself. Later events cannot help the rows in
    `final`.
    """

    ended: Mapping[int, Ended] = field(default_factory=dict)
    unclear: Mapping[int, Sequence[int]] = field(default_factory=dict)
    final: frozenset[int] = frozenset()


def is_traceable(declared: Outcome, inputs: Mapping[str, Json]) -> bool:
    """Return whether the end of a row's work can be found."""
    return all(inputs.get(name) in values for name, values in declared.when.items())


def find_ended(
    declared: Outcome, log: EventLog | None, orders: Sequence[Order], items: Iterable[Json]
) -> Found:
    """Return what is known of the orders, which are in the order of their rows.

    `items` are those of the event log since before the first order, oldest first; or with `log` None those of
    a list that shows the current state of each item.
    """
    of_key: dict[Key, tuple[list[Order], list[Json]]] = {}
    for order in orders:
        of_key.setdefault(_key_of(declared, order), ([], []))[0].append(order)
    for item in items:
        key = tuple(member(item, path) for path in declared.match)
        if key in of_key:
            of_key[key][1].append(item)
    ended: dict[int, Ended] = {}
    unclear: dict[int, Sequence[int]] = {}
    final: set[int] = set()
    for its_orders, its_items in of_key.values():
        if log is None:
            found = _by_state(declared, its_orders, its_items)
        else:
            found = _by_series(declared, log, its_orders, its_items)
        ended.update(found.ended)
        unclear.update(found.unclear)
        final |= found.final
    return Found(ended, unclear, frozenset(final))


def _key_of(declared: Outcome, order: Order) -> Key:
    return tuple(order.inputs.get(name) for name in declared.match.values())


def _by_state(declared: Outcome, orders: Sequence[Order], items: Sequence[Json]) -> Found:
    """Return what is known of the orders of one item: its state is that after the last of them."""
    rows, last = [order.row for order in orders], orders[-1]
    is_last_known = last.is_sure and (len(orders) == 1 or last.is_alone)
    end = _last_end(declared, None, items) if is_last_known else None
    unclear = {order.row: rows for order in orders if order.is_sure and not (is_last_known and order is last)}
    return Found({last.row: end} if end else {}, unclear, frozenset(unclear))


def _by_series(declared: Outcome, log: EventLog, orders: Sequence[Order], items: Iterable[Json]) -> Found:
    """Return what is known of the orders of one device."""
    series = [events for _, events in _series(log, items)]
    matching: dict[str, frozenset[int]] = {}
    matches = {}
    for order in orders:
        kind = repr((order.name, [order.inputs.get(name) for name in declared.same.values()]))
        if kind not in matching:
            matching[kind] = frozenset(
                n for n, events in enumerate(series) if _is_of(declared, order, events)
            )
        matches[order.row] = matching[kind]
    ends = [_last_end(declared, log, events) for events in series]
    ended: dict[int, Ended] = {}
    unclear: dict[int, Sequence[int]] = {}
    final: set[int] = set()
    for row, its in find_candidates([order.claim for order in orders], matches).items():
        found = [ends[number] for number in its.series]
        known = [end for end in found if end]
        if known and len(known) == len(found) and not its.may_be_missing and (end := _agreed(known)):
            ended[row] = end
        elif known:
            unclear[row] = its.rivals
            if its.is_final and len(known) == len(found):
                final.add(row)
    return Found(ended, unclear, frozenset(final))


def _agreed(ends: Sequence[Ended]) -> Ended | None:
    """Return what several possible ends of one row have in common; None if only some have succeeded."""
    first = ends[0]
    if len(ends) == 1:
        return first
    if any(end.succeeded != first.succeeded for end in ends):
        return None
    states = " or ".join(dict.fromkeys(end.state for end in ends))
    exit_codes = {end.exit_code for end in ends}
    return Ended(first.succeeded, states, exit_codes.pop() if len(exit_codes) == 1 else None)


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
