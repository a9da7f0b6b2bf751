"""Operations that are newer than the published API."""

from __future__ import annotations

from connector.sandbox.ninjaone.areas.newer import INTERVAL_S, LOCATIONS


def test_system_custom_fields_are_kept(api):
    assert api.get("/v2/system/custom-fields") == {}
    assert (
        api.do("PATCH", "/v2/system/custom-fields", {"note": {"html": "<p>Up</p>"}, "owner": "Kim"}) is None
    )
    assert api.do("PATCH", "/v2/system/custom-fields", {"owner": None}) is None
    assert api.get("/api/v2/system/custom-fields") == {"note": {"html": "<p>Up</p>"}}
    assert api.fails("PATCH", "/v2/system/custom-fields", 400, json=[])["resultCode"] == "FAILURE"


def test_the_geolocation_history_comes_in_pages(api):
    first = api.get("/v2/device/3/geolocation/history", pageSize=20)
    assert len(first["results"]) == 20
    assert first["results"][0]["timestamp"] - first["results"][1]["timestamp"] == INTERVAL_S
    rest = api.get("/v2/device/3/geolocation/history", pageSize=20, cursor=first["cursor"]["name"])
    assert len(rest["results"]) == LOCATIONS - 20
    assert "cursor" not in rest
    assert api.fails("GET", "/v2/device/999/geolocation/history", 404)
