"""Times in results as ISO 8601 text, and everything else as it is (`--times iso`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.catalog.catalog import Catalog
from connector.common.package_data import schema
from connector.invocation.result_times import time_converter
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

ISO = ("--times", "iso", "-c", "connection.yaml")


@pytest.fixture(autouse=True)
def connection(connection_file: Path) -> Path:
    return connection_file


def result(ninjaone: Ninjaone, *arguments: str) -> Any:
    return json.loads(ninjaone(*arguments).stdout)["result"]


def test_the_times_of_a_device(ninjaone: Ninjaone) -> None:
    call = ("call", "get_device", "device_id=1")
    plain = result(ninjaone, *call, "-c", "connection.yaml")
    found = result(ninjaone, *call, *ISO, "--timezone", "Europe/Berlin")
    changed = {name for name in plain if plain[name] != found[name]}
    assert changed == {"created", "lastContact", "lastUpdate", "os"}
    assert plain["created"] == 1737059200.25
    assert found["created"] == "2025-01-16T21:26:40.250+01:00"
    assert found["os"] == {**plain["os"], "lastBootTime": "2026-05-25T11:06:40+02:00"}
    assert result(ninjaone, *call, *ISO)["created"] == "2025-01-16T20:26:40.250Z"


def test_a_report_row_by_row(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text("{}\n")
    run = ("run", "report_os_patches", "-i", "one.jsonl", "--rows", "each", "--delay-ms", "0", "-o")
    assert ninjaone(*run, "plain.jsonl", "-c", "connection.yaml").returncode == 0
    assert ninjaone(*run, "iso.jsonl", *ISO).returncode == 0
    plain, iso = (
        [json.loads(line)["result"] for line in (tmp_path / name).read_text().splitlines()]
        for name in ("plain.jsonl", "iso.jsonl")
    )
    assert len(plain) == len(iso) > 5
    for before, after in zip(plain, iso, strict=True):
        times = {name for name in before if before[name] != after[name]}
        assert times == {"timestamp", "installedAt"} & before.keys()
        assert after["timestamp"].endswith("Z")


def test_a_job_and_its_steps_have_the_key(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"device_id": 1}\n')
    step = {"name": "device", "action": "get_device", "templates": {"device_id": "{{ device_id }}"}}
    top = {"connection": "connection.yaml", "input": "rows.jsonl", "output": "out", "timezone": "Asia/Tokyo"}
    (tmp_path / "job.yaml").write_text(json.dumps({**top, "times": "iso", "steps": [step]}))
    assert ninjaone("run", "job.yaml").returncode == 0
    (line,) = (tmp_path / "out/device.jsonl").read_text().splitlines()
    assert json.loads(line)["result"]["created"] == "2025-01-17T05:26:40.250+09:00"
    (tmp_path / "job.yaml").write_text(json.dumps({**top, "times": "text", "steps": [step]}))
    assert '"text" is not one of epoch, iso' in ninjaone("run", "job.yaml").stderr


def test_numbers_of_custom_fields_are_never_touched(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    fields = 'fields={"lastCheck": "2025-05-28"}'
    ninjaone("call", "update_device_custom_fields", "device_id=6", fields, "-c", "connection.yaml")
    found = result(ninjaone, "call", "get_device_custom_fields", "device_id=6", *ISO)
    assert found == {"lastCheck": 1748390400000}


SECONDS = 1748390400
TEXT = "2025-05-28T00:00:00Z"
DEVICE = {"$ref": "ninjaone/Device.json"}


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        (DEVICE, {"created": SECONDS}, {"created": TEXT}),
        (DEVICE, {"created": SECONDS + 0.5}, {"created": "2025-05-28T00:00:00.500Z"}),
        ({"type": "array", "items": DEVICE}, [{"created": SECONDS}], [{"created": TEXT}]),
        # inside of declared objects, by relative references
        (DEVICE, {"maintenance": {"start": SECONDS}}, {"maintenance": {"start": TEXT}}),
        (
            DEVICE,
            {"references": {"warranty": {"endDate": SECONDS}}},
            {"references": {"warranty": {"endDate": TEXT}}},
        ),
        # members that the document does not declare
        (DEVICE, {"timestamp": SECONDS}, {"timestamp": TEXT}),
        (DEVICE, {"os": {"lastBootTime": SECONDS}}, {"os": {"lastBootTime": TEXT}}),
    ],
)
def test_known_times(catalog: Catalog, declared: Any, value: Any, expected: Any) -> None:
    names = catalog.service("ninjaone").times
    assert time_converter(declared, names, timezone.utc)(value) == expected


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (DEVICE, {"id": SECONDS, "policyId": SECONDS, "approvalStatus": SECONDS}),
        (DEVICE, {"userData": {"created": SECONDS, "os": {"lastBootTime": SECONDS}}}),
        (DEVICE, {"something": {"created": SECONDS}, "list": [{"created": SECONDS}]}),
        (DEVICE, {"created": True, "lastContact": None, "lastUpdate": "2025"}),
        (DEVICE, {"created": 0, "lastContact": -1.5, "lastUpdate": SECONDS * 1000}),
        (DEVICE, {"created": [SECONDS], "lastContact": {"created": SECONDS}}),
        (DEVICE, "text"),
        (DEVICE, None),
        ({}, {"created": SECONDS}),
        ({"type": "object"}, {"created": SECONDS}),
        ({"type": "array", "items": {"type": "object"}}, [{"createTime": SECONDS}]),
        ("none", {"created": SECONDS}),
        ({"$ref": "ninjaone/SoftwareLicenseDTO.json"}, {"purchaseDate": SECONDS}),
        ({"$ref": "ninjaone/TicketTimeEntryDTO.json"}, {"startDate": SECONDS, "timeTracked": SECONDS}),
    ],
)
def test_values_that_stay(catalog: Catalog, declared: Any, value: Any) -> None:
    names = catalog.service("ninjaone").times
    assert time_converter(declared, names, ZoneInfo("Asia/Tokyo"))(value) == value


def doubles(declared: Any, folder: str = "", seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the names of the members that a schema declares as numbers of the format double."""
    if isinstance(declared, list):
        for item in declared:
            yield from doubles(item, folder, seen)
    if not isinstance(declared, dict):
        return
    if "$ref" in declared:
        path = declared["$ref"] if "/" in declared["$ref"] else f"{folder}/{declared['$ref']}"
        if path not in seen:
            yield from doubles(schema(path), path.rpartition("/")[0], seen | {path})
    for name, member in declared.get("properties", {}).items():
        if isinstance(member, dict) and member.get("format") == "double":
            yield name
    for key in ("properties", "items", "additionalProperties"):
        inner = declared.get(key)
        yield from doubles(list(inner.values()) if key == "properties" and inner else inner, folder, seen)


def test_the_names_are_those_that_the_document_declares(catalog: Catalog) -> None:
    declared: set[str] = set()
    for action in catalog.actions("ninjaone"):
        declared.update(doubles(action.result))
    names = catalog.service("ninjaone").times
    assert {name for name in names if "." not in name} == declared
    assert list(names) == sorted(names)
