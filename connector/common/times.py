"""Reads times in the formats that people and APIs use, and writes them in the unit that an API requires."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal

from connector.common.json_text import Json, kind
from connector.common.zones import LocalTimeError, current_zone, local_text, with_zone
from connector.errors import shorten, values_are_shown

if TYPE_CHECKING:
    from decimal import Decimal

Unit = Literal["iso", "date", "epoch_s", "epoch_ms", "after_epoch_s"]
"""The formats that APIs use for times. `after_epoch_s` is a filter: the word `after` or `before`, a space,
and epoch seconds."""
UNITS: tuple[Unit, ...] = ("iso", "date", "epoch_s", "epoch_ms", "after_epoch_s")

_MAX_LENGTH = 100
"""The maximum length of a time in characters. Longer texts are rejected, because parsing them as numbers is
slow."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST = datetime(1990, 1, 1, tzinfo=timezone.utc)
_END = datetime(2101, 1, 1, tzinfo=timezone.utc)
"""A number is read as an epoch time only if it is in the years 1990 to 2100."""
_SPREADSHEET_EPOCH = datetime(1899, 12, 30, tzinfo=timezone.utc)
_ISO = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s?(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<zone_hour>\d{1,2})(?::?(?P<zone_minute>\d\d))?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_AFTER = re.compile(r"\s*(after|before)\s+(.*)", re.IGNORECASE | re.DOTALL)
_SECOND, _MILLISECOND, _DAY = 10**6, 10**3, 86_400 * 10**6
"""Units of numbers, in microseconds."""
_FORMS = "write 2026-12-01T06:00:00, 2026-12-01T06:00:00-04:00 or an epoch number"


def _shown(text: str) -> str:
    """Return a time of a row for a message, or "this" if the values of rows must not be shown."""
    return text if values_are_shown() else "this"


