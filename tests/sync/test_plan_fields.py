"""What a plan writes into assets: types, fields, users, warranty, software."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import RunError
from connector.sync.records import AssetType, User
from connector.sync.state import Link
from tests.sync.sides import Sync, asset, changes, device


def test_a_type_is_made_once_and_set_on_creation_alone(sync: Sync) -> None:
    sync.mapping += "  create_types: true\n  type_group: 3\n  types: {NAS: Storage}\n"
    sync.source.dev = [device(1, kind="NAS"), device(2, kind="NAS"), device(3)]
    written = sync.run()
    assert [(i.entity, i.source) for i in written if i.entity == "type"] == [("type", "Storage")]
    assert changes(written[-1])["type"] == (None, 1)
    sync.source.dev = [device(1), device(2, kind="NAS"), device(3)]
    assert sync.run() == []


def test_a_type_that_may_not_be_made_skips_the_device(sync: Sync) -> None:
    sync.source.dev = [device(1, kind="NAS"), device(2, kind=None)]
    assert [i.reason for i in sync.items() if i.entity == "asset"] == [
        'there is no asset type "NAS", and create_types is off',
        "the device has no asset type: the template devices.type has no value",
    ]


def with_fields(sync: Sync, text: str) -> None:
    sync.mapping = sync.mapping.replace(
        '117: "{{ device.serial }}"', f'117: "{{{{ device.serial }}}}", {text}'
    )


def test_when_decides_what_is_written(sync: Sync) -> None:
    with_fields(
        sync,
        "44: '{{ device.memory }}', 51: {value: '{{ device.rack }}', when: empty}, "
        "CFTag: {value: '{{ device.tag }}', when: new}",
    )
    sync.source.dev = [device(1, memory=8, rack="R1", tag="T1")]
    (item,) = (i for i in sync.run() if i.entity == "asset")
    assert {change.field: change.new for change in item.changes}.items() >= {
        44: 8,
        51: "R1",
        "CFTag": "T1",
    }.items()
    (id,) = sync.target.stock
    sync.target.stock[id] = replace(
        sync.target.stock[id], values={117: "SN1", 44: 8, 51: "hand-made", "CFTag": ""}
    )
    sync.source.dev = [device(1, memory=16, rack="R2", tag="T2")]
    (item,) = sync.run()
    assert changes(item) == {44: (8, 16)}
    sync.target.stock[id] = replace(sync.target.stock[id], values={117: "SN1", 44: "16", 51: "  "})
    (item,) = sync.run(full=True)
    assert changes(item) == {51: ("  ", "R2")}


def test_no_value_writes_nothing_and_is_counted(sync: Sync) -> None:
    with_fields(sync, "44: '{{ device.memory }}'")
    sync.source.dev = [device(1, memory=8)]
    sync.run()
    sync.source.dev = [device(1, memory=None)]
    with sync.plan() as plan:
        assert list(plan.items()) == []
        assert plan.fields.no_value == {"44": 1}
        assert list(plan.hashes()) != []
    sync.run()
    sync.target.asked.clear()
    assert sync.run() == []
    assert sync.target.asked["asset"] == 0


def test_a_value_that_the_field_cannot_hold_is_that_field_s_error(sync: Sync) -> None:
    with_fields(
        sync,
        "44: '{{ device.memory }}', 60: '{{ device.physical }}', 70: '{{ device.bought }}', "
        "51: '{{ 1 / 0 }}'",
    )
    sync.source.dev = [device(1, memory="8 GB", physical="virtual", bought="2026-01-05")]
    item = sync.item("asset", 1)
    assert item is not None
    assert item.op == "create"
    assert {60: (None, 2), 70: (None, "2026-01-05T00:00:00Z")}.items() <= changes(item).items()
    assert 44 not in changes(item)
    assert 'field 44: expected a number, got "8 GB"' in item.reason
    assert "field 51: the template fails" in item.reason


def test_a_field_that_does_not_exist_is_named_with_its_line(sync: Sync) -> None:
    with_fields(sync, "Rak: '{{ device.rack }}'")
    with pytest.raises(RunError, match=r'line 9: devices\.fields\.Rak: .*did you mean "Rack"'):
        sync.plan()


def test_one_field_under_two_names_is_refused(sync: Sync) -> None:
    with_fields(sync, "51: 'a', Rack: 'b'")
    with pytest.raises(RunError, match="the field is also mapped as 51"):
        sync.plan()


def test_a_field_can_be_created(sync: Sync) -> None:
    with_fields(sync, "Owner: '{{ device.owner }}'")
    sync.mapping += "  create_fields: {Owner: text}\n"
    sync.source.dev = [device(1, owner="Ann")]
    written = sync.run()
    assert [(i.entity, i.source) for i in written if i.entity == "field"] == [("field", "Owner")]
    assert [i for i in sync.items() if i.entity == "field"] == []


def test_a_field_that_the_type_lacks_is_an_error_of_that_field(sync: Sync) -> None:
    with_fields(sync, "51: '{{ device.rack }}'")
    types = (AssetType(1, "Server", fields=frozenset({117})),)
    sync.target.declared = replace(sync.target.declared, types=types)
    sync.source.dev = [device(1, rack="R1")]
    item = sync.item("asset", 1)
    assert item is not None
    assert 51 not in changes(item)
    assert item.reason == "field 51: the asset type Server does not have it"


def test_hidden_fields_are_never_emptied(sync: Sync) -> None:
    types = (AssetType(1, "Server", fields=frozenset({117, 44, 51})),)
    sync.target.declared = replace(sync.target.declared, types=types)
    sync.source.dev = [device(1, serial="new")]
    sync.target.stock = {901: asset(901, serial="old", stamp=1, shown=frozenset({117}))}
    sync.state.save_link(Link("asset", 1, 901, "stamp"))
    item = sync.item("asset", 1)
    assert item is not None
    assert (item.op, item.changes) == ("skip", ())
    assert (
        "its type has 3 fields, of which the agent can read 1. An update would clear the other 2"
        in item.reason
    )
    sync.target.stock = {901: replace(sync.target.stock[901], shown=frozenset({117, 44, 51}))}
    item = sync.item("asset", 1)
    assert item is not None
    assert changes(item) == {117: ("old", "new")}


@pytest.mark.parametrize("value", ["HOST\\\\Tim", "HOST\\Tim", "tim"])
def test_a_user_is_found_by_the_whole_value_then_by_what_follows_the_backslash(
    sync: Sync, value: str
) -> None:
    sync.mapping += '  user: {value: "{{ last_user }}", match: [login, emailaddress]}\n'
    sync.source.dev = [device(1)]
    sync.source.users = {1: value}
    sync.target.user = [User(5, 17, values={"login": "Tim"}), User(6, 99, values={"login": value})]
    item = sync.item("asset", 1)
    assert item is not None
    assert changes(item)["user"] == (None, 5)
    sync.target.user.append(User(7, 17, values={"login": value}))
    item = sync.item("asset", 1)
    assert item is not None
    assert changes(item).get("user") == ((None, 7) if value != "tim" else None)


def test_no_user_or_two_leave_the_present_one(sync: Sync) -> None:
    sync.mapping += '  user: {value: "{{ last_user }}"}\n'
    sync.source.dev = [device(1)]
    sync.source.users = {1: "Ann"}
    sync.target.user = [User(5, 17, values={"login": "ann"}), User(6, 17, values={"login": "Ann"})]
    item = sync.item("asset", 1)
    assert item is not None
    assert "user" not in changes(item)


def test_warranty_link_and_software(sync: Sync) -> None:
    sync.mapping += '  warranty: true\n  software: true\n  link: "https://rmm.example/{{ device.id }}"\n'
    sync.source.dev = [replace(device(1), warranty=("2026-01-01", None))]
    sync.source.programs = {1: [{"name": "Editor"}]}
    item = next(i for i in sync.run(full=True) if i.entity == "asset")
    assert changes(item)["link"] == (None, "https://rmm.example/1")
    assert changes(item)["warranty_start"] == (None, "2026-01-01")
    assert changes(item)["software"] == (None, [{"name": "Editor"}])
    assert sync.run(full=True) == []
    sync.source.programs = {1: []}
    (item,) = sync.run(full=True)
    assert changes(item) == {"software": (None, [])}


def test_custom_fields_are_read_whole_and_only_those_that_are_used(sync: Sync) -> None:
    with_fields(sync, "CFTag: '{{ custom.tag }}'")
    sync.source.dev = [device(1), device(2)]
    sync.source.custom = {1: {"tag": "T1", "other": "x"}}
    tags = [changes(i).get("CFTag") for i in sync.items() if i.entity == "asset"]
    assert tags == [(None, "T1"), None]


def test_templates_with_current_are_rendered_on_full_reads_alone(sync: Sync) -> None:
    with_fields(sync, "51: '{{ current.Serial }}!'")
    sync.source.dev = [device(1)]
    sync.run()
    assert sync.run() == []
    (item,) = sync.run(full=True)
    assert changes(item) == {51: (None, "SN1!")}


def test_a_full_read_finds_what_was_changed_by_hand(sync: Sync) -> None:
    sync.source.dev = [device(1)]
    sync.run()
    (id,) = sync.target.stock
    sync.target.stock[id] = replace(sync.target.stock[id], values={117: "by hand"})
    assert sync.run() == []
    (item,) = sync.run(full=True)
    assert changes(item) == {117: ("by hand", "SN1")}
