"""Properties of every plan, whatever the two sides contain."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.sync.pins import Pins
from connector.sync.records import Asset, Client, Location, Organization, Site, User
from connector.sync.state import Link
from tests.sync.sides import MAPPING, Sync, changes, device

IDS = st.integers(1, 6)
MOSTLY = st.sampled_from([True, True, True, False])
SERIALS = st.sampled_from(["A", "a ", "B", "C", "D", "E", "", "0", None])
NAMES = st.sampled_from(["Acme", "acme ", "Globex", "Initech", "Hooli"])
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def _links(draw: Any, devices: Collection[int], assets: Collection[int]) -> dict[int, int]:
    """Draw a few pairs of a device and an asset, each of them in one pair."""
    pairs = st.tuples(st.sampled_from(sorted(devices)), st.sampled_from(sorted(assets)))
    drawn: dict[int, int] = dict(draw(st.lists(pairs, max_size=3)))
    return {device: asset for asset, device in {asset: device for device, asset in drawn.items()}.items()}


@st.composite
def sides(draw: Any) -> dict[str, Any]:
    """Draw both sides. Most records refer to others that exist, as plans would only skip them otherwise."""
    organizations = draw(st.lists(st.tuples(IDS, NAMES), unique_by=lambda o: o[0], min_size=1, max_size=2))
    own = st.sampled_from([id for id, _ in organizations] * 5 + [6])
    names = st.sampled_from([name for _, name in organizations] * 3 + ["Soylent", "Umbrella"])
    clients = draw(
        st.lists(
            st.tuples(IDS, names, st.none() | st.none() | own, MOSTLY),
            unique_by=lambda c: c[0],
            min_size=1,
            max_size=4,
        )
    )
    places = st.sampled_from([id for id, *_ in clients])
    assets = draw(
        st.lists(
            st.tuples(IDS, places, SERIALS, st.none() | IDS, MOSTLY, NAMES),
            unique_by=lambda a: a[0],
            min_size=3,
            max_size=6,
        )
    )
    devices = draw(st.lists(st.tuples(IDS, own, IDS, SERIALS, NAMES), min_size=3, max_size=6))
    ids = {id for id, *_ in devices}, {id for id, *_ in assets}
    return {
        "organizations": organizations,
        "locations": draw(st.lists(st.tuples(IDS, own, NAMES), unique_by=lambda o: o[0], max_size=4)),
        "devices": devices,
        "clients": clients,
        "sites": draw(st.lists(st.tuples(IDS, places, NAMES, st.none() | IDS), max_size=4)),
        "assets": assets,
        "links": _links(draw, *ids),
        "pins": dict(list(_links(draw, *ids).items())[:1]) if draw(st.booleans()) else {},
        "create": draw(st.booleans()),
        "moved": draw(st.sampled_from(["report", "follow"])),
        "by_name": draw(st.booleans()),
        "default": draw(st.booleans()),
    }


def build(folder: Path, made: dict[str, Any]) -> Sync:
    mapping = MAPPING.replace("CREATE", str(made["create"]).lower())
    mapping = mapping.replace("field: 117}", f"field: 117, by_name: {str(made['by_name']).lower()}}}")
    mapping += f"  moved: {made['moved']}\n" + ("  default_site: 1\n" if made["default"] else "")
    sync = Sync(folder, mapping=mapping, pins=Pins(device=made["pins"]))
    sync.source.org = [Organization(*found) for found in made["organizations"]]
    sync.source.loc = [Location(*found) for found in made["locations"]]
    sync.source.dev = [device(d, o, at, serial=s, name=n) for d, o, at, s, n in made["devices"]]
    sync.target.client = {id: Client(id, n, active, stamp) for id, n, stamp, active in made["clients"]}
    sync.target.site = {id: Site(id, c, n, True, stamp) for id, c, n, stamp in made["sites"]}
    for id, client, serial, stamp, active, name in made["assets"]:
        sync.target.stock[id] = Asset(id, client, None, 1, name, active, stamp, values={117: serial})
    for source, target in made["links"].items():
        sync.state.save_link(Link("asset", source, target, "field"))
    return sync


@settings(FEW, derandomize=True, max_examples=50)
@given(sides())
def _plan_each(seen: Counter[tuple[str, str, str]], made: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        sync = build(Path(name), made)
        seen.update((item.entity, item.op, item.method) for item in sync.items(full=True))
        sync.state.close()


def test_the_sides_that_are_drawn_lead_to_items_of_all_kinds() -> None:
    """Otherwise the properties below would hold for plans that write next to nothing."""
    seen: Counter[tuple[str, str, str]] = Counter()
    _plan_each(seen)
    methods = {method for entity, op, method in seen if (entity, op) == ("asset", "link")}
    assert methods >= {"stamp", "field"}
    ops = {op for entity, op, _ in seen if entity == "asset"}
    assert ops >= {"create", "update", "link", "skip", "conflict"}
    assert {("client", "create", "new"), ("client", "link", "name"), ("site", "create", "new")} <= seen.keys()


@FEW
@given(sides(), st.booleans())
def test_every_record_is_in_the_plan_once_and_nothing_is_written(made: dict[str, Any], full: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        sync = build(Path(name), made)
        before = (sync.target.client.copy(), sync.target.site.copy(), sync.target.stock.copy())
        links = sync.state.links("asset")
        with sync.plan(full=full) as plan:
            items = list(plan.items())
            for entity, records in (("client", "organizations"), ("site", "locations"), ("asset", "devices")):
                own = [item for item in items if item.entity == entity and item.op != "deactivate"]
                counts = plan.counts.of[entity]
                assert len(own) + counts.get("unchanged", 0) == len({r[0] for r in made[records]})
                assert max(Counter(item.source for item in own).values(), default=1) == 1
        assert before == (sync.target.client, sync.target.site, sync.target.stock)
        assert links == sync.state.links("asset")
        sync.state.close()


@FEW
@given(sides(), st.booleans())
def test_no_write_leaves_its_client_and_no_asset_has_two_devices(made: dict[str, Any], full: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        sync = build(Path(name), made)
        with sync.plan(full=full) as plan:
            items = list(plan.items())
        clients = {id: link.target for id, link in sync.state.links("client").items()}
        for item in items:
            if item.entity == "client" and item.op in ("link", "create"):
                clients[int(item.source)] = item.target or {"organization": item.source}  # type: ignore[assignment]
        organizations = {d.id: d.organization for d in reversed(sync.source.dev)}
        default = sync.target.site[1].client if made["default"] and 1 in sync.target.site else None
        targets = [item.target for item in items if item.entity == "asset" and item.is_write and item.target]
        assert len(targets) == len(set(targets))
        for item in items:
            if item.entity != "asset" or not item.is_write or item.op == "deactivate":
                continue
            own = clients.get(organizations[int(item.source)], default)
            assert own is not None
            named = next((c.new for c in item.changes if c.field == "client"), None)
            assert named in (None, own)
            if item.target is not None and (named is None or item.op == "link"):
                assert sync.target.stock[item.target].client == own
            if item.op == "move":
                assert made["moved"] == "follow" or sync.target.stock[item.target or 0].client == default
        sync.state.close()


OWN = """
    51: "{{ device.id }} {{ organization.id }} {{ organization.name }} {{ location.name }} {{ custom.tag }}"
    CFTag: "{{ last_user }}"
  user: {value: "{{ device.owner }}", match: [login]}
  link: "x/{{ device.id }}"
  software: true
