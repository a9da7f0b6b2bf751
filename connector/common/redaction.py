"""Redaction of secrets in everything that is shown or written."""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from threading import Lock

from connector.common.json_text import Json

HIDDEN = "•••"
_MIN_LENGTH = 4
"""The minimum length of a secret to hide in texts, since shorter ones also occur in ordinary words."""
_MAX_NAMES = 10_000
"""The maximum number of member names that a redactor remembers as containing no secret."""


class Secret(str):
    """A text whose `repr` does not show it, for debuggers and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN)


class Redactor:
    """Hides known secrets in texts and JSON, and JSON members that a service declares secret."""

    def __init__(self, values: Iterable[str] = (), members: Iterable[str] = ()) -> None:
        self._members = frozenset(members)
        # In JSON, the letters of a name or secret can be hidden by \u0061, but not by \n or \u00e9.
        self._hiding_escape = _ASCII_ESCAPE if all(map(_PLAIN_NAME.fullmatch, self._members)) else _ESCAPE
        self._beyond: Redactor | None = None
        self._lock = Lock()
        self._given: set[str] = set()
        self._secrets: tuple[_Secret, ...] = ()
        self._shortest = sys.maxsize
        self._plain_names: set[str] = set()
        for value in values:
            self._hide(value)

    def add(self, value: str) -> None:
        """Also hide `value` from now on."""
        with self._lock:
            self._hide(value)
        if self is not OF_PROCESS:
            remember(value)

    def with_secrets(self, values: Iterable[str]) -> Redactor:
        """Return a redactor that also hides `values`, which are the secrets of one row."""
        one = Redactor((value for value in values if len(value) >= _MIN_LENGTH), self._members)
        one._beyond, one._shortest = self, 0
        return one

    def _hide(self, value: str) -> None:
        if not value or value in self._given:
            return
        self._given.add(value)
        secret = _Secret(value)
        # Other threads read the list at the same time, so it is replaced as a whole. Long secrets come first,
        # because a secret can be part of another.
        at = bisect_right(self._secrets, -len(value), key=lambda one: -len(one.value))
        self._shortest = min(self._shortest, secret.shortest)
        self._secrets = (*self._secrets[:at], secret, *self._secrets[at:])
        self._plain_names = set()  # reset last, so that all member names are checked again

    def may_hide(self, text: str) -> bool:
        """Return whether a text, or JSON inside it, can contain a secret; a fast check, usually false."""
        if "\\" in text and self._hiding_escape.search(text):
            return True
        if _contains_any(text, self._members):
            return True
        if _contains_any(text, [secret.anchor for secret in self._secrets]):
            return True
        return self._beyond is not None and self._beyond.may_hide(text)

    def text(self, text: str) -> str:
        """Return a text with known secrets hidden, in any encoding (JSON, URL, HTML, ...)."""
        for secret in self._secrets:
            if secret.anchor in text:
                text = secret.hidden_in(text)
        return self._beyond.text(text) if self._beyond else text

    def said(self, text: str) -> str:
        """Return a text with known secrets and the values of secret members hidden.

        Members are found in complete or truncated JSON, inside JSON strings, and in forms (`name=value`).
        """
        return _member_pattern(self._members).sub(_without_value, self.text(text))

    def json(self, value: Json) -> Json:
        """Return a JSON value with known secrets and the values of secret members hidden."""
        if type(value) in _NO_TEXT:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.json(item) for item in value]
        return self._object(value) if isinstance(value, (dict, Mapping)) else value

    def _object(self, value: Mapping[str, Json]) -> dict[str, Json]:
        # This runs for each object in a response. Most members are not text or are shorter than any secret.
        shortest, plain = self._shortest, self._plain_names
        shown: dict[str, Json] = {}
        for name, member in value.items():
            if name not in plain:
                name = self._shown_name(name, plain, shown)
            kind = type(member)
            if kind is str:
                shown[name] = member if len(member) < shortest else self.text(member)
            else:
                shown[name] = member if kind in _NO_TEXT else self.json(member)
        for name in self._members:
            if shown.get(name) is not None:
                shown[name] = HIDDEN
        return shown

    def _shown_name(self, name: str, plain: set[str], others: Mapping[str, Json]) -> str:
        """Return a member's name with secrets hidden, different from the names of the `others`."""
        shown = self.text(name)
        if shown == name and self._beyond is None and len(plain) < _MAX_NAMES:
            plain.add(name)
        while shown != name and shown in others:
            shown += HIDDEN
        return shown


_LONG_TEXT = 1000


def _contains_any(text: str, parts: Iterable[str]) -> bool:
    """Return whether a text contains one of some short parts.

    In a long text, `rfind` is three times as fast as `in`. At worst, it compares the whole part at each
    position, so the parts must be short.
    """
    if len(text) < _LONG_TEXT:
        return any(map(text.__contains__, parts))
    return any(at >= 0 for at in map(text.rfind, parts))


