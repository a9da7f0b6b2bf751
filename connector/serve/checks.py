"""Checks a row against the published schema of its action, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from connector.catalog.action import Action
from connector.catalog.input_schema import input_schema
from connector.catalog.json_schema import Check, compile_check, validator
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.errors import InputError, nearest, shorten
from connector.serve.settings import Settings


class RowCheck:
    """The check of an action's rows. With `lenient`, texts are accepted that can be converted."""

    def __init__(self, action: Action, settings: Settings, *, names: bool, lenient: bool) -> None:
        self._settings = settings
        self._action, self._names, self._lenient = action, names, lenient

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return input_schema(self._action, names=self._names)

    @cached_property
    def _checks(self) -> list[tuple[Mapping[str, Any], Check | None]]:
        whole = {name: said for name, said in self._schema.items() if name != "allOf"}
        return [(part, compile_check(part)) for part in (whole, *self._schema.get("allOf", ()))]

    def errors(self, row: Mapping[str, Json]) -> list[str]:
        """Return what is wrong with a row; an empty list if it agrees with the schema."""
        known = self._schema["properties"]
        unknown = [f'no input "{name}"{nearest(name, known)}' for name in row if name not in known]
        if unknown:
            return unknown
        if option := self._settings.missing_folder(self._action, row):
            return [f"files need a folder: start the server with {option}"]
        if self._lenient:
            return [] if self._names else list(self._unwanted_names(row))
        found = list(self._wrong_times(row))
        for schema, passes in self._checks:
            if passes is None or not passes(dict(row)):
                found += [self._said(error, schema) for error in validator(schema).iter_errors(row)]
        return found

    def _unwanted_names(self, row: Mapping[str, Json]) -> Iterator[str]:
        """Yield the errors of texts that remain texts where an id is expected: they would be looked up."""
        for name in self._action.named_inputs:
            if row.get(name) is None:
                continue
            try:
                value = self._action.inputs[name].read(row[name])
            except InputError:
                continue  # the row fails when it is run
            schema = self._schema["properties"][name]
            if value is not ABSENT:
                yield from (
                    self._said(error, self._schema, name)
                    for error in validator(schema).iter_errors(value)
                    if error.validator == "type" and isinstance(error.instance, str)
                )

    def _wrong_times(self, row: Mapping[str, Json]) -> Iterator[str]:
        """Yield the errors of times, which are a format and so no part of the other checks."""
        for name, value in row.items():
            given = self._action.inputs[name]
            if isinstance(value, str) and given.schema.get("format") == "date-time":
                try:
                    is_empty = given.read(value) is ABSENT
                except InputError as error:
                    yield str(error)
                else:
                    if is_empty:
                        yield f"{name}: an empty text is not a time; omit it"

    def _said(self, error: Any, schema: Mapping[str, Any], *within: str) -> str:
        if "properties" not in schema:  # a condition across inputs
            return str(schema.get("description") or error.message)
        path = [*within, *error.absolute_path]
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
        said = shorten(str(error.message))
        name = next(iter(path), None)
        if error.validator == "type" and name in self._action.named_inputs and not self._names:
            said += "; names are accepted with ?names=1"
        return f"{place[1:]}: {said}" if place else said
