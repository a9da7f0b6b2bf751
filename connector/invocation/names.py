"""Looks up the ids of records that inputs give by name.

The functions are generators of requests, like handlers. A row that has only ids needs no request. All names
of a kind are requested once per run, when a row first has a name of this kind.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.catalog.action import Action
from connector.catalog.coercion import split_mark
from connector.catalog.inputs import Slot
from connector.catalog.named import NamedKind
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.errors import RowError, nearest, quote_value, shorten
from connector.http.messages import Request, Response, build_path, query_text
from connector.invocation.lookups import Lookups
from connector.invocation.notes import Note
from connector.invocation.pagination import Page, walk

_SHOWN = 20
"""The number of records that an error lists."""
_COMPARED = 500
"""The number of names that are compared with a wrong one."""

Finding = Generator[Request | Note, Response, Any]


@dataclass(frozen=True)
class Record:
    """One record of a kind: its id, its names (the first one is displayed), and the id of its owner."""

    id: Json
    names: tuple[str, ...]
    owner: Json = None

    def __str__(self) -> str:
        name = self.names[0] if self.names else ""
        return f"{name} ({self.id})" if name != self.id else name


@dataclass(frozen=True)
class Index:
    """All records of a kind, by name."""

    kind: NamedKind
    records: tuple[Record, ...]
    by_name: Mapping[str, list[Record]] = field(default_factory=dict)

    @property
    def displayed(self) -> dict[Json, str]:
        """The names that are displayed, by id."""
        return {record.id: record.names[0] for record in self.records if record.names}

    def called(self, name: str, owner: Json = None) -> list[Record]:
        """Return the records with a name; if none has exactly this name, case is ignored."""
        found = self.by_name.get(self.kind.same(name), [])
        if owner is not None:
            found = [record for record in found if record.owner == owner]
        return [record for record in found if name in record.names] or found

    def of(self, owner: Json) -> Sequence[Record]:
        """Return the records of an owner; without one, all records."""
        return self.records if owner is None else [one for one in self.records if one.owner == owner]


def pending_names(action: Action, service: Service, values: Mapping[str, Json]) -> Iterator[str]:
    """Yield a sentence for each name in a row's values that will be looked up, beginning with its place."""
    for name, slot in action.slots:
        kind = service.named[slot.kind]
        for where, value in _texts(values.get(name), slot.path, name):
            for text in value.split(",") if slot.is_list else [value]:
                if _name_in(kind, slot, text, where) is not None:
                    yield f"{where} is the id of the {kind.noun} {quote_value(text.strip())}"


def with_ids(action: Action, service: Service, values: Mapping[str, Json], lookups: Lookups) -> Finding:
    """Return a row's values with ids in place of names. Raises RowError."""
    row = _Row(action, service, dict(values), lookups)
    # What can own other records is found first.
    slots = sorted(action.slots, key=lambda one: bool(service.named[one[1].kind].owned_by))
    for name, slot in slots:
        if name in row.values:
            row.values[name] = yield from row.replaced(slot, row.values[name], slot.path, name)
    return row.values


