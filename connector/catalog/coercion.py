"""Converts values to their declared types: "007" stays text for a string, and is 7 for an integer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from connector.common import json_text
from connector.common.boolean_words import BOOLEAN_WORDS
from connector.common.json_text import Json, kind
from connector.common.times import convert_time
from connector.errors import cited, shorten, values_are_shown

Convert = Callable[[Json], Json]
"""A function that converts a value to the type that a schema declares. Raises ValueError."""

_INTEGER = re.compile(r"[+-]?[0-9]+(\.0+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def typed_value(schema: Any, value: Json) -> Json:
    """Return a value converted to the type that the schema declares; text is parsed. Raises ValueError.

    Without a declared type the value stays as it is. Members and items are converted likewise. A schema
    with `as`, the unit of a time, accepts every form of a time.
    """
    return compile_typing(schema)(value)


def compile_typing(schema: Any) -> Convert:
    """Return a function that converts values to one schema as `typed_value` does."""
    if isinstance(schema, Mapping) and "as" in schema:
        return lambda value: value if value is None else convert_time(value, schema["as"])
    types = declared_types(schema)
    if not types:
        return lambda value: value
    if "named" in schema and "integer" in types:
        return lambda value: _id_or_name(schema, types, value)
    inside = _compile_inside(schema) if _looks_inside(schema) else None
    at_once = exact_types(schema)
    option = _compile_option(schema)

    def convert(value: Json) -> Json:
        if option and type(value) is str:
            value = option(value)
        if type(value) in at_once:
            return value
        typed = _converted(schema, types, value)
        return inside(typed) if inside else typed

    return convert


def _id_or_name(schema: Mapping[str, Json], types: tuple[str, ...], value: Json) -> Json:
    """Return an id as a number, and a name as text. `id:` before a number is dropped, `name:` is kept."""
    ids = tuple(name for name in types if name != "string")
    if not isinstance(value, str):
        return _converted(schema, ids, value)
    value = value.strip()
    mark, rest = split_mark(value)
    if mark == "id":
        return _converted({"named": "id"}, ids, rest)
    if (value == "null" and "null" in ids) or _is_integer(value):
        return _converted(schema, ids, value)
    return value


def split_mark(text: str) -> tuple[str, str]:
    """Return `id` or `name` and the text after it if a text begins with `id:` or `name:`, ignoring case.

    The first one is empty for any other text. White space around the rest is removed.
    """
    mark, colon, rest = text.partition(":")
    mark = mark.lower()
    return (mark, rest.strip()) if colon and mark in ("id", "name") else ("", text)


def _is_integer(text: str) -> bool:
    return len(text) < 400 and _INTEGER.fullmatch(text) is not None


def _compile_option(schema: Mapping[str, Json]) -> Callable[[str], str] | None:
    """Return a function that returns the option for a text, ignoring case and surrounding spaces."""
    options = [option for option in schema.get("enum", ()) if isinstance(option, str)]
    by_word = {option.strip().casefold(): option for option in options}
    if not options or len(by_word) < len(options):
        return None
    return lambda text: text if text in options else by_word.get(text.strip().casefold(), text)


def declared_types(schema: Any) -> tuple[str, ...]:
    """Return the types that a schema declares; an empty tuple if it allows any type."""
    types = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    return (types,) if isinstance(types, str) else tuple(types)


def exact_types(schema: Any) -> frozenset[type]:
    """Return the Python types whose values need no conversion, whatever they contain."""
    types = frozenset(_EXACT[name] for name in declared_types(schema))
    if "integer" in declared_types(schema) and "named" in schema:
        return types - {str}
    return types - {list, dict} if _looks_inside(schema) else types


def shown(value: Json) -> str:
    """Return a value as messages quote it."""
    if not values_are_shown():
        return kind(value)
    if isinstance(value, str):
        return f'the text "{shorten(value, 80)}"'
    return kind(value) if isinstance(value, (list, dict)) or value is None else f"{kind(value)} ({value})"


def _looks_inside(schema: Mapping[str, Json]) -> bool:
    return "items" in schema or bool(schema.get("properties"))


def _compile_inside(schema: Mapping[str, Json]) -> Convert:
    """Return a function that converts a list's items and an object's members."""
    items = compile_typing(schema["items"]) if "items" in schema else None
    members = {name: compile_typing(member) for name, member in schema.get("properties", {}).items()}

    def inside(value: Json) -> Json:
        if isinstance(value, list) and items:
            return [_at(f"[{i}]", items, item) for i, item in enumerate(value)]
        if isinstance(value, dict) and members:
            return {k: _at(f".{k}", members[k], v) if k in members else v for k, v in value.items()}
        return value

    return inside


def _at(place: str, convert: Convert, value: Json) -> Json:
    try:
        return convert(value)
    except ValueError as error:
        raise ValueError(f"at {place}: {error}") from None


def _converted(schema: Mapping[str, Json], types: tuple[str, ...], value: Json) -> Json:
    if any(_is_type(name, value) for name in types):
        return value
    for name in types:
        try:
            return _CONVERT[name](value)
        except _NoMatchError:
            continue
    raise ValueError(f"{_expected(schema, types)} is expected, not {shown(value)}")


def _is_type(name: str, value: Json) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, float) and not isfinite(value):
        return False
    return isinstance(value, _PYTHON[name])


_PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_EXACT: dict[str, type] = {**_PYTHON, "number": int}
"""The Python type whose values are accepted unchanged, for each type of JSON Schema.

Types are compared exactly, because a bool is an int. A float is not accepted unchanged, because it may be
infinite.
"""


class _NoMatchError(Exception):
    """The value cannot be converted to the type that was tried."""


def _to_string(value: Json) -> str:
    if isinstance(value, (bool, int, float)):
        return json_text.number_text(value)
    raise _NoMatchError


def _to_integer(value: Json) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _is_integer(value.strip()):
        return int(value.strip().partition(".")[0])
    raise _NoMatchError


def _to_number(value: Json) -> int | float:
    if isinstance(value, str) and len(value) < 400 and _NUMBER.fullmatch(value.strip()):
        number = float(value)
        if _INTEGER.fullmatch(value.strip()):
            return _to_integer(value)
        if number not in (float("inf"), float("-inf")):
            return number
    raise _NoMatchError


def _to_boolean(value: Json) -> bool:
    word = value.strip().lower() if isinstance(value, str) else str(value) if type(value) is int else ""
    if word in BOOLEAN_WORDS:
        return BOOLEAN_WORDS[word]
    raise _NoMatchError


def _from_json_text(cls: type) -> Callable[[Json], Json]:
    def convert(value: Json) -> Json:
        if not isinstance(value, str):
            raise _NoMatchError
        try:
            parsed = json_text.loads(value)
        except ValueError as error:
            if cls is type(None):
                raise _NoMatchError from None
            raise ValueError(f"not JSON ({error}){json_text.syntax_hint(value)}{cited(value)}") from None
        if not isinstance(parsed, cls):
            raise _NoMatchError
        return parsed

    return convert


_CONVERT: dict[str, Callable[[Json], Json]] = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "array": _from_json_text(list),
    "object": _from_json_text(dict),
    "null": _from_json_text(type(None)),
}


def _expected(schema: Mapping[str, Json], types: tuple[str, ...]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "named" in schema:
        return "an id" if schema["named"] == "id" else "an id or a name"
    return " or ".join(_NAMES[name] for name in types)


_NAMES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