_PLAIN_NAME = re.compile(r"[\w.$-]*", re.ASCII)
_ASCII_ESCAPE = re.compile(r"\\u00[2-7]")
_ESCAPE = re.compile(r"\\")
_NO_TEXT = frozenset((int, float, bool, type(None)))
"""The types of values that cannot contain secrets."""


class _Secret:
    """A secret that is found in any of its encoded forms.

    `anchor` is a short part that is the same in every form, so a text without it cannot contain the secret.
    No form is shorter than `shortest`.
    """

    def __init__(self, value: str) -> None:
        self.value = value
        longest = max(_UNCHANGED.findall(value), key=len, default="")
        self._is_plain = longest == value
        is_rare = self._is_plain or len(longest) >= _MIN_ANCHOR_LENGTH
        self.anchor = longest[:_MAX_ANCHOR_LENGTH] if is_rare else ""
        self.shortest = len(self.anchor) or 1
        self._pattern: re.Pattern[str] | None = None

    def hidden_in(self, text: str) -> str:
        """Return a text with the secret hidden."""
        if self._is_plain:
            return text.replace(self.value, HIDDEN)
        if self._pattern is None:  # compiled on first use, which is rare
            self._pattern = re.compile(_pattern(self.value))
        return self._pattern.sub(HIDDEN, text)


_UNCHANGED = re.compile(r"[0-9A-Za-z]+")
"""Characters that are not escaped in JSON, URLs, forms, HTML or error messages."""
_MIN_ANCHOR_LENGTH = 4
_MAX_ANCHOR_LENGTH = 64
_PADDED = re.compile(r"([\w.~+/-]{16,})(={1,2})", re.ASCII)


def _pattern(value: str) -> str:
    """Return a regular expression for a secret, raw or escaped for JSON, URLs, forms, HTML and Python.

    It can be escaped more than once, and each character differently: only some programs escape a slash. The
    padding of base64 can be missing.
    """
    padded = _PADDED.fullmatch(value)
    if padded:
        return _pattern(padded[1]) + f"(?:{_spellings('=')}){{0,{len(padded[2])}}}"
    return "".join(c if _UNCHANGED.fullmatch(c) else f"(?:{_spellings(c)})" for c in value)


def _spellings(character: str) -> str:
    """Return the alternatives of a pattern for one character that is not a letter or digit of ASCII."""
    code = ord(character)
    found = []
    for encoding in ("utf-8", "latin-1"):
        with suppress(UnicodeEncodeError):
            found.append("".join(rf"%(?:25){{0,4}}{_hex(byte, 2)}" for byte in character.encode(encoding)))
    units = character.encode("utf-16-be", "surrogatepass")
    pairs = [units[at] << 8 | units[at + 1] for at in range(0, len(units), 2)]
    found.append("".join(rf"\\{{1,16}}u{_hex(unit, 4)}" for unit in pairs))
    found.append(rf"\\{{1,16}}U{_hex(code, 8)}")
    if code < 256:
        found.append(rf"\\{{1,16}}x{_hex(code, 2)}")
    escaped = json.dumps(character)[1:-1]
    if len(escaped) == 2:  # \n and the like
        found.append(r"\\{1,16}" + re.escape(escaped[1]))
    found.append(rf"&(?:amp;){{0,4}}#(?:0{{0,6}}{code}|[xX]0{{0,6}}{_hex(code, 1)});")
    if name := _ENTITIES.get(character):
        found.append(rf"&(?:amp;){{0,4}}{name};")
    if character == " ":
        found += [r"\+", r"%(?:25){0,4}2[bB]"]
    # The character itself is last, because the escaped forms of some characters also begin with it: `%` and
    # `&`.
    found.append(r"\\{1,16}" if character == "\\" else r"\\{0,15}" + re.escape(character))
    return "|".join(dict.fromkeys(found))


_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def _hex(number: int, digits: int) -> str:
    """Return a regular expression for a hexadecimal number in upper or lower case."""
    return "".join(d if d.isdigit() else f"[{d}{d.upper()}]" for d in f"{number:0{digits}x}")


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
    """Return a matched member with its value hidden. JSON stays valid."""
    kind = found.lastgroup or ""
    if not found[kind] or found[kind] == "null":
        return found[0]
    start = found.start(kind) - found.start()
    end = found.end(kind) - found.start()
    mark = f"{found['quote']}{HIDDEN}{found['quote']}" if kind == "bare" else HIDDEN
    return found[0][:start] + mark + found[0][end:]


def masked(secret: str) -> str:
    """Return the text to show instead of a secret; for a long secret, it has the last four characters."""
    return HIDDEN + (secret[-4:] if len(secret) >= 12 else "")


OF_PROCESS = Redactor()
"""Hides the secrets and tokens of all connections in everything that this process prints or logs."""


def remember(secret: str) -> None:
    """Hide a secret in everything that this process prints or logs."""
    if len(secret) >= _MIN_LENGTH:
        OF_PROCESS.add(secret)
