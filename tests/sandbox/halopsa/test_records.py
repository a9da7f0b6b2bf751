"""Clients, sites, users, assets and tickets are created, changed, listed and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from .client import HaloApi, OpenHalo

SITE = {"name": "Depot", "client_id": 12}
USER = {"name": "Ada Page", "site_id": 201, "emailaddress": "ada@example.com", "login": "ada"}
ASSET = {"client_id": 11, "assettype_id": 102, "inventory_number": "PC-1"}
TICKET = {"summary": "Disk is full", "tickettype_id": 25, "client_id": 11}


@pytest.mark.parametrize(
    ("path", "key", "new", "change"),
    [
        ("/Client", "clients", {"name": "Example Ltd"}, {"inactive": True}),
        ("/Site", "sites", SITE, {"name": "Store"}),
        ("/Users", "users", USER, {"title": "Dr"}),
        ("/Asset", "assets", ASSET, {"notes": "in the cellar"}),
        ("/Tickets", "tickets", TICKET, {"category_1": "Hardware"}),
    ],
)
def test_the_life_of_a_record(
    halo: HaloApi, path: str, key: str, new: dict[str, Any], change: dict[str, Any]
) -> None:
    before = halo.get(path)["record_count"]
    created = halo.post(path, new)
    assert {name: created[name] for name in new} == new
    assert halo.get(path)["record_count"] == before + 1

    changed = halo.post(path, {"id": created["id"], **change})
    assert changed["id"] == created["id"]
    assert {name: changed[name] for name in (new | change)} == new | change
    assert halo.get(f"{path}/{created['id']}") == changed

    assert halo.send("DELETE", f"{path}/{created['id']}").status_code == 200
    halo.refused(404, "GET", f"{path}/{created['id']}")
    assert halo.get(path, includeinactive="true")["record_count"] == before
    assert created["id"] not in [row["id"] for row in halo.get(path, includeinactive="true")[key]]


def test_a_client_has_a_main_site(halo: HaloApi) -> None:
    client = halo.post("/Client", {"name": "Example Ltd", "newclient_sitename": "Head Office"})
    (site,) = halo.get("/Site", client_id=client["id"])["sites"]
    assert (site["id"], site["name"]) == (client["main_site_id"], "Head Office")


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/Client", {"search": "alder"}, [11]),
        ("/Client", {"toplevel_id": 2}, []),
        ("/Site", {"client_id": 11}, [201, 202]),
        ("/Users", {"client_id": 11}, [3001, 3002, 3003]),
        ("/Users", {"search": "operator"}, [3001, 3004, 3007, 3010]),
        ("/Asset", {"inventory_number": "A00003"}, [5003]),
        ("/Asset", {"search": "EX0000004"}, [5004]),
        ("/Asset", {"assettype_id": 103}, [5004, 5014, 5024]),
        ("/Asset", {"order": "id", "orderdesc": "true", "assettype_id": 103}, [5024, 5014, 5004]),
    ],
)
def test_filters(halo: HaloApi, path: str, query: dict[str, Any], expected: list[int]) -> None:
    (rows,) = (value for value in halo.get(path, **query).values() if isinstance(value, list))
    assert [row["id"] for row in rows] == expected


def test_filters_of_assets_count_together(halo: HaloApi) -> None:
    for client in (11, 12, 13, 14):
        for asset in halo.pages("/Asset", "assets", client_id=client):
            assert asset["client_id"] == client
            assert asset["site_id"] in [s["id"] for s in halo.get("/Site", client_id=client)["sites"]]
    sizes = [halo.get("/Asset", client_id=client)["record_count"] for client in (11, 12, 13, 14)]
    assert sum(sizes) == 25


def test_an_asset_that_moves_is_listed_with_its_new_client(halo: HaloApi) -> None:
    first = halo.get("/Asset", client_id=11)["assets"][0]["id"]
    halo.post("/Asset", {"id": first, "client_id": 12, "site_id": halo.get("/Client/12")["main_site_id"]})
    assert first not in [row["id"] for row in halo.get("/Asset", client_id=11)["assets"]]
    assert first in [row["id"] for row in halo.get("/Asset", client_id=12)["assets"]]


def test_inactive_assets_are_listed_on_request(halo: HaloApi) -> None:
    halo.post("/Asset", {"id": 5001, "inactive": True})
    assert halo.get("/Asset")["record_count"] == 24
    assert halo.get("/Asset", includeinactive="true")["record_count"] == 25


def test_the_same_seed_gives_the_same_instance(open_halo: OpenHalo) -> None:
    first, second, other = open_halo(), open_halo(), open_halo(seed=2)
    assert first.get("/Asset") == second.get("/Asset") != other.get("/Asset")
    assert first.get("/Client") == second.get("/Client") != other.get("/Client")


@pytest.mark.parametrize(
    ("path", "record", "member"),
    [
        ("/Client", {"name": " "}, "name"),
        ("/Client", {"name": "x", "toplevel_id": 9}, "toplevel_id"),
        ("/Client", {"name": 5}, "name"),
        ("/Site", {"name": "x"}, "client_id"),
        ("/Users", {"name": "x", "site_id": 9}, "site_id"),
        ("/Asset", {"client_id": 11}, "assettype_id"),
        ("/Asset", {"client_id": 11, "site_id": 203, "assettype_id": 102}, "site_id"),
        ("/Asset", ASSET | {"fields": [{"id": 53, "value": "soon"}]}, "fields[0].value"),
        ("/Asset", ASSET | {"fields": [{"id": 54, "value": "Old"}]}, "fields[0].value"),
        ("/Asset", ASSET | {"fields": [{"id": 55, "value": "four"}]}, "fields[0].value"),
        ("/Asset", ASSET | {"users": [{"id": 9}]}, "users[0].id"),
        ("/Asset", ASSET | {"customfields": [{"id": "x"}]}, "customfields[0].id"),
        ("/Tickets", {"tickettype_id": 25, "client_id": 11}, "summary"),
        ("/Tickets", TICKET | {"tickettype_id": 1}, "tickettype_id"),
        ("/Tickets", TICKET | {"user_id": 3001}, "user_id"),
        ("/Tickets", TICKET | {"assets": [{"id": 1}]}, "assets[0].id"),
        ("/Tickets", TICKET | {"customfields": [{"id": 207, "value": "x"}]}, "customfields[0].value"),
        ("/Tickets", {"summary": "x", "tickettype_id": 25}, "client_id"),
        ("/Tickets", {"summary": "x", "tickettype_id": 25, "client_id": True}, "client_id"),
    ],
)
def test_a_wrong_record_is_refused_by_its_path(
    halo: HaloApi, path: str, record: dict[str, Any], member: str
) -> None:
    before = halo.get(path)["record_count"]
    assert list(halo.refused(400, "POST", path, json=[record]).json()) == [f"[0].{member}"]
    assert halo.get(path)["record_count"] == before


def test_a_user_goes_with_its_site(halo: HaloApi) -> None:
    ticket = halo.ticket(site_id=201, user_id=3001)
    assert (ticket["client_id"], ticket["user_id"], ticket["user_name"]) == (11, 3001, "Alex Carter")


def test_a_ticket_is_closed_and_found(halo: HaloApi) -> None:
    first, second = halo.ticket(), halo.ticket(client_id=12, tickettype_id=26)
    assert first["hasbeenclosed"] is None
    closed = halo.post("/Tickets", {"id": first["id"], "status_id": 9, "note": "Done"})
    assert (closed["hasbeenclosed"], closed["status_name"]) == (True, "Closed")

    def found(**query: Any) -> list[int]:
        return [row["id"] for row in halo.get("/Tickets", **query)["tickets"]]

    assert found() == [second["id"], first["id"]]
    assert found(open_only="true") == [second["id"]]
    assert found(closed_only="true") == found(requesttype_id=25) == found(client_id=11) == [first["id"]]
    assert found(ticketids=f"{first['id']},{second['id']},9") == [second["id"], first["id"]]
    day = first["dateoccurred"][:10]
    assert found(datesearch="dateoccured", startdate=f"{day}T00:00:00Z") == found()
    assert found(datesearch="dateoccured", enddate=f"{day}T00:00:00Z") == []
    assert found(datesearch="datecleared", enddate="2036-01-01T00:00:00Z") == [first["id"]]
    # The document spells it so; what it does not name is ignored.
    assert found(datesearch="dateoccurred", enddate=f"{day}T00:00:00Z") == found()
    assert [row["note"] for row in halo.get("/Actions", ticket_id=first["id"])["actions"]] == ["Done"]


def test_lists_have_no_details(halo: HaloApi) -> None:
    ticket = halo.ticket(details="stamp", ninja_alert_id="u-1")
    (row,) = halo.get("/Tickets")["tickets"]
    assert "details" not in row
    assert "ninja_alert_id" not in row
    assert halo.get("/Tickets", alerttype="ninjarmm")["tickets"][0]["ninja_alert_id"] == "u-1"
    assert halo.get(f"/Tickets/{ticket['id']}")["details"] == "stamp"


def test_asset_types_and_fields_are_made(halo: HaloApi) -> None:
    field = halo.post("/Field", {"name": "Color", "values": [{"name": "Red"}, {"name": "Blue"}]})
    kind = halo.post(
        "/AssetType", {"name": "Tablet", "assetgroup_id": 3, "fields": [{"field_id": field["id"]}]}
    )
    group = halo.post("/AssetGroup", {"name": "Phones"})
    assert [row["name"] for row in halo.get("/AssetType", assetgroup_id=3)][-1] == "Tablet"
    assert halo.get("/AssetGroup")[-1] == group
    asset = halo.post(
        "/Asset", {"client_id": 11, "assettype_id": kind["id"], "fields": [{"id": field["id"], "value": "2"}]}
    )
    assert [(entry["name"], entry["value"]) for entry in asset["fields"]] == [("Color", "Blue")]


@pytest.mark.parametrize(("trap", "expected"), [("replace", [118]), ("merge", [117, 51, 118])])
def test_fields_of_a_type(open_halo: OpenHalo, trap: str, expected: list[int]) -> None:
    api = open_halo({"sub_arrays": trap})
    changed = api.post("/AssetType", {"id": 109, "fields": [{"field_id": 118}]})
    assert [field["field_id"] for field in changed["fields"]] == expected


def test_generated_tickets(open_halo: OpenHalo) -> None:
    found = open_halo(tickets=7).get("/Tickets")["tickets"]
    assert [row["id"] for row in found] == [2007, 2006, 2005, 2004, 2003, 2002, 2001]
    assert [row["client_id"] for row in found] == [12, 12, 11, 11, 11, 11, 11]
    assert {row["status_name"] for row in found} == {"New", "In Progress"}
    assert open_halo(tickets=7).get("/Tickets")["tickets"] == found


def test_50_000_assets_start_at_once(open_halo: OpenHalo) -> None:
    api = open_halo(assets=50_000, traps={"rate_limit": "none"})
    assert api.get("/Asset")["record_count"] == 50_000
    assert len(api.sandbox.state.clients) == 200
    last = api.get("/Asset", pageinate="true", page_no=1000)["assets"]
    assert (len(last), last[-1]["inventory_number"]) == (50, "A50000")
    assert api.get("/Asset", client_id=11)["record_count"] > 100
