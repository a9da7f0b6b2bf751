"""The time zone in which a thread reads times without a zone, and the conversion of local times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone, tzinfo
from typing import TypeVar

from connector.errors import shorten, values_are_shown

T = TypeVar("T")

_CURRENT: ContextVar[tzinfo] = ContextVar("zone", default=timezone.utc)
_END = object()


class LocalTimeError(ValueError):
    """A local time does not exist in its time zone, or exists twice, because clocks change."""


def read_zone(name: str | None) -> tzinfo:
    """Return the time zone with an IANA name; UTC without a name. Raises ValueError."""
    if not name or name == "UTC":
        return timezone.utc
    # import it only if a zone is named, because the import is slow
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        shown = shorten(str(name), 40)
        raise ValueError(
            f'"{shown}" is not a time zone of this system: write a name such as Europe/Berlin (on a system '
            'without time zones, run "pip install tzdata")'
        ) from None


def current_zone() -> tzinfo:
    """Return the zone in which this thread reads times without a zone; UTC by default."""
    return _CURRENT.get()


@contextmanager
def in_zone(zone: tzinfo) -> Iterator[None]:
    """Return a context in which this thread reads times without a zone as times in `zone`."""
    token = _CURRENT.set(zone)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def each_in_zone(items: Iterator[T], zone: tzinfo) -> Iterator[T]:
    """Return an iterator that computes each item in the context `in_zone(zone)`."""
    return items if zone is timezone.utc else _each_in_zone(items, zone)


def _each_in_zone(items: Iterator[T], zone: tzinfo) -> Iterator[T]:
    while True:
        # the context ends before the item is returned, because another thread can use the item
        with in_zone(zone):
            item = next(items, _END)
        if item is _END:
            return
        yield item  # type: ignore[misc]


def with_zone(local: datetime, zone: tzinfo) -> datetime:
    """Return a local time with its zone.

    Raises LocalTimeError if the time does not exist in the zone, or exists twice.
    """
    first = local.replace(tzinfo=zone)
    if zone is timezone.utc:
        return first
    second = local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    exists = first.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) == local
    reason = "occurs twice" if exists else "does not occur"
    shown = local.isoformat() if values_are_shown() else "the local time"
    raise LocalTimeError(
        f"{shown} {reason} in {zone}, where clocks change: write the time with its UTC offset"
    )


def local_text(moment: datetime, zone: tzinfo) -> str:
    """Return a time in ISO 8601 in a zone, to the millisecond: with its UTC offset, or Z in UTC."""
    unit = "milliseconds" if moment.microsecond else "seconds"
    if zone is timezone.utc:
        return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec=unit) + "Z"
    return moment.astimezone(zone).isoformat(timespec=unit)
