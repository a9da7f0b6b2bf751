"""JSON values as trees that pages can expand; long ones are limited."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from connector.common.json_text import Json

MAX_NODES = 2000
"""The maximum number of values in a tree."""
MAX_MEMBERS = 200
"""The maximum number of members or items that one value shows."""
DEEPEST = 20
"""The nesting depth below which values are shown as JSON text."""
_MAX_LENGTH = 5000


@dataclass(frozen=True)
class Node:
    """A value: `text` for a scalar, `members` for an object or a list. `left_out` members are not shown."""

    name: str
    kind: str
    text: str = ""
    members: Sequence[Node] = ()
    left_out: int = 0


def make_tree(value: Json, name: str = "") -> Node:
    """Return a value as a tree."""
    return _Trees().tree(name, value, 0)


class _Trees:
    def __init__(self) -> None:
        self._left = MAX_NODES

    def tree(self, name: str, value: Json, depth: int) -> Node:
        self._left -= 1
        if not isinstance(value, (dict, list)):
            return Node(name, _kind(value), _cut(value if isinstance(value, str) else json.dumps(value)))
        noun = "item" if isinstance(value, list) else "member"
        kind = f"{len(value):,} {noun}" + ("" if len(value) == 1 else "s")
        if depth >= DEEPEST:
            return Node(name, kind, _cut(json.dumps(value, ensure_ascii=False)))
        members = []
        for key, member in islice(_members(value), MAX_MEMBERS):
            if self._left <= 0:
                break
            members.append(self.tree(key, member, depth + 1))
        return Node(name, kind, "", members, len(value) - len(members))


def _members(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        return iter(value.items())
    return ((str(number), item) for number, item in enumerate(value))


def _kind(value: Json) -> str:
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "boolean" if isinstance(value, bool) else "number"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}… ({len(text):,} characters)"
