"""Windows services."""

from __future__ import annotations

import pytest

PATH = "/v2/device/1/windows-services"


def state(api, name):
    return api.get(PATH, name=name)[0]["state"]


def test_list_and_filters(api):
    everything = api.get(PATH)
    assert len(everything) == 6
    assert [entry["name"] for entry in api.get(PATH, name="spooler")] == ["Spooler"]
    running = api.get(PATH, state="RUNNING")
    assert running == [entry for entry in everything if entry["state"] == "RUNNING"]
    assert api.get(PATH, name="Spooler", state="STOPPED") == []


def test_other_systems_have_none(api):
    assert api.get("/v2/device/4")["nodeClass"] == "MAC"
    assert api.get("/v2/device/4/windows-services") == []


@pytest.mark.parametrize(
    ("action", "after"),
    [("STOP", "STOPPED"), ("PAUSE", "PAUSED"), ("RESTART", "RUNNING"), ("START", "RUNNING")],
)
def test_control(api, action, after):
    assert api.do("POST", "/v2/device/1/windows-service/Spooler/control", {"action": action}) is None
    assert state(api, "Spooler") == after
    codes = [entry["statusCode"] for entry in api.activities(1)]
    assert "REMOTE_TOOLS_SERVICE_CONTROL_INITIATED" in codes
    assert (f"REMOTE_TOOLS_{action}_SERVICE_SUCCESS" in codes) == (action != "PAUSE")


def test_services_of_other_devices_stay(api):
    api.do("POST", "/v2/device/1/windows-service/Spooler/control", {"action": "STOP"})
    assert api.get("/v2/device/2/windows-services", name="Spooler")[0]["state"] == "RUNNING"


def test_disabled_service_does_not_start(api):
    api.do("POST", "/v2/device/1/windows-service/WinRM/control", {"action": "START"})
    assert state(api, "WinRM") == "STOPPED"
    assert api.activities(1)[0]["statusCode"] == "REMOTE_TOOLS_START_SERVICE_FAILED"
    body = {"startType": "AUTO_START", "userName": "svc"}
    assert api.do("POST", "/v2/device/1/windows-service/WinRM/configure", body) is None
    api.do("POST", "/v2/device/1/windows-service/WinRM/control", {"action": "START"})
    assert api.get(PATH, name="WinRM")[0].items() >= {**body, "state": "RUNNING"}.items()


def test_escaped_slash_stays_in_its_segment(api):
    body = api.fails("POST", "/v2/device/1/windows-service/a%2Fb/control", 404, json={"action": "STOP"})
    assert body["resultCode"] == "windows_service_not_found"
    body = api.fails("POST", "/v2/device/1/windows-service/a/b/control", 404, json={"action": "STOP"})
    assert body["resultCode"] == "FAILURE"


def test_name_may_be_escaped_any_way(api):
    api.do("POST", "/v2/device/1/windows-service/%53pooler/control", {"action": "STOP"})
    assert state(api, "Spooler") == "STOPPED"
