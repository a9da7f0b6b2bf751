"""Strict reading of declarations: a wrong or unknown key is an error with file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from connector.catalog.filter_grammar import FilterGrammar
from connector.catalog.inputs import Input
from connector.common import json_text, strict_yaml
from connector.common.absent import ABSENT
from connector.common.json_text import kind
from connector.common.times import UNITS
from connector.errors import DeclarationError, RunError, nearest, shorten

PLACES = ("path", "query", "header", "body", "part")

SCHEMA_KEYWORDS = frozenset(
    (
        *("type", "enum", "const", "format", "default", "examples"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern"),
        *("items", "minItems", "maxItems", "uniqueItems"),
        *("properties", "required", "additionalProperties", "propertyNames"),
        *("minProperties", "maxProperties", "anyOf", "oneOf", "allOf", "not"),
        "writeOnly",
    )
)
"""The JSON Schema keywords that an input may use."""

_REQUIRED: Any = object()


class Section:
    """One mapping in a declaration. `finish` raises an error for every key that was not read."""

    def __init__(self, data: Any, path: Path, at: tuple[str | int, ...] = ()) -> None:
        self.path, self.at = path, at
        if not isinstance(data, dict):
            raise self.fault("a mapping is expected here, not " + kind(data))
        for key in data:
            if not isinstance(key, str):
                raise self.fault(f"the key {json_text.dumps(key)} is {kind(key)}: put it in quotes", key)
        self.data: dict[str, Any] = data
        self._asked: set[str] = set()

    def fault(self, message: str, *keys: str | int) -> DeclarationError:
        """Return an error about the entry at `keys` below this section."""
        at = (*self.at, *keys)
        place = f"{self.path}, line {strict_yaml.line_of(self.path, at)}"
        keys_shown = shorten(".".join(map(str, at)), 200)
        return DeclarationError(f"{place}: {keys_shown + ': ' if at else ''}{shorten(message, 1000)}")

    def value(self, key: str, types: type | tuple[type, ...], default: Any = _REQUIRED) -> Any:
        """Return the value at `key`, which must have one of `types`.

        If there is no default, the key is required.
        """
        self._asked.add(key)
        if key not in self.data:
            if default is _REQUIRED:
                raise self.fault(f'the key "{key}" is missing')
            return default
        value = self.data[key]
        wanted = types if isinstance(types, tuple) else (types,)
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            names = " or ".join(kind(t()) if t is not type(None) else "null" for t in wanted)
            raise self.fault(f"{names} is expected here, not {kind(value)}", key)
        return value

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        """Return the text at `key`."""
        return self.value(key, str, default)

    def one_of(self, key: str, allowed: tuple[str, ...], default: Any = _REQUIRED) -> Any:
        """Return the text at `key`, which must be one of `allowed`."""
        value = self.text(key, default)
        if key in self.data and value not in allowed:
            raise self.fault(f'"{value}" is not one of {", ".join(allowed)}', key)
        return value

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """Return the compiled regular expression at `key`, or None if there is no such key."""
        text = self.text(key, None)
        try:
            return None if text is None else re.compile(text)
        except re.error as error:
            raise self.fault(f"this is not a regular expression: {error}", key) from None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts at `key`; an empty list if there is no such key."""
        values = self.value(key, list, [])
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.fault(f"text is expected here, not {kind(value)}", key, index)
        return tuple(values)

    def mapping(self, key: str) -> dict[Any, Any]:
        """Return the mapping at `key` without checking it; an empty mapping if there is no such key."""
        found: dict[Any, Any] = self.value(key, dict, {})
        return found

    def entries(self, keys: Set[str]) -> dict[str, Any]:
        """Return the values at these keys, of any type."""
        self._asked |= keys
        return {key: value for key, value in self.data.items() if key in keys}

    def mappings(self, key: str) -> list[dict[Any, Any]]:
        """Return the list of mappings at `key`, unchecked; an empty list if there is no such key."""
        return [part.data for part in self.each(key)]

    def section(self, key: str) -> Section:
        """Return the mapping at `key` as a section."""
        return Section(self.value(key, dict), self.path, (*self.at, key))

    def sections(self, key: str) -> Iterator[tuple[str, Section]]:
        """Yield (name, section) for each member of the mapping at `key`; nothing if there is no such key."""
        members = Section(self.value(key, dict, {}), self.path, (*self.at, key))
        for name, member in members.data.items():
            yield name, Section(member, self.path, (*members.at, name))

    def each(self, key: str) -> Iterator[Section]:
        """Yield each item of the list at `key` as a section; nothing if there is no such key."""
        for index, item in enumerate(self.value(key, list, [])):
            yield Section(item, self.path, (*self.at, key, index))

    def finish(self) -> None:
        """Raise DeclarationError for a key that was not read."""
        for key in self.data:
            if key not in self._asked:
                raise self.fault(f'unknown key "{key}"{nearest(str(key), self._asked)}', key)


def load_declaration(path: Path) -> Section:
    """Read a YAML file as a section. Raises DeclarationError."""
    try:
        return Section(strict_yaml.load(path), path)
    except DeclarationError:
        raise
    except RunError as error:
        raise DeclarationError(str(error)) from error


def read_input(name: str, part: Section, filters: Mapping[str, FilterGrammar] | None = None) -> Input:
    """Read the declaration of an input: keywords of JSON Schema, and keywords of the connector.

    A text input whose `format` is one of the service's `filters` is checked by that grammar.
    """
    if not name.isidentifier() or name != name.lower():
        raise part.fault(
            f'"{name}" is not a valid input name: use snake case, so that templates can refer to it'
        )
    schema = part.entries(SCHEMA_KEYWORDS)
    place, target = _place(part)
    unit = part.text("as", None)
    if unit not in (None, *UNITS):
        raise part.fault(f'"{unit}" is not one of {", ".join(UNITS)}', "as")
    for keys, nested in _nested_units(schema):
        if nested not in UNITS:
            raise part.fault(f'"{nested}" is not one of {", ".join(UNITS)}', *keys)
    declared = Input(
        name=name,
        title=part.text("title"),
        description=part.text("description", ""),
        schema=schema,
        place=place,
        target=target,
        unit=unit,
        grammar=(filters or {}).get(schema.get("format", "")),
        published=part.value("published", bool, True),
        deviates=part.text("deviates", ""),
        reveals_secrets=part.value("reveals_secrets", bool, False),
        confirms=part.text("confirms", ""),
        default=schema.get("default", ABSENT),
    )
    part.finish()
    return declared


def _nested_units(schema: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each `as` in the members and items of a schema, with the keys that lead to it."""
    if not isinstance(schema, Mapping):
        return
    if at and "as" in schema:
        yield (*at, "as"), schema["as"]
    yield from _nested_units(schema.get("items"), (*at, "items"))
    members = schema.get("properties")
    for name, member in members.items() if isinstance(members, Mapping) else ():
        yield from _nested_units(member, (*at, "properties", str(name)))


def _place(part: Section) -> tuple[str, tuple[str, ...]]:
    to = part.text("to", "")
    place, _, target = to.partition(".")
    if not to:
        return "", ()
    if place not in PLACES or (to != "body" and not all(target.split("."))):
        raise part.fault(
            f'"{to}" is not a place in a request: use path.NAME, query.NAME, header.NAME, body, '
            "body.NAME, part.NAME or part.NAME.MEMBER",
            "to",
        )
    nests = place in ("body", "part")
    return place, tuple(target.split(".")) if nests and target else (target,) if target else ()
