"""Which clients and sites a plan links, creates, skips or asks about."""

from __future__ import annotations

import pytest

from connector.sync.pins import Pins
from connector.sync.plan_items import Change
from connector.sync.records import Client, Location, Organization, Site
from tests.sync.sides import MAPPING, Sync, changes, device


def test_the_one_client_of_the_name_is_linked_and_stamped(sync: Sync) -> None:
    item = sync.item("client", 1)
    assert item is not None
    assert (item.op, item.target, item.method) == ("link", 17, "name")
    assert item.changes == (Change("stamp", None, 1),)
    assert [(i.source, i.target) for i in sync.items() if i.entity == "site"] == [(2, 40), (3, 41)]


def test_a_stamp_is_written_only_where_there_is_none(sync: Sync) -> None:
    sync.mapping = sync.mapping.replace("take: all", "map: [{organization: 1, client: 17}]")
    sync.target.client[17] = Client(17, "Acme", stamp=99)
    item = sync.item("client", 1)
    assert item is not None
    assert (item.op, item.method, item.changes) == ("link", "map", ())


def test_two_clients_of_the_name_are_a_conflict(sync: Sync) -> None:
    sync.target.client[18] = Client(18, "acme")
    item = sync.item("client", 1)
    assert item is not None
    assert (item.op, item.candidates, item.target) == ("conflict", (17, 18), None)
    assert item.candidate_names == ("ACME ", "acme")
    assert [i.op for i in sync.items() if i.entity == "site"] == ["skip", "skip"]


def test_two_organizations_of_one_name_are_a_conflict(sync: Sync) -> None:
    sync.source.org.append(Organization(5, "acme"))
    assert [i.op for i in sync.items() if i.entity == "client"] == ["conflict", "conflict"]


def test_a_client_that_belongs_to_another_organization_needs_a_map_row(sync: Sync) -> None:
    sync.target.client[17] = Client(17, "Acme", stamp=5)
    sync.source.org.append(Organization(5, "Other"))
    item = sync.item("client", 1)
    assert item is not None
    assert item.op == "conflict"
    assert "belongs to 5" in item.reason
    sync.pins = Pins(organization={1: 17})
    item = sync.item("client", 1)
    assert item is not None
    assert (item.op, item.method) == ("link", "pin")


def test_a_map_row_beats_a_client_of_the_same_name(sync: Sync) -> None:
    sync.target.client[20] = Client(20, "Something else")
    sync.mapping = sync.mapping.replace("take: all", "map: [{organization: 1, client: 20}]")
    item = sync.item("client", 1)
    assert item is not None
    assert (item.target, item.method) == (20, "map")


def test_a_map_row_to_a_client_that_is_gone_is_a_conflict(sync: Sync) -> None:
    sync.mapping = sync.mapping.replace("take: all", "map: [{organization: 1, client: 99}]")
    item = sync.item("client", 1)
    assert item is not None
    assert item.op == "conflict"
    assert "client 99 in the map does not exist" in item.reason


@pytest.mark.parametrize(
    ("take", "reason"),
    [("mapped", "the organization is not mapped"), ('"{{ organization.id > 1 }}"', "clients.take is false")],
)
def test_what_is_not_taken_is_skipped_with_its_locations_and_devices(
    sync: Sync, take: str, reason: str
) -> None:
    sync.mapping = sync.mapping.replace("take: all", f"take: {take}")
    sync.source.dev = [device(1)]
    assert {(i.entity, i.op) for i in sync.items()} == {
        ("client", "skip"),
        ("site", "skip"),
        ("asset", "skip"),
    }
    item = sync.item("asset", 1)
    assert item is not None
    assert item.reason == f"organization 1: {reason}"


def test_creating_makes_clients_sites_and_assets_that_refer_to_each_other(sync: Sync) -> None:
    sync.mapping = MAPPING.replace("CREATE", "true, top_level: 3")
    sync.source.org.append(Organization(9, "New"))
    sync.source.loc.append(Location(10, 9, "Main"))
    sync.source.dev = [device(1, 9, 10)]
    written = {(i.entity, i.source): i for i in sync.run()}
    assert changes(written["client", 9])["top_level"] == (None, 3)
    assert changes(written["site", 10])["client"] == (None, {"organization": 9})
    assert changes(written["asset", 1])["site"] == (None, {"location": 10})
    made = next(iter(sync.target.stock.values()))
    assert sync.target.client[made.client].name == "New"
    assert sync.run() == []


def test_a_renamed_organization_and_client_stay_linked_and_unwritten(sync: Sync) -> None:
    sync.run()
    sync.source.org = [Organization(1, "Renamed")]
    assert sync.run() == []
    assert sync.target.client[17].name == "ACME "


def test_a_location_without_a_site_sends_its_devices_to_the_main_site(sync: Sync) -> None:
    del sync.target.site[41]
    sync.source.dev = [device(1, location=3), device(2, location=None)]
    assert [i.op for i in sync.items() if i.entity == "site"] == ["link", "skip"]
    assert {changes(i)["site"] for i in sync.items() if i.entity == "asset"} == {(None, 40)}


def test_devices_of_unmapped_organizations_go_to_the_default_site_once(sync: Sync) -> None:
    sync.mapping = sync.mapping.replace("take: all", "take: mapped").replace(
        "  match:", "  default_site: 55\n  match:"
    )
    sync.target.client[50] = Client(50, "Ours")
    sync.target.site[55] = Site(55, 50, "Stock")
    sync.source.dev = [device(1)]
    (item,) = sync.run()
    assert (changes(item)["client"], changes(item)["site"]) == ((None, 50), (None, 55))
    assert sync.run() == []
    sync.mapping = sync.mapping.replace("take: mapped", "take: all")
    moved = sync.run()[-1]
    assert (moved.op, changes(moved)["client"], changes(moved)["site"]) == ("move", (50, 17), (55, 40))


def test_an_organization_that_skip_lists_is_skipped(sync: Sync) -> None:
    sync.mapping = sync.mapping.replace("take: all", "take: all, skip: [1]")
    item = sync.item("client", 1)
    assert item is not None
    assert (item.op, item.reason) == ("skip", "the organization is listed in clients.skip")
