"""JSON Schema 2020-12: fast checks, and validators that report what is wrong.

`compile_check` compiles a schema with only the keywords listed here into closures, which take a small part of
the time of `jsonschema`. `validator` is `jsonschema` itself: it reports why a value is not valid, and checks
all other schemas. Both use the patterns and formats of this module, so their results agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from operator import ge, le
from typing import Any

from connector.common.json_text import Json

Check = Callable[[Json], bool]
"""A function that returns whether a value is valid."""


class _NotCoveredError(Exception):
    """The schema has a keyword that this module cannot check."""


def compile_check(schema: Any) -> Check | None:
    """Return a fast check for a schema, or None if only `validator` can check it."""
    try:
        return _compile(schema)
    except _NotCoveredError:
        return None


def validator(schema: Any) -> Any:
    """Return a `jsonschema` validator that checks only the formats that need no other package."""
    # Imported here, because the import takes 80 ms, and most runs do not need it.
    from jsonschema import FormatChecker

    formats = FormatChecker(_CHECKED_ELSEWHERE)
    for name, check in _FORMATS.items():
        formats.checks(name)(_of_text(check))
    for name in INTEGER_RANGES:
        formats.checks(name)(_in_range(*INTEGER_RANGES[name]))
    return _validator_class()(schema, format_checker=formats)


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, ValidationError, validators

    extend: Any = validators.extend

    def pattern(validator: Any, regex: str, value: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not read_pattern(regex).search(value):
            yield ValidationError(f"{value!r} does not match {regex!r}")

    return extend(Draft202012Validator, {"pattern": pattern})


@cache
def read_pattern(regex: str) -> re.Pattern[str]:
    r"""Return a schema's compiled pattern, in which `$` is the end of the text, as in JSON Schema.

    In Python, `$` also matches before a last newline, so that "12\n" would pass for `^\d+$`, and `\d` matches
    the digits of all scripts. Raises re.error.
    """
    strict = re.sub(r"\\.|\[(?:\\.|[^]\\])*\]|\$", lambda m: r"\Z" if m[0] == "$" else m[0], regex)
    return re.compile(strict, re.ASCII)


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}
INTEGER_RANGES = {"int32": (-(1 << 31), (1 << 31) - 1), "int64": (-(1 << 63), (1 << 63) - 1)}
"""The minimum and maximum of each integer format."""
_CHECKED_ELSEWHERE = ("ipv4", "ipv6")
"""The formats that `jsonschema` checks; all other formats are annotations."""


def _compile(schema: Any) -> Check:
    if isinstance(schema, bool):
        return lambda value: schema
    if not isinstance(schema, Mapping):
        raise _NotCoveredError
    checks: list[Check] = []
    for keyword, said in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        if keyword not in _KEYWORDS:
            raise _NotCoveredError
        if check := _KEYWORDS[keyword](said, schema):
            checks.append(check)
    return checks[0] if len(checks) == 1 else _every(checks)


def _every(checks: Sequence[Check]) -> Check:
    def every(value: Json) -> bool:
        for check in checks:  # noqa: SIM110 - a third faster than all() over a generator
            if not check(value):
                return False
        return True

    return every


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_integer(value: Json) -> bool:
    return type(value) is int or (isinstance(value, float) and value.is_integer())


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_array(value: Json) -> bool:
    return isinstance(value, list)


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


_TYPES: dict[str, Check] = {
    "string": _is_text,
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": _is_array,
    "object": _is_object,
    "null": lambda value: value is None,
}


def _in_range(least: float, most: float) -> Check:
    return lambda value: (
        least <= value <= most
        if type(value) is int  # first, because the other checks take longer
        else not isinstance(value, (int, float)) or isinstance(value, bool) or least <= value <= most
    )


def _of_text(holds: Callable[[str], bool]) -> Check:
    return lambda value: not isinstance(value, str) or holds(value)


Build = Callable[[Any, Mapping[str, Any]], "Check | None"]
"""A function that returns the check for a keyword's value in a schema; None if no check is needed."""


def _type(names: Any, schema: Mapping[str, Any]) -> Check:
    wanted = [names] if isinstance(names, str) else names
    if not _TYPES.keys() >= set(wanted):
        raise _NotCoveredError
    checks = [_TYPES[name] for name in wanted]
    return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)


