"""Adds names beside the ids in results, such as `organizationName` beside `organizationId`.

The names of a kind are those by which inputs give its records; see `names.py`. They are requested once per
run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connector.catalog.named import NamedKind
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.errors import RowError, RunError, nearest
from connector.invocation.lookups import Lookups
from connector.invocation.names import Finding, Index, read_index


def check_kinds(service: Service, kinds: Collection[str]) -> None:
    """Raise RunError for a kind whose records have no names in this service."""
    for kind in kinds:
        if kind not in service.named:
            known = ", ".join(service.named) or "none"
            raise RunError(f'no names of the kind "{kind}"{nearest(kind, service.named)}; kinds: {known}')


def read_names(service: Service, kinds: Collection[str], lookups: Lookups) -> Finding:
    """Return a function that adds names to results, after the requests for them. Raises RowError."""
    members: dict[str, tuple[str, Mapping[Json, str]]] = {}
    for kind in kinds:
        try:
            index = yield from read_index(service, service.named[kind], lookups)
        except RowError as error:
            said = f"the names of the kind {kind} (with_names) cannot be read: {error}"
            raise error.reworded(said) from error
        names = lookups.displayed.get(kind) or _displayed(index, lookups)
        members |= {member: (name, names) for member, name in _members(index.kind).items()}
    return ResultNames(members)


def _displayed(index: Index, lookups: Lookups) -> dict[Json, str]:
    """Return the names that are displayed, by id, and keep them for other rows."""
    names = {record.id: record.names[0] for record in index.records if record.names}
    lookups.displayed[index.kind.name] = names
    return names


def _members(kind: NamedKind) -> dict[str, str]:
    """Return the members of results that are ids of a kind, with the members for their names."""
    found = {}
    for name in (*kind.inputs, f"{kind.name}_id"):
        camel = re.sub("_([a-z])", lambda letter: letter[1].upper(), name)
        for member in (name, camel):
            if match := re.fullmatch("(.+)(_id|Id)", member):
                found[member] = match[1] + match[2].replace("id", "name").replace("Id", "Name")
    return found


@dataclass(frozen=True)
class ResultNames:
    """Adds names to results. `members` has, by member with an id, the member for the name, and the names."""

    members: Mapping[str, tuple[str, Mapping[Json, str]]]

    def added(self, value: Json) -> Json:
        """Return an object, or the objects of a list, with a name after each id; null if there is none.

        A member that the object already has is not changed.
        """
        if isinstance(value, list):
            return [self.added(item) for item in value]
        if not isinstance(value, dict) or self.members.keys().isdisjoint(value):
            return value
        changed: dict[str, Json] = {}
        for member, content in value.items():
            changed[member] = content
            if member in self.members:
                name, names = self.members[member]
                if name not in value:
                    changed[name] = names.get(content) if isinstance(content, (int, str)) else None
        return changed
