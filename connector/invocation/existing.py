"""Creates a record only if it does not exist: first looks for its name in the list that the action declares.

The list is requested once per run, when the handler is about to send the action's own request, so that other
names in the row are ids by then. Records that the run creates are added to the list. Rows with the same name
wait for each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from threading import Condition
from typing import Any, NamedTuple

from connector.catalog.action import Action
from connector.catalog.existing import NAME, ExistingLookup
from connector.catalog.service import Service
from connector.common.json_text import Json, dumps
from connector.common.same_name import same_name
from connector.errors import RowError, quote_value
from connector.http.messages import Request, Response, query_text
from connector.invocation.handlers import Note, Page, Steps
from connector.invocation.pagination import walk
from connector.invocation.steps import StepByStep

_SHOWN = 20
"""The maximum number of records in an error message."""

Key = tuple[str, ...]
"""The values that identify a record, normalized for comparison."""


class Existing(NamedTuple):
    """The result of a row whose record already exists."""

    result: Json


class _Record(NamedTuple):
    """A record in the list: the action's result for it, and its description in error messages."""

    result: Json
    label: str


class ExistingRecords:
    """The records that a run has listed or created, with one connection. Safe for threads."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[Key, list[_Record]]] = {}
        self._claimed: set[object] = set()
        self._free = Condition()

    @contextmanager
    def claim(self, what: object) -> Iterator[None]:
        """Context that only one row at a time can enter for the same `what`; other rows wait."""
        with self._free:
            self._free.wait_for(lambda: what not in self._claimed)
            self._claimed.add(what)
        try:
            yield
        finally:
            with self._free:
                self._claimed.discard(what)
                self._free.notify_all()

    def listed(self, target: str) -> dict[Key, list[_Record]] | None:
        """Return the records of a list by key, or None if the list was not requested yet."""
        return self._lists.get(target)

    def keep(self, target: str, records: dict[Key, list[_Record]]) -> None:
        """Keep the records of a list."""
        self._lists[target] = records

    def add(self, target: str, key: Key, result: Json) -> None:
        """Add a record that was created."""
        self._lists.get(target, {}).setdefault(key, []).append(_Record(result, ""))

    def forget(self, target: str) -> None:
        """Forget a list, because a request failed that may have changed it."""
        self._lists.pop(target, None)


def is_wanted(action: Action, values: Mapping[str, Json]) -> bool:
    """Return whether a row has `if_missing`: its record is created only if it does not exist."""
    return action.existing is not None and values.get(NAME) is True


def create_if_missing(
    steps: Steps, action: Action, service: Service, values: Mapping[str, Json], known: ExistingRecords
) -> Steps:
    """Run the steps of a handler, but return an `Existing` instead of creating a record that exists.

    Raises RowError (`conflict`) if several records have the name.
    """
    lookup, handler = action.existing, StepByStep(steps)
    if lookup is None:
        raise ValueError(f"{action.name} does not declare {NAME}")
    try:
        while handler.step is not None and not _is_own(handler.step, action):
            yield from handler.pass_on()
        if handler.step is None:
            return handler.result
        first = _list_request(lookup, action, handler.step)
        key = tuple(map(_comparable, _values(lookup, action, handler.step).values()))
        with known.claim((first.target, key)):
            records = yield from _records(lookup, service, first, known)
            if found := records.get(key):
                existing = _only(found, action, values)
                if not_set := [name for name in values if _is_sent_later(action, name)]:
                    yield Note(f"{', '.join(not_set)}: not set, because the {_noun(action)} already exists")
                return Existing(existing.result)
            try:
                while handler.step is not None:
                    yield from handler.pass_on()
            except RowError:
                known.forget(first.target)
                raise
            known.add(first.target, key, handler.result)
            return handler.result
    finally:
        steps.close()


def list_request(action: Action, own: Request) -> Request:
    """Return the first request for the list of existing records, for a row with this request."""
    if action.existing is None:
        raise ValueError(f"{action.name} does not declare {NAME}")
    return _list_request(action.existing, action, own)


def _is_own(step: Any, action: Action) -> bool:
    return isinstance(step, Request) and (step.method, step.template) == (action.method, action.path)


def _list_request(lookup: ExistingLookup, action: Action, own: Request) -> Request:
    """Return the first request for the list. Path values are those of the action's own request."""
    pattern = re.sub(r"\\{([^{}/]+)\\}", r"(?P<_\1>[^/]+)", re.escape(action.path))
    given = re.fullmatch(pattern, own.path)
    values = {} if given is None else given.groupdict()
    path = re.sub(r"\{([^{}/]+)\}", lambda found: values[f"_{found[1]}"], lookup.path)
    filters = lookup.query_of(_values(lookup, action, own))
    query = tuple((name, query_text(value)) for name, value in filters.items())
    return Request("GET", path, query, template=lookup.path)


