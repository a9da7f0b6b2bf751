"""Types of request values in paths, queries and bodies, declared as data.

A `Type` reads text (path and query) and checks JSON (bodies). It raises InvalidValueError, which names the
field, for a value of the wrong type or outside its enum. JSON null is accepted for every member of an object:
API documents rarely declare nullable fields, so null means "not given". Unknown members are ignored, unless
the object is closed.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol

from connector.sandbox.errors import InvalidValueError

INT32 = 2**31
INT64 = 2**63
MILLISECONDS_FROM = 1e11
"""Epoch numbers from this one on are in milliseconds, and smaller ones in seconds."""


class Type(Protocol):
    """The type of one JSON value."""

    def check(self, value: Any, where: str) -> None:
        """Raise InvalidValueError, with the field `where`, if a value is not of this type."""


@dataclass(frozen=True)
class Scalar:
    """The type of a single value; `read` converts the text of a path segment or query parameter."""

    expected: str
    accepts: Callable[[Any], bool]
    from_text: Callable[[str], Any] = str

    def check(self, value: Any, where: str) -> None:
        """Raise InvalidValueError, with the field `where`, if a value does not have this type."""
        if not self.accepts(value):
            raise InvalidValueError(where, self.expected)

    def read(self, text: str, where: str) -> Any:
        """Return the value of a path segment or query parameter. Raises InvalidValueError."""
        try:
            value = self.from_text(text)
        except ValueError:
            raise InvalidValueError(where, self.expected) from None
        self.check(value, where)
        return value


@dataclass(frozen=True)
class Array:
    """An array of at most `most` items, all of one type; null is not accepted as an item."""

    items: Type
    most: int | None = None

    def check(self, value: Any, where: str) -> None:
        """Raise InvalidValueError if a value is not an array, or if an item is not valid."""
        if not isinstance(value, list):
            raise InvalidValueError(where, "array")
        if self.most is not None and len(value) > self.most:
            raise InvalidValueError(where, f"at most {self.most} items")
        for index, item in enumerate(value):
            self.items.check(item, f"{where}[{index}]")


@dataclass(frozen=True)
class Object:
    """An object with declared members.

    The `required` members must be present and not null; a closed object cannot have other members.
    """

    fields: Mapping[str, Type] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    closed: bool = False

    def check(self, value: Any, where: str) -> None:
        """Raise InvalidValueError if a value is not an object, or if a member is not valid."""
        if not isinstance(value, dict):
            raise InvalidValueError(where, "object")
        for name in self.required:
            if value.get(name) is None:
                raise InvalidValueError(_inside(where, name), "a value")
        for name, kind in self.fields.items():
            if value.get(name) is not None:
                kind.check(value[name], _inside(where, name))
        for name in value if self.closed else ():
            if name not in self.fields:
                raise InvalidValueError(_inside(where, name), "a known field")


@dataclass(frozen=True)
class Map:
    """An object with any member names, whose values are all of one type."""

    values: Type

    def check(self, value: Any, where: str) -> None:
        """Raise InvalidValueError if a value is not an object, or if a member is not valid."""
        if not isinstance(value, dict):
            raise InvalidValueError(where, "object")
        for name, item in value.items():
            if item is not None:
                self.values.check(item, _inside(where, name))


@dataclass(frozen=True)
class Anything:
    """Any JSON value."""

    def check(self, value: Any, where: str) -> None:
        """Accept any value."""


def _inside(where: str, name: str) -> str:
    return name if where == "body" else f"{where}.{name}"


def _is_integer(bound: int) -> Callable[[Any], bool]:
    # bool is a subclass of int in Python, but not an integer in JSON
    return lambda value: type(value) is int and -bound <= value < bound


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    try:
        epoch_seconds(value)
    except (ValueError, OverflowError):
        return False
    return True


def epoch_seconds(value: Any) -> float:
    """Return epoch seconds for a time: ISO 8601 text (UTC by default), or an epoch in s or ms."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", value))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(value)
    seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else float(value)
    if not math.isfinite(seconds):
        raise ValueError(value)
    return seconds


def _is_number(value: Any) -> bool:
    # 1e999 is valid JSON, but is read as infinity, which cannot be written as JSON
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")


INTEGER = Scalar("int32", _is_integer(INT32), _integer)
LONG = Scalar("int64", _is_integer(INT64), _integer)
NUMBER = Scalar("number", _is_number, float)
BOOLEAN = Scalar("boolean", lambda value: isinstance(value, bool), _boolean)
TEXT = Scalar("string", lambda value: isinstance(value, str))
UUID = Scalar("uuid", _is_uuid)
TIME = Scalar("ISO 8601 text or an epoch", _is_time)
MAP = Object()


def one_of(*values: str) -> Scalar:
    """Return the type of a text that is one of these values."""
    return Scalar("one of " + ", ".join(values), lambda value: value in values)


def within(low: int, high: int) -> Scalar:
    """Return the type of an integer from a minimum to a maximum."""
    return Scalar(
        f"integer {low}..{high}", lambda value: INTEGER.accepts(value) and low <= value <= high, _integer
    )


def text_up_to(length: int) -> Scalar:
    """Return the type of a text with a maximum length in characters."""
    return Scalar(
        f"string of at most {length}", lambda value: isinstance(value, str) and len(value) <= length
    )


def given(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the named members of a request body that are present and not null."""
    return {name: body[name] for name in names if body.get(name) is not None}