"""


def with_own_values(sync: Sync) -> None:
    """Set values that differ for each device, and add a user to each client, all with the same login."""
    one = 'fields: {117: "{{ device.serial }}"}\n'
    assert one in sync.mapping
    sync.mapping = sync.mapping.replace(one, f'fields:\n    117: "{{{{ device.serial }}}}"{OWN}')
    for index, found in enumerate(sync.source.dev):
        sync.source.dev[index] = replace(found, data={**found.data, "owner": "boss"})
    numbers = {found.id for found in sync.source.dev}
    sync.source.custom = {id: {"tag": f"T{id}"} for id in numbers}
    sync.source.users = {id: f"user {id}" for id in numbers}
    sync.source.programs = {id: [{"name": f"App {id}"}] for id in numbers}
    sync.target.user = [User(100 * id, id, values={"login": "boss"}) for id in sync.target.client]


def test_a_login_that_several_clients_have_is_looked_up_in_the_own_client(tmp_path: Path) -> None:
    """Fails if a device of one client gets a user of another client."""
    sync = Sync(tmp_path, mapping=MAPPING.replace("CREATE", "false"))
    sync.source.org = [Organization(1, "Acme"), Organization(2, "Globex")]
    sync.target.client = {17: Client(17, "Acme"), 18: Client(18, "Globex")}
    sync.source.dev = [device(id, 1 + id % 2, serial=f"S{id}") for id in (1, 2, 3, 4)]
    with_own_values(sync)
    new = {item.source: changes(item)["user"][1] for item in sync.items() if item.entity == "asset"}
    assert new == {1: 1800, 2: 1700, 3: 1800, 4: 1700}


def test_a_location_of_another_organization_gives_no_site(tmp_path: Path) -> None:
    """Fails if an asset is written with a site of another client. The device is still in its old location."""
    sync = Sync(tmp_path, mapping=MAPPING.replace("CREATE", "false"))
    sync.source.org = [Organization(1, "Acme"), Organization(2, "Globex")]
    sync.source.loc = [Location(5, 2, "Lab")]
    sync.target.client = {17: Client(17, "Acme", main_site=40), 18: Client(18, "Globex", main_site=50)}
    sync.target.site = {51: Site(51, 18, "Lab")}
    sync.source.dev = [device(1, 1, 5)]
    assert changes(sync.item("asset", 1))["site"][1] == 40


@FEW
@given(sides())
def test_no_write_has_values_of_another_record_or_client(made: dict[str, Any]) -> None:
    """Fails if an item has a value, name, user, site or software of another device or client."""
    with tempfile.TemporaryDirectory() as name:
        sync = build(Path(name), made)
        with_own_values(sync)
        items = sync.items(full=True)
        organizations = {found.id: found for found in sync.source.org}
        locations = {found.id: found for found in sync.source.loc}
        devices = {found.id: found for found in reversed(sync.source.dev)}
        for item in items:
            new = {change.field: change.new for change in item.changes}
            if item.entity in ("client", "site") and item.is_write:
                records: Any = organizations if item.entity == "client" else locations
                assert new.get("name") in (None, records[item.source].name)
                assert new.get("stamp") in (None, item.source)
            if item.entity != "asset" or not item.is_write or item.op == "deactivate":
                continue
            device = devices[int(item.source)]
            place = locations.get(device.location or 0)
            organization = organizations.get(device.organization)
            own = [device.id, *((organization.id, organization.name) if organization else ())]
            text = " ".join(map(str, [*own, *([place.name] if place else []), f"T{device.id}"]))
            expected = {
                117: device.data["serial"],
                51: text if organization and place else None,
                "CFTag": f"user {device.id}",
                "link": f"x/{device.id}",
                "software": [{"name": f"App {device.id}"}],
                "stamp": device.id,
                "name": device.name,
            }
            assert {field: new[field] for field in expected if new.get(field) is not None} == {
                field: value for field, value in expected.items() if new.get(field) is not None
            }
            client = new.get("client") or (sync.target.stock[item.target].client if item.target else None)
            assert new.get("user") in (None, 100 * client if isinstance(client, int) else None)
            site = new.get("site")
            if isinstance(site, int):
                assert sync.target.site[site].client == client
        sync.state.close()


@FEW
@given(sides())
def test_applying_twice_writes_nothing_the_second_time(made: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        sync = build(Path(name), made)
        for _ in range(2):  # a created client is one that a device of the first run's conflict may match
            sync.run(full=True)
        assert sync.run() == []
        assert sync.run(full=True) == []
        targets = [link.target for link in sync.state.each_link("asset") if link.target is not None]
        assert len(targets) == len(set(targets))
        sync.state.close()


@FEW
@given(sides(), st.randoms())
def test_the_order_of_the_lists_does_not_matter(made: dict[str, Any], chance: Any) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = build(Path(one), made)
        unique = list({d.id: d for d in reversed(first.source.dev)}.values())
        first.source.dev = unique
        second = build(Path(other), made)
        second.source.dev = chance.sample(unique, len(unique))
        second.source.org = chance.sample(first.source.org, len(first.source.org))
        second.target.stock = dict(chance.sample(list(first.target.stock.items()), len(first.target.stock)))
        assert first.items(full=True) == second.items(full=True)
        first.state.close()
        second.state.close()
