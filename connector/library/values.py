"""Converts Python values to JSON values, for inputs and rows that come from a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isfinite
from pathlib import PurePath
from typing import Any

from connector.common.json_text import Json
from connector.errors import InputError, shorten

_JSON = frozenset((str, int, float, bool, type(None)))


def json_value(value: Any, name: str) -> Json:
    """Return a value as JSON: times as ISO 8601 text, paths as text, sequences as arrays.

    Raises InputError that names the place of a value that cannot be converted to JSON.
    """
    try:
        return _converted(value, name)
    except RecursionError:
        said = f"{name}: it contains itself, or is nested too deeply"
        raise InputError("input_invalid", said) from None


def _converted(value: Any, name: str) -> Json:
    if isinstance(value, (float, Decimal)) and not _is_finite(value):
        raise InputError("input_invalid", f"{name}: {shorten(str(value), 40)} cannot be converted to JSON")
    if type(value) in _JSON:
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        members = {str(key): _converted(member, f"{name}.{key}") for key, member in value.items()}
        if len(members) != len(value):
            raise InputError("input_invalid", f"{name}: two of its names have the same text")
        return members
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_converted(item, f"{name}[{index}]") for index, item in enumerate(value)]
    kind = type(value).__name__
    raise InputError("input_invalid", f"{name}: a value of the type {kind} cannot be converted to JSON")


def _is_finite(value: float | Decimal) -> bool:
    """Return whether a number is neither infinite nor NaN, nor too large for a number of JSON."""
    return (not isinstance(value, Decimal) or value.is_finite()) and isfinite(value)
