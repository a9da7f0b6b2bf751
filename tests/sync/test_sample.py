"""A sample of devices: what templates see of them, taken evenly, and read no further than needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import RunError
from connector.sync.mapping_file import load_mapping
from connector.sync.sample import load_sample, read_sample, save_sample
from tests.sync.sides import FIELDS, Sync, device

MAPPING = """version: 1
source: rmm
target: psa
devices:
  type: "{{ device.kind }}"
  fields: {117: "{{ device.serial }}", CFTag: "{{ custom.tag }} {{ last_user }}"}
"""


def sample(sync: Sync, count: int) -> object:
    path = sync.folder / "mapping.yaml"
    path.write_text(sync.mapping)
    return read_sample(load_mapping(path), sync.source, sync.target, count)


def test_a_sample_is_what_templates_see(sync: Sync, tmp_path: Path) -> None:
    sync.mapping = MAPPING
    sync.source.dev = [device(7, location=3), device(8, organization=9)]
    sync.source.custom, sync.source.users = {7: {"tag": "T", "other": "x"}}, {7: "anna"}
    found = sample(sync, 20)
    save_sample(tmp_path / "s.json", found)  # type: ignore[arg-type]
    read = load_sample(tmp_path / "s.json")
    assert read == found
    assert (read.names, read.fields, read.custom) == (("PC-7", "PC-8"), FIELDS, {"tag"})
    assert read.rows == (
        {
            "device": {"id": 7, "kind": "Server", "serial": "SN7"},
            "custom": {"tag": "T"},
            "organization": {"id": 1, "name": "Acme"},
            "location": {"id": 3, "name": "Lab"},
            "last_user": "anna",
        },
        {"device": {"id": 8, "kind": "Server", "serial": "SN8"}, "custom": {}},
    )


def test_a_sample_is_taken_evenly_from_the_first_devices(sync: Sync) -> None:
    read: list[int] = []

    def devices() -> object:
        for number in range(1, 1001):
            read.append(number)
            yield device(number)

    sync.source.devices = devices  # type: ignore[method-assign, assignment]
    found = sample(sync, 20)
    assert [row["device"]["id"] for row in found.rows] == list(range(1, 201, 10))  # type: ignore[attr-defined]
    assert (len(read), sync.source.asked) == (200, {})


@pytest.mark.parametrize("text", ["", "[]", '{"names": ["a"], "devices": [], "fields": [], "custom": []}'])
def test_other_files_are_not_samples(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(RunError, match="not a sample"):
        load_sample(tmp_path / "s.json")
