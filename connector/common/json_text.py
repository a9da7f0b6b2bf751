"""Reads and writes strict JSON (RFC 8259).

NaN and Infinity are errors, also if written as 1e999, and the output is always valid UTF-8.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import cache
from json.encoder import encode_basestring_ascii
from math import isinf
from typing import Any, NamedTuple, NoReturn

from connector.errors import shorten, values_are_shown

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with str keys."""


def refuse(constant: str) -> NoReturn:
    """Raise ValueError for `NaN`, `Infinity` and `-Infinity`, which JSON does not allow."""
    raise ValueError(f"{constant} is not JSON")


class SpelledFloat(float):
    """A number with the `spelling` it had in the input, such as 1E5 or 1.10, which `repr` would change."""

    __slots__ = ("spelling",)
    spelling: str


def spelled_float(text: str) -> float:
    """Return a number that has a fraction or exponent, with its spelling if `repr` would change it.

    Raises ValueError if it is too large.
    """
    number = float(text)
    # `repr` does not change numbers of up to 15 digits; this check is faster than calling it.
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


def _writer(item_end: str, name_end: str) -> Callable[[Json], str]:
    """Return a function that writes JSON with these separators as `JSONEncoder.encode` does.

    `JSONEncoder.encode` creates a C encoder for each value, which takes as long as writing a small object.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(item_end, name_end))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # The arguments select: no check for cycles, no indent, no sorting, no skipped keys, and no NaN.
    quote = json.encoder.encode_basestring
    chunks = make(None, encoder.default, quote, None, name_end, item_end, False, False, False)
    return lambda value: "".join(chunks(value, 0))


_compact, _spaced = _writer(",", ":"), _writer(", ", ": ")
_ascii = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


_default = decoder
_LARGE = 1 << 15
"""The minimum length of a text that is read with `msgspec`, whose import takes as long as 10,000 objects."""


class _Compiled(NamedTuple):
    """The functions of `msgspec` that read JSON, with and without the spelling of numbers, and write it.

    They raise `errors`, because the exceptions of old versions of `msgspec` are not ValueErrors.
    """

    loads: Callable[[str], Json]
    loads_plain: Callable[[str], Json]
    dump: Callable[[Json], bytes]
    errors: tuple[type[Exception], ...]


@cache
def _compiled() -> _Compiled | None:
    """Return the functions of `msgspec` (the extra `fast`), or None without it."""
    try:
        from msgspec import MsgspecError
        from msgspec.json import Decoder, Encoder
    except ImportError:
        return None
    spelled = Decoder(float_hook=spelled_float)
    errors = (MsgspecError, ValueError, TypeError, OverflowError, RecursionError)
    return _Compiled(spelled.decode, Decoder().decode, Encoder(enc_hook=_plain_float).encode, errors)


def is_compiled(length: int) -> bool:
    """Return whether `loads` reads a text of this length with `msgspec`."""
    return length >= _LARGE and _compiled() is not None


def _plain_float(value: object) -> float:
    if isinstance(value, SpelledFloat):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def loads_unique(text: str) -> Json:
    """Return the value of a JSON text, as `loads` does. Raises ValueError also for repeated members."""
    return loads(text, _unique_decoder)


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'the member "{shorten(twice, 80)}" appears twice')
    return found


_unique_decoder = json.JSONDecoder(
    parse_constant=refuse, parse_float=spelled_float, object_pairs_hook=_unique
)


def loads(text: str, decoder: json.JSONDecoder = decoder) -> Json:
    """Return the value of a JSON text. Raises ValueError if it is not valid or nested too deeply."""
    if len(text) >= _LARGE and decoder is _default and (compiled := _compiled()):
        try:
            return compiled.loads(text)
        except compiled.errors:
            pass  # `json` finds out what is wrong; it reads lone surrogates
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
        raise ValueError("the value is nested too deeply") from None


def loads_plain(text: str) -> Json:
    """Return the value of a JSON text as `loads` does, but numbers without their spelling.

    With `msgspec`, this takes a third of the time, because it calls no function for a number.
    """
    if len(text) >= _LARGE and (compiled := _compiled()):
        try:
            return compiled.loads_plain(text)
        except compiled.errors:
            pass  # as in `loads`
    return loads(text)


def dumps(value: Json) -> str:
    """Return a value as JSON on one line. Raises ValueError for NaN, Infinity and cycles."""
    try:
        return _spaced(value)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None


def dump_bytes(value: Json) -> bytes:
    """Write a JSON value as one compact line of UTF-8; lone surrogates become \\u escapes."""
    try:
        try:
            return _compact(value).encode()
        except UnicodeEncodeError:
            return _ascii.encode(value).encode()
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None


def dump_parsed(values: list[Json]) -> list[bytes]:
    """Write values that were parsed from JSON, each like `dump_bytes`.

    With `msgspec`, if `loads` has imported it for a large text, this takes a fraction of the time, and an
    exponent is written as in `1e22`, not `1e+22`. It must not be used for other values, because `msgspec`
    writes NaN as null.
    """
    if "msgspec.json" in sys.modules and (compiled := _compiled()):
        try:
            return [compiled.dump(value) for value in values]
        except compiled.errors:
            pass  # for example, a lone surrogate
    return [dump_bytes(value) for value in values]


def dumps_parsed(values: list[Json]) -> list[str]:
    """Write values that were parsed from JSON, each like `dumps`; see `dump_parsed`."""
    if "msgspec.json" in sys.modules and (compiled := _compiled()):
        from msgspec.json import format

        try:
            return [format(compiled.dump(value), indent=0).decode() for value in values]
        except compiled.errors:
            pass
    return [dumps(value) for value in values]


def quoted(text: str) -> str:
    """Return a text as a JSON string in ASCII, ten times as fast as `dumps`."""
    return encode_basestring_ascii(text)


def is_unicode(value: Json) -> bool:
    """Return whether no string or member name in a value has a lone surrogate."""
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
    """Raise ValueError, with the likely cause, if a string in a value has a lone surrogate."""
    try:
        if is_unicode(value):
            return
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None
    while not isinstance(value, str):
        parts = (*value, *value.values()) if isinstance(value, dict) else value
        value = next(part for part in parts if not is_unicode(part))
    shown = f'"{shorten(value.encode("ascii", "backslashreplace").decode(), 80)}"'
    code = next(ord(character) for character in value if _SURROGATE.match(character))
    # Python decodes bytes of arguments, variables and files that are not UTF-8 to these code points.
    is_byte = 0xDC80 <= code <= 0xDCFF
    reason = (
        f"the byte 0x{code - 0xDC00:02X} is not UTF-8"
        if is_byte
        else f"\\u{code:04x} is half of a surrogate pair"
    )
    raise ValueError(f"{shown if values_are_shown() else 'the text'} is not Unicode text: {reason}")


_SURROGATE = re.compile("[\ud800-\udfff]")


_PYTHON_FORM = r"""[\[{:,]\s*'|'\s*[\]}:,]|[\[{:,]\s*(True|False|None)\s*[\]},]"""


def syntax_hint(text: str) -> str:
    """Return a hint for the end of an error message on why a text is not JSON; often empty."""
    if re.search(_PYTHON_FORM, text):
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
