"""Expressions of cron, such as `15 2 * * mon-fri`, and the calendar events of systemd that mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.errors import RunError

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_DAYS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True)
class _Field:
    """One of the five fields: its name, the values that it can have, and the names of these values."""

    name: str
    low: int
    high: int
    names: Mapping[str, int]

    def values(self, text: str) -> frozenset[int]:
        """Return the values of a list such as `1-5,10-30/10`. Raises RunError."""
        return frozenset(value for item in text.split(",") for value in self._item(item))

    def _item(self, item: str) -> range:
        found = _ITEM.fullmatch(item)
        if not found:
            raise self._error(item, "expected *, a number, a range such as 1-5, or a step such as */10")
        first, last, step = found.groups()
        low = self.low if first is None else self._number(first)
        high = self._number(last) if last else self.high if first is None else low
        if step and first is not None and not last:
            raise self._error(item, f"a step requires a range: use {first}-{self.high}/{step}")
        if high < low:
            raise self._error(item, "the range ends before it starts")
        if step and int(step) == 0:
            raise self._error(item, "the step must be at least 1")
        return range(low, high + 1, int(step or 1))

    def _number(self, text: str) -> int:
        value = self.names.get(text.lower(), int(text) if text.isdigit() else -1)
        if not self.low <= value <= self.high:
            raise self._error(text, f"expected {self.low} to {self.high}")
        return value

    def _error(self, text: str, reason: str) -> RunError:
        return RunError(f'--cron: {self.name} "{text}": {reason}')


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field("day of the week", 0, 7, {name: number for number, name in enumerate(_DAYS[:7])}),
)


@dataclass(frozen=True)
class CronTime:
    """The times of a cron expression. `days_of_week` are 1 (Monday) to 7 (Sunday).

    `is_either_day` is true if both fields of days are restricted: cron then runs the job on the days that
    match either of them.
    """

    expression: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    days_of_week: frozenset[int]
    is_either_day: bool

    def calendar_events(self) -> list[str]:
        """Return the events (`OnCalendar=`) of a systemd timer; it elapses at the times of any of them."""
        dates = f"*-{_as_list(self.months, 1, 12)}-{_as_list(self.days, 1, 31)}"
        all_days = f"*-{_as_list(self.months, 1, 12)}-*"
        week = ",".join(_named_days(self.days_of_week))
        times = f"{_as_list(self.hours, 0, 23)}:{_as_list(self.minutes, 0, 59)}:00"
        if self.is_either_day:
            return [f"{dates} {times}", f"{week} {all_days} {times}"]
        return [f"{week} {dates} {times}" if len(self.days_of_week) < 7 else f"{dates} {times}"]


def read_cron(expression: str) -> CronTime:
    """Return the times of a cron expression. Raises RunError if a part of it is not valid."""
    words = expression.split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0].lower() not in _NICKNAMES:
            known = ", ".join(_NICKNAMES)
            raise RunError(f'--cron: "{words[0]}" is not a time; expected five fields, or {known}')
        words = _NICKNAMES[words[0].lower()].split()
    if len(words) != len(_FIELDS):
        raise RunError(
            f"--cron: expected five fields (minute, hour, day of the month, month, day of the week), "
            f'got {len(words)}: "{expression}"'
        )
    minutes, hours, days, months, of_week = (
        field.values(word) for field, word in zip(_FIELDS, words, strict=True)
    )
    is_either_day = not (words[2].startswith("*") or words[4].startswith("*"))
    if not is_either_day and all(min(days) > _MAX_DAYS.get(month, 31) for month in months):
        raise RunError(f'--cron: "{expression}" never occurs: no month has this day')
    week = frozenset(day or 7 for day in of_week)
    return CronTime(" ".join(words), minutes, hours, days, months, week, is_either_day)


def read_time_of_day(text: str) -> CronTime:
    """Return the times of a daily run from a text such as `02:00`. Raises RunError."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if not found:
        raise RunError(f'--daily: "{text}" is not a time of day; an example: 02:00')
    return read_cron(f"{int(found[2])} {int(found[1])} * * *")


def _runs(values: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of consecutive values, in order."""
    for first in sorted(value for value in values if value - 1 not in values):
        last = first
        while last + 1 in values:
            last += 1
        yield first, last


def _as_list(values: frozenset[int], low: int, high: int) -> str:
    """Return values as systemd writes them: `*`, `00/15` (15 apart, up to the highest) or `01,03..05`."""
    if len(values) == high - low + 1:
        return "*"
    ordered = sorted(values)
    step = ordered[1] - ordered[0] if len(ordered) > 2 else 1
    if step > 1 and ordered == list(range(ordered[0], high + 1, step)):
        return f"{ordered[0]:02}/{step}"
    return ",".join(_ranges([(f"{first:02}", f"{last:02}") for first, last in _runs(values)]))


def _named_days(values: frozenset[int]) -> Iterator[str]:
    return _ranges([(_DAYS[first].title(), _DAYS[last].title()) for first, last in _runs(values)])


def _ranges(ends: Sequence[tuple[str, str]]) -> Iterator[str]:
    return (first if first == last else f"{first}..{last}" for first, last in ends)