def _limit(concerned: type | tuple[type, ...], holds: Callable[[Any, Any], bool]) -> Build:
    """Return a `Build` for a limit on values of some types; values of other types are valid."""
    return lambda limit, schema: (
        lambda value: not isinstance(value, concerned) or isinstance(value, bool) or holds(value, limit)
    )


def _unless_integer(build: Build) -> Build:
    """Return a `Build` that checks nothing for an integer format, which itself checks the type."""
    return lambda limit, schema: None if schema.get("format") in INTEGER_RANGES else build(limit, schema)


def _same(one: Json, other: Json) -> bool:
    """Return whether two values are equal in JSON, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _enum(members: Any, schema: Mapping[str, Any]) -> Check:
    if all(isinstance(member, str) for member in members):
        texts = frozenset(members)
        return lambda value: isinstance(value, str) and value in texts
    return lambda value: any(_same(member, value) for member in members)


def _pattern(regex: Any, schema: Mapping[str, Any]) -> Check:
    try:
        search = read_pattern(regex).search
    except re.error:
        raise _NotCoveredError from None
    return _of_text(lambda text: search(text) is not None)


def _format(name: Any, schema: Mapping[str, Any]) -> Check | None:
    if name in _CHECKED_ELSEWHERE:
        raise _NotCoveredError
    if name in INTEGER_RANGES:
        # The range of the format and the declared limits are checked together, because most integers have
        # both.
        least, most = INTEGER_RANGES[name]
        return _in_range(max(least, schema.get("minimum", least)), min(most, schema.get("maximum", most)))
    return _of_text(_FORMATS[name]) if name in _FORMATS else None


def _items(said: Any, schema: Mapping[str, Any]) -> Check:
    check = _compile(said)
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _unique(wanted: Any, schema: Mapping[str, Any]) -> Check | None:
    def unique(value: Json) -> bool:
        if not isinstance(value, list):
            return True
        if set(map(type, value)) in ({str}, {int}):
            return len(set(value)) == len(value)
        return not any(_same(item, other) for i, item in enumerate(value) for other in value[:i])

    return unique if wanted else None


def _properties(said: Any, schema: Mapping[str, Any]) -> Check:
    members = [(name, _compile(member)) for name, member in said.items()]

    def properties(value: Json) -> bool:
        if isinstance(value, dict):
            for name, check in members:
                if name in value and not check(value[name]):
                    return False
        return True

    return properties


def _required(names: Any, schema: Mapping[str, Any]) -> Check:
    required = frozenset(names)
    return lambda value: not isinstance(value, dict) or value.keys() >= required


def _additional(said: Any, schema: Mapping[str, Any]) -> Check:
    check, known = _compile(said), schema.get("properties", {})
    return lambda value: (
        not isinstance(value, dict)
        or all(check(member) for name, member in value.items() if name not in known)
    )


def _any_of(said: Any, schema: Mapping[str, Any]) -> Check:
    checks = [_compile(each) for each in said]
    return lambda value: any(check(value) for check in checks)


def _if(said: Any, schema: Mapping[str, Any]) -> Check:
    condition, then, otherwise = map(_compile, (said, schema.get("then", True), schema.get("else", True)))
    return lambda value: then(value) if condition(value) else otherwise(value)


_ANNOTATIONS = frozenset(
    ("title", "description", "default", "examples", "writeOnly", "as", "named", "then", "else")
)
"""Keywords without a separate check; `then` and `else` are checked with their `if`."""
_KEYWORDS: dict[str, Build] = {
    "type": _type,
    "enum": _enum,
    "const": lambda const, schema: _enum([const], schema),
    "minimum": _unless_integer(_limit((int, float), ge)),
    "maximum": _unless_integer(_limit((int, float), le)),
    "minLength": _limit(str, lambda text, least: len(text) >= least),
    "maxLength": _limit(str, lambda text, most: len(text) <= most),
    "pattern": _pattern,
    "format": _format,
    "items": _items,
    "minItems": _limit(list, lambda items, least: len(items) >= least),
    "maxItems": _limit(list, lambda items, most: len(items) <= most),
    "uniqueItems": _unique,
    "properties": _properties,
    "required": _required,
    "minProperties": _limit(dict, lambda members, least: len(members) >= least),
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "if": _if,
}
