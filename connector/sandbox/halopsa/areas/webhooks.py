"""Endpoints for the webhooks of the instance, and the log of their deliveries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from connector.sandbox.halopsa.api.bodies import known_values
from connector.sandbox.halopsa.api.call import LIST, HaloCall, endpoint, query
from connector.sandbox.halopsa.api.lists import page
from connector.sandbox.halopsa.api.writes import RETURN_ALL, Writer, write
from connector.sandbox.halopsa.errors import InvalidRecordError, not_found
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse
from connector.sandbox.types import UUID, Anything

_SECRET = "basic_password"  # noqa: S105  a member's name


def _shown(call: HaloCall, number: Any) -> JSON:
    return {name: value for name, value in _find(call, number).items() if name != _SECRET}


def _find(call: HaloCall, number: Any) -> JSON:
    if number not in call.state.webhooks:
        raise not_found("Webhook", number)
    return call.state.webhooks[number]


@endpoint("GET", "/Webhook", "listWebhooks", query=query("type"))
def list_webhooks(call: HaloCall) -> list[JSON]:
    """Return the webhooks, without their passwords."""
    return [_shown(call, number) for number in call.state.webhooks]


@endpoint("GET", "/Webhook/{id}", "getWebhook", path_types={"id": UUID}, query=query("includedetails"))
def get_webhook(call: HaloCall, id: str) -> JSON:
    """Return one webhook, without its password."""
    return _shown(call, id)


def _check(call: HaloCall, record: JSON, path: str) -> None:
    known = _find(call, record["id"]) if record.get("id") else {}
    if not str(record.get("name") or known.get("name") or "").strip():
        raise InvalidRecordError(f"{path}.name", "A name must be entered.")
    address = urlsplit(str(record.get("url") or known.get("url") or ""))
    if address.scheme not in ("http", "https") or not address.hostname:
        raise InvalidRecordError(f"{path}.url", "A payload URL must be entered.")


def _save(call: HaloCall, record: JSON) -> str:
    number = str(record.get("id") or call.state.new_guid())
    new = {"id": number, "type": 0, "method": 0, "authentication_type": 0, "active": True, "events": []}
    call.state.webhooks[number] = call.state.webhooks.get(number, new) | known_values(record, "Webhook")
    return number


_WEBHOOKS = Writer("Webhook", _check, _save, _shown)


@endpoint("POST", "/Webhook", "saveWebhooks", query=RETURN_ALL, body=Anything())
def save_webhooks(call: HaloCall) -> ServerResponse:
    """Create or update webhooks."""
    return write(call, _WEBHOOKS)


@endpoint("DELETE", "/Webhook/{id}", "deleteWebhook", path_types={"id": UUID})
def delete_webhook(call: HaloCall, id: str) -> JSON:
    """Delete a webhook."""
    found = _shown(call, id)
    del call.state.webhooks[id]
    return found


@endpoint("GET", "/WebhookEvent", "listWebhookEvents", query={**LIST, **query("webhook_id")})
def list_webhook_events(call: HaloCall) -> JSON:
    """Return a page of the events that were sent to webhooks, newest first."""
    wanted = call.query.get("webhook_id")
    found = [row for row in call.state.webhook_events if wanted in (None, row["webhook_id"])]
    return page(call, "events", found[::-1], dict)
