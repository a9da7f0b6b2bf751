"""Text and values of any kind in, typed and checked values out.

Text becomes a value by the declared type only: "007" stays text for a string and is 7 for an integer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

from connector import json_text
from connector.errors import RowError, shorten
from connector.filters import FilterGrammar
from connector.json_text import Json, kind
from connector.times import Unit, convert_time

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__bool__": lambda self: False})()
"""The value of an input that was not given. JSON null is a value, so it cannot say that."""

_INTEGER = re.compile(r"[+-]?[0-9]+(\.0+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

# Keywords that the typing below fully covers: a schema with no others needs no validator.
_COVERED = {"type", "title", "description", "default", "examples", "format"}
_CHECKED_FORMATS = ("uuid", "ipv4", "ipv6", "date")


@dataclass(frozen=True)
class Input:
    """A typed parameter of an action.

    `schema` is plain JSON Schema 2020-12; `unit` (`as:` in the declaration) is how a time is sent;
    `grammar` is that of a filter, which the schema's `format` names; `place`
    and `target` say where the value goes (`path`, `query`, `header`, `body`, `part`; an empty place is the
    engine's or the handler's own).
    """

    name: str
    title: str
    schema: Mapping[str, Json]
    description: str = ""
    place: str = ""
    target: tuple[str, ...] = ()
    unit: Unit | None = None
    grammar: FilterGrammar | None = None
    published: bool = True
    deviates: str = ""
    default: Json = field(default_factory=lambda: ABSENT)

    def read(self, value: Json) -> Json:
        """Type and check one value; nothing at all gives ABSENT.

        Raises RowError (`input_invalid`) that names the input, what was wrong and what is allowed.
        """
        if value is ABSENT or (value is None and not self.nullable):
            return ABSENT
        if isinstance(value, str) and not value.strip():
            return ABSENT
        try:
            if self.unit and value is not None:
                written = value if isinstance(value, str) else _number_text(value)
                return convert_time(written, self.unit)
            typed = typed_value(self.schema, value)
            if self.grammar is not None:
                self.grammar.check(typed)
        except ValueError as error:
            raise RowError("input_invalid", f"{self.name}: {error}") from None
        return self._checked(typed)

    def read_empty(self) -> Json:
        """Give the empty text that `empty: send` sends, checked. Raises RowError where text is not taken."""
        if "string" not in _types(self.schema):
            raise RowError("input_invalid", f"{self.name}: only a text input can be sent empty")
        return self._checked("")

    @property
    def nullable(self) -> bool:
        """Whether the API takes JSON null here."""
        return "null" in _types(self.schema)

    def _checked(self, value: Json) -> Json:
        if self._validator is not None:
            for error in self._validator.iter_errors(value):
                raise RowError("input_invalid", f"{self.name}{_path(error)}: {_explain(error)}")
        return value

    @cached_property
    def _validator(self) -> Any:
        return None if _is_covered(self.schema) else validator(self.schema)


def validator(schema: Any) -> Any:
    """Build a `jsonschema` validator (2020-12) with the formats that need no further package."""
    # Imported here: a run whose inputs need no more than typing never pays for it.
    from jsonschema import Draft202012Validator, FormatChecker

    return Draft202012Validator(schema, format_checker=FormatChecker(_CHECKED_FORMATS))


def _is_covered(schema: Mapping[str, Json]) -> bool:
    return schema.keys() <= _COVERED and schema.get("format") not in _CHECKED_FORMATS


def _types(schema: Any) -> tuple[str, ...]:
    types = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    return (types,) if isinstance(types, str) else tuple(types)


def typed_value(schema: Any, value: Json) -> Json:
    """Give `value` the type that the schema declares, text by reading it. Raises ValueError.

    Without a declared type the value stays as it is. Members and items are typed in the same way.
    """
    types = _types(schema)
    if not types:
        return value
    for name in types:
        if _is_type(name, value):
            return _typed_inside(schema, value)
    for name in types:
        try:
            return _typed_inside(schema, _CONVERT[name](value))
        except _NotThis:
            continue
    raise ValueError(f"{_expected(schema, types)} is expected, not {_shown(value)}")


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


class _NotThis(Exception):
    """The value is not of the type that was tried."""


def _to_string(value: Json) -> str:
    if isinstance(value, (bool, int, float)):
        return json_text.dumps(value)
    raise _NotThis


def _to_integer(value: Json) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < 400 and _INTEGER.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    raise _NotThis


def _to_number(value: Json) -> int | float:
    if isinstance(value, str) and len(value) < 400 and _NUMBER.fullmatch(value.strip()):
        number = float(value)
        if _INTEGER.fullmatch(value.strip()):
            return _to_integer(value)
        if number not in (float("inf"), float("-inf")):
            return number
    raise _NotThis


def _to_boolean(value: Json) -> bool:
    word = value.strip().lower() if isinstance(value, str) else str(value) if type(value) is int else ""
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    raise _NotThis


def _from_json_text(cls: type) -> Callable[[Json], Json]:
    def convert(value: Json) -> Json:
        if not isinstance(value, str):
            raise _NotThis
        try:
            parsed = json_text.loads(value)
        except ValueError as error:
            if cls is type(None):
                raise _NotThis from None
            raise ValueError(f"not JSON ({error}): {shorten(value)}") from None
        if not isinstance(parsed, cls):
            raise _NotThis
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


def _typed_inside(schema: Mapping[str, Json], value: Json) -> Json:
    if isinstance(value, list) and "items" in schema:
        return [_at(f"[{i}]", schema["items"], item) for i, item in enumerate(value)]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {k: _at(f".{k}", known[k], v) if k in known else v for k, v in value.items()}
    return value


def _at(place: str, schema: Any, value: Json) -> Json:
    try:
        return typed_value(schema, value)
    except ValueError as error:
        raise ValueError(f"at {place}: {error}") from None


def _expected(schema: Mapping[str, Json], types: tuple[str, ...]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
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


def _shown(value: Json) -> str:
    if isinstance(value, str):
        return f'the text "{shorten(value, 80)}"'
    return kind(value) if isinstance(value, (list, dict)) or value is None else f"{kind(value)} ({value})"


def _number_text(value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"a time is expected, not {_shown(value)}")
    return f"{value:f}" if isinstance(value, float) else str(value)


def _path(error: Any) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)


def _explain(error: Any) -> str:
    """Say what a JSON Schema violation means, with what is allowed."""
    value, allowed = error.instance, error.validator_value
    if error.validator == "enum":
        near = [str(a) for a in allowed if str(a).lower() == str(value).lower()]
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        return f"{_shown(value)} is not one of {', '.join(map(str, allowed))}{hint}"
    if error.validator in ("minimum", "maximum"):
        relation = "less" if error.validator == "minimum" else "more"
        return f"{value} is {relation} than {allowed}, its {error.validator}"
    if error.validator == "format":
        return f"{_shown(value)} is not a {allowed}"
    return shorten(str(error.message))
