"""JSON of RFC 8259: without NaN and Infinity (also as 1e999), and always writable as UTF-8."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from math import isinf
from typing import Any, NoReturn

from connector.errors import shorten, values_are_shown

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with str keys."""


def refuse(constant: str) -> NoReturn:
    """Raise ValueError for NaN and the infinities, which JSON does not have."""
    raise ValueError(f"{constant} is not JSON")


class SpelledFloat(float):
    """A number whose `spelling`, such as 1E5 or 1.10, is not the one that Python would write."""

    __slots__ = ("spelling",)
    spelling: str


def spelled_float(text: str) -> float:
    """Read a number with a fraction or an exponent; as text it keeps its spelling. Raises ValueError."""
    number = float(text)
    # Python writes up to 15 digits as they were read; this check is faster than `repr`.
    if number >= 0.001 and len(text) < 17 and text[-1] != "0" and "e" not in text and "E" not in text:
        return number
    if repr(number) == text:
        return number
    if isinf(number):
        shown = shorten(text, 20) if values_are_shown() else "this"
        raise ValueError(f"{shown} is too large for a number")
    number = SpelledFloat(number)
    number.spelling = text
    return number


def number_text(value: bool | int | float) -> str:
    """Return a number or a boolean as text, in its original spelling if known, otherwise as JSON."""
    return value.spelling if isinstance(value, SpelledFloat) else dumps(value)


decoder = json.JSONDecoder(parse_constant=refuse, parse_float=spelled_float)
"""Decodes the same JSON as `loads`, for callers that must find the end of a value in a longer text."""


def _writer() -> Callable[[Json], str]:
    """Return a function that writes compact JSON as `JSONEncoder.encode` does.

    That method creates a C encoder for each value, which takes as long as writing a small object.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # No check for cycles (they raise RecursionError), no indent, sorting, skipped keys or NaN.
    quote = json.encoder.encode_basestring
    chunks = make(None, encoder.default, quote, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_compact = _writer()
_ascii = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_spaced = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def loads(text: str) -> Json:
    """Read one JSON value. Raises ValueError, also for one that is nested too deeply."""
    try:
        if text[:1] in ("{", "["):
            # Most texts have no leading white space; searching for it takes as long as parsing a small
            # object.
            value, end = decoder.raw_decode(text)
            if not text[end:].strip(" \t\n\r"):
                return value
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise ValueError(f"{error.msg} at {line}character {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dumps(value: Json) -> str:
    """Write a JSON value on one line. Raises ValueError for NaN, Infinity and cycles."""
    try:
        return _spaced.encode(value)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dump_bytes(value: Json) -> bytes:
    """Write a JSON value as one compact line of UTF-8; lone surrogates become \\u escapes."""
    try:
        try:
            return _compact(value).encode()
        except UnicodeEncodeError:
            return _ascii.encode(value).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def quoted(text: str) -> str:
    """Return a text as JSON in ASCII, ten times as fast as `dumps`."""
    return encode_basestring_ascii(text)


def is_unicode(value: Json) -> bool:
    """Return whether no text of a value, and no name of a member, has a lone surrogate."""
    if isinstance(value, str):
        return value.isascii() or _SURROGATE.search(value) is None
    if isinstance(value, dict):
        for name, member in value.items():
            if not (name.isascii() or is_unicode(name)):
                return False
            kind = type(member)
            if not ((kind is str and member.isascii()) or kind in _NO_TEXT or is_unicode(member)):
                return False
    elif isinstance(value, list):
        for item in value:
            if not (type(item) in _NO_TEXT or is_unicode(item)):
                return False
    return True


_NO_TEXT = frozenset((int, float, bool, type(None)))


def require_unicode(value: Json) -> None:
    """Raise ValueError with the first text that has a lone surrogate, and the cause of the surrogate."""
    try:
        if is_unicode(value):
            return
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    while not isinstance(value, str):
        parts = (*value, *value.values()) if isinstance(value, dict) else value
        value = next(part for part in parts if not is_unicode(part))
    shown = f'"{shorten(value.encode("ascii", "backslashreplace").decode(), 80)}"'
    code = next(ord(character) for character in value if _SURROGATE.match(character))
    # Python turns a byte of an argument, a variable or a file that is not UTF-8 into one of these.
    is_byte = 0xDC80 <= code <= 0xDCFF
    reason = (
        f"the byte 0x{code - 0xDC00:02X} is not UTF-8"
        if is_byte
        else f"\\u{code:04x} is half of a surrogate pair"
    )
    raise ValueError(f"{shown if values_are_shown() else 'the text'} is not Unicode text: {reason}")


_SURROGATE = re.compile("[\ud800-\udfff]")


_PYTHON_FORM = re.compile(r"""[\[{:,]\s*'|'\s*[\]}:,]|[\[{:,]\s*(True|False|None)\s*[\]},]""")


def syntax_hint(text: str) -> str:
    """Return the likely reason why a text is not JSON, for the end of a message."""
    if _PYTHON_FORM.search(text):
        return "; it looks like a Python value, but JSON uses double quotes, true, false and null"
    return ""


def kind(value: object) -> str:
    """Return the name of a value's JSON type for a message, such as `text`, `an integer` or `null`."""
    if value is None:
        return "null"
    for cls, name in _KINDS:
        if isinstance(value, cls):
            return name
    return type(value).__name__


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "text"),
    (list, "an array"),
    (dict, "an object"),
)
