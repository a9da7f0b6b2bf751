"""JSON as RFC 8259 has it: no NaN, no Infinity (also not as 1e999), and always writable as UTF-8."""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from math import isinf
from typing import Any, NoReturn

from connector.errors import shorten

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with str keys."""


def refuse(constant: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not have. Raises ValueError."""
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"{shorten(text, 20)} is too large for a number")
    return number


decoder = json.JSONDecoder(parse_constant=refuse, parse_float=_finite)
"""Reads what `loads` reads; for what has to find the end of a value in a longer text."""


def _writer() -> Callable[[Json], str]:
    """Make what writes compact JSON as `JSONEncoder.encode` does.

    That makes its C encoder anew for each value, which costs as much as a small object does; here it is kept.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # No look for cycles (they end in a RecursionError, too), no indent; no sorting, no skipped keys, no NaN.
    quote = json.encoder.encode_basestring
    chunks = make(None, encoder.default, quote, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_compact = _writer()
_ascii = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_spaced = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def loads(text: str) -> Json:
    """Read one JSON value. Raises ValueError, also for what is nested too deeply."""
    try:
        if text[:1] in ("{", "["):
            # Most texts begin at once; looking for white space in front costs as much as a small object.
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
    """Write a text as JSON, in ASCII: a tenth of the work of `dumps`, for who puts a line together."""
    return encode_basestring_ascii(text)


def kind(value: object) -> str:
    """Name a value's JSON type for a message: `text`, `an integer`, `null` and so on."""
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
