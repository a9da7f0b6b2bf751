"""POST: arrays, arrays inside of records, and the response; each trap on and off."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .client import HaloApi, OpenHalo

ASSET = {"client_id": 11, "assettype_id": 102}


def test_a_body_must_be_an_array(halo: HaloApi) -> None:
    response = halo.refused(400, "POST", "/Client", json={"name": "x"})
    assert "requires a JSON array" in response.text
    halo.refused(400, "POST", "/Client", json=[])
    halo.refused(400, "POST", "/Client", data="[{", headers={"Content-Type": "application/json"})
    halo.refused(415, "POST", "/Client", data="[]")


def test_a_body_may_be_an_object_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"bodies": "both"})
    assert api.send("POST", "/Client", json={"name": "x"}).json()["name"] == "x"


def test_the_response_is_the_last_record(halo: HaloApi) -> None:
    assert halo.post("/Client", {"name": "a"}, {"name": "b"})["name"] == "b"
    found = halo.post("/Client", {"name": "c"}, {"name": "d"}, returnall="true")
    assert [row["name"] for row in found] == ["c", "d"]
    assert [row["name"] for row in halo.get("/Client")["clients"]][-4:] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("traps", "names"), [({"answer": "all"}, ["a", "b"]), ({"answer": "list"}, ["b"])])
def test_the_response_may_be_an_array(open_halo: OpenHalo, traps: dict[str, str], names: list[str]) -> None:
    found = open_halo(traps).post("/Client", {"name": "a"}, {"name": "b"})
    assert [row["name"] for row in found] == names


def test_an_array_is_saved_whole_or_not_at_all(halo: HaloApi) -> None:
    response = halo.refused(400, "POST", "/Client", json=[{"name": "a"}, {"name": ""}])
    assert list(response.json()) == ["[1].name"]
    assert halo.get("/Client")["record_count"] == 4


def test_an_array_may_be_saved_in_part(open_halo: OpenHalo) -> None:
    api = open_halo({"arrays": "one_by_one"})
    api.refused(400, "POST", "/Client", json=[{"name": "a"}, {"name": ""}, {"name": "c"}])
    assert api.get("/Client")["clients"][-1]["name"] == "a"


def _fields(asset: dict[str, Any]) -> dict[int, str]:
    return {field["id"]: field["value"] for field in asset["fields"]}


def _full_asset(api: HaloApi) -> dict[str, Any]:
    """Return an asset with two fields, two custom fields, a user and a program."""
    found: dict[str, Any] = api.post(
        "/Asset",
        {
            **ASSET,
            "fields": [{"id": 117, "value": "S1"}, {"id": 51, "value": "Desk"}],
            "customfields": [{"id": 201, "value": "T1"}, {"name": "CFLeaseEnd", "value": "2027-01-01"}],
            "users": [{"id": 3001}],
            "software": [{"name": "Editor", "version": "1"}],
        },
    )
    return found


def _partial_update(api: HaloApi) -> tuple[dict[int, str], dict[str, Any], list[int], list[str]]:
    """Send one of each array's two members, and return what is there afterwards."""
    asset = _full_asset(api)
    changed = api.post(
        "/Asset",
        {
            "id": asset["id"],
            "fields": [{"id": 117, "value": "S2"}],
            "customfields": [{"id": 201, "value": "T2"}],
            "users": [{"id": 3002}],
            "software": [{"name": "Browser", "version": "2"}],
        },
    )
    fields = {number: value for number, value in _fields(changed).items() if value}
    custom = {field["name"]: field["value"] for field in changed["customfields"] if field["value"]}
    software = [row["name"] for row in api.get("/AssetSoftware", device_id=asset["id"])]
    return fields, custom, [user["id"] for user in changed["users"]], software


def test_arrays_inside_a_record_replace_what_was_there(halo: HaloApi) -> None:
    assert _partial_update(halo) == ({117: "S2"}, {"CFAssetTag": "T2"}, [3002], ["Browser"])
    assert _fields(halo.post("/Asset", {"id": 5001, "notes": "x"}))[117] == "EX0000001"


def test_arrays_inside_a_record_may_be_merged(open_halo: OpenHalo) -> None:
    fields, custom, users, software = _partial_update(open_halo({"sub_arrays": "merge"}))
    assert fields == {117: "S2", 51: "Desk"}
    assert custom == {"CFAssetTag": "T2", "CFLeaseEnd": "2027-01-01"}
    assert (users, software) == ([3001, 3002], ["Editor", "Browser"])


def test_a_field_that_the_type_lacks_is_ignored(halo: HaloApi) -> None:
    asset = halo.post("/Asset", {"id": 5001, "fields": [{"id": 118, "value": "R1"}]})
    assert 118 not in _fields(asset)


