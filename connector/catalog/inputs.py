"""The inputs of an action, which convert and check values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from connector.catalog.coercion import Convert, compile_typing, declared_types, exact_types, shown
from connector.catalog.filter_grammar import FilterGrammar
from connector.catalog.json_schema import INTEGER_RANGES, Check, compile_check, validator
from connector.common.absent import ABSENT
from connector.common.json_text import Json, is_unicode, require_unicode
from connector.common.times import Unit, convert_time, sent_instant
from connector.errors import InputError, shorten, values_are_shown


class Slot(NamedTuple):
    """A place in an input's value that takes an id or a name: the kind of record, and the way to the place.

    `path` has names of members, and `[]` for the items of an array. With `sends_text`, ids are sent as text,
    and texts that match `ids` are ids; with `is_list`, the text has several of them, separated by commas.
    """

    kind: str
    path: tuple[str, ...]
    sends_text: bool
    is_list: bool
    ids: re.Pattern[str]


@dataclass(frozen=True, eq=False, repr=False)
class Input:
    """A typed parameter of an action.

    `schema` is JSON Schema 2020-12, in which `writeOnly` marks a secret of the user; `unit` (`as:` in the
    declaration) is the format in which a time is sent; `grammar` is the syntax of a filter, named by the
    schema's `format`; `place` and `target` are where the value goes (`path`, `query`, `header`, `body`,
    `part`; with an empty place, the engine or the handler uses it). With `reveals_secrets`, it makes the API
    respond with secrets. `confirms` is the member of each item of the list that must equal the input's value,
    because the API may ignore the filter. `slots` are the places that take names in place of ids; `declared`
    is then the schema without names.
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
    reveals_secrets: bool = False
    confirms: str = ""
    default: Json = field(default_factory=lambda: ABSENT)
    slots: tuple[Slot, ...] = ()
    declared: Mapping[str, Json] = field(default_factory=dict)

    def read(self, value: Json) -> Json:
        """Convert and check one value; return ABSENT if there is no value.

        Raises InputError (`input_invalid`) that names the input, what was wrong and what is allowed.
        """
        if value is ABSENT or (value is None and not self.nullable):
            return ABSENT
        if isinstance(value, str) and not value.strip():
            return ABSENT
        try:
            require_unicode(value)
            if self.unit and value is not None:
                return convert_time(value, self.unit)
            typed = self._typed(value)
            if self.grammar is not None:
                typed = self.grammar.read(typed)
            if typed is not value:
                require_unicode(typed)
        except ValueError as error:
            raise InputError("input_invalid", f"{self.name}: {self._reason(error)}") from None
        return self._checked(typed)

    def _reason(self, error: ValueError) -> str:
        """Return the message for an error; if values are hidden, without the value."""
        if values_are_shown() or not (self.unit or self.grammar):
            return str(error)
        if self.grammar:
            return f"this is not a {self.grammar.name}; write it like {self.grammar.example}"
        return "this is not a time; write it in ISO 8601, such as 2026-12-01T06:00:00Z, or as an epoch time"

    def read_empty(self) -> Json:
        """Return the empty text that `empty: send` sends. Raises InputError if the input is not a text."""
        if "string" not in declared_types(self.schema) or "named" in self.schema:
            raise InputError("input_invalid", f"{self.name}: only a text input can be sent empty")
        return self._checked("")

    @property
    def declared_schema(self) -> Mapping[str, Json]:
        """The schema as the action declares it, which does not accept names in place of ids."""
        return self.declared or self.schema

    @property
    def nullable(self) -> bool:
        """Whether the API accepts JSON null here."""
        return "null" in declared_types(self.schema)

    @property
    def is_body(self) -> bool:
        """Whether the input is the request's whole body."""
        return self.place == "body" and not self.target

    @cached_property
    def is_secret(self) -> bool:
        """Whether the input's value, or a part of it, is a secret of the user."""
        return _has_secret(self.schema)

    def secrets_in(self, value: Json) -> Iterator[str]:
        """Yield the secret texts in a typed value."""
        return _secrets(self.schema, value)

    def instants(self, value: Json) -> Iterator[tuple[str, str]]:
        """Yield the path and the ISO 8601 text of each time in a value, such as `tasks[0].dueDate`."""
        schema = {**self.schema, "as": self.unit} if self.unit else self.schema
        return _instants(self.name, schema, value)

    def _checked(self, value: Json) -> Json:
        if self._passes is not None and self._passes(value):
            return value
        for error in self._validator.iter_errors(value):
            raise InputError("input_invalid", f"{self.name}{_path(error)}: {_explain(error)}")
        return value

    # Schemas are compiled on first use, because a run uses few of the catalog's inputs.

    @cached_property
    def takes(self) -> Check:
        """A check that is true only if `read` would return the value unchanged.

        It can be false in this case, too.
        """
        if self.unit or self.grammar or self._passes is None:
            return lambda value: False
        return _as_it_is(exact_types(self.schema), self._passes)

    @cached_property
    def _typed(self) -> Convert:
        return compile_typing(self.schema)

    @cached_property
    def _passes(self) -> Check | None:
        # The value's type is not checked again, but the types of its members and items are.
        return compile_check({name: said for name, said in self.schema.items() if name != "type"})

    @cached_property
    def _validator(self) -> Any:
        return validator(self.schema)


