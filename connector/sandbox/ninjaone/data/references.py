"""Adds to a device what the query parameter `expand` requests: organization, location and warranty."""

from __future__ import annotations

from collections.abc import Collection

from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State

_YEAR_S = 31_536_000.0


def expanded(state: State, node: JSON, names: Collection[str]) -> JSON:
    """Return a device with the named references added. Unknown names are ignored."""
    found: JSON = dict(node.get("references", {}))
    if "organization" in names:
        organization = state.organizations[node["organizationId"]]
        found["organization"] = _without(organization, "policies", "settings")
    if "location" in names and node["locationId"] in state.locations:
        found["location"] = _without(state.locations[node["locationId"]], "organizationId")
    if "warranty" in names and (warranty := _warranty(state, node["id"])):
        found["warranty"] = warranty
    return node | {"references": found} if found else node


def _without(entry: JSON, *names: str) -> JSON:
    return {name: value for name, value in entry.items() if name not in names}


def _warranty(state: State, device_id: int) -> JSON:
    """Return the warranty of a device: the stored one, else a generated one for two of three devices."""
    changed = state.fleet.changes(device_id).warranty
    if changed or device_id % 3 == 0:
        return changed or {}
    start = EPOCH - _YEAR_S * (1 + device_id % 3)
    return {"startDate": start, "endDate": start + 3 * _YEAR_S, "manufacturerFulfillmentDate": start}
