"""G25 and G28: what a run takes, and single records."""

from __future__ import annotations

from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES


def test_g25_only_some_entities_are_written(pair: Pair) -> None:
    """Fails without `entities` in `chosen`."""
    pair.run("--only", "clients,sites")
    posted = {request["path"] for request in pair.writes()} - {"/auth/token"}
    assert posted == {"/api/Client", "/api/Site"}
    pair.run("--only", "devices")
    assert pair.asset_of(1) == 5001
    assert pair.sync("run", "--only", "things").code == 2


def test_g25_clients_and_sites_come_first(empty: Pair) -> None:
    empty.map(
        clients={"take": "all", "create": True},
        devices={**DEVICES, "types": {}, "create_types": True, "type_group": 3},
    )
    empty.run()
    order = [r["path"] for r in empty.writes() if r["path"] != "/auth/token"]
    assert list(dict.fromkeys(order)) == ["/api/Client", "/api/Site", "/api/AssetType", "/api/Asset"]
    assert order == sorted(order, key=list(dict.fromkeys(order)).index)


def test_g25_the_second_run_reads_all_organizations_and_no_unchanged_asset(pair: Pair) -> None:
    pair.run()
    ninja, halo = len(pair.ninja.log.requests()), len(pair.halo.log.requests())
    pair.run()
    paths = {request["path"] for request in pair.ninja.log.requests()[ninja:]}
    assert {"/v2/organizations", "/v2/locations", "/v2/devices-detailed"} <= paths
    read = [request["path"] for request in pair.halo.log.requests()[halo:]]
    assert not [path for path in read if path.startswith("/api/Asset/") or path == "/api/Asset"]
    assert len([path for path in read if path.startswith("/api/")]) <= 6


def test_g28_single_records_of_a_plan_are_applied_and_the_others_stay(pair: Pair) -> None:
    """Fails without `keys` in `chosen`, or if they are compared without the entity."""
    plan = pair.sync("plan", "--json", "--full").json
    file = next((pair.folder / "plans").glob("*.json"))
    assert {item["op"] for item in plan["items"]} == {"link"}
    before = len(pair.halo.log.requests())
    done = pair.sync("apply", "--plan", file, "--item", "device:1", "device:2")
    assert done.code == 0, done
    assert len(pair.writes(before)) == 2
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    assert {(link["entity"], link["source"]) for link in links} == {("asset", 1), ("asset", 2)}
    assert pair.sync("apply", "--item", "computer:1").code == 2
