"""The titles and states of alerts in reports and on web pages."""

from __future__ import annotations

from typing import Any

from connector.common import json_text
from connector.errors import ConnectorError
from connector.sync.alert_rows import Alert
from connector.sync.mapping import SyncMapping
from connector.templating.scope import Scope

STATES = {
    "WAITING": "waiting before a ticket is created",
    "HELD": "held back: too many tickets in an hour",
    "SUPPRESSED": "no ticket, because of the mapping",
    "CREATING": "ticket being created",
    "REOPENING": "ticket being reopened",
    "OPEN": "ticket open",
    "CLOSING": "ticket being closed",
    "RESETTING": "alert being reset",
    "LEFT": "ticket closed, alert not reset",
    "CLOSED": "closed",
    "ORPHANED": "ticket deleted",
    "ERROR": "refused",
}
"""The states of alerts, in words."""


def title_of(row: Alert, mapping: SyncMapping | None) -> str:
    """Return an alert's title: the summary of its ticket, unless the ticket is about several alerts."""
    if row.kind == "held":
        return "Summary of the alerts that are held back"
    if row.kind == "note":
        return f"A note that could not be added to ticket {row.previous}"
    try:
        alert: Any = json_text.loads(row.alert) if row.alert else {}
        summary = mapping.alerts.ticket.summary if mapping and mapping.alerts else None
        text = summary.text(Scope({"alert": alert})) if summary else ""
    except (ConnectorError, ValueError):
        text = ""
    return " ".join(text.split())[:200] or f"Alert {row.uid}"
