"""The schedule of a sync: a run at a regular interval, and a full read once a day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600}


def parse_interval(text: str) -> float:
    """Return seconds from a text such as `30s`, `10m` or `2h`. Raises ValueError."""
    found = re.fullmatch(r"([1-9]\d{0,5})([smh])", text.strip())
    if not found:
        raise ValueError(f'"{text}" is not a valid interval; examples: 30s, 10m, 2h')
    return float(int(found[1]) * _UNITS[found[2]])


def parse_time_of_day(text: str) -> tuple[int, int]:
    """Return hour and minute from a text such as `02:00`. Raises ValueError."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if not found:
        raise ValueError(f'"{text}" is not a valid time of day; an example: 02:00')
    return int(found[1]), int(found[2])


def is_full_due(last: float | None, at: tuple[int, int], now: float) -> bool:
    """Return whether the time of day (hour, minute) has passed since the last full read.

    `last` and `now` are epoch seconds; the time of day is local. A `last` in the future, caused by a wrong
    clock, is ignored.
    """
    current = datetime.fromtimestamp(now)
    due = current.replace(hour=at[0], minute=at[1], second=0, microsecond=0)
    if due > current:
        due -= timedelta(days=1)
    return last is None or last > now or last < due.timestamp()
