"""What is known of real instances beyond the vendor's document, one test each (K1 to K12)."""

from __future__ import annotations

import pytest

from .client import Clock, HaloApi, OpenHalo


def test_k1_the_limit_is_named_in_the_429_and_outlasts_a_retry(open_halo: OpenHalo) -> None:
    clock = Clock()
    api = open_halo({"rate_limit": "2/5"}, clock=clock)
    for _ in range(2):
        api.get("/Agent/me")
    for _ in range(4):
        assert "2 Requests per rolling 5 minute window" in api.refused(429, "GET", "/Agent/me").text
        clock.now += 60
    clock.now += 60
    api.get("/Agent/me")


@pytest.mark.parametrize("path", ["/Tickets", "/Asset"])
def test_k2_values_of_custom_fields_cannot_be_searched_for(halo: HaloApi, path: str) -> None:
    stamped = halo.ticket(customfields=[{"name": "CFNinjaAlert", "value": "u-1"}])
    halo.post("/Asset", {"id": 5001, "customfields": [{"name": "CFAssetTag", "value": "u-1"}]})
    halo.ticket()
    everything = halo.get(path)["record_count"]
    assert halo.get(path, CFNinjaAlert="u-1")["record_count"] == everything
    assert halo.get(path, search="u-1")["record_count"] == 0
    assert halo.get(f"/Tickets/{stamped['id']}")["customfields"][0]["value"] == "u-1"


def test_k3_fields_that_are_not_sent_are_emptied(halo: HaloApi) -> None:
    fields = halo.get("/Asset/5001")["fields"]
    changed = halo.post("/Asset", {"id": 5001, "fields": fields[:1]})["fields"]
    assert [bool(field["value"]) for field in fields] == [True, True, True, True, False]
    assert [bool(field["value"]) for field in changed] == [True, False, False, False, False]


def test_k4_pages_of_assets_have_50_at_most(open_halo: OpenHalo) -> None:
    api = open_halo(assets=120)
    pages = [
        api.get("/Asset", pageinate="true", page_no=number, page_size=100)["assets"]
        for number in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [50, 50, 20, 0]


def test_k5_several_statuses_close_and_open_is_null(halo: HaloApi) -> None:
    names = [row["name"] for row in halo.get("/Status")]
    assert [name for name in names if name.startswith("Closed")] == ["Closed Order", "Closed", "Closed Item"]
    assert all("closed" not in row for row in halo.get("/Status"))
    assert halo.ticket()["hasbeenclosed"] is None


def test_k6_the_version_is_public_and_bodies_are_checked(halo: HaloApi) -> None:
    response = halo.refused(400, "POST", "/Asset", json=[{"client_id": "11", "assettype_id": 102}])
    assert response.json() == {"[0].client_id": ['Could not convert "11" to int32.']}
    halo.session.headers.pop("Authorization")
    assert halo.get("/InstanceInfo")["version"] == "2.250.32"


def test_k7_an_agent_without_rights_sees_fewer_types(open_halo: OpenHalo) -> None:
    assert len(open_halo().get("/AssetType")) == 5
    assert len(open_halo({"agent_sees": "some_types"}).get("/AssetType")) == 3


def test_k8_webhooks_of_others_are_there_to_be_seen(halo: HaloApi) -> None:
    halo.post("/Webhook", {"name": "Other", "url": "http://127.0.0.1:1/"})
    halo.post("/Webhook", {"name": "Ours", "url": "http://127.0.0.1:1/"})
    assert [row["name"] for row in halo.get("/Webhook")] == ["Other", "Ours"]


def test_k10_lists_without_a_filter_time_out(halo: HaloApi) -> None:
    halo.refused(504, "GET", "/AssetSoftware")
    assert halo.get("/AssetSoftware", device_id=5001) == []
    halo.refused(504, "GET", "/Actions")
    ascending = halo.get("/Client", order="id")
    assert halo.get("/Client", order="id", orderdesc="1") == ascending
    assert halo.get("/Client", order="id", orderdesc="true") != ascending


def test_k11_records_may_only_be_validated_and_merged_tickets_say_so(halo: HaloApi) -> None:
    halo.post("/Asset", {"id": 5001, "notes": "x", "_validateonly": True, "_dont_fire_automations": True})
    assert halo.get("/Asset/5001")["notes"] == ""
    first, second = halo.ticket()["id"], halo.ticket()["id"]
    halo.sandbox.agent.merge(first, second)
    assert halo.get(f"/Tickets/{first}")["merged_into_id"] == second


def test_k12_notes_are_refused_and_users_have_upns(open_halo: OpenHalo) -> None:
    api = open_halo({"notes": "refused_when_closed"})
    number = api.ticket()["id"]
    api.sandbox.agent.close(number)
    api.refused(400, "POST", "/Actions", json=[{"ticket_id": number, "outcome_id": 7, "note": "late result"}])
    user = api.post("/Users", {"id": 3001, "customfields": [{"name": "CFUPN", "value": "alex@example.com"}]})
    assert [field["value"] for field in user["customfields"]] == ["alex@example.com"]
    assert [row["login"] for row in api.get("/Users", client_id=11)["users"]][0::2] == ["operator", ""]
