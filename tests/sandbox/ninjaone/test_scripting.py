"""Scripts."""

from __future__ import annotations

import pytest

PATH = "/v2/device/1/script/run"


def action(api):
    scripts = api.get("/v2/device/1/scripting/options")["scripts"]
    return next(script for script in scripts if script["type"] == "ACTION")


def test_library(api):
    assert [script["id"] for script in api.get("/v2/automation/scripts", lang="en")] == [1, 2, 3, 4, 5]


def test_options_depend_on_the_system(api):
    windows = api.get("/v2/device/1/scripting/options", lang="en")
    mac = api.get("/v2/device/4/scripting/options")
    assert {script.get("id") for script in windows["scripts"]} == {1, 2, 5, None}
    assert {script.get("id") for script in mac["scripts"]} == {4, 5, None}
    assert "SR_LOCAL_ADMINISTRATOR" in windows["credentials"]["roles"]
    assert "SR_MAC_SCRIPT" in mac["credentials"]["roles"]


def test_run_script(api):
    body = {"type": "SCRIPT", "id": 1, "parameters": "-Days 7", "runAs": "system"}
    assert api.do("POST", PATH, body) is None
    completed, started = api.activities(1)[:2]
    assert (started["statusCode"], completed["statusCode"]) == ("STARTED", "COMPLETED")
    assert started["seriesUid"] == completed["seriesUid"]
    assert completed["activityResult"] == "SUCCESS"
    params = completed["data"]["message"]["params"]
    assert params == {
        "action_name": "Clear temporary files",
        "exit_code": "0",
        "parameters": "-Days 7",
        "runAs": "system",
    }
    series = api.get("/v2/activities", seriesUid=started["seriesUid"])["activities"]
    assert [entry["id"] for entry in series] == [completed["id"], started["id"]]


def test_run_action(api):
    expected = action(api)
    api.do("POST", PATH, {"type": "ACTION", "uid": expected["uid"].upper(), "runAs": "26"})
    assert api.activities(1)[0]["subject"] == expected["name"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "ACTION"}, 400, "FAILURE"),
        ({"type": "SCRIPT"}, 400, "FAILURE"),
        ({"id": 1}, 400, "FAILURE"),
        ({"type": "script", "id": 1}, 400, "FAILURE"),
        ({"type": "ACTION", "uid": "no uid"}, 400, "FAILURE"),
        ({"type": "ACTION", "uid": "00000000-0000-4000-a000-000000000000"}, 404, "action_not_found"),
        ({"type": "SCRIPT", "id": 1, "runAs": "System"}, 400, "invalid_run_as"),
    ],
)
def test_refusals(api, body, status, code):
    before = api.activities(1)
    assert api.fails("POST", PATH, status, json=body)["resultCode"] == code
    assert api.activities(1) == before
