"""Adds names beside the ids in results, such as `organizationName` beside `organizationId`.

The names of a kind are those by which inputs give its records; see `names.py`. They are requested once per
run. Names are added to a result, to the items of a list, and to the members that the result's schema
declares, but not to objects with arbitrary members, such as custom fields.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.catalog.action import Action
from connector.catalog.named import NamedKind
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.errors import RowError, RunError, nearest
from connector.invocation.lookups import Lookups
from connector.invocation.names import Finding, read_index
from connector.invocation.result_schema import resolved

Members = Mapping[str, tuple[str, Mapping[Json, str]]]
"""The member for the name and the names by id, keyed by the member with an id."""
_DEEPEST = 6
"""The deepest level of members to which names are added; a schema can contain itself."""
_ID = re.compile("(.+)(_u?id|U?[Ii]d)(s?)")


def check_kinds(service: Service, kinds: Collection[str]) -> None:
    """Raise RunError for a kind whose records have no names in this service."""
    for kind in kinds:
        if _found(service, kind) is None:
            known = ", ".join(service.named) or "none"
            raise RunError(f'no names of the kind "{kind}"{nearest(kind, service.named)}; kinds: {known}')


def read_names(action: Action, service: Service, kinds: Collection[str], lookups: Lookups) -> Finding:
    """Return the `ResultNames` of an action, after the requests for the names. Raises RowError."""
    if action.name not in lookups.result_names:
        lookups.result_names[action.name] = yield from _read_names(action, service, kinds, lookups)
    return lookups.result_names[action.name]


def _read_names(action: Action, service: Service, kinds: Collection[str], lookups: Lookups) -> Finding:
    members: dict[str, tuple[str, Mapping[Json, str]]] = {}
    for name in kinds:
        if kind := _found(service, name):
            try:
                index = yield from read_index(service, kind, lookups)
            except RowError as error:
                said = f"the names of the kind {kind.name} (with_names) cannot be read: {error}"
                raise error.reworded(said) from error
            names = index.displayed
            members |= {member: (beside, names) for member, beside in name_members(kind).items()}
    return ResultNames(members, _nested(action.result, "", members, _DEEPEST))


def name_members(kind: NamedKind) -> dict[str, str]:
    """Return the members of results that are ids of a kind, with the members for their names."""
    found = {}
    for name in (*kind.inputs, f"{kind.name}_id", *kind.results):
        camel = re.sub("_([a-z])", lambda letter: letter[1].upper(), name)
        for member in (name, camel):
            if "." not in member and (match := _ID.fullmatch(member)):
                word = "_name" if match[2].startswith("_") else "Name"
                found[member] = f"{match[1]}{word}{match[3]}"
    return found


def _found(service: Service, name: str) -> NamedKind | None:
    """Return the kind with a name or an alias; case is ignored, and a space and - are the same as _."""
    same = re.sub("[ -]", "_", name.strip().lower())
    return next((kind for kind in service.named.values() if same in (kind.name, kind.alias)), None)


@dataclass(frozen=True)
class ResultNames:
    """Adds names to results. `members` has, by member with an id, the member for the name, and the names.

    `nested` has what adds names to the members of a result that are objects or lists.
    """

    members: Members
    nested: Mapping[str, ResultNames] = field(default_factory=dict)

    def added(self, value: Json) -> Json:
        """Return an object, or the objects of a list, with a name after each id; null if there is none.

        A list of ids gets a list of names. A member that the object already has is not changed.
        """
        if isinstance(value, list):
            return [self.added(item) for item in value]
        if not isinstance(value, dict) or (
            self.members.keys().isdisjoint(value) and self.nested.keys().isdisjoint(value)
        ):
            return value
        changed: dict[str, Json] = {}
        for member, content in value.items():
            changed[member] = self.nested[member].added(content) if member in self.nested else content
            if member in self.members:
                beside, names = self.members[member]
                if beside not in value:
                    changed[beside] = _named(content, names)
        return changed


def _named(content: Json, names: Mapping[Json, str]) -> Json:
    if isinstance(content, list):
        return [_named(item, names) for item in content]
    return names.get(content) if isinstance(content, (int, str)) else None


def _nested(schema: Any, folder: str, members: Members, depth: int) -> dict[str, ResultNames]:
    """Return what adds names to the members that a schema declares, for members that contain ids."""
    declared, folder = _declared(schema, folder)
    found = {}
    for name, inner in declared.items() if depth else ():
        below = _nested(inner, folder, members, depth - 1)
        if below or not _declared(inner, folder)[0].keys().isdisjoint(members):
            found[name] = ResultNames(members, below)
    return found


def _declared(schema: Any, folder: str) -> tuple[Mapping[str, Any], str]:
    """Return the declared members of an object, or of the items of a list, and the folder of references."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, Mapping):
            break
        schema, folder = resolved(schema, folder)
        if "items" not in schema:
            return schema.get("properties") or {}, folder
        schema = schema["items"]
    return {}, folder
