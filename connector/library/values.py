"""Converts Python values to JSON values, for inputs and rows that come from a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from connector.common.json_text import Json
from connector.errors import InputError

_JSON = frozenset((str, int, float, bool, type(None)))


def json_value(value: Any, name: str) -> Json:
    """Return a value as JSON: times as ISO 8601 text, paths as text, sequences as arrays.

    Raises InputError that names the place of a value that has no JSON form.
    """
    if type(value) in _JSON:
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(key): json_value(member, f"{name}.{key}") for key, member in value.items()}
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [json_value(item, f"{name}[{index}]") for index, item in enumerate(value)]
    raise InputError("input_invalid", f"{name}: a value of the type {type(value).__name__} has no JSON form")
