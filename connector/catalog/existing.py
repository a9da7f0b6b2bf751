"""Declares how an action finds an existing record instead of creating it: `if_missing`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from connector.catalog.declaration import Section
from connector.catalog.inputs import Input
from connector.common.json_text import Json

NAME = "if_missing"
"""The key in the declaration, and the name of the input that it adds."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class ExistingLookup(NamedTuple):
    """The list that has the records which an action creates, and how the record of a row is identified.

    `path` can have placeholders of the action's own path, and a value of `query` can be `{NAME}` with the
    name of an input in `match`, for a list that the API filters by its value. `match` has, by the name of an
    input, the names of members of an item; one of them must have the input's value, ignoring case and
    surrounding spaces. A row must have a value for each of these inputs. `items`
    is the member with the list, if the list is neither the whole response nor paged. `result` has the item's
    member for each member of the action's result, if they differ.
    """

    path: str
    query: Mapping[str, Json]
    paging: str
    items: str
    match: Mapping[str, tuple[str, ...]]
    result: Mapping[str, str]

    @property
    def input(self) -> Input:
        """The input `if_missing` of the action."""
        return Input(
            name=NAME,
            title="If missing",
            description=(
                f"If true, an existing record with the same {' and '.join(self.match)} (case ignored) is the "
                "result, and nothing is created or changed; meta.existed is then true."
            ),
            schema={"type": "boolean"},
        )

    def query_of(self, values: Mapping[str, Json]) -> dict[str, Json]:
        """Return the query for a row with these values of the inputs in `match`."""
        found = {}
        for name, value in self.query.items():
            given = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
            found[name] = _stripped(values[given[1]]) if given else value
        return found


def read_existing(part: Section, path: str, inputs: Mapping[str, Input]) -> ExistingLookup:
    """Return the declared lookup of an action with this path and these inputs. Raises DeclarationError."""
    method, _, own_path = part.text("request").partition(" ")
    placeholders = set(re.findall(r"\{[^{}/]+\}", own_path))
    if method != "GET" or not own_path.startswith("/") or not all(one in path for one in placeholders):
        raise part.fault(
            "GET and a path are expected, with no other placeholders than the action's request has", "request"
        )
    match = part.mapping("match")
    members: dict[str, tuple[str, ...]] = {}
    for name, given in match.items():
        if name not in inputs or inputs[name].place != "body" or not inputs[name].target:
            raise part.fault(f'"{name}" is not an input with `to: body.NAME`', "match", name)
        listed = given if isinstance(given, list) else [given]
        if not listed or not all(isinstance(member, str) for member in listed):
            raise part.fault("the name of a member is expected, or a list of names", "match", name)
        members[name] = tuple(listed)
    if not members:
        raise part.fault("at least one input is required", "match")
    for name, value in part.mapping("query").items():
        if isinstance(value, str) and (given := _PLACEHOLDER.fullmatch(value)) and given[1] not in members:
            raise part.fault(f'"{given[1]}" is not an input in `match`', "query", name)
    lookup = ExistingLookup(
        path=own_path,
        query=part.mapping("query"),
        paging=part.text("paging", ""),
        items=part.text("items", ""),
        match=members,
        result=part.mapping("result"),
    )
    part.finish()
    return lookup


def _stripped(value: Json) -> Json:
    return value.strip() if isinstance(value, str) else value
