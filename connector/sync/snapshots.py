"""Converts a list of all alerts to events: for alerts in it, missing ones, and ones to confirm first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connector.sync.alert_events import Missing, Started
from connector.sync.alert_rows import Alert

MANY = 10
"""The number of open alerts that may be missing at once without a confirmation."""


@dataclass(frozen=True)
class Snapshot:
    """The events of a list of alerts, and the devices whose alerts must be read before more are missing.

    `absent` are the rows that wait for that.
    """

    events: tuple[Started | Missing, ...]
    devices: tuple[int, ...] = ()
    absent: tuple[Alert, ...] = ()


def read_snapshot(rows: Iterable[Alert], shown: Mapping[str, Started], now: float, seq: int) -> Snapshot:
    """Compare a complete list of alerts with the rows, and return the resulting events.

    `rows` has, for each series, its latest generation if that is open, or closed but listed after it closed;
    `shown` are the alerts of the list, keyed by series, `seq` the last delivery before the list was
    requested. A list that is not complete must not be passed.

    If more than `MANY` alerts and over half of those with a ticket are missing, none of them counts as ended
    until its device's own list of alerts confirms it (`confirmed`).
    """
    rows = [row for row in rows if row.kind == "alert"]
    absent = [row for row in rows if row.uid not in shown]
    held_open = [row for row in rows if row.is_active]
    missing = [row for row in absent if row.is_active]
    events: tuple[Started | Missing, ...] = tuple(shown.values())
    if len(missing) > MANY and 2 * len(missing) > len(held_open):
        devices = {row.device for row in absent if row.device is not None}
        return Snapshot(events, tuple(sorted(devices)), tuple(absent))
    return Snapshot(events + tuple(Missing(row.uid, now, seq) for row in absent))


def confirmed(
    absent: Iterable[Alert], devices: Mapping[int, Collection[str]], now: float, seq: int
) -> tuple[Missing, ...]:
    """Return the rows whose alerts are also missing in their devices' lists of alerts.

    `devices` are the series of each device whose alerts could be read; rows of other devices wait for the
    next list. `seq` is that of the list.
    """
    return tuple(
        Missing(row.uid, now, seq)
        for row in absent
        if row.device is not None and row.uid not in devices.get(row.device, (row.uid,))
    )
