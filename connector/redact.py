"""Keeping secrets out of everything that is shown or written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import chain

from connector.json_text import Json

HIDDEN = "•••"


class Redactor:
    """Hides known secret values in texts, and the members that a service holds secret in JSON."""

    def __init__(self, values: Iterable[str] = (), members: Iterable[str] = ()) -> None:
        self._members = frozenset(members)
        self._hide(values)

    def add(self, value: str) -> None:
        """Hide this value, too, from now on."""
        self._hide((*self._values, value))

    def _hide(self, values: Iterable[str]) -> None:
        longest_first = sorted({value for value in values if value}, key=len, reverse=True)
        # Other threads may be reading: of two secrets of which one is a part of the other, or of a new short
        # one, nothing must be seen at any instant.
        self._shortest = len(longest_first[-1]) if longest_first else sys.maxsize
        self._values = tuple(longest_first)

    def may_hide(self, text: str) -> bool:
        """Tell whether a text, or the JSON in it, could hold what is to be hidden; it seldom can."""
        # In JSON, an escape could spell any name.
        return "\\" in text or any(map(text.__contains__, chain(self._values, self._members)))

    def text(self, text: str) -> str:
        """Give the text without the known secret values."""
        for value in self._values:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text

    def json(self, value: Json) -> Json:
        """Give a JSON value without the members that are secret and without known secret values."""
        if type(value) in _NO_TEXT:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.json(item) for item in value]
        return self._object(value) if isinstance(value, (dict, Mapping)) else value

    def _object(self, value: Mapping[str, Json]) -> dict[str, Json]:
        # Every member of every item of a list comes by here: most hold no text, or too short a text.
        shortest, shown = self._shortest, {}
        for name, member in value.items():
            kind = type(member)
            if kind is str:
                shown[name] = member if len(member) < shortest else self.text(member)
            else:
                shown[name] = member if kind in _NO_TEXT else self.json(member)
        for name in self._members:
            if shown.get(name) is not None:
                shown[name] = HIDDEN
        return shown


_NO_TEXT = frozenset((int, float, bool, type(None)))
"""Types of values that hide nothing."""


def masked(secret: str) -> str:
    """Show that a secret is there and, when it is long enough, its last four characters."""
    return HIDDEN + (secret[-4:] if len(secret) >= 12 else "")
