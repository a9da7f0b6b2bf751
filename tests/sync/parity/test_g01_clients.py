"""G1 to G7: organizations and locations as clients and sites."""

from __future__ import annotations

from typing import Any

from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES


def _names(pair: Pair) -> dict[str, list[str]]:
    """The names of the sites of each client."""
    state = pair.halo.state
    return {c["name"]: sorted(s["name"] for s in state.sites_of(c["id"])) for c in state.clients.values()}


def _expected(pair: Pair) -> dict[str, list[str]]:
    state = pair.ninja.state
    return {
        o["name"]: sorted(found["name"] for found in state.locations_of(o["id"]))
        for o in state.organizations.values()
    }


def test_g1_organizations_and_locations_are_created_below_the_top_level(empty: Pair) -> None:
    """Fails without `top_level` in ClientPlan, `toplevel_id` in the target, `main_site`, or `look_first`."""
    empty.map(clients={"take": "all", "create": True, "top_level": 2})
    empty.run()
    assert _names(empty) == _expected(empty)
    assert len(_names(empty)) > 2
    assert {client["toplevel_id"] for client in empty.halo.state.clients.values()} == {2}


def test_g1_without_create_nothing_is_created(empty: Pair) -> None:
    empty.map(clients={"take": "all", "create": False})
    done = empty.run()
    assert "0 writes" in done.out
    assert empty.halo.state.clients == {}


def test_g2_the_map_beats_a_client_of_the_same_name(pair: Pair) -> None:
    """Fails if `Named.match` does not look at the row first."""
    pair.map(clients={"take": "mapped", "map": [{"organization": 1, "client": 12}]})
    pair.run()
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    assert {"entity": "client", "source": 1, "target": 12, "method": "map"} in links
    assert pair.halo.state.clients[12]["ninjarmmid"] == 1
    assert not pair.halo.state.clients[11]["ninjarmmid"]


def test_g3_a_renamed_organization_keeps_the_name_of_its_client(pair: Pair) -> None:
    pair.run()
    before = {client["id"]: client["name"] for client in pair.halo.state.clients.values()}
    sites = {site["id"]: site["name"] for site in pair.halo.state.sites.values()}
    pair.ninja.state.organizations[1]["name"] = "Renamed"
    for location in pair.ninja.state.locations_of(1):
        location["name"] = "Renamed too"
    pair.run("--full")
    assert {client["id"]: client["name"] for client in pair.halo.state.clients.values()} == before
    assert {site["id"]: site["name"] for site in pair.halo.state.sites.values()} == sites


def test_g3_a_mapped_client_keeps_its_name(pair: Pair) -> None:
    """Fails if an item that links a client or a site also has its name."""
    names = {client["id"]: client["name"] for client in pair.halo.state.clients.values()}
    sites = {site["id"]: site["name"] for site in pair.halo.state.sites.values()}
    row = {"organization": 1, "client": 12, "locations": {1: 204, 2: 203}}
    pair.map(clients={"take": "mapped", "map": [row]})
    pair.run()
    assert {client["id"]: client["name"] for client in pair.halo.state.clients.values()} == names
    assert {site["id"]: site["name"] for site in pair.halo.state.sites.values()} == sites
    assert pair.halo.state.sites[204]["ninjarmmid"] == 1


def test_g4_the_one_client_of_the_name_is_linked_and_of_two_none(pair: Pair) -> None:
    """Fails without the name in `Named.match`, or if it takes the first of several."""
    pair.halo.agent.client(12, name="alder  DENTAL")
    done = pair.sync("run")
    assert done.code == 1
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    clients = {link["source"]: link["target"] for link in links if link["entity"] == "client"}
    assert clients == {3: 13, 4: 14}
    status = pair.sync("status", "--json", "--unmatched", sends=False).json
    (conflict,) = [row for row in status["unmatched"] if row["op"] == "conflict"]
    assert (conflict["source"], conflict["entity"]) == ("1", "client")
    assert "2 clients" in conflict["reason"]
    pair.sync("pin", "organization", 1, 11, sends=False)
    pair.run()
    assert pair.halo.state.clients[11]["ninjarmmid"] == 1


def test_g5_an_import_adds_the_mapping_and_the_second_run_writes_nothing(pair: Pair) -> None:
    pair.run()
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    found = {(link["entity"], link["source"]) for link in links}
    assert {("client", id) for id in pair.ninja.state.organizations} <= found
    assert {("site", id) for id in pair.ninja.state.locations} <= found
    before = len(pair.halo.log.requests())
    pair.run()
    assert pair.writes(before) == []
    pair.run("--full")
    assert pair.writes(before) == []


def test_g5_what_was_created_is_mapped_too_and_not_created_again(empty: Pair) -> None:
    """Fails if a creation saves no link."""
    empty.map(clients={"take": "all", "create": True})
    empty.run()
    status = empty.sync("status", "--json", "--links", sends=False).json
    found = {(link["entity"], link["source"]): link["method"] for link in status["links"]}
    assert set(found) == {("client", id) for id in empty.ninja.state.organizations} | {
        ("site", id) for id in empty.ninja.state.locations
    }
    assert set(found.values()) == {"new"}


def test_g6_devices_of_unmapped_organizations_go_to_the_default_site(pair: Pair) -> None:
    """Fails without `default_site` in `ClientPlan.place`, or with the main site of its client."""
    one: dict[str, Any] = {"take": "mapped", "map": [{"organization": 1, "client": 11}]}
    pair.map(clients=one, devices=DEVICES)
    items = pair.plan()
    others = [item for (entity, _), item in items.items() if entity == "asset" and item["op"] == "skip"]
    assert others
    assert all("the organization is not mapped" in item["reason"] for item in others)
    pair.map(clients=one, devices={**DEVICES, "default_site": 202})
    items = pair.plan()
    created = [item for (entity, _), item in items.items() if entity == "asset" and item["op"] == "create"]
    assert {item["ninja"] for item in created} == {item["ninja"] for item in others}
    pair.run()
    assert {pair.asset(pair.asset_of(item["ninja"]))["site_id"] for item in created} == {202}