def _values(lookup: ExistingLookup, action: Action, own: Request) -> dict[str, Json]:
    """Return the values of a row that identify its record, by input, as they are in the request.

    Raises RowError if one is missing.
    """
    body = own.body[0] if isinstance(own.body, list) and own.body else own.body
    found = {name: _member(body, action.inputs[name].target) for name in lookup.match}
    if missing := [name for name, value in found.items() if value in (None, "")]:
        raise RowError(
            "input_invalid", f"{NAME}: requires {' and '.join(missing)}, to find an existing record"
        )
    return found


def _records(lookup: ExistingLookup, service: Service, first: Request, known: ExistingRecords) -> Steps:
    """Return the records of a list by key. The first row that needs the list requests it."""
    with known.claim(first.target):
        records = known.listed(first.target)
        if records is None:
            records = {}
            if lookup.paging:
                pages = StepByStep(walk(service.pagers[lookup.paging], first))
                while pages.step is not None:
                    if isinstance(pages.step, Page):
                        _index(lookup, pages.step.items, records)
                        pages.skip()
                    else:
                        yield from pages.pass_on()
            else:
                response = yield first
                _index(lookup, _items(lookup, response), records)
            known.keep(first.target, records)
        return records


def _items(lookup: ExistingLookup, response: Response) -> list[Json]:
    answer = response.json()
    items = _member(answer, lookup.items.split(".")) if lookup.items else answer
    if not isinstance(items, list):
        raise response.bad(f"GET {lookup.path}: the response has no array of records")
    return items


def _index(lookup: ExistingLookup, items: Sequence[Json], records: dict[Key, list[_Record]]) -> None:
    """Add items to the records, under each combination of their values."""
    for item in items:
        values = [
            {_comparable(_member(item, member.split("."))) for member in members}
            for members in lookup.match.values()
        ]
        result = {name: _member(item, [member]) for name, member in lookup.result.items()} or item
        for key in product(*values):
            records.setdefault(key, []).append(_Record(result, _label(lookup, item)))


def _label(lookup: ExistingLookup, item: Json) -> str:
    name = next(_member(item, member.split(".")) for members in lookup.match.values() for member in members)
    return f"{name} (id {item['id']})" if "id" in item else str(name)


def _only(found: Sequence[_Record], action: Action, values: Mapping[str, Json]) -> _Record:
    """Return the only record with a row's name. Raises RowError with the records if there are several."""
    if len(found) == 1:
        return found[0]
    name = next(iter(action.existing.match)) if action.existing else ""
    listed = ", ".join(record.label for record in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise RowError(
        "conflict",
        f"{name}: {len(found)} records have the name {quote_value(str(values.get(name)))}: {listed}{more}. "
        f"Nothing was created; use the id of one of them",
    )


def _member(value: Json, path: Sequence[str]) -> Json:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _comparable(value: Json) -> str:
    if isinstance(value, str):
        return same_name(value)
    # Some APIs write ids as 11.0.
    return f"\0{dumps(int(value) if isinstance(value, float) and value.is_integer() else value)}"


def _is_sent_later(action: Action, name: str) -> bool:
    """Return whether an input is sent in a later request, such as custom fields of a new record."""
    return action.handler is not None and not action.inputs[name].place and name != NAME


def _noun(action: Action) -> str:
    return action.own_name.partition("_")[2].replace("_", " ")
