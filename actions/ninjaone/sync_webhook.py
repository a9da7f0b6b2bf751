"""Reads the deliveries of NinjaOne's webhook in a sync: activities of alerts.

A delivery is an activity with its device. `statusCode` identifies the event; `status` and `type` are texts in
the account's language.
"""

from __future__ import annotations

from connector.handlers import AlertNews, AlertReading, Call, CallSteps, HookSecrets, Json

_KINDS = {
    "TRIGGERED": "started",
    "RESET": "ended",
    "DISABLED": "ended",
    "RESET_BY_PSA_TICKET_CALLBACK": "ended",
    "ACKNOWLEDGED": "acknowledged",
}
CODES = tuple(_KINDS)


class SyncWebhook:
    """The webhook of an account, which can have only one."""

    warning = (
        "NinjaOne has a single webhook configuration, which cannot be read: registering replaces an existing "
        "one, such as that of HaloPSA's own integration or of another PSA"
    )
    steps = (
        "In NinjaOne: Administration > General > Notification Channels > Add > Webhook, with this URL. Then "
        "in each policy, open every condition that should create tickets, and select the channel under "
        "Notifications, for triggered and reset alike. The organizations of devices are then read with the "
        "API."
    )

    def alerts(self, body: Json) -> list[AlertNews]:
        """Return the changes of alerts in the activities of a delivery."""
        rows = body if isinstance(body, list) else [body]
        return [news for row in rows if isinstance(row, dict) for news in _news(row)]

    def tickets(self, body: Json) -> list[int]:
        """Return an empty list, because NinjaOne has no tickets of this sync."""
        return []

    def register(self, url: str, secrets: HookSecrets) -> CallSteps:
        """Replace the account's webhook."""
        yield Call(
            "configure_webhook",
            {
                "url": url,
                "activities": {"CONDITION": list(CODES)},
                "expand": ["device", "organization", "location"],
                "headers": [{"name": secrets.header, "value": secrets.header_value}],
            },
        )

    def remove(self, url: str) -> CallSteps:
        """Turn off the account's webhook, even if another product has configured it."""
        yield Call("disable_webhook", {})
        return True


def _news(row: dict[str, Json]) -> list[AlertNews]:
    kind, uid, at = _KINDS.get(str(row.get("statusCode"))), row.get("seriesUid"), row.get("activityTime")
    if kind is None or not isinstance(uid, str) or not uid or not _is_number(at):
        return []
    device = row.get("device")
    device = device if isinstance(device, dict) else {}
    number = row.get("deviceId") or device.get("id")
    organization, condition = device.get("organizationId"), row.get("sourceConfigUid")
    reading = AlertReading(
        uid,
        float(at),
        number if type(number) is int else None,
        organization if type(organization) is int else None,
        condition if isinstance(condition, str) else "",
        row,
    )
    return [AlertNews(kind, reading, float(at))]  # type: ignore[arg-type]


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
