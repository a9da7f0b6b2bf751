"""Reads the deliveries of HaloPSA's webhooks in a sync: the ids of the tickets that they are about.

A delivery can contain one event or several, each with the ticket or only with its id. The tickets are read
afterwards, so that nothing depends on the order in which deliveries arrive.
"""

from __future__ import annotations

from connector.handlers import AlertNews, Call, CallSteps, HookSecrets, Json

NAME = "NinjaOne sync"
EVENTS = ("Ticket Status Changed", "Ticket Updated", "Ticket Deleted", "Ticket Merged", "Ticket Closed")


class SyncWebhook:
    """The webhook that reports changes of tickets."""

    warning = ""
    steps = (
        "In HaloPSA: Configuration > Integrations > Webhooks > New, method POST, content type "
        "application/json, with this URL. Select the events of tickets whose status changes, that are "
        "updated, merged or deleted."
    )

    def alerts(self, body: Json) -> list[AlertNews]:
        """Return an empty list, because HaloPSA has no alerts."""
        return []

    def tickets(self, body: Json) -> list[int]:
        """Return the ids of the tickets of all events in a delivery, each once."""
        rows = body if isinstance(body, list) else [body]
        numbers = (_ticket(row) for row in rows if isinstance(row, dict))
        return list(dict.fromkeys(number for number in numbers if number is not None))

    def register(self, url: str, secrets: HookSecrets) -> CallSteps:
        """Create the webhook, or change the webhook that has this URL."""
        inputs = {
            "name": NAME,
            "url": url,
            "username": secrets.user,
            "password": secrets.password,
            "authentication_type": 1,
            "events": [{"name": name} for name in EVENTS],
            "active": True,
        }
        known = yield from self._known(url)
        if known:
            yield Call("halopsa.update_webhook", {"webhook_id": known[0], **inputs})
        else:
            yield Call("halopsa.create_webhook", inputs)

    def remove(self, url: str) -> CallSteps:
        """Delete the webhooks that have this URL; return whether there was one."""
        known = yield from self._known(url)
        for number in known:
            yield Call("halopsa.delete_webhook", {"webhook_id": number})
        return bool(known)

    def _known(self, url: str) -> CallSteps:
        rows = yield Call("halopsa.list_webhooks", {})
        return [row["id"] for row in rows if row.get("url") == url]


def _ticket(row: dict[str, Json]) -> int | None:
    ticket = row.get("ticket")
    number = row.get("object_id") or (ticket.get("id") if isinstance(ticket, dict) else None)
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        return int(number)
    return number if type(number) is int and number > 0 else None
