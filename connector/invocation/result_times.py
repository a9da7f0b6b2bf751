"""Writes the times of results as ISO 8601 text, for `times: iso`.

A service lists the members of its responses that are epoch seconds (`times`). Such a member is written as
text if the result's schema declares it as a number of the format `double`. A member that the schema lacks is
written as text in an object of which it declares other members (`lastContact`), and under its path in an
object of which it declares nothing (`os.lastBootTime`). So a number in an object with arbitrary keys, such as
custom fields, is never changed, and neither is one outside of the years 1990 to 2100.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Literal, NamedTuple

from connector.common.json_text import Json
from connector.common.zones import local_text
from connector.invocation.result_schema import resolved

Times = Literal["epoch", "iso"]
"""The format of times in results: as the API returns them, or as ISO 8601 text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST, _END = 631_152_000, 4_133_980_800
"""The range of numbers that are read as epoch seconds: the years 1990 to 2100."""


def time_converter(schema: Json, names: Collection[str], zone: tzinfo) -> Callable[[Json], Json]:
    """Return a function that writes the times in a result with this schema as text in a time zone."""
    converter = _Converter(frozenset(names), zone)
    return lambda value: converter.value(value, schema, "")


class _Converter(NamedTuple):
    """Converts the times in values. A `folder` is that to which the references in a schema are relative."""

    names: frozenset[str]
    zone: tzinfo

    def value(self, value: Json, schema: Any, folder: str) -> Json:
        """Return a value with its times as text."""
        if not isinstance(value, (dict, list)) or not isinstance(schema, Mapping):
            return value
        schema, folder = resolved(schema, folder)
        if isinstance(value, list):
            return [self.value(item, schema.get("items"), folder) for item in value]
        declared = schema.get("properties")
        if not declared:
            return value
        return {
            name: self._declared(name, member, declared[name], folder)
            if name in declared
            else self._undeclared(name, member)
            for name, member in value.items()
        }

    def _declared(self, name: str, value: Json, schema: Any, folder: str) -> Json:
        if isinstance(value, (dict, list)):
            return self.value(value, schema, folder)
        is_time = isinstance(schema, Mapping) and schema.get("format") == "double"
        return self._text(value) if is_time and name in self.names else value

    def _undeclared(self, name: str, value: Json) -> Json:
        if isinstance(value, dict):
            return {
                inner: self._text(member) if f"{name}.{inner}" in self.names else member
                for inner, member in value.items()
            }
        return self._text(value) if name in self.names else value

    def _text(self, value: Json) -> Json:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _FIRST <= value < _END:
            return value
        return local_text(_EPOCH + timedelta(microseconds=round(value * 1_000_000)), self.zone)
