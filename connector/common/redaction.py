"""Removal of secrets from everything that is shown or written."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from threading import Lock
from urllib.parse import quote, quote_plus

from connector.common.json_text import Json

HIDDEN = "•••"
_SHORTEST = 4
"""Characters. Shorter secrets of a row are not hidden: they would mask much else."""


class Redactor:
    """Masks known secret values in texts, and the secret members of a service's JSON."""

    def __init__(self, values: Iterable[str] = (), members: Iterable[str] = ()) -> None:
        self._members = frozenset(members)
        self._beyond: Redactor | None = None
        self._lock = Lock()
        self._given: set[str] = set()
        self._hide(values)

    def add(self, value: str) -> None:
        """Mask this value, too, from now on."""
        with self._lock:
            self._hide([value])
        if self is not OF_PROCESS:
            remember(value)

    def with_secrets(self, values: Iterable[str]) -> Redactor:
        """Return a redactor that also masks these values, which are secret in one row only."""
        one = Redactor((value for value in values if len(value) >= _SHORTEST), self._members)
        one._beyond, one._shortest = self, 0
        return one

    def _hide(self, values: Iterable[str]) -> None:
        self._given |= {value for value in values if value}
        spelled = {text for value in self._given for text in _spellings(value)}
        longest_first = sorted(spelled, key=len, reverse=True)
        # Other threads may be reading, so the order and the shortest length must be right at every instant.
        self._shortest = len(longest_first[-1]) if longest_first else sys.maxsize
        self._values = tuple(longest_first)

    def may_hide(self, text: str) -> bool:
        """Return whether a text, or the JSON in it, could have something to mask; it seldom has."""
        # In JSON, an escape could spell any name.
        if "\\" in text or any(map(text.__contains__, chain(self._values, self._members))):
            return True
        return self._beyond is not None and self._beyond.may_hide(text)

    def text(self, text: str) -> str:
        """Return a text with the known secret values masked."""
        for value in self._values:
            if value in text:
                text = text.replace(value, HIDDEN)
        return self._beyond.text(text) if self._beyond else text

    def said(self, text: str) -> str:
        """Return a text with known values, and the values of secret members in it, masked.

        They are found in JSON, also if it is cut off or inside a text of JSON, and in forms (`name=value`).
        """
        return _member_pattern(self._members).sub(_without_value, self.text(text))

    def json(self, value: Json) -> Json:
        """Return a JSON value with secret members and known secret values masked."""
        if type(value) in _NO_TEXT:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.json(item) for item in value]
        return self._object(value) if isinstance(value, (dict, Mapping)) else value

    def _object(self, value: Mapping[str, Json]) -> dict[str, Json]:
        # Called for every item of a list: most members have no text, or one that is too short.
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
"""Types of values without text."""

OF_PROCESS = Redactor()
"""Masks the secrets of every connection that the process has read, and every token."""


def remember(secret: str) -> None:
    """Mask a secret in everything that the process shows."""
    if len(secret) >= _SHORTEST:
        OF_PROCESS.add(secret)


def _spellings(value: str) -> set[str]:
    """Return the spellings of a secret in texts, JSON, URLs, forms and errors; most have only one."""
    if value.isascii() and value.isalnum():
        return {value}
    spelled = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    with suppress(UnicodeEncodeError):
        spelled |= {quote(value, safe=""), quote_plus(value)}
    return spelled


@lru_cache(maxsize=8)
def _member_pattern(members: frozenset[str]) -> re.Pattern[str]:
    if not members:
        return re.compile(r"(?!)")
    names = "|".join(map(re.escape, sorted(members)))
    return re.compile(
        rf"""(?P<quote>\\*["'])(?:{names})(?P=quote)\s*:\s*"""
        r"""(?:(?P=quote)(?P<text>.*?)(?=(?<!\\)(?P=quote)|$)|(?P<bare>[^\s"'\\\[{,}\]]+))"""
        rf"""|\b(?:{names})=(?P<form>[^&\s"']+)""",
        re.DOTALL,
    )


def _without_value(found: re.Match[str]) -> str:
    """Return the match with its value masked, so that JSON stays JSON."""
    kind = found.lastgroup or ""
    if not found[kind] or found[kind] == "null":
        return found[0]
    start = found.start(kind) - found.start()
    end = found.end(kind) - found.start()
    mark = f"{found['quote']}{HIDDEN}{found['quote']}" if kind == "bare" else HIDDEN
    return found[0][:start] + mark + found[0][end:]


def masked(secret: str) -> str:
    """Return a mask for a secret that, if it is long enough, shows its last four characters."""
    return HIDDEN + (secret[-4:] if len(secret) >= 12 else "")
