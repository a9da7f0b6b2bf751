"""Ids and members of a mapping that do not exist."""

from __future__ import annotations

from pathlib import Path

from connector.sync.mapping import SyncMapping
from connector.sync.mapping_check import missing_ids, unknown_members
from connector.sync.mapping_file import load_mapping

TEXT = """
version: 1
source: a
target: b
clients:
  map:
    - {organization: 2, client: 17, locations: {2: 40, 3: new}}
    - organization: 4
      client: 18
      locations:
        7: 41
devices:
  default_site: 55
  fields:
    51: "{{ device.system.modell }}"
    52: "{{ device.system.model }} {{ device.os }}"
    53: "{{ custom.any }}"
"""


def load(folder: Path) -> SyncMapping:
    (folder / "mapping.yaml").write_text(TEXT)
    return load_mapping(folder / "mapping.yaml")


def test_ids_that_do_not_exist_are_named_with_their_line(tmp_path: Path) -> None:
    found = list(missing_ids(load(tmp_path), "The PSA", {17}, {40: 17, 41: 17}, {2}))
    assert [message.partition(", ")[2] for message in found] == [
        "line 8: organization 4 does not exist",
        "line 9: client 18 does not exist in The PSA, or the agent that signs in cannot see it",
        "line 11: site 41 belongs to client 17, not to client 18",
        "line 13: site 55 does not exist in The PSA, or the agent that signs in cannot see it",
    ]


def test_a_mapping_whose_ids_exist_is_not_complained_of(tmp_path: Path) -> None:
    sites = {40: 17, 41: 18, 55: 17}
    assert list(missing_ids(load(tmp_path), "The PSA", {17, 18}, sites, {2, 4})) == []


def test_a_member_that_no_device_has_is_a_warning_with_the_nearest_one(tmp_path: Path) -> None:
    devices = [{"system": {"model": "X1"}}, {"os": {"name": "Linux"}}]
    assert list(unknown_members(load(tmp_path), devices)) == [
        'field 51: none of 2 devices sampled has device.system.modell (did you mean "device.system.model"?)'
    ]
    assert list(unknown_members(load(tmp_path), [])) == []
