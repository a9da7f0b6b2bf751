"""Which assets a plan links, creates, moves, skips or asks about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.sync.pins import Pins
from connector.sync.records import Client, Organization
from connector.sync.state import DAY
from tests.sync.sides import Sync, asset, changes, device


def test_a_stamp_beats_a_serial_number(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="B"), device(2, serial="A")]
    sync.target.stock = {901: asset(901, serial="A", stamp=1), 902: asset(902, serial="B")}
    one, two = sync.item("asset", 1), sync.item("asset", 2)
    assert one is not None
    assert two is not None
    assert (one.op, one.target, one.method) == ("link", 901, "stamp")
    assert changes(one) == {117: ("A", "B")}
    assert (two.op, two.candidates) == ("conflict", (901,))


def test_a_serial_number_links_without_spaces_and_case(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="pf 3x1")]
    sync.target.stock = {901: asset(901, serial="PF3X1"), 902: asset(902, 18, serial="PF3X1")}
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.target, item.method) == ("link", 901, "field")
    assert changes(item) == {"stamp": (None, 1), 117: ("PF3X1", "pf 3x1")}


@pytest.mark.parametrize("serial", ["", "0", "None", "To Be Filled By O.E.M.", None])
def test_a_placeholder_matches_nothing(sync: Sync, serial: Any) -> None:
    sync.source.dev = [device(1, serial=serial)]
    sync.target.stock = {901: asset(901, serial=serial)}
    item = sync.item("asset", 1)
    assert item is not None
    assert item.op == "create"


def test_two_assets_or_two_devices_with_a_value_are_a_conflict(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="X"), device(2, serial="Y"), device(3, serial="y")]
    sync.target.stock = {
        901: asset(901, serial="X"),
        902: asset(902, serial="x"),
        903: asset(903, serial="Y"),
    }
    found = {i.source: (i.op, i.candidates) for i in sync.items() if i.entity == "asset"}
    assert found == {1: ("conflict", (901, 902)), 2: ("conflict", (903,)), 3: ("conflict", (903,))}


def test_two_devices_with_a_value_that_no_asset_has_are_created(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="Y"), device(2, serial="Y")]
    assert [i.op for i in sync.items() if i.entity == "asset"] == ["create", "create"]


def test_a_linked_device_with_the_value_makes_a_second_one_a_conflict(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="Y")]
    sync.target.stock = {901: asset(901, serial="Y")}
    sync.run()
    sync.source.dev.append(device(2, serial="Y"))
    item = sync.item("asset", 2)
    assert item is not None
    assert (item.op, item.candidates) == ("conflict", (901,))


def test_an_inactive_asset_does_not_match_by_value(sync: Sync) -> None:
    sync.source.dev = [device(1)]
    sync.target.stock = {901: asset(901, serial="SN1", is_active=False)}
    item = sync.item("asset", 1)
    assert item is not None
    assert item.op == "create"


def test_an_inactive_asset_with_the_stamp_is_a_conflict(sync: Sync) -> None:
    sync.source.dev = [device(1)]
    sync.target.stock = {901: asset(901, stamp=1, is_active=False)}
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.candidates) == ("conflict", (901,))
    assert "is inactive" in item.reason


def test_a_stamp_in_another_client_is_a_conflict_on_a_full_read(sync: Sync) -> None:
    sync.source.dev = [device(1)]
    sync.target.stock = {901: asset(901, 99, stamp=1)}
    item = sync.item("asset", 1, full=True)
    assert item is not None
    assert (item.op, item.candidates) == ("conflict", (901,))


def test_names_match_only_if_the_mapping_says_so(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="0")]
    sync.target.stock = {901: asset(901, name="pc-1")}
    item = sync.item("asset", 1)
    assert item is not None
    assert item.op == "create"
    sync.mapping = sync.mapping.replace("field: 117}", "field: 117, by_name: true}")
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.method) == ("link", "name")


def test_a_conflict_is_looked_at_again_only_when_something_changed(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="X")]
    sync.target.stock = {901: asset(901, serial="X", name="OLD"), 902: asset(902, serial="X")}
    sync.run()
    sync.target.asked.clear()
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.named_candidates) == ("conflict", [(901, "OLD"), (902, "")])
    assert sync.target.asked["assets"] == 0
    sync.pins = Pins(device={1: 902})
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.target, item.method) == ("link", 902, "pin")


def test_a_pin_takes_the_link_of_another_device(sync: Sync) -> None:
    sync.source.dev = [device(1), device(2)]
    sync.target.stock = {901: asset(901, serial="SN1")}
    sync.run()
    sync.pins = Pins(device={2: 901})
    sync.source.dev[0].data["serial"] = "SN1b"  # type: ignore[index]
    skipped = sync.item("asset", 1)
    assert skipped is not None
    assert (skipped.op, "is pinned to device 2" in skipped.reason) == ("skip", True)
    assert [item.target for item in sync.run()] == [901]
    assert sync.state.links("asset")[2].target == 901
    assert sync.run() != []
    assert len({link.target for link in sync.state.each_link("asset")}) == 2


def test_a_reinstalled_machine_takes_its_asset_after_two_lists(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="X")]
    sync.target.stock = {901: asset(901, serial="X")}
    sync.run()
    sync.source.dev = [device(2, serial="X")]
    ops = []
    for _ in range(3):
        item = sync.item("asset", 2, full=True)
        assert item is not None
        ops.append(item.op)
        sync.run(full=True)
    assert ops == ["conflict", "conflict", "link"]
    assert [link.source for link in sync.state.links_to("asset", 901)] == [2]


def test_a_deleted_asset_loses_its_link_and_an_inactive_one_keeps_it(sync: Sync) -> None:
    sync.source.dev = [device(1), device(2)]
    sync.run()
    first, second = sorted(sync.target.stock)
    del sync.target.stock[first]
    sync.target.stock[second] = replace(sync.target.stock[second], is_active=False)
    gone, inactive = sync.item("asset", 1, full=True), sync.item("asset", 2, full=True)
    assert gone is not None
    assert inactive is not None
    assert (gone.op, gone.reason) == ("create", f"the previously linked asset {first} was deleted")
    assert (inactive.op, inactive.target) == ("skip", second)
    assert "is inactive, but was not deactivated by the sync" in inactive.reason


def test_what_the_sync_deactivated_is_reactivated(sync: Sync) -> None:
    sync.mapping += "  missing: deactivate\n"
    sync.source.dev = [device(1)]
    sync.run()
    kept, sync.source.dev = sync.source.dev, []
    for _ in range(3):
        assert sync.run() == []
    sync.now += 8 * DAY
    (item,) = sync.run()
    assert (item.op, changes(item)) == ("deactivate", {"inactive": (False, True)})
    assert sync.run() == []
    sync.source.dev = kept
    (item,) = sync.run(full=True)
    assert (item.op, changes(item)) == ("update", {"inactive": (True, False)})


@pytest.mark.parametrize("moved", ["report", "follow"])
def test_a_device_that_moves_to_another_client(sync: Sync, moved: str) -> None:
    sync.mapping += f"  moved: {moved}\n"
    sync.source.org.append(Organization(5, "Other"))
    sync.target.client[18] = Client(18, "Other", main_site=80)
    sync.source.dev = [device(1, serial="A")]
    sync.run()
    (id,) = sync.target.stock
    sync.target.stock[id] = replace(sync.target.stock[id], users=(310,))
    sync.source.dev = [device(1, 5, serial="B")]
    item = sync.item("asset", 1)
    assert item is not None
    if moved == "report":
        assert (item.op, item.changes) == ("skip", ())
        assert "the device moved to client 18" in item.reason
    else:
        assert item.op == "move"
        assert changes(item) == {
            "client": (17, 18),
            "site": (None, 80),
            "user": (310, None),
            117: ("A", "B"),
        } | {"site": (40, 80)}


def test_a_device_that_moves_to_another_site_is_followed(sync: Sync) -> None:
    sync.source.dev = [device(1, location=2)]
    sync.run()
    sync.source.dev = [device(1, location=3)]
    (item,) = sync.run()
    assert changes(item) == {"site": (40, 41)}


def test_a_pin_to_an_asset_of_another_client_is_a_conflict(sync: Sync) -> None:
    sync.source.dev = [device(1)]
    sync.target.stock = {901: asset(901, 99)}
    sync.pins = Pins(device={1: 901})
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.candidates) == ("conflict", (901,))


def test_an_asset_that_one_device_has_taken_is_no_other_one_s(sync: Sync) -> None:
    sync.mapping = sync.mapping.replace("field: 117}", "field: 117, by_name: true}")
    sync.source.dev = [device(1, serial="0", name="PC"), device(2, serial="X")]
    sync.target.stock = {901: asset(901, serial="X", name="pc")}
    assert [(i.source, i.op) for i in sync.items() if i.entity == "asset"] == [(1, "conflict"), (2, "link")]


def test_a_device_that_a_list_shows_twice_counts_once_as_it_was_first(sync: Sync) -> None:
    sync.source.dev = [device(1, serial="first"), device(1, serial="second")]
    (item,) = (i for i in sync.items() if i.entity == "asset")
    assert changes(item)[117] == (None, "first")


@pytest.mark.parametrize(
    ("row", "reads"),
    [
        ({"stamp": 1}, 0),  # nothing differs
        ({}, 0),  # the stamp alone
        ({"values": {117: "sn1 ", 44: "8"}}, 0),  # a field differs
        ({"values": {117: "SN1"}, "shown": frozenset({117})}, 1),  # a field is not shown
    ],
)
def test_an_asset_is_read_by_itself_only_if_its_row_in_the_list_is_not_enough(
    sync: Sync, row: dict[str, Any], reads: int
) -> None:
    sync.mapping = sync.mapping.replace('"}\n', '", 44: "{{ device.memory }}"}\n')
    sync.source.dev = [device(1, memory=16)]
    values = {"values": {117: "SN1", 44: "16"}, "shown": frozenset({117, 44}), **row}
    sync.target.stock = {901: asset(901, is_whole=False, **values)}
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.target, sync.target.asked["asset"]) == ("link", 901, reads)


def test_custom_fields_and_users_need_an_asset_that_is_read_by_itself(sync: Sync) -> None:
    sync.mapping = sync.mapping.replace('"}\n', '", CFTag: "T-{{ device.id }}"}\n')
    sync.source.dev = [device(1)]
    sync.target.stock = {901: asset(901, serial="SN1", is_whole=False, shown=frozenset({117}))}
    assert sync.item("asset", 1) is not None
    assert sync.target.asked["asset"] == 1
