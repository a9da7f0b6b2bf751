"""Lists: pages that are smaller than asked for, filters that do not filter, and other traps, both ways."""

from __future__ import annotations

import pytest

from .client import Clock, HaloApi, OpenHalo


def test_pages_are_capped_by_resource(open_halo: OpenHalo) -> None:
    api = open_halo(assets=130)
    page = api.get("/Asset", pageinate="true", page_no=1, page_size=500)
    assert (len(page["assets"]), page["record_count"], page["page_size"]) == (50, 130, 50)
    assert len(api.get("/Asset", count=500)["assets"]) == 50
    assert len(api.get("/Asset", pageinate="true", page_size=20)["assets"]) == 20
    for _ in range(120):
        api.ticket()
    assert len(api.get("/Tickets", pageinate="true", page_size=500)["tickets"]) == 100
    ids = [asset["id"] for asset in api.pages("/Asset", "assets", page_size=500)]
    assert ids == sorted(set(ids))
    assert len(ids) == 130


def test_page_sizes_are_obeyed_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"page_cap": "ignored"}, assets=130)
    assert len(api.get("/Asset", pageinate="true", page_size=500)["assets"]) == 130


def test_a_page_number_without_pageinate_is_ignored(halo: HaloApi) -> None:
    assert halo.get("/Client", page_no=2, page_size=2) == halo.get("/Client", page_no=1, page_size=2)


def test_paging_may_be_ignored(open_halo: OpenHalo) -> None:
    api = open_halo({"paging": "ignored"}, assets=120)
    first, second = (api.get("/Asset", pageinate="true", page_no=number) for number in (1, 2))
    assert first["assets"] == second["assets"]
    assert second["record_count"] == 120


def test_a_page_may_be_empty_before_the_end(open_halo: OpenHalo) -> None:
    api = open_halo({"paging": "empty_once"}, assets=120)
    assert api.get("/Asset", pageinate="true", page_no=2)["assets"] == []
    assert len(api.get("/Asset", pageinate="true", page_no=2)["assets"]) == 50
    always = open_halo({"paging": "empty"}, assets=120)
    assert [len(always.get("/Asset", pageinate="true", page_no=2)["assets"]) for _ in (1, 2)] == [0, 0]
    assert len(always.get("/Asset", pageinate="true", page_no=3)["assets"]) == 20


def test_fields_are_listed_on_request(halo: HaloApi) -> None:
    assert "fields" not in halo.get("/Asset")["assets"][0]
    (first, *_) = halo.get("/Asset", includeassetfields="true")["assets"]
    assert (first["fields"][0]["id"], first["fields"][0]["value"]) == (117, "EX0000001")


def test_fields_may_need_a_type_in_the_query(open_halo: OpenHalo) -> None:
    api = open_halo({"asset_fields": "flag_and_type"})
    assert "fields" not in api.get("/Asset", includeassetfields="true")["assets"][0]
    assert "fields" in api.get("/Asset", includeassetfields="true", assettype_id=101)["assets"][0]


@pytest.mark.parametrize("path", ["/Client", "/Site", "/Users", "/Asset", "/Tickets"])
def test_custom_fields_in_lists(open_halo: OpenHalo, path: str) -> None:
    without, with_them = open_halo(), open_halo({"list_customfields": "yes"})
    for api in (without, with_them):
        api.ticket()
    rows = [
        next(value for value in api.get(path).values() if isinstance(value, list))[0]
        for api in (without, with_them)
    ]
    assert ["customfields" in row for row in rows] == [False, True]
    assert "customfields" in without.get(f"{path}/{rows[0]['id']}")


def test_unknown_parameters_widen_the_list(halo: HaloApi) -> None:
    halo.ticket()
    halo.ticket(tickettype_id=26)
    assert halo.get("/Tickets", tickettype_id=25)["record_count"] == 2
    assert halo.get("/Tickets", requesttype_id=25)["record_count"] == 1


def test_unknown_parameters_may_be_refused(open_halo: OpenHalo) -> None:
    api = open_halo({"unknown_parameters": "refused"})
    assert list(api.refused(400, "GET", "/Tickets?tickettype_id=25").json()) == ["tickettype_id"]
    assert api.get("/Tickets", sprints="true")["record_count"] == 0  # published, though it does nothing here


def test_a_number_is_no_boolean(halo: HaloApi) -> None:
    numbered = halo.get("/Client", order="name", orderdesc="1")["clients"]
    assert numbered == halo.get("/Client", order="name")["clients"]
    assert numbered[::-1] == halo.get("/Client", order="name", orderdesc="true")["clients"]
    assert numbered[::-1] == halo.get("/Client", order="name", orderdesc="True")["clients"]


def test_a_number_is_a_boolean_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"orderdesc": "lenient"})
    descending = api.get("/Client", order="name", orderdesc="true")
    assert api.get("/Client", order="name", orderdesc="1") == descending


def test_closed_tickets_are_found_by_their_ids(halo: HaloApi) -> None:
    ticket = halo.ticket()
    halo.sandbox.agent.close(ticket["id"])
    assert halo.get("/Tickets", ticketids=ticket["id"])["tickets"][0]["hasbeenclosed"] is True


def test_closed_tickets_may_not_be_found_by_their_ids(open_halo: OpenHalo) -> None:
    api = open_halo({"ticketids": "open_only"})
    first, second = api.ticket(), api.ticket()
    api.sandbox.agent.close(first["id"])
    found = api.get("/Tickets", ticketids=f"{first['id']},{second['id']}")["tickets"]
    assert [row["id"] for row in found] == [second["id"]]


@pytest.mark.parametrize("path", ["/AssetSoftware", "/Actions"])
def test_without_a_filter_the_gateway_gives_up(open_halo: OpenHalo, path: str) -> None:
    assert "504" in open_halo().refused(504, "GET", path).text
    assert open_halo({"unfiltered": "served"}).send("GET", path).status_code == 200


def test_times_lack_a_zone(halo: HaloApi) -> None:
    ticket = halo.ticket()
    assert ticket["dateoccurred"][-4] == "."
    halo.sandbox.set_trap("times", "zoned")
    zoned = halo.get(f"/Tickets/{ticket['id']}")["dateoccurred"]
    assert zoned == ticket["dateoccurred"] + "Z"


def test_the_date_of_a_response_is_that_of_the_clock(open_halo: OpenHalo) -> None:
    api = open_halo(clock=Clock(1_800_000_000.0))
    ticket = api.send("POST", "/Tickets", json=[{"summary": "x", "tickettype_id": 25, "client_id": 11}])
    assert ticket.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert ticket.json()["dateoccurred"] == "2027-01-15T08:00:00.000"


def test_times_have_a_zone_on_other_instances(open_halo: OpenHalo) -> None:
    assert open_halo({"times": "zoned"}).ticket()["dateoccurred"].endswith("Z")


@pytest.mark.parametrize("query", ["client_id=x", "datesearch=dateoccured&startdate=x", "ticketids=1,x"])
def test_a_filter_that_is_no_value_is_refused(halo: HaloApi, query: str) -> None:
    halo.refused(400, "GET", f"/Tickets?{query}")
