"""The arguments of a tool call. They come from a model, and can be of any type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.catalog.action import Action
from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import RunError, nearest
from connector.mcp.results import LIMIT


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call. Raises RunError for an argument that the tool does not have."""

    tool: str
    given: Mapping[str, Any]
    known: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.given:
            if name not in self.known:
                listed = ", ".join(self.known)
                raise RunError(
                    f'{self.tool} has no argument "{name}"{nearest(name, self.known)}; arguments: {listed}'
                )

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text. Raises RunError if it is missing, or not a text."""
        value = self.given.get(name, default)
        if not isinstance(value, str):
            raise RunError(self._wrong(name, "a text"))
        return value

    def object(self, name: str) -> dict[str, Json]:
        """Return an object, empty if it is not given. Raises RunError if it is not an object."""
        value = self.given.get(name, {})
        if not isinstance(value, dict):
            raise RunError(self._wrong(name, "an object"))
        return value

    def limit(self) -> int:
        """Return the maximum number of items. Raises RunError if it is not a positive integer."""
        value = self.given.get("limit", LIMIT)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise RunError(self._wrong("limit", "a positive integer"))
        return value

    def _wrong(self, name: str, expected: str) -> str:
        if name not in self.given:
            return f'{self.tool}: the argument "{name}" is required; it must be {expected}'
        return f'{self.tool}: "{name}" must be {expected}, not {json_text.kind(self.given[name])}'


@dataclass(frozen=True)
class Call:
    """A call of an action: its inputs, and the maximum number of items of its list."""

    action: Action
    inputs: dict[str, Json]
    limit: int = LIMIT

    @classmethod
    def of(cls, action: Action, inputs: Mapping[str, Json], limit: int = LIMIT) -> Call:
        """Return a call. An input `limit` of the action is that of the call, and the other way around."""
        if "limit" not in action.inputs:
            return cls(action, dict(inputs), limit)
        asked = inputs.get("limit", limit)
        is_count = isinstance(asked, int) and not isinstance(asked, bool) and asked > 0
        return cls(action, {**inputs, "limit": asked}, asked if is_count else limit)
