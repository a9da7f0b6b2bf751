"""How an action that creates something finds out that it exists: `if_missing` of a declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connector.catalog.declaration import Section
from connector.catalog.inputs import Input
from connector.common.json_text import Json

NAME = "if_missing"
"""The key in the declaration, and the name of the input that it adds."""

INPUT = Input(
    name=NAME,
    title="If missing",
    description=(
        "If true, an existing record with this name (case ignored) is the result, and nothing is created or "
        "changed; meta.existed is then true."
    ),
    schema={"type": "boolean"},
)


@dataclass(frozen=True)
class ExistingLookup:
    """The list with the records that an action creates, and which of its items is the one of a row.

    `path` can have placeholders of the action's own path. `match` has, by the name of an input, the members
    of an item of which one must have the input's value; case and surrounding spaces are ignored. `items` is
    the member with the list, if it is not the whole response and not paged. `result` has the item's member
    for each member of the action's result, if they differ.
    """

    path: str
    query: Mapping[str, Json]
    paging: str
    items: str
    match: Mapping[str, tuple[str, ...]]
    result: Mapping[str, str]


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
