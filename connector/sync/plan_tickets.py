"""The items of a plan for tickets: one for each alert whose ticket would be created or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from connector.sync.alert_preview import AlertPreview
from connector.sync.alert_rows import Alert
from connector.sync.alert_titles import title_of
from connector.sync.mapping import SyncMapping
from connector.sync.plan import Plan, PlanInputs
from connector.sync.plan_items import UNCHANGED, Item, Stop
from connector.sync.state import Link, State


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


def add_tickets(plan: Plan, inputs: PlanInputs, preview: Callable[[State], AlertPreview | None]) -> None:
    """Add what the next run would do about alerts. `preview` opens the driver of a copy of the state."""
    if inputs.mapping.alerts is None:
        return
    with inputs.state.scratch() as state:
        _save_links(plan, state)
        driver = preview(state)
        if driver is None:
            return
        driver.work()
        if not driver.poll():
            plan.stops.append(Stop("ticket", "a list of alerts or tickets was incomplete; see the log"))
            return
        for uid, item in driver.items(inputs.mapping):
            plan.alerts.add(uid)
            plan.counts.add("ticket", item.op if item is not None else UNCHANGED)
            if item is not None:
                plan.spool.add_item(item)


def _save_links(plan: Plan, state: State) -> None:
    """Save the links that a plan would make, on which the clients and assets of tickets depend."""
    with state.transaction():
        for item in plan.items():
            if item.entity in ("client", "site", "asset") and item.op in ("link", "update", "move"):
                state.save_link(Link(item.entity, int(item.source), item.target, item.method))
