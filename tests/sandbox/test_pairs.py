"""Sandboxes of different services with the same seed have the same companies with the same machines."""

from __future__ import annotations

import pytest

from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox


@pytest.mark.parametrize("seed", [1, 7])
def test_devices_and_assets_are_pairs(seed: int) -> None:
    source, target = Sandbox(devices=300, seed=seed), HaloSandbox(assets=300, seed=seed)
    devices, assets = source.state.fleet, target.state.assets
    organizations = {number: entry["name"] for number, entry in source.state.organizations.items()}
    locations = {number: entry["name"] for number, entry in source.state.locations.items()}
    assert [*organizations.values()] == [client["name"] for client in target.state.clients.values()]
    assert [*locations.values()] == [site["name"] for site in target.state.sites.values()]
    for device_id, asset_id in zip(range(1, 301), assets.ids(), strict=True):
        facts, values = devices.facts(device_id), assets.values(asset_id)
        assert devices.details(facts)["system"]["serialNumber"] == assets.fields(asset_id)[117]
        assert organizations[facts.organization_id] == target.state.client(values["client_id"])["name"]
        assert locations[facts.location_id] == target.state.site(values["site_id"])["name"]
    source.stop()
    target.stop()
