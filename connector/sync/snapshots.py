"""Convert a list of all active alerts to events for the alerts in it and the missing ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connector.sync.alert_events import Missing, Started
from connector.sync.alert_rows import Alert

MANY = 10
"""The number of open alerts that may be missing from one list without a confirmation."""


@dataclass(frozen=True)
class Snapshot:
    """The events of a list of alerts, and the missing alerts that must be confirmed.

    `absent` has the rows of alerts that are missing from the list. They count as ended only if the alerts of
    their `devices`, read separately, do not contain them either.
    """

    events: tuple[Started | Missing, ...]
    devices: tuple[int, ...] = ()
    absent: tuple[Alert, ...] = ()


def read_snapshot(rows: Iterable[Alert], shown: Mapping[str, Started], now: float, seq: int) -> Snapshot:
    """Compare a complete list of alerts with the stored rows, and return the resulting events.

    `rows` has the latest row of each alert, unless it is closed and was not listed since. `shown` has the
    alerts in the list, keyed by uid. `seq` is the number of the last webhook delivery before the list was
    requested.

    If more than `MANY` open alerts, and more than half of all, are missing, none counts as ended until
    the list of its device's alerts confirms it; see `confirmed`.
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
    """Return a Missing event for each alert that is also missing from its device's list of alerts.

    `devices` has the uids of the active alerts of each device that could be read. Alerts of other devices are
    checked again with the next list. `seq` is the number of the list.
    """
    return tuple(
        Missing(row.uid, now, seq)
        for row in absent
        if row.device is not None and row.uid not in devices.get(row.device, (row.uid,))
    )
