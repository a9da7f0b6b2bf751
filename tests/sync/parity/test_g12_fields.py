"""G12 to G19 and G26: what assets get of their devices."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.ninjaone.areas import reports
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES, SERIAL

ALL = {"take": "all"}
CREATING = {"take": "all", "create": True}


def _devices(**more: Any) -> dict[str, Any]:
    return {**DEVICES, **more}


def _fields(**fields: Any) -> dict[str, Any]:
    return _devices(fields={"117": SERIAL, **fields})


def _memory(when: str) -> dict[str, Any]:
    return {"value": "{{ device.memory.capacity // 2**30 }} GB", "when": when}


def test_g12_an_asset_field_a_custom_field_and_a_created_one_hold_their_values(pair: Pair) -> None:
    """Fails without custom fields in the target, or without the new field in the asset's type."""
    pair.ninja.state.custom_fields["device", 1] = {"assetTag": "A-1"}
    rack = {"Rack unit": "U{{ device.id }}", "CFAssetTag": "{{ custom.assetTag }}", "44": _memory("always")}
    pair.map(clients=ALL, devices={**_fields(**rack), "create_fields": {"Rack unit": "text"}})
    assert pair.plan()["field", "Rack unit"]["op"] == "create"
    pair.run()
    number = next(id for id, field in pair.halo.state.fields.items() if field["name"] == "Rack unit")
    asset = pair.asset(5001)
    assert (asset[44], asset["CFAssetTag"], asset[number]) == ("16 GB", "A-1", "U1")
    assert asset[52] == "Windows Server 2022"  # not mapped
    before = len(pair.halo.log.requests())
    pair.run("--full")
    assert pair.writes(before) == []


def test_g12_a_created_field_is_in_an_asset_that_is_created_after_others_of_its_type(pair: Pair) -> None:
    """Fails if what actions look up once is kept although a type has changed."""
    pair.halo.agent.delete_asset(5008)
    fields = _fields(**{"Rack unit": "{{ device.id if device.id > 5 else '' }}", "51": "M{{ device.id }}"})
    pair.map(clients=ALL, devices={**fields, "create_fields": {"Rack unit": "text"}})
    pair.run()
    number = next(id for id, field in pair.halo.state.fields.items() if field["name"] == "Rack unit")
    assert pair.asset(pair.asset_of(8))[number] == "8"
    assert not pair.asset(5001).get(number)


def test_g13_a_field_is_mapped_once(pair: Pair) -> None:
    """Fails if a repeated key of YAML is accepted, or a number beside the same number as text."""
    for key, error in (
        ("117", 'line 7: the key "117" is repeated'),
        ("'117'", "the field 117 is mapped twice"),
    ):
        pair.map_text(f"devices:\n  fields:\n    117: '{{{{ device.id }}}}'\n    {key}: text\n")
        done = pair.sync("plan")
        assert (done.code, error in done.err) == (2, True), done.err
    pair.map(clients=ALL, devices=_fields(**{"51": SERIAL}))
    done = pair.sync("plan")
    assert done.code == 0
    assert "warning: 2 fields have the value of device.system.serialNumber: 117, 51" in done.err


def test_g14_empty_keeps_what_is_there_and_new_writes_on_creation_alone(pair: Pair) -> None:
    """Fails without `when` in `AssetFields.changes`."""
    first, second = 5001, 5002
    pair.halo.agent.asset(first, fields={44: "hand-made"})
    pair.halo.agent.asset(second, fields={44: ""})
    pair.map(clients=ALL, devices=_fields(**{"44": _memory("empty"), "51": {"value": "M", "when": "new"}}))
    pair.run()
    assert pair.asset(first)[44] == "hand-made"
    assert pair.asset(second)[44] == "16 GB"
    assert pair.asset(first)[51] == "Rack 2"
    pair.halo.agent.delete_asset(first)
    pair.run("--full")
    assert pair.asset(pair.asset_of(1))[51] == "M"


