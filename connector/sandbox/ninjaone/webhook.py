"""The webhook of the account: selects the activities to deliver, and creates the bodies."""

from __future__ import annotations

from connector.sandbox.deliveries import Deliveries, Delivery
from connector.sandbox.ninjaone.data.references import expanded
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State


class Publisher:
    """Delivers the activities of an account. `how` can be set: `once`, `doubled`, `late` or `lost`."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self.how = "once"

    def follow(self, state: State) -> None:
        """Deliver the activities that are added to this account from now on."""
        state.notify = lambda activity: self._publish(state, activity)

    def _publish(self, state: State, activity: JSON) -> None:
        webhook = state.webhook
        if webhook is None or not _wants(state, webhook, activity):
            return
        headers = {header["name"]: header["value"] for header in webhook.get("headers") or ()}
        self._deliveries.put(Delivery(webhook["url"], _body(state, webhook, activity), headers), self.how)


def _wants(state: State, webhook: JSON, activity: JSON) -> bool:
    """Return whether the webhook's settings select an activity: by type, status code and organization."""
    codes = (webhook.get("activities") or {}).get(activity["activityType"], ())
    if "*" not in codes and activity["statusCode"] not in codes:
        return False
    organizations = webhook.get("organizationIds") or ()
    return not organizations or _organization(state, activity) in organizations


def _organization(state: State, activity: JSON) -> int | None:
    device = activity.get("deviceId", 0)
    return state.fleet.facts(device).organization_id if state.fleet.exists(device) else None


def _body(state: State, webhook: JSON, activity: JSON) -> JSON:
    """Return an activity with its device. The device's organization and location are references of it."""
    device, expand = activity.get("deviceId", 0), webhook.get("expand") or ()
    if "device" not in expand or not state.fleet.exists(device):
        return dict(activity)
    facts = state.fleet.facts(device)
    return {**activity, "device": expanded(state, state.node(facts), expand)}
