"""What a template's expression gives, as JSON and as the text that a template prints."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jinja2 import Undefined

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import InputError, shorten
from connector.templating.limits import fits, weigh


def fail_if_missing(value: Any) -> None:
    """Raise the error of a value that is not there, if this is one."""
    if isinstance(value, Undefined):
        str(value)  # a _Strict raises its own, precise error


_LARGEST = sys.float_info.max


def to_json(value: Any) -> Json:
    """Turn what an expression gives into JSON. Raises as `copied` does, and RowError for too much of it."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is not int and kind is not float:
        fits(weigh(value))
    return copied(value)


def copied(value: Any) -> Json:
    """Copy a value as plain JSON. Raises TypeError, naming what has no JSON form."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if isinstance(value, (int, float)):
        if not -_LARGEST <= value <= _LARGEST:
            raise TypeError("its value is no JSON: a number that is too large")
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(name): copied(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [copied(item) for item in value]
    fail_if_missing(value)
    raise TypeError(f"its value is no JSON: {type(value).__name__}")


def _key(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"an object's member names are text, not {json_text.kind(name)}")
    return str(name)


def text(value: Any) -> str:
    """Write a value as a template prints it: text as it is, a number in its spelling, else JSON."""
    if type(value) is str:
        return value
    if isinstance(value, (str, Undefined)):
        return str(value)
    return value.spelling if isinstance(value, json_text.SpelledFloat) else json_of(value)


def json_of(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON. An indent is taken and not followed: what is sent has none."""
    return json_text.dumps(to_json(value))


def parse_json(rendered: str) -> Json:
    """Read a template's rendered JSON. Raises InputError that shows the text, shortened."""
    try:
        return json_text.loads(rendered)
    except ValueError as error:
        hint = "; text needs quotes around it" if '"' not in rendered else ""
        raise InputError(
            "template_error", f"the template gives broken JSON ({error}){hint}: {shorten(rendered)}"
        ) from error


def is_blank(value: Any) -> bool:
    """Whether a value is a text that renders to nothing."""
    return isinstance(value, str) and not value.strip()
