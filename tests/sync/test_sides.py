"""The source and the target of a sync, by actions over HTTP to both sandboxes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.errors import RowError, RunError
from connector.sync.records import ListError
from connector.sync.webhooks import load_hooks
from tests.sync.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        yield made


def test_a_source_reads_organizations_locations_and_devices(pair: Pair) -> None:
    source, _ = pair.sides()
    organizations = list(source.organizations())
    assert (organizations[0].id, organizations[0].name) == (1, "Alder Dental")
    locations = list(source.locations())
    assert {location.organization for location in locations} == {found.id for found in organizations}
    devices = list(source.devices())
    assert [device.id for device in devices] == list(range(1, 11))  # the last two await approval
    first = devices[0]
    assert (first.organization, first.location, first.name) == (1, 2, "SRV-0001")
    assert first.data["system"]["serialNumber"] == "EX0000001"
    assert first.warranty is not None
    assert first.warranty[0] == "2024-05-28"
    assert replace(source.device(1) or first, warranty=first.warranty).name == "SRV-0001"
    assert source.device(999) is None


def test_a_source_reads_custom_fields_last_users_and_software(pair: Pair) -> None:
    source, _ = pair.sides()
    software = dict(source.software())
    assert set(software) <= set(range(1, 13))
    assert {"name", "version", "install_date"} == set(software[1][0])
    users = dict(source.last_users())
    assert users[1].startswith("CORP\\")
    pair.ninja.state.custom_fields["device", 3] = {"assetTag": "A-3", "secret": "x"}
    assert dict(source.custom_fields(["assetTag"])) == {3: {"assetTag": "A-3"}}


def test_the_last_user_of_a_device_is_that_of_the_latest_logon(pair: Pair) -> None:
    listed = next(pair.sides()[0].part.last_users())
    rows = [
        {"deviceId": 2, "userName": "anna", "logonTime": 20.5},
        {"deviceId": 2, "userName": "bert", "logonTime": 30},
        {"deviceId": 2, "userName": "carl"},
        {"deviceId": 1, "userName": ""},
    ]
    assert list(listed.read(rows)) == [(2, "bert")]


def test_a_delivery_of_the_target_names_its_tickets_by_id_or_contains_them(pair: Pair) -> None:
    webhook = load_hooks(*pair.sides())["halopsa"].webhook
    events = [{"object_id": 7}, {"object_id": "8"}, {"ticket": {"id": 9}}, {"ticket": {"id": 7}}]
    assert webhook.tickets(events) == [7, 8, 9]
    assert [webhook.tickets(body) for body in ({"ticket": {}}, {"ticket": 3}, {}, ["7"], 7)] == [[]] * 5


def test_a_source_resets_an_alert_once_and_takes_the_second_time_for_done(pair: Pair) -> None:
    source, _ = pair.sides()
    alert = next(iter(source.alerts()))
    assert alert.device is not None
    assert alert.condition
    assert alert.uid in {found.uid for found in source.device_alerts(alert.device)}
    source.reset_alert(alert.uid, {"ticket": 2001})
    source.reset_alert(alert.uid, {"ticket": 2001})
    assert alert.uid not in {found.uid for found in source.alerts()}


def test_a_list_that_breaks_off_is_a_list_error(pair: Pair) -> None:
    source, target = pair.sides()
    pair.halo.set_trap("html", "page")
    with pytest.raises(ListError, match="HaloPSA"):
        list(target.clients())
    assert list(source.organizations())


def test_a_target_reads_clients_sites_users_types_and_fields(pair: Pair) -> None:
    _, target = pair.sides()
    clients = {client.id: client for client in target.clients()}
    assert (clients[11].name, clients[11].main_site, clients[11].stamp) == ("Alder Dental", 201, None)
    assert {site.client for site in target.sites()} == set(clients)
    (user, *_) = target.users(11)
    assert (user.client, user.values["login"]) == (11, "operator")
    catalog = target.catalog()
    kinds = {field.key: field.type for field in catalog.fields}
    assert (kinds[117], kinds[53], kinds[54], kinds[55]) == ("text", "date", "choice", "number")
    assert kinds["CFAssetTag"] == "text"
    assert "CFResolution" not in kinds  # of tickets
    server = next(kind for kind in catalog.types if kind.name == "Server")
    assert catalog.fields_of(server) == {117, 44, 51, 52, 55}


@pytest.mark.parametrize("trap", ["flag", "flag_and_type"])
def test_a_target_reads_the_fields_of_assets_wherever_they_are_shown(tmp_path: Path, trap: str) -> None:
    with Pair(tmp_path, traps={"asset_fields": trap}) as pair:
        _, target = pair.sides()
        assets = {asset.id: asset for asset in target.assets(11)}
        assert assets[5001].values[117] == "EX0000001"
        assert not assets[5001].is_whole
        assert {asset.client for asset in assets.values()} == {11}
        assert {117, 44, 51, 52, 55} == assets[5001].shown


def test_a_target_saves_an_asset_and_keeps_what_it_does_not_change(pair: Pair) -> None:
    _, target = pair.sides()
    values = {
        "client": 11,
        "site": 201,
        "type": 101,
        "stamp": 77,
        "name": "SRV",
        117: "S1",
        "CFAssetTag": "T",
    }
    id = target.save("asset", None, {**values, "user": 3001, "warranty_end": "2030-01-31"})
    asset = target.asset(id)
    assert asset is not None
    assert (asset.client, asset.site, asset.type, asset.stamp, asset.name) == (11, 201, 101, 77, "SRV")
    assert (asset.values[117], asset.values["CFAssetTag"], asset.users) == ("S1", "T", (3001,))
    before = len(pair.halo.log.requests())
    target.save("asset", id, {44: "8 GB", "user": None}, asset)
    assert [sent["method"] for sent in pair.halo.log.requests()[before:]] == ["POST"]
    changed = target.asset(id)
    assert changed is not None
    assert changed.values == {**asset.values, 44: "8 GB"}
    assert changed.users == ()
    assert target.asset(9999) is None


def test_a_target_creates_clients_sites_types_and_fields_and_finds_them_again(pair: Pair) -> None:
    _, target = pair.sides()
    now = time.time()
    made = {
        "client": {"name": "New", "stamp": 9, "top_level": 2, "main_site": "Head"},
        "type": {"name": "Rack", "group": 3, "fields": [117]},
        "field": {"name": "Height", "type": "number"},
    }
    ids = {entity: target.save(entity, None, values) for entity, values in made.items()}
    assert {entity: target.find(entity, values, now) for entity, values in made.items()} == ids
    site = {"name": "Branch", "client": ids["client"], "stamp": 5}
    assert target.find("site", site, now) is None
    branch = target.save("site", None, site)
    assert target.find("site", site, now) == branch
    assert {found.name for found in target.sites() if found.client == ids["client"]} == {"Head", "Branch"}
    target.save("type", ids["type"], {"fields": [ids["field"]]})
    assert target.type_fields(ids["type"]) == {117, ids["field"]}


@pytest.mark.parametrize("ids", ["writable", "ignored"])
def test_a_created_asset_is_found_by_its_id_or_by_name_and_field_and_never_another(
    tmp_path: Path, ids: str
) -> None:
    """Fails if the name alone is enough: an asset that somebody made would be taken."""
    with Pair(tmp_path, traps={"external_ids": ids}) as pair:
        _, target = pair.sides()
        values = {"client": 11, "site": 201, "type": 101, "stamp": 77, "name": "SRV", 117: "S1"}
        target.save("asset", None, {"client": 11, "site": 201, "type": 101, "name": "SRV", 117: "S2"})
        assert target.find("asset", values, 0.0) is None
        id = target.save("asset", None, values)
        assert target.find("asset", values, 0.0) == id


@pytest.mark.parametrize("field", ["CFNinjaAlert", None])
def test_a_target_creates_a_ticket_and_finds_it_by_its_stamp_alone(pair: Pair, field: str | None) -> None:
    _, target = pair.sides()
    target.part.stamp_field = field
    ticket = {"type": 25, "client": 11, "site": 201, "summary": "Disk", "details": "Full", "assets": [5001]}
    now = time.time()
    ids = [target.save_ticket(None, {**ticket, "stamp": f"u-1#{n}"}) for n in (1, 2)]
    expected = {"client": 11, "type": 25, "stamp": "u-1#2", "until": now + 60}
    assert target.find("ticket", expected, now) == ids[1]
    pair.halo.agent.close(ids[1])
    assert target.find("ticket", expected, now) == ids[1]
    assert target.find("ticket", {**expected, "stamp": "u-1#3"}, now) is None


def test_a_target_reads_what_became_of_tickets(pair: Pair) -> None:
    _, target = pair.sides()
    made = [
        target.save_ticket(None, {"type": 25, "client": 11, "summary": f"T{n}", "stamp": f"{n}#1"})
        for n in range(5)
    ]
    open_one, closed, merged, deleted, mine = made
    pair.halo.agent.close(closed)
    pair.halo.agent.merge(merged, open_one)
    pair.halo.agent.delete(deleted)
    target.save_ticket(mine, {"note": "over", "outcome": 7, "close": "Closed"})
    found = {reading.id: reading for reading in target.tickets(made)}
    assert [found[id].status for id in made] == ["open", "closed", "merged", "deleted", "closed"]
    assert found[merged].into == open_one
    assert not next(iter(target.tickets([open_one]))).is_touched
    target.save_ticket(open_one, {"asset": 5001})
    pair.halo.agent.set_status(open_one, 2)
    assert next(iter(target.tickets([open_one]))).is_touched
    with pytest.raises(RowError, match="Clsed"):
        target.save_ticket(open_one, {"close": "Clsed"})


def test_two_sides_on_one_connection_are_refused(pair: Pair) -> None:
    pair.map(target="ninja.yaml")
    with pytest.raises(RunError, match="same connection"):
        pair.sides()
    pair.map(source="halo.yaml", target="ninja.yaml")
    with pytest.raises(RunError, match="cannot be the source of a sync"):
        pair.sides()
