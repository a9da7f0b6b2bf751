"""Maintenance windows."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

PATH = "/v2/device/4/maintenance"
HOUR = 3600


def iso(moment):
    return datetime.fromtimestamp(moment, timezone.utc).isoformat()


@pytest.mark.parametrize(
    "write",
    [
        lambda moment: moment,
        lambda moment: int(moment * 1000),
        iso,
        lambda moment: iso(moment).replace("+00:00", "Z"),
        lambda moment: iso(moment).replace("+00:00", ""),
        lambda moment: datetime.fromtimestamp(moment, timezone(timedelta(hours=-4))).isoformat(),
    ],
)
def test_every_way_to_write_a_time(api, write):
    now = time.time()
    body = {"disabledFeatures": ["ALERTS"], "start": write(now - HOUR), "end": write(now + HOUR)}
    assert api.do("PUT", PATH, body) is None
    window = api.get("/v2/device/4")["maintenance"]
    assert window["status"] == "IN_MAINTENANCE"
    assert window["start"] == pytest.approx(now - HOUR, abs=0.01)
    assert window["end"] == pytest.approx(now + HOUR, abs=0.01)


def test_without_a_start_it_begins_now(api):
    before = time.time()
    api.do("PUT", PATH, {"end": before + HOUR, "reasonMessage": "Updates", "start": None})
    window = api.get("/v2/devices", df="id = 4")[0]["maintenance"]
    assert window["start"] >= before
    assert window["reasonMessage"] == "Updates"
    assert window["status"] == "IN_MAINTENANCE"


def test_later_window_is_pending(api):
    now = time.time()
    api.do("PUT", PATH, {"start": now + HOUR, "end": now + 2 * HOUR})
    assert api.get("/v2/device/4")["maintenance"]["status"] == "PENDING"


def test_past_window_is_gone(api):
    now = time.time()
    api.do("PUT", PATH, {"start": now - HOUR, "end": now + 0.2})
    with api.sandbox.state.lock:
        api.sandbox.state.fleet.change(4).maintenance["end"] = now
    assert "maintenance" not in api.get("/v2/device/4")


@pytest.mark.parametrize(("start", "end"), [(-2 * HOUR, -HOUR), (2 * HOUR, HOUR), (HOUR, HOUR), (None, -1)])
def test_past_or_reversed(api, start, end):
    now = time.time()
    body = {"end": now + end} | ({} if start is None else {"start": now + start})
    response = api.fails("PUT", PATH, 400, json=body)
    assert set(response) == {"resultCode", "incidentId"}
    assert response["resultCode"] == "node_maintenance_date_in_past"
    assert "maintenance" not in api.get("/v2/device/4")


def test_disabled_features_can_be_read_back(api):
    api.do("PUT", PATH, {"disabledFeatures": ["PATCHING", "TASKS"], "end": time.time() + HOUR})
    params = api.activities(4)[0]["data"]["message"]["params"]
    assert params["disabledFeatures"] == ["PATCHING", "TASKS"]


def test_cancel(api):
    api.do("PUT", PATH, {"end": time.time() + HOUR})
    assert api.do("DELETE", PATH) is None
    assert "maintenance" not in api.get("/v2/device/4")
    assert api.do("DELETE", PATH) is None
