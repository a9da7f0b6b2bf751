"""G7 to G11: asset types, and how a device finds its asset for the first time."""

from __future__ import annotations

from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES

CREATING = {"clients": {"take": "all", "create": True}}
NEW_TYPES = {**DEVICES, "types": {}, "create_types": True, "type_group": 4}


def test_g7_a_new_type_is_created_in_the_group(empty: Pair) -> None:
    """Fails without `group` in the item of a type."""
    known = set(empty.halo.state.asset_types)
    empty.map(**CREATING, devices=NEW_TYPES)
    empty.run()
    new = [kind for id, kind in empty.halo.state.asset_types.items() if id not in known]
    assert new
    assert {kind["assetgroup_id"] for kind in new} == {4}
    assert all(117 in kind["field_ids"] for kind in new)


def test_g8_an_unknown_type_is_created_once_and_not_once_a_device(empty: Pair) -> None:
    """Fails without `_new_types`."""
    empty.map(**CREATING, devices={**NEW_TYPES, "type": "{{ 'Thing' if device.id < 6 else 'thing' }}"})
    empty.run()
    names = [kind["name"] for kind in empty.halo.state.asset_types.values()]
    assert [name for name in names if name.casefold() == "thing"] == ["Thing"]
    assert len(list(empty.halo.state.assets.ids())) == 10


def test_g9_the_type_is_that_of_nodeclass_or_of_devicetype(empty: Pair) -> None:
    for field, name in (("nodeClass", "WINDOWS_SERVER"), ("deviceType", "AgentDevice")):
        empty.map(**CREATING, devices={**NEW_TYPES, "type": "{{ device." + field + " }}"})
        items = empty.plan()
        assert {"type": name} in [c["new"] for c in items["asset", 1]["changes"] if c["field"] == "type"]
    empty.run()
    kind = empty.asset(empty.asset_of(1))["assettype_id"]
    assert empty.halo.state.asset_types[kind]["name"] == "AgentDevice"


def test_g9_a_value_is_the_name_of_another_type_if_types_says_so(empty: Pair) -> None:
    """Fails without `types` in `AssetChanges._type`."""
    empty.map(**CREATING, devices=DEVICES)
    empty.run()
    kind = empty.asset(empty.asset_of(1))["assettype_id"]
    assert empty.halo.state.asset_types[kind]["name"] == "Server"


def test_g10_the_id_of_the_device_is_checked_before_the_field(pair: Pair) -> None:
    """Fails if `_by_value` comes before `_stamped`."""
    mine = [id for id in pair.halo.state.assets.of_client(11) if id != 5001]
    pair.halo.agent.asset(mine[0], ninjarmm_id=1, fields={117: ""})
    assert pair.plan()["asset", 1]["halo"] == mine[0]
    pair.run()
    assert pair.asset_of(1) == mine[0]


def test_g11_a_device_without_a_link_is_matched_by_the_field(pair: Pair) -> None:
    """Fails without `_by_value`."""
    item = pair.plan()["asset", 1]
    assert (item["op"], item["halo"], item["method"]) == ("link", 5001, "field")
    pair.run()
    assert pair.asset_of(1) == 5001
    assert pair.asset(5001)["ninjarmm_id"] == 1


def test_g11_the_match_field_must_be_a_mapped_one(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, devices={**DEVICES, "match": {"field": 44}})
    done = pair.sync("plan")
    assert done.code == 2
    assert "mapping.yaml, line" in done.err
    assert "44 is not in devices.fields" in done.err


def test_g11_two_assets_with_the_value_are_a_conflict_until_one_is_pinned(pair: Pair) -> None:
    other = next(id for id in pair.halo.state.assets.of_client(11) if id != 5001)
    pair.halo.agent.asset(other, fields={117: "ex 0000001"})
    done = pair.sync("run")
    assert done.code == 1
    plan = pair.sync("plan")
    assert f"sync pin {pair.folder} device 1 5001" in plan.out
    item = pair.plan()["asset", 1]
    names = {id: pair.asset(id)["inventory_number"] for id in (5001, other)}
    assert (item["candidates"], item["candidate_names"]) == (sorted(names), [names[n] for n in sorted(names)])
    explained = pair.sync("explain", "device", 1)
    assert f"asset 5001, asset {other}" in explained.out
    assert "conflict" in explained.out
    assert pair.sync("pin", "device", 1, other, sends=False).code == 0
    pair.run()
    assert pair.asset_of(1) == other
    assert pair.sync("unpin", "device", 1, sends=False).code == 0
    assert pair.sync("unpin", "device", 1, sends=False).code == 2