@pytest.mark.parametrize("text", ["HOST\\\\Tim Bowers", "HOST\\Tim Bowers", "Tim Bowers"])
def test_g15_the_user_is_the_whole_value_or_what_follows_the_backslash(pair: Pair, text: str) -> None:
    """Fails without `rpartition` in `UserIndex.match`."""
    pair.ninja.state.custom_fields["device", 1] = {"owner": text}
    pair.halo.state.users[3002]["login"] = "tim bowers"
    pair.map(clients=ALL, devices=_devices(user={"value": "{{ custom.owner }}", "match": ["login"]}))
    pair.run()
    assert pair.asset(5001)["users"] == [3002]


def test_g15_the_user_is_the_one_who_logged_on_last_and_the_whole_value_comes_first(pair: Pair) -> None:
    (last,) = {name for id, name in pair.sides()[0].last_users() if id == 1}
    pair.halo.state.users[3002]["login"] = last.rpartition("\\")[2]
    pair.halo.state.users[3003]["login"] = last
    pair.map(clients=ALL, devices=_devices(user={"value": "{{ last_user }}", "match": ["login"]}))
    pair.run()
    assert pair.asset(5001)["users"] == [3003]


def test_g16_the_user_is_that_of_a_custom_field(pair: Pair) -> None:
    pair.ninja.state.custom_fields["device", 1] = {"upn": "BLAKE.DALE.2@example.com"}
    user = {"value": "{{ custom.upn }}", "match": ["emailaddress"]}
    pair.map(clients=ALL, devices=_devices(user=user))
    pair.run()
    assert pair.asset(5001)["users"] == [3002]


def test_g17_users_are_matched_by_the_selected_member(pair: Pair) -> None:
    """Fails without `members` in `UserIndex`, or if an empty login is a value: "ACME\\" has no user."""
    pair.ninja.state.custom_fields["device", 1] = {"who": "Blake Dale"}
    pair.halo.state.users[3002]["login"] = ""
    pair.halo.state.users[3003]["login"] = "casey"
    for match, users in ((["login"], []), (["login", "emailaddress", "name"], [3002])):
        pair.map(clients=ALL, devices=_devices(user={"value": "{{ custom.who }}", "match": match}))
        pair.run("--full")
        assert pair.asset(5001)["users"] == users
    pair.ninja.state.custom_fields["device", 3] = {"who": "ACME\\"}
    pair.map(clients=ALL, devices=_devices(user={"value": "{{ custom.who }}", "match": ["login"]}))
    pair.run("--full")
    assert pair.asset(pair.asset_of(3))["users"] == []


def test_g18_warranty_is_written_if_it_is_on(pair: Pair) -> None:
    """Fails without `expand` in the source or the dates in `AssetChanges`."""
    pair.halo.agent.asset(5001, warranty_end="2020-01-01")
    pair.run()
    assert pair.asset(5001)["warranty_end"] == "2020-01-01"
    pair.map(clients=ALL, devices=_devices(warranty=True))
    pair.run()
    assert pair.asset(5001)["warranty_start"].startswith("2024-05-28")
    assert pair.asset(5001)["warranty_end"].startswith("2027-05-28")


def test_g19_software_is_that_of_the_device_and_a_removed_one_goes(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails without software in the target, or without the hash of what was written."""
    pair.map(clients=ALL, devices=_devices(software=True))
    pair.run()
    expected = dict(pair.sides()[0].software())[1]
    names = [(row["name"], row["version"]) for row in pair.asset(5001)["software"]]
    assert names == [(row["name"], row["version"]) for row in expected]
    assert len(names) == 3
    assert all(name and version for name, version in names)
    for left in (1, 0):
        monkeypatch.setattr(reports, "_passing", lambda *_, left=left: range(left))
        pair.run("--full")
        assert len(pair.asset(5001)["software"]) == left


def test_g26_the_asset_links_to_the_device(pair: Pair) -> None:
    pair.map(clients=ALL, devices=_devices(link="https://acme.example/#/device/{{ device.id }}"))
    pair.run()
    assert pair.asset(5001)["ninja_url"] == "https://acme.example/#/device/1"
