"""Alerts that are raised and reset on demand, their webhook, and what a sync reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from ..receiver import Receiver
from .client import TIMEOUT_S, Api

OpenApi = Callable[..., Api]
CONDITION = {"CONDITION": ["*"]}


def register(api: Api, receiver: Receiver, **more: Any) -> None:
    body = {"url": receiver.url, "activities": CONDITION, "expand": ["device", "organization", "location"]}
    api.do("PUT", "/v2/webhook", body | more)


def test_an_alert_is_raised_and_reset(api: Api) -> None:
    before = api.get("/v2/alerts")
    raised = api.control("POST", "alerts", json={"raise": {"device": 2, "severity": "CRITICAL"}})
    assert api.get("/v2/alerts") == [*before, raised]
    assert api.get("/v2/device/2/alerts") == [raised]
    assert raised["severity"] == "CRITICAL"
    assert {"uid", "createTime", "sourceConfigUid", "priority", "message", "subject"} <= set(raised)
    (triggered, *_) = api.activities(2)
    assert (triggered["statusCode"], triggered["seriesUid"]) == ("TRIGGERED", raised["uid"])
    assert triggered["activityTime"] == raised["createTime"]

    api.control("POST", "alerts", json={"acknowledge": raised["uid"]})
    api.control("POST", "alerts", json={"reset": raised["uid"]})
    assert api.get("/v2/alerts") == before
    codes = [activity["statusCode"] for activity in api.activities(2)]
    assert codes[:3] == ["RESET", "ACKNOWLEDGED", "TRIGGERED"]


def test_an_alert_may_end_without_an_activity(api: Api) -> None:
    uid = api.sandbox.alerts.trigger(2)["uid"]
    api.control("POST", "alerts", json={"reset_silently": uid})
    assert api.get("/v2/device/2/alerts") == []
    assert [activity["statusCode"] for activity in api.activities(2)] == ["TRIGGERED"]
    other = api.sandbox.alerts.trigger(2)["uid"]
    api.control("POST", "alerts", json={"disable": other})
    assert api.get("/v2/device/2/alerts") == []
    assert api.activities(2)[0]["statusCode"] == "DISABLED"


def test_a_series_is_used_again(open_api: OpenApi) -> None:
    now = [1_800_000_000.0]
    api = open_api(clock=lambda: now[0])
    uid = api.sandbox.alerts.trigger(2)["uid"]
    now[0] += 60
    repeated = api.sandbox.alerts.trigger(2, uid=uid)
    assert (repeated["createTime"], repeated["updateTime"]) == (1_800_000_000.0, 1_800_000_060.0)
    assert len(api.get("/v2/device/2/alerts")) == 1
    api.sandbox.alerts.reset(uid)
    now[0] += 60
    assert api.sandbox.alerts.trigger(2, uid=uid)["createTime"] == 1_800_000_120.0
    times = [activity["activityTime"] - 1_800_000_000 for activity in api.activities(2)]
    assert times == [120.0, 60.0, 60.0, 0.0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"raise": {"device": 999}}, "there is no device 999"),
        ({"raise": 2}, "to raise an alert"),
        ({"reset": "x"}, "there is no active alert x"),
        ({"explode": "x"}, "'explode' is not one of raise, reset, reset_silently, acknowledge, disable"),
        ({}, "send an object with one key"),
    ],
)
def test_what_is_wrong_is_said(api: Api, body: Any, message: str) -> None:
    url = f"{api.base_url}/_sandbox/alerts"
    response = requests.post(url, json=body, timeout=TIMEOUT_S)
    assert response.status_code == 400
    assert message in response.json()["error"]


def test_activities_are_delivered_with_their_device(api: Api, receiver: Receiver) -> None:
    register(api, receiver, headers=[{"name": "X-Secret", "value": "abc"}])
    raised = api.sandbox.alerts.trigger(2)
    (sent,) = api.sandbox.wait_for_deliveries(1)
    assert sent["status"] == 200
    _, headers, body = receiver.received[0]
    assert headers["x-secret"] == "abc"
    assert body["seriesUid"] == raised["uid"]
    shared = {name: body[name] for name in ("sourceConfigUid", "severity", "priority", "message", "deviceId")}
    assert shared == {name: raised[name] for name in shared}
    assert (body["activityType"], body["statusCode"]) == ("CONDITION", "TRIGGERED")
    device = api.get("/v2/device/2")
    assert {name: body["device"][name] for name in ("id", "organizationId", "locationId", "nodeClass")} == {
        name: device[name] for name in ("id", "organizationId", "locationId", "nodeClass")
    }
    references = body["device"]["references"]
    assert references["organization"]["id"] == device["organizationId"]
    assert references["location"]["id"] == device["locationId"]


def test_a_reset_by_the_api_is_delivered_too(api: Api, receiver: Receiver) -> None:
    uid = api.sandbox.alerts.trigger(2)["uid"]
    register(api, receiver, expand=[])
    api.do("POST", f"/v2/alert/{uid}/reset", {"source": "sync", "ticket": 1})
    api.sandbox.wait_for_deliveries(1)
    (body,) = receiver.bodies
    assert (body["statusCode"], body["seriesUid"], body["data"]) == (
        "RESET",
        uid,
        {"source": "sync", "ticket": 1},
    )
    assert "device" not in body


@pytest.mark.parametrize(
    ("more", "delivered"),
    [
        ({}, 2),
        ({"activities": {"CONDITION": ["RESET"]}}, 1),
        ({"activities": {"SYSTEM": ["*"]}}, 0),
        ({"organizationIds": [1, 2, 3, 4]}, 2),
        ({"organizationIds": []}, 2),
    ],
)
def test_what_is_delivered(api: Api, receiver: Receiver, more: dict[str, Any], delivered: int) -> None:
    register(api, receiver, **more)
    api.sandbox.alerts.reset(api.sandbox.alerts.trigger(2)["uid"])
    api.sandbox.wait_for_deliveries()
    assert len(receiver.received) == delivered


def test_other_organizations_are_not_told_of(api: Api, receiver: Receiver) -> None:
    own = api.get("/v2/device/2")["organizationId"]
    register(api, receiver, organizationIds=[number for number in (1, 2, 3, 4) if number != own])
    api.sandbox.alerts.trigger(2)
    assert api.sandbox.wait_for_deliveries() == []
    api.do("DELETE", "/v2/webhook")
    api.sandbox.alerts.trigger(3)
    assert api.sandbox.wait_for_deliveries() == []


def test_deliveries_may_be_doubled_lost_late_and_permuted(api: Api, receiver: Receiver) -> None:
    register(api, receiver)
    api.control("POST", "webhooks/delivery", json="doubled")
    api.sandbox.alerts.trigger(2)
    api.sandbox.wait_for_deliveries(2)
    assert receiver.bodies[0] == receiver.bodies[1]
    api.sandbox.set_delivery("lost")
    api.sandbox.alerts.trigger(3)
    assert api.sandbox.wait_for_deliveries(3)[-1]["lost"]
    api.sandbox.set_delivery("late")
    for device in (4, 5, 6):
        api.sandbox.alerts.trigger(device)
    api.sandbox.release_deliveries(lambda held: [held[2], held[0], held[0]])
    api.sandbox.wait_for_deliveries(6)
    assert [body["deviceId"] for body in receiver.bodies[2:]] == [6, 4, 4]
    assert len(api.control("GET", "webhooks/deliveries")) == 6
    url = f"{api.base_url}/_sandbox/webhooks/delivery"
    refused = requests.post(url, json="never", timeout=TIMEOUT_S)
    assert (refused.status_code, "once, doubled, late, lost" in refused.text) == (400, True)


def test_after_a_reset_the_new_account_delivers(api: Api, receiver: Receiver) -> None:
    api.sandbox.reset()
    register(api, receiver)
    api.sandbox.alerts.trigger(2)
    assert len(api.sandbox.wait_for_deliveries(1)) == 1


def test_machines_may_not_register(open_api: OpenApi, receiver: Receiver) -> None:
    api = open_api(user_context=["configureWebhook"])
    api.fails("PUT", "/v2/webhook", 403, json={"url": receiver.url, "activities": CONDITION})


def test_devices_have_what_a_sync_reads(api: Api) -> None:
    devices = api.get("/v2/devices-detailed", expand="warranty,organization")
    assert len({device["system"]["serialNumber"] for device in devices}) == len(devices)
    assert all(device["deviceType"] and device["nodeClass"] for device in devices)
    warranties = [device["references"].get("warranty") for device in devices]
    assert any(warranties)
    assert not all(warranties)
    for device in devices:
        assert device["references"]["organization"]["id"] == device["organizationId"]
    assert "references" not in api.get("/v2/devices-detailed")[0]
    users = api.get("/v2/queries/logged-on-users")["results"]
    assert {user["userName"] for user in users} == {"CORP\\operator"}
    assert {row["deviceId"] for row in api.get("/v2/queries/software")["results"]} == {
        d["id"] for d in devices
    }
    api.do("PATCH", "/v2/device/2/custom-fields", {"assetTag": "T-2"})
    (row,) = api.get("/v2/queries/custom-fields", fields="assetTag")["results"]
    assert row == {"deviceId": 2, "fields": {"assetTag": "T-2"}}
    assert api.get("/v2/queries/custom-fields", updatedAfter="2100-01-01")["results"] == []


def test_50_000_devices_start_at_once(open_api: OpenApi) -> None:
    api = open_api(devices=50_000)
    page = api.get("/v2/devices-detailed", pageSize=1000, after=46_000)
    assert (len(page), page[-1]["id"]) == (1000, 47_000)