@dataclass(frozen=True)
class _Row:
    """Replaces the names in one row's values."""

    action: Action
    service: Service
    values: dict[str, Json]
    lookups: Lookups

    def replaced(self, slot: Slot, value: Json, path: tuple[str, ...], where: str) -> Finding:
        """Return a value with ids in place of the names at a path in it."""
        if not path:
            return (yield from self._id(slot, value, where)) if isinstance(value, str) else value
        step, *rest = path
        if step == "[]" and isinstance(value, list):
            ids = []
            for number, item in enumerate(value):
                ids.append((yield from self.replaced(slot, item, tuple(rest), f"{where}[{number}]")))
            return ids if rest or ids == value else list(dict.fromkeys(ids))
        if isinstance(value, dict) and step in value:
            return {
                **value,
                step: (yield from self.replaced(slot, value[step], tuple(rest), f"{where}.{step}")),
            }
        return value

    def _id(self, slot: Slot, text: str, where: str) -> Finding:
        """Return the id for a text: an id unchanged, a name looked up."""
        if slot.is_list:
            ids = []
            for part in text.split(","):
                ids.append((yield from self._id(slot._replace(is_list=False), part, where)))
            return ",".join(ids)
        kind = self.service.named[slot.kind]
        name = _name_in(kind, slot, text, where)
        if name is None:
            return split_mark(text.strip())[1]
        record = yield from self._record(kind, name, where)
        return query_text(record.id) if slot.sends_text else record.id

    def _record(self, kind: NamedKind, name: str, where: str) -> Finding:
        """Return the only record with a name. Raises RowError that lists the choices."""
        try:
            index = yield from read_index(self.service, kind, self.lookups)
            if kind.owned_by:
                return (yield from self._owned(index, name, where))
        except RowError as error:
            if error.status not in (403, 404):
                raise
            said = f"{where}: {quote_value(name)} cannot be looked up; use the id instead: {error}"
            raise error.reworded(said) from error
        found = index.called(name)
        today = self.service.words[kind.words].get(name.upper()) if kind.words and not found else None
        if not today:
            return only(index, found, name, where)
        record = only(index, index.called(today), today, where)
        yield Note(f"{where}: the current API has no {name}; sent the closest one, {record}")
        return record

    def _owned(self, index: Index, name: str, where: str) -> Finding:
        """Return the only record with a name for the row's owner, or the one that OWNER/NAME means."""
        kind = index.kind
        owner = yield from self._owner(kind)
        found = index.called(name, owner) if owner is not None else []
        if found or "/" not in name:
            if owner is None:
                raise RowError(
                    "input_invalid",
                    f"{where}: {quote_value(name)} is the name of a {kind.noun} of one {kind.owned_by}, and "
                    f"the row does not say of which: write {kind.owned_by.upper()}/{kind.noun.upper()}",
                )
            return only(index, found, name, where, owner)
        owners = yield from read_index(self.service, self.service.named[kind.owned_by], self.lookups)
        elsewhere: list[Record] = []
        for at in (place for place, letter in enumerate(name) if letter == "/"):
            for holder in owners.called(name[:at]):
                elsewhere += index.called(name[at + 1 :].strip(), holder.id)
        found = [record for record in elsewhere if owner in (None, record.owner)]
        if elsewhere and not found:
            raise RowError(
                "conflict",
                f"{where}: {quote_value(name)} is in another {kind.owned_by} than the one of this row",
            )
        return only(index, found, name, where, owner)

    def _owner(self, kind: NamedKind) -> Finding:
        """Return the id of the owner of a row's records, or None if the row does not determine it."""
        owners: set[Json] = set()
        for name, slot in self.action.slots:
            if slot.kind == kind.owned_by and name in self.values:
                owners |= {one for _, one in _leaves(self.values[name], slot.path, name) if one is not None}
        if owners:
            return owners.pop() if len(owners) == 1 else None
        for name, how in kind.owners.items():
            if self.values.get(name) is not None:
                path = build_path(how.path, {"id": self.values[name]})
                request = Request("GET", path, cached=True, template=how.path)
                response = yield request
                self.lookups.forget([request])
                return response.member(how.member)
        return None


def read_index(service: Service, kind: NamedKind, lookups: Lookups) -> Finding:
    """Return the index of a kind, which is requested once per run. Raises RowError."""
    index = lookups.indexes.get(kind.name)
    if index is None:
        # If the row ends while it waits for a response, its generator is closed, which releases the lock.
        with lookups.indexing:
            index = lookups.indexes.get(kind.name)
            if index is None:
                index = yield from _request_index(service, kind, lookups)
                lookups.indexes[kind.name] = index
    return index


