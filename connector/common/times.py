"""Points in time as people and APIs write them, and as an API wants them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Literal

Unit = Literal["iso", "epoch_s", "epoch_ms", "after_epoch_s"]
"""How an API wants a time. The last is an expression: `after` or `before`, and epoch seconds."""
UNITS: tuple[Unit, ...] = ("iso", "epoch_s", "epoch_ms", "after_epoch_s")

EPOCH_MS_FROM = 10**11
"""A bare number is epoch seconds below this and epoch milliseconds from here on (the year 5138 in s)."""

_LONGEST = 100
"""Characters of a time: what is longer is none, and would be read as a number at length."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s?(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<zone_hour>\d{1,2})(?::?(?P<zone_minute>\d\d))?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def parse_time(text: str) -> datetime:
    """Read ISO 8601 (also with a zone such as `-4:00`; none means UTC) or an epoch number, into UTC.

    Raises ValueError with the forms that are understood.
    """
    text = text.strip()
    try:
        if len(text) > _LONGEST:
            raise ValueError("not a time")
        if _NUMBER.fullmatch(text):
            number = float(text) if "." in text else int(text)
            is_ms = abs(number) >= EPOCH_MS_FROM
            return _EPOCH + (timedelta(milliseconds=number) if is_ms else timedelta(seconds=number))
        match = _ISO.fullmatch(text)
        if match is None:
            raise ValueError("not a time")
        return _from_match(match)
    except (ValueError, OverflowError):
        raise ValueError(
            f'"{text[:60]}" is not a time: write 2026-12-01T06:00:00, '
            "2026-12-01T06:00:00-04:00 or an epoch number"
        ) from None


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
        timezone.utc,
    )
    return local + zone if match["sign"] == "-" else local - zone


def convert_time(text: str, unit: Unit) -> str | int | float:
    """Write a time, given as text, in an API's unit. Raises ValueError.

    For `after_epoch_s` the text may say `after` or `before` in front of the time; a time alone means after.
    """
    if unit != "after_epoch_s":
        return write_time(parse_time(text), unit)
    word, _, time = text.strip().partition(" ")
    if word.lower() not in ("after", "before"):
        word, time = "after", text
    return f"{word.lower()} {write_time(parse_time(time), 'epoch_s')}"


def write_time(time: datetime, unit: Unit) -> str | int | float:
    """Write a UTC time in an API's unit: ISO 8601 with `Z`, or epoch seconds or milliseconds."""
    if unit == "iso":
        whole = time.replace(tzinfo=None)
        return whole.isoformat(timespec="milliseconds" if time.microsecond else "seconds") + "Z"
    seconds = time.timestamp()
    if unit == "epoch_ms":
        return round(seconds * 1000)
    return int(seconds) if seconds.is_integer() else seconds