def parse_time(value: Json) -> datetime:
    """Return the UTC time for a text or a number.

    A text is ISO 8601, extended or basic (`20261201T060000Z`), of any year. Its UTC offset can be written as
    `-4:00`; without an offset, the time is in the current zone (see `zones`), which is UTC by default. A
    number, also as text, is a date in the basic form (20261201), or epoch seconds or milliseconds of the
    years 1990 to 2100. Raises ValueError, whose message shows how the value was read.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"expected a time, got {kind(value)}")
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    if len(text) <= _MAX_LENGTH:
        is_number = _NUMBER.fullmatch(text)
        try:
            if match := _ISO.fullmatch(re.sub(r"\.0+$", "", text) if is_number else text):
                return _from_match(match)
        except LocalTimeError:
            raise
        except (ValueError, OverflowError):
            pass
        if is_number:
            return _from_number(text)
    shown = _shown(f'"{shorten(text, 60)}"')
    raise ValueError(f"{shown} is not a time: {_FORMS}")


def _from_match(match: re.Match[str]) -> datetime:
    part = {name: int(text) for name, text in match.groupdict("0").items() if text.isdigit()}
    zone = timedelta(hours=part["zone_hour"], minutes=part["zone_minute"])
    if part["zone_hour"] > 23 or part["zone_minute"] > 59:
        raise ValueError("zone")
    local = datetime(
        part["year"],
        part["month"],
        part["day"],
        part["hour"],
        part["minute"],
        part["second"],
        int((match["fraction"] or "0")[:6].ljust(6, "0")),
    )
    if match["utc"] or match["sign"]:
        local = local.replace(tzinfo=timezone.utc)
        return local + zone if match["sign"] == "-" else local - zone
    return with_zone(local, current_zone()).astimezone(timezone.utc)


def _from_number(text: str) -> datetime:
    """Return the time for epoch seconds or milliseconds, whichever is in the years 1990 to 2100."""
    from decimal import Decimal  # imported only for numbers

    number = Decimal(text)
    moment = _in_range(number, _SECOND) or _in_range(number, _MILLISECOND)
    if moment is None:
        understood = _understood(number) if values_are_shown() else "is not a time between 1990 and 2100"
        raise ValueError(f"{_shown(shorten(text, 60))} {understood}; {_FORMS}")
    return moment


def _in_range(number: Decimal, unit: int, start: datetime = _EPOCH) -> datetime | None:
    """Return the time `start` plus a number of units, if it is in the years 1990 to 2100."""
    try:
        moment = start + timedelta(microseconds=int(number * unit))
    except OverflowError:
        return None
    return moment if _FIRST <= moment < _END else None


def _understood(number: Decimal) -> str:
    """Return a guess, for a message, of what a number that is not an epoch time means."""
    guesses = {
        "a spreadsheet date": _in_range(number, _DAY, _SPREADSHEET_EPOCH),
        "a time without its T": _joined(number),
        "epoch microseconds": _in_range(number, 1),
        "epoch nanoseconds": _in_range(number / 1000, 1),
    }
    for name, moment in guesses.items():
        if moment:
            return f"looks like {name}: {_short(moment)}"
    try:
        seconds = _short(_EPOCH + timedelta(microseconds=int(number * _SECOND)))
    except OverflowError:
        return "is not a time"
    return f"is not a time between 1990 and 2100: as epoch seconds it is {seconds}"


def _joined(number: Decimal) -> datetime | None:
    """Return the time for a number such as 20261201060000: a time without its T."""
    digits = str(number)
    match = _ISO.fullmatch(f"{digits[:8]}T{digits[8:]}") if len(digits) in (12, 14) else None
    try:
        return match and _from_match(match)
    except ValueError:
        return None


def _short(moment: datetime) -> str:
    is_day = moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.date().isoformat() if is_day else str(write_time(moment, "iso"))


def convert_time(value: Json, unit: Unit) -> str | int | float:
    """Return a time (as `parse_time` accepts it) in an API's unit. Raises ValueError.

    For `after_epoch_s`, a text can start with `after` or `before`; without either, `after` is used.
    """
    if unit != "after_epoch_s":
        return write_time(parse_time(value), unit)
    word, time = "after", value
    if isinstance(value, str) and (match := _AFTER.fullmatch(value)):
        word, time = match[1].lower(), match[2]
    return f"{word} {write_time(parse_time(time), 'epoch_s')}"


def write_time(time: datetime, unit: Unit) -> str | int | float:
    """Return a UTC time in an API's unit: ISO 8601 with `Z`, a date, or epoch seconds or milliseconds.

    A date is that of the current zone. Raises ValueError for `date` if the time is not midnight in it.
    """
    if unit == "iso":
        return local_text(time, timezone.utc)
    if unit == "date":
        time = time.astimezone(current_zone())
        if time != time.replace(hour=0, minute=0, second=0, microsecond=0):
            shown = _shown(local_text(time, current_zone()))
            raise ValueError(f"{shown} has a time of day, but a date is expected: write 2026-12-01")
        return time.date().isoformat()
    microseconds = (time - _EPOCH) // timedelta(microseconds=1)
    if unit == "epoch_ms":
        return microseconds // 1000
    return microseconds / 1_000_000 if microseconds % 1_000_000 else microseconds // 1_000_000


def sent_instant(sent: Json, unit: Unit) -> str:
    """Return a result of `convert_time` as readable text: ISO 8601, after `after` or `before` if present.

    The text is in the current zone.
    """
    word, _, number = str(sent).rpartition(" ")
    if unit == "date":
        return str(sent)
    if unit == "iso":
        return local_text(parse_time(sent), current_zone())
    from decimal import Decimal  # imported only for numbers

    size = _MILLISECOND if unit == "epoch_ms" else _SECOND
    moment = _EPOCH + timedelta(microseconds=int(Decimal(number) * size))
    return f"{word} {local_text(moment, current_zone())}".strip()
