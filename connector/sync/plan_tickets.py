"""The items of a plan for tickets: one for each alert whose ticket would be created or changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connector.sync.alert_rows import Alert
from connector.sync.alert_titles import title_of
from connector.sync.mapping import SyncMapping
from connector.sync.plan_items import Item


def lost_items(rows: Iterable[Alert], mapping: SyncMapping) -> Iterator[Item]:
    """Yield the links between alerts and tickets of a lost state; see `AlertDriver.lost`."""
    for row in rows:
        if row.state == "CLOSED":
            continue
        reason = row.error
        if row.state == "ORPHANED":
            reason = "the ticket was deleted, so the alert gets no ticket"
        elif row.state == "OPEN" and not row.alert and row.kind == "alert":
            reason = "the alert is not active: the ticket is closed after two lists without it"
        name = title_of(row, mapping) if row.alert or row.kind == "held" else ""
        yield Item("link", "ticket", row.uid, row.ticket, "stamp", reason=reason, name=name)