def test_a_field_that_the_type_lacks_may_be_added(open_halo: OpenHalo) -> None:
    api = open_halo({"type_fields": "added"})
    unchanged = {"id": 5001, "fields": [{"id": 118, "value": "R1"}], "_dontaddnewfields": True}
    assert 118 not in _fields(api.post("/Asset", unchanged))
    asset = api.post("/Asset", {"id": 5001, "fields": [{"id": 118, "value": "R1"}]})
    assert _fields(asset)[118] == "R1"
    assert 118 in [field["field_id"] for field in api.get("/AssetType/101")["fields"]]


def test_the_type_of_an_asset_may_be_kept(halo: HaloApi) -> None:
    record = {"id": 5001, "assettype_id": 102}
    assert halo.post("/Asset", record | {"_dontupdatetype": True})["assettype_id"] == 101
    assert halo.post("/Asset", record)["assettype_id"] == 102


@pytest.mark.parametrize(
    ("path", "number", "member"),
    [("/Client", 11, "ninjarmmid"), ("/Site", 201, "ninjarmmid"), ("/Asset", 5001, "ninjarmm_id")],
)
def test_ids_of_the_other_service(open_halo: OpenHalo, path: str, number: int, member: str) -> None:
    record = {"id": number, member: 77}
    assert open_halo().post(path, record)[member] == 77
    assert open_halo({"external_ids": "ignored"}).post(path, record)[member] == 0


def _stamped(api: HaloApi) -> tuple[Any, Any]:
    ticket = api.ticket(ninja_alert_id="u-1", customfields=[{"name": "CFNinjaAlert", "value": "u-1#1"}])
    values = {field["name"]: field["value"] for field in ticket["customfields"]}
    return ticket["ninja_alert_id"], values["CFNinjaAlert"]


def test_stamps_of_tickets(open_halo: OpenHalo) -> None:
    assert _stamped(open_halo()) == ("u-1", "u-1#1")
    assert _stamped(open_halo({"stamps": "ignored"})) == (None, None)


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("/Asset", ASSET | {"_validateonly": True}),
        ("/Tickets", {"summary": "x", "tickettype_id": 25, "client_id": 11, "_validate_only": True}),
    ],
)
def test_records_may_only_be_checked(open_halo: OpenHalo, path: str, record: dict[str, Any]) -> None:
    obeyed, ignored = open_halo(), open_halo({"validate_only": "ignored"})
    before = obeyed.get(path)["record_count"]
    for api in (obeyed, ignored):
        assert api.post(path, record)["client_id"] == 11
    assert obeyed.get(path)["record_count"] == before
    assert ignored.get(path)["record_count"] == before + 1


def test_a_warning_may_be_in_the_response(open_halo: OpenHalo) -> None:
    assert "_warning" not in open_halo().post("/Client", {"name": "x"})
    assert open_halo({"warning": "yes"}).post("/Client", {"name": "x"})["_warning"]


def test_software_is_kept_by_a_module(open_halo: OpenHalo) -> None:
    with_it, without = open_halo(), open_halo({"software_module": "off"})
    for api, expected in ((with_it, ["Editor"]), (without, [])):
        asset = _full_asset(api)
        assert [row["name"] for row in api.get("/AssetSoftware", device_id=asset["id"])] == expected
    assert with_it.get("/SoftwareLicence")["licences"] == []
    without.refused(403, "GET", "/SoftwareLicence")


@pytest.mark.parametrize(("trap", "always"), [("reset_once", False), ("reset", True)])
def test_a_response_is_lost_after_the_write(open_halo: OpenHalo, trap: str, always: bool) -> None:
    api = open_halo({"answers": trap})
    with pytest.raises(requests.ConnectionError):
        api.post("/Client", {"name": "lost"})
    assert api.get("/Client")["clients"][-1]["name"] == "lost"
    assert api.sandbox.log.requests()[-2]["executed"]
    if always:
        with pytest.raises(requests.ConnectionError):
            api.post("/Client", {"name": "lost too"})
    else:
        assert api.post("/Client", {"name": "not lost"})["name"] == "not lost"


@pytest.mark.parametrize(("trap", "always"), [("gateway_once", False), ("gateway", True)])
def test_the_gateway_gives_up_after_the_write(open_halo: OpenHalo, trap: str, always: bool) -> None:
    api = open_halo({"answers": trap})
    api.refused(504, "POST", "/Client", json=[{"name": "lost"}])
    assert api.get("/Client")["clients"][-1]["name"] == "lost"
    status = api.send("POST", "/Client", json=[{"name": "next"}]).status_code
    assert status == (504 if always else 201)
