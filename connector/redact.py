"""Keeping secrets out of everything that is shown or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.json_text import Json

HIDDEN = "•••"


class Redactor:
    """Hides known secret values in texts, and the members that a service holds secret in JSON."""

    def __init__(self, values: Iterable[str] = (), members: Iterable[str] = ()) -> None:
        self._values = _longest_first(values)
        self._members = frozenset(members)

    def add(self, value: str) -> None:
        """Hide this value, too, from now on."""
        # A new tuple, since other threads may be reading the old one.
        self._values = _longest_first((*self._values, value))

    def text(self, text: str) -> str:
        """Give the text without the known secret values."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def json(self, value: Json) -> Json:
        """Give a JSON value without the members that are secret and without known secret values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                name: HIDDEN if name in self._members and member is not None else self.json(member)
                for name, member in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.json(item) for item in value]
        return value


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    """Order secrets so that of one which is a part of another, no other part stays to be seen."""
    return tuple(sorted({value for value in values if value}, key=len, reverse=True))


def masked(secret: str) -> str:
    """Show that a secret is there and, when it is long enough, its last four characters."""
    return HIDDEN + (secret[-4:] if len(secret) >= 12 else "")
