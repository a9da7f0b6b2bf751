"""Read and save sample devices on which the templates of a mapping can be tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.common.user_folders import write_whole
from connector.errors import RunError, file_errors
from connector.sync.mapping import SyncMapping
from connector.sync.records import Source, Target
from connector.sync.values import FieldDefinition

READ = 200
"""The number of devices to read; the sample is every n-th of them."""


@dataclass(frozen=True)
class Sample:
    """Sample devices, and the asset fields of the target service.

    `names` has the names of the devices, `rows` the template variables of each device, and `custom` the names
    of the custom fields that were read.
    """

    names: tuple[str, ...]
    rows: tuple[Mapping[str, Json], ...]
    fields: tuple[FieldDefinition, ...]
    custom: frozenset[str]

    def as_json(self) -> dict[str, Json]:
        """Return the sample as a JSON object."""
        fields: list[Json] = [
            {
                "key": field.key,
                "name": field.name,
                "type": field.type,
                "choices": None if field.choices is None else [list(pair) for pair in field.choices.items()],
            }
            for field in self.fields
        ]
        rows: list[Json] = [dict(row) for row in self.rows]
        return {"names": list(self.names), "devices": rows, "fields": fields, "custom": sorted(self.custom)}


def read_sample(mapping: SyncMapping, source: Source, target: Target, count: int) -> Sample:
    """Return a sample of `count` devices, and the asset fields of the target. Raises ListError."""
    found = list(islice(source.devices(), max(READ, count)))
    chosen = found[:: max(1, len(found) // count)][:count]
    ids = {device.id for device in chosen}
    devices = mapping.devices
    names = devices.custom_fields if devices else frozenset()
    custom = _of(ids, source.custom_fields(sorted(names))) if names else {}
    users = _of(ids, source.last_users()) if devices and devices.uses("last_user") else {}
    organizations = {record.id: record for record in source.organizations()}
    locations = {record.id: record for record in source.locations()}
    rows = []
    for device in chosen:
        row: dict[str, Json] = {
            "device": {**device.data, "id": device.id},
            "custom": custom.get(device.id, {}),
        }
        if organization := organizations.get(device.organization):
            row["organization"] = {**organization.data, "id": organization.id, "name": organization.name}
        if location := locations.get(device.location or 0):
            row["location"] = {**location.data, "id": location.id, "name": location.name}
        if device.id in users:
            row["last_user"] = users[device.id]
        rows.append(row)
    shown = tuple(device.name for device in chosen)
    return Sample(shown, tuple(rows), target.catalog().fields, names)


def _of(ids: set[int], pairs: Iterable[tuple[int, Any]]) -> dict[int, Any]:
    """Return the values of the given device ids; reading stops when all are found."""
    found: dict[int, Any] = {}
    for id, value in pairs:
        if id in ids:
            found[id] = value
            if len(found) == len(ids):
                break
    return found


def save_sample(path: Path, sample: Sample) -> None:
    """Write a sample to a file that only this user can read. Raises RunError."""
    with file_errors(path):
        write_whole(path, json_text.dumps(sample.as_json()).encode())


def load_sample(path: Path) -> Sample:
    """Return the sample in a file. Raises RunError."""
    with file_errors(path):
        text = path.read_text(encoding="utf-8")
    try:
        data = json_text.loads(text)
        names, rows = tuple(data["names"]), tuple(data["devices"])
        if len(names) == len(rows):
            fields = tuple(map(_definition, data["fields"]))
            return Sample(names, rows, fields, frozenset(data["custom"]))
        error: Exception = ValueError("names")
    except (ValueError, KeyError, TypeError) as found:
        error = found
    raise RunError(f"{path}: the file is not a sample of devices") from error


def _definition(data: Mapping[str, Any]) -> FieldDefinition:
    choices = data["choices"]
    return FieldDefinition(
        data["key"], data["name"], data["type"], None if choices is None else dict(choices)
    )
