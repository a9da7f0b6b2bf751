"""Filters that parse, format and move times. A time is ISO 8601 text in UTC. An empty text is unchanged."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from connector.common.times import parse_time, write_time
from connector.common.zones import current_zone, in_zone, read_zone, with_zone
from connector.errors import shorten, values_are_shown
from connector.templating.data_filters import is_gap
from connector.templating.values import fail_if_missing, text

_MAX_LENGTH = 200
"""The maximum length of a format, and of a text that is parsed with it, in characters."""


def to_datetime(value: Any, format: str | None = None, timezone: str | None = None) -> Any:
    """Return the time in a text, which is in a format of `strptime`, as ISO 8601 in UTC.

    A time without an offset is local time in the time zone. Raises ValueError, also for a local time that
    does not exist or exists twice because clocks change.
    """
    fail_if_missing(value)
    if is_gap(value):
        return value
    if format is None:
        with in_zone(_zone(timezone)):
            return _iso(parse_time(value))
    local = _read(text(value).strip(), format)
    return _iso(local if local.tzinfo else with_zone(local, _zone(timezone)))


def format_datetime(value: Any, format: str = "%Y-%m-%d %H:%M:%S", timezone: str | None = None) -> Any:
    """Return a time as text in a format of `strftime`, in a time zone."""
    fail_if_missing(value)
    if is_gap(value):
        return value
    return parse_time(value).astimezone(_zone(timezone)).strftime(_format(format))


def from_epoch(value: Any) -> Any:
    """Return epoch seconds or milliseconds as ISO 8601 in UTC. Raises ValueError."""
    return to_datetime(value)


def to_epoch(value: Any) -> Any:
    """Return a time in epoch seconds. Raises ValueError."""
    fail_if_missing(value)
    return value if is_gap(value) else write_time(parse_time(value), "epoch_s")


def add_time(value: Any, **parts: float) -> Any:
    """Return the time after adding weeks, days, hours, minutes and seconds. A day has 24 hours."""
    fail_if_missing(value)
    if unknown := [name for name in parts if name not in _PARTS]:
        raise ValueError(f"add_time takes {', '.join(_PARTS)}, not {unknown[0]}")
    if is_gap(value):
        return value
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in parts.values()):
        raise TypeError("add_time takes numbers")
    return _iso(parse_time(value) + timedelta(**parts))


_PARTS = ("weeks", "days", "hours", "minutes", "seconds")


def _iso(moment: datetime) -> str:
    return str(write_time(moment.astimezone(timezone.utc), "iso"))


def _format(format: Any) -> str:
    if not isinstance(format, str) or len(format) > _MAX_LENGTH:
        raise ValueError(f"a time's format is a text of at most {_MAX_LENGTH} characters, such as '%Y-%m-%d'")
    return format


def _read(written: str, format: str) -> datetime:
    try:
        if len(written) > _MAX_LENGTH:
            raise ValueError
        return datetime.strptime(written, _format(format))
    except ValueError:
        shown = f'"{shorten(written, 60)}"' if values_are_shown() else "this"
        raise ValueError(f"{shown} is not a time in the format {format}") from None


def _zone(name: str | None) -> tzinfo:
    """Return a time zone by its IANA name, by default that of the run. Raises ValueError."""
    return current_zone() if name is None else read_zone(name)
