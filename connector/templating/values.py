"""Conversion of the values of template expressions to JSON, and to the text that a template prints."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jinja2 import Undefined

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.templating.json_values import noticed
from connector.templating.limits import fits, weigh


class Null(Undefined):
    """A NULL cell of a table, or a NULL inside a cell: it means that there is no value.

    It prints as empty text, is omitted from objects and arrays, and its members are NULL, too. `default`
    replaces it, and `is none` is true for it. Any other use is an error.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("the value is NULL here")

    def __eq__(self, other: Any) -> bool:
        return other is None or isinstance(other, Null)

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return ""  # called if a filter prints an array that contains NULL


NULL = Null()


def null_as_missing(value: Any) -> Any:
    """Return a cell with each JSON null replaced by NULL, as templates for rows of a table expect."""
    if value is None:
        return NULL
    if isinstance(value, dict):
        return {name: null_as_missing(member) for name, member in value.items()}
    if isinstance(value, list):
        return [null_as_missing(item) for item in value]
    return value


def fail_if_missing(value: Any) -> None:
    """Raise an error if the value is a missing value."""
    if isinstance(value, Undefined):
        str(value)  # A _Strict value raises a more precise error.


_MAX_FLOAT = sys.float_info.max
_SURE_BITS = sys.float_info.max_exp - 1
"""The length of integers that are certainly not too large. Comparing one with a float takes longer."""


def to_json(value: Any) -> Json:
    """Return an expression's value as JSON. Raises as `copied` does, and InputError if it exceeds a limit."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is not int and kind is not float:
        fits(weigh(value))
    return copied(value)


def copied(value: Any) -> Json:
    """Return a copy of a value as plain JSON. Raises TypeError with the type of a value that is not JSON."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int and value.bit_length() <= _SURE_BITS:
        return value
    if isinstance(value, (int, float)):
        if not -_MAX_FLOAT <= value <= _MAX_FLOAT:
            raise TypeError("its value is not JSON: a number that is too large")
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        members = {_key(name): copied(member) for name, member in value.items()}
        return _present(members) if ABSENT in members.values() else members
    if isinstance(value, (list, tuple, range)):
        items = [copied(item) for item in value]
        return _present(items) if ABSENT in items else items
    if value is NULL:
        return ABSENT
    fail_if_missing(value)
    raise TypeError(f"its value is not JSON: {type(value).__name__}")


def _present(value: Any) -> Any:
    """Return an object or an array without its absent members, or ABSENT if all of them are absent."""
    if isinstance(value, dict):
        return {n: m for n, m in value.items() if m is not ABSENT} or ABSENT
    return [item for item in value if item is not ABSENT] or ABSENT


def _key(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"an object's member names are text, not {json_text.kind(name)}")
    return str(name)


def text(value: Any) -> str:
    """Return a value as the text that a template prints.

    Text is unchanged, null is empty, a number keeps its spelling, and anything else is JSON.
    """
    if type(value) is str:
        return value
    if value is None:
        noticed.null_in_text = True
        return ""
    if isinstance(value, (str, Undefined)):
        return str(value)
    return value.spelling if isinstance(value, json_text.SpelledFloat) else json_of(value)


def json_of(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON. An indent is accepted and ignored, because JSON is sent without one."""
    plain = to_json(value)
    return "" if plain is ABSENT else json_text.dumps(plain)
