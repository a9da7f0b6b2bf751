"""Ids and members of a mapping that do not exist."""

from __future__ import annotations

from pathlib import Path

from connector.sync.mapping import SyncMapping
from connector.sync.mapping_check import unknown_members
from connector.sync.mapping_file import load_mapping
from connector.sync.mapping_ids import IdCheck, Known, Wrong
from connector.sync.values import FieldDefinition

TEXT = """
version: 1
source: a
target: b
clients:
  map:
    - {organization: 2, client: 17, locations: {2: 40, 3: new}}
    - organization: 4
      client: 18
      default_user: 310
      locations:
        7: 41
  skip: [2, 8]
devices:
  default_site: 55
  link: "x/{{ device.idd }}"
  fields:
    51: "{{ device.system.modell }}"
    52: "{{ device.system.model }} {{ device.os }}"
    53: "{{ custom.any }} {{ custom.known }}"
"""
ROWS = TEXT.replace("skip: [2, 8]", "skip: [8]")
"""An organization in `skip` may not be in `map`, too."""


class Target:
    """The lists of a target. `users` has the client of each user."""

    title = "The PSA"

    def __init__(self, users: dict[int, int] | None = None) -> None:
        self._users = users or {}

    def existing(self, noun: str) -> list[tuple[int, str]] | None:
        return []

    def ticket_fields(self) -> list[FieldDefinition] | None:
        return []

    def user_client(self, id: int) -> int | None:
        return self._users.get(id)

    def clients(self) -> list[object]:
        return []

    sites = clients


def load(folder: Path, text: str = ROWS) -> SyncMapping:
    (folder / "mapping.yaml").write_text(text)
    return load_mapping(folder / "mapping.yaml")


def found(folder: Path, known: Known, users: dict[int, int], text: str = ROWS) -> list[str]:
    wrong: list[Wrong] = IdCheck(load(folder, text), Target(users)).all(known)  # type: ignore[arg-type]
    return [str(one).partition(", ")[2] for one in wrong]


def test_ids_that_do_not_exist_are_named_with_their_line(tmp_path: Path) -> None:
    unseen = "does not exist in The PSA, or the agent that signs in cannot see it"
    known = Known({2}, {2: 2, 3: 4}, {17, 19}, {40: 17, 41: 17})
    assert found(tmp_path, known, {}) == [
        "line 7: location 3 belongs to organization 4, not to organization 2",
        "line 8: organization 4 does not exist",
        f"line 9: client 18 {unseen}",
        f"line 10: user 310 {unseen}",
        "line 13: organization 8 does not exist",
        f"line 15: devices.default_site: site 55 {unseen}",
    ]


def test_members_of_another_record_are_named(tmp_path: Path) -> None:
    known = Known({2, 4, 8}, {2: 2}, {17, 18}, {40: 18, 55: 17})
    assert found(tmp_path, known, {310: 17}) == [
        "line 7: location 3 does not exist",
        "line 7: site 40 belongs to client 18, not to client 17",
        "line 10: user 310 belongs to client 17, not to client 18",
        "line 12: location 7 does not exist",
        "line 12: site 41 does not exist in The PSA, or the agent that signs in cannot see it",
    ]


def test_a_site_of_a_new_client_is_an_error(tmp_path: Path) -> None:
    text = ROWS.replace("client: 18", "client: new")
    known = Known({2, 4, 8}, {2: 2, 3: 2, 7: 4}, {17}, {40: 17, 41: 17, 55: 17})
    assert found(tmp_path, known, {310: 17}, text) == [
        "line 10: user 310 belongs to client 17, not to a new one",
        "line 12: site 41 belongs to client 17, not to a new one",
    ]


def test_a_fault_is_reported_once(tmp_path: Path) -> None:
    """Fails if what belongs to a missing client or organization is reported, too."""
    known = Known({4, 8}, {2: 4, 3: 4, 7: 4}, {17}, {40: 17, 41: 17, 55: 17})
    assert found(tmp_path, known, {310: 17}) == [
        "line 7: organization 2 does not exist",
        "line 9: client 18 does not exist in The PSA, or the agent that signs in cannot see it",
    ]


def test_a_mapping_whose_ids_exist_is_not_complained_of(tmp_path: Path) -> None:
    known = Known({2, 4, 8}, {2: 2, 3: 2, 7: 4}, {17, 18}, {40: 17, 41: 18, 55: 17})
    assert found(tmp_path, known, {310: 18}) == []


def test_a_member_that_no_device_has_is_a_warning_with_the_nearest_one(tmp_path: Path) -> None:
    devices = load(tmp_path).devices
    assert devices is not None
    sample = [{"system": {"model": "X1"}, "id": 1, "nodeClass": "MAC"}, {"os": {"name": "Linux"}}]
    assert list(unknown_members(devices, sample, ["known", "any2"])) == [
        'field 51: none of 2 devices sampled has device.system.modell (did you mean "device.system.model"?)',
        'field 53: none of the devices has custom.any (did you mean "custom.any2"?)',
        'devices.link: none of 2 devices sampled has device.idd (did you mean "device.id"?)',
    ]
    assert list(unknown_members(devices, [], [])) == []