def _request_index(service: Service, kind: NamedKind, lookups: Lookups) -> Finding:
    query = tuple((name, query_text(value)) for name, value in kind.query.items())
    first = Request("GET", kind.path, query, cached=True)
    records: dict[Json, Record] = {}
    if not kind.pager:
        response = yield first
        answer = response.json()
        items = answer.get(kind.items) if kind.items and isinstance(answer, dict) else answer
        if not isinstance(items, list):
            raise response.bad(f"{first}: the response is not an array")
        _add(records, kind, items)
    else:
        sent = yield from _pages(walk(service.pagers[kind.pager], first), kind, records)
        # The pages can be large, and only their names are used again.
        lookups.forget(sent)
    by_name: dict[str, list[Record]] = {}
    for record in records.values():
        for same in {kind.same(name) for name in record.names}:
            by_name.setdefault(same, []).append(record)
    return Index(kind, tuple(records.values()), by_name)


def _pages(pages: Any, kind: NamedKind, records: dict[Json, Record]) -> Finding:
    """Add the records of all pages, and return their requests."""
    sent: list[Request] = []
    try:
        step = next(pages)
        while True:
            if isinstance(step, Page):
                _add(records, kind, step.items)
                step = next(pages)
            else:
                sent.append(step)
                step = pages.send((yield step))
    except StopIteration:
        return sent


def _add(records: dict[Json, Record], kind: NamedKind, items: list[Json]) -> None:
    for item in items:
        if isinstance(item, dict) and isinstance(item.get(kind.id), (int, str)):
            records[item[kind.id]] = Record(item[kind.id], kind.names_of(item), item.get(kind.owner))


def only(index: Index, found: Sequence[Record], name: str, where: str, owner: Json = None) -> Record:
    """Return the only record in `found`. Raises RowError that lists the candidates, or the existing names."""
    if len(found) == 1:
        return found[0]
    noun = index.kind.noun if owner is None else f"{index.kind.noun} of this {index.kind.owned_by}"
    quoted = quote_value(name)
    if found:
        said = f"{where}: {quoted} is the name of more than one {noun}; use the id: {_listed(found)}"
        raise RowError("conflict", said)
    records = index.of(owner)
    near = nearest(shorten(name), _similar(index, records, name), ignore_case=True)
    there = f"Existing: {_listed(records)}" if records else "None exist"
    raise RowError("not_found", f"{where}: no {noun} is named {quoted}{near}. {there}")


def _similar(index: Index, records: Sequence[Record], name: str) -> list[str]:
    """Return names to compare with a wrong one; of many names, those that end or begin like it."""
    names = [one for record in records for one in record.names]
    if len(names) > _COMPARED:
        same, wanted = index.kind.same, index.kind.same(name)
        names.sort(key=lambda one: (same(one)[-3:] != wanted[-3:], same(one)[:3] != wanted[:3]))
    return names[:_COMPARED]


def _listed(records: Sequence[Record]) -> str:
    """Return records for a message: only the first ones if there are many."""
    more = f" and {len(records) - _SHOWN} more" if len(records) > _SHOWN else ""
    return ", ".join(map(str, records[:_SHOWN])) + more


def _name_in(kind: NamedKind, slot: Slot, text: str, where: str) -> str | None:
    """Return the name that a text is, or None for an id. Raises RowError for a wrong id."""
    text = text.strip()
    mark, rest = split_mark(text)
    if mark == "name":
        return rest
    if mark == "id":
        if slot.ids.fullmatch(rest) or kind.id in kind.names:
            return None
        raise RowError("input_invalid", f"{where}: {quote_value(text)}: there is no id after id:")
    # Texts that are sent as numbers are numbers by now, unless they are names.
    return None if slot.sends_text and slot.ids.fullmatch(text) else text


def _leaves(value: Json, path: tuple[str, ...], where: str) -> Iterator[tuple[str, Json]]:
    """Yield each value at a path, with its place."""
    if not path:
        yield where, value
    elif path[0] == "[]" and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, path[1:], f"{where}[{number}]")
    elif isinstance(value, dict) and path[0] in value:
        yield from _leaves(value[path[0]], path[1:], f"{where}.{path[0]}")


def _texts(value: Json, path: tuple[str, ...], where: str) -> Iterator[tuple[str, str]]:
    return ((place, leaf) for place, leaf in _leaves(value, path, where) if isinstance(leaf, str))
