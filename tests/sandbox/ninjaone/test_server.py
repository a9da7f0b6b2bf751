"""The settings of a NinjaOne sandbox, and the account of its seed."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from connector.sandbox.ninjaone.server import Sandbox

from .client import Api


def test_connection_settings(sandbox):
    assert sandbox.base_url == f"http://127.0.0.1:{sandbox.port}"
    assert sandbox.connection == {
        "base_url": sandbox.base_url,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }


@pytest.mark.parametrize("setting", ["devices", "latency_ms", "token_lifetime_s"])
def test_negative_settings(setting):
    with pytest.raises(ValueError, match="negative"):
        Sandbox(**{setting: -1})


def test_an_unknown_operation_wants_no_user():
    with pytest.raises(ValueError, match=r"the API has no operation runScript$"):
        Sandbox(user_context=["runScript"])


def everything(api):
    paths = (
        "/v2/organizations-detailed", "/v2/devices-detailed?df=status in (APPROVED,PENDING)", "/v2/users",
        "/v2/user/roles", "/v2/alerts", "/v2/activities", "/v2/locations", "/v2/ticketing/ticket/1003",
        "/v2/device/1/scripting/options",
    )  # fmt: skip
    return [api.get(path) for path in paths]


def test_seed_decides_everything(open_api):
    first = everything(open_api(seed=3, devices=40))
    assert first == everything(open_api(seed=3, devices=40))
    assert first != everything(open_api(seed=4, devices=40))


@pytest.mark.parametrize(("devices", "pending"), [(0, 0), (1, 0), (9, 0), (10, 2), (25, 2), (100, 5)])
def test_number_of_devices(open_api, devices, pending):
    api = open_api(devices=devices)
    listed = api.get("/v2/devices")
    waiting = api.get("/v2/devices", df="status = PENDING")
    assert [device["id"] for device in listed + waiting] == list(range(1, devices + 1))
    assert len(waiting) == pending
    classes = {device["nodeClass"] for device in listed}
    if devices >= 10:
        assert {"WINDOWS_SERVER", "WINDOWS_WORKSTATION", "MAC", "LINUX_SERVER"} <= classes
    assert api.get("/v2/ticketing/trigger/boards")[1]["ticketCount"] == devices


def test_many_devices_are_cheap():
    tracemalloc.start()
    before = time.process_time()
    with Sandbox(devices=200_000) as running:
        api = Api(running)
        assert api.get("/v2/devices", pageSize=5, after=123_456)[0]["id"] == 123_457
        api.do("PATCH", "/v2/device/200000", {"displayName": "Last"})
        assert api.get("/v2/device/200000")["displayName"] == "Last"
        api.close()
    taken = time.process_time() - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    assert taken < 5


def test_names_of_a_large_account_are_unique(open_api):
    organizations = open_api(devices=20_000).get("/v2/organizations")
    assert len(organizations) == 200
    assert len({entry["name"] for entry in organizations}) == 200