def _as_it_is(types: Set[type], passes: Check) -> Check:
    """Return a check that a value has exactly one of these types, is valid Unicode, not blank, and passes."""

    if types <= _NO_TEXT:
        return lambda value: type(value) in types and passes(value)

    def takes(value: Json) -> bool:
        kind = type(value)
        if kind is str and str in types:
            return value.strip() != "" and (value.isascii() or is_unicode(value)) and passes(value)
        return kind in types and (kind in _NO_TEXT or is_unicode(value)) and passes(value)

    return takes


_NO_TEXT = frozenset((int, float, bool, type(None)))


def _instants(at: str, schema: Json, value: Json) -> Iterator[tuple[str, str]]:
    if not isinstance(schema, Mapping):
        return
    if schema.get("as"):
        if value is not None:
            yield at, sent_instant(value, schema["as"])
    elif isinstance(value, Mapping):
        for name, member in schema.get("properties", {}).items():
            if name in value:
                yield from _instants(f"{at}.{name}", member, value[name])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _instants(f"{at}[{index}]", schema.get("items"), item)


def _has_secret(schema: Json) -> bool:
    if not isinstance(schema, Mapping):
        return False
    members = schema.get("properties", {}).values()
    return bool(schema.get("writeOnly")) or any(map(_has_secret, (*members, schema.get("items"))))


def _secrets(schema: Json, value: Json) -> Iterator[str]:
    if not _has_secret(schema):
        return
    if isinstance(value, list):
        for item in value:
            yield from _secrets(schema if schema.get("writeOnly") else schema.get("items"), item)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _secrets(schema if schema.get("writeOnly") else schema["properties"].get(name), member)
    elif value is not None:
        yield str(value)


def _path(error: Any) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)


def _number(value: Json) -> str:
    return shorten(str(value), 40) if values_are_shown() else "the number"


def _explain(error: Any) -> str:
    """Return a message for a JSON Schema violation, with the allowed values."""
    value, allowed = error.instance, error.validator_value
    if error.validator == "enum":
        near = [str(a) for a in allowed if str(a).lower() == str(value).lower()]
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        return f"{shown(value)} is not one of {', '.join(map(str, allowed))}{hint}"
    if error.validator in ("minimum", "maximum"):
        relation = "less" if error.validator == "minimum" else "more"
        return f"{_number(value)} is {relation} than {allowed}, its {error.validator}"
    if error.validator == "format" and allowed in INTEGER_RANGES:
        least, most = INTEGER_RANGES[allowed]
        return f"{_number(value)} is not between {least} and {most}, the range of an {allowed}"
    if error.validator == "format":
        return f"{shown(value)} is not a {allowed}"
    if not values_are_shown():
        return f"it does not match its schema ({error.validator})"
    return shorten(str(error.message))
