"""Restore the alert rows of a lost state file from the stamps of the tickets.

A stamp contains the uid of the alert and the generation of its row. For each alert, the ticket with the
highest generation is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connector.sync.alert_events import Started
from connector.sync.alert_rows import Alert, State
from connector.sync.alert_step import SUMMARY
from connector.sync.records import TicketReading

PARKED = "stamp"
"""`Alert.via` of a row that is `parked`."""


def lost_rows(tickets: Iterable[TicketReading], shown: Mapping[str, Started], now: float) -> list[Alert]:
    """Return the alert rows of tickets with a stamp; `shown` has the active alerts, keyed by uid."""
    return [
        _row(uid, generation, ticket, shown.get(uid), now)
        for (uid, generation), ticket in _last(tickets).items()
    ]


def is_certain(row: Alert) -> bool:
    """Return whether a restored row certainly belongs to this sync, or causes no change.

    If an alert is not active, its open ticket would be closed. This is unsafe, because the ticket may belong
    to a sync with another account.
    """
    return bool(row.alert) or row.state == "CLOSED" or row.kind == "held"


def parked(row: Alert, now: float) -> Alert:
    """Return an uncertain row as a closed one, whose ticket is reused if the alert starts again."""
    return replace(row, state="CLOSED", left_open=True, closed_at=now, via=PARKED)


def is_parked(row: Alert) -> bool:
    """Return whether a row is `parked`, so that people can still decide about its ticket."""
    return row.state == "CLOSED" and row.via == PARKED


def _last(tickets: Iterable[TicketReading]) -> dict[tuple[str, int], TicketReading]:
    """Return the newest ticket of each alert, by the number at the end of the ticket's stamp."""
    last: dict[str, tuple[int, bool, TicketReading]] = {}
    for ticket in tickets:
        uid, sign, number = ticket.stamp.rpartition("#")
        if not sign or not uid or not number.isdecimal() or "#" in uid.removeprefix(SUMMARY):
            continue
        rank = (int(number), ticket.status == "open")
        if uid not in last or rank > last[uid][:2]:
            last[uid] = (*rank, ticket)
    return {(uid, generation): ticket for uid, (generation, _, ticket) in last.items()}


def _row(uid: str, generation: int, ticket: TicketReading, alert: Started | None, now: float) -> Alert:
    state, error = _state(ticket, alert, is_summary=uid == SUMMARY)
    is_closed = state == "CLOSED"
    row = {
        "kind": "held" if uid == SUMMARY else "alert",
        "start": alert.start if alert is not None and not is_closed else ticket.opened,
        "ticket": ticket.id,
        "has_own": True,
        "has_asset": True,
        "opened_at": ticket.opened or now,
        "closed_at": (ticket.closed or now) if is_closed else None,
        "error": error,
    }
    if alert is not None:
        more = ("device", "organization", "condition", "alert", "wanted", "via")
        row |= {name: getattr(alert, name) for name in more}
    return Alert(uid, generation, state, **{**row, "condition": row.get("condition") or uid})  # type: ignore[arg-type]


def _state(ticket: TicketReading, alert: Started | None, *, is_summary: bool) -> tuple[State, str]:
    """Return (state, error message) of a restored row."""
    if ticket.status in ("open", "merged"):
        return "OPEN", ""
    if alert is None or is_summary:
        return "CLOSED", ""
    if ticket.status == "deleted":
        return "ORPHANED", ""
    if ticket.closed and alert.start > ticket.closed:
        return "CLOSED", ""
    lost = f"ticket {ticket.id} was closed while the state of the sync was lost: the alert is not reset"
    return "LEFT", lost
