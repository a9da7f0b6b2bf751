"""Sends ticket events to the webhooks that subscribe to them."""

from __future__ import annotations

import base64

from connector.sandbox.deliveries import Deliveries, Delivery
from connector.sandbox.halopsa.areas.tickets import row
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.invented import JSON

BATCH = 2


class Publisher:
    """Delivers the events of tickets to the webhooks in the account's data."""

    def __init__(self, state: State, deliveries: Deliveries) -> None:
        self._state = state
        self._deliveries = deliveries
        self._batches: dict[str, list[JSON]] = {}
        state.notify = self.publish

    def publish(self, event: str, ticket: JSON) -> None:
        """Deliver an event to every active webhook that subscribes to it, or to all events."""
        for webhook in self._state.webhooks.values():
            if webhook.get("active") and _wants(webhook, event):
                self._to(webhook, self._body(webhook, event, ticket))

    def flush(self) -> None:
        """Deliver the batches that are not full yet."""
        for number in list(self._batches):
            self._send(self._state.webhooks.get(number), self._batches.pop(number))

    def _body(self, webhook: JSON, event: str, ticket: JSON) -> JSON:
        state = self._state
        notification = len(state.webhook_events) + 1
        body: JSON = {
            "id": state.new_guid(),
            "webhook_id": webhook["id"],
            "notification_id": notification,
            "event": event,
            "message": f"{event}: {ticket['id']}",
            "object_id": ticket["id"],
            "agent_id": ticket.get("agent_id", 0),
            "timestamp": state.time(state.clock()),
        }
        state.webhook_events.append(
            {"status": 0, **{name: body[name] for name in ("id", "webhook_id", "timestamp")}}
        )
        if state.traps.is_on("webhook_body", "full"):
            body["ticket"] = row(state, ticket)
        return body

    def _to(self, webhook: JSON, body: JSON) -> None:
        if self._state.traps.is_on("webhook_batch", "no"):
            self._send(webhook, body)
            return
        batch = self._batches.setdefault(webhook["id"], [])
        batch.append(body)
        if len(batch) >= BATCH:
            self._send(webhook, self._batches.pop(webhook["id"]))

    def _send(self, webhook: JSON | None, body: JSON | list[JSON]) -> None:
        if webhook is None:  # the webhook was deleted in the meantime
            return
        delivery = Delivery(webhook["url"], body, _authorization(webhook))
        self._deliveries.put(delivery, self._state.traps["webhook_delivery"])


def _wants(webhook: JSON, event: str) -> bool:
    named = [
        value
        for entry in webhook.get("events") or ()
        for name, value in entry.items()
        if name in ("name", "event", "event_name") and isinstance(value, str)
    ]
    return not named or event.casefold() in (name.casefold() for name in named)


def _authorization(webhook: JSON) -> dict[str, str]:
    if not webhook.get("basic_username"):
        return {}
    pair = f"{webhook['basic_username']}:{webhook.get('basic_password') or ''}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
