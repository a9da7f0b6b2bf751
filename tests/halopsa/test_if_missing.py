"""Actions of HaloPSA that create a record only if it does not exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.sandbox.halopsa.server import HaloSandbox
from tests.cli.conftest import Ninjaone, in_process
from tests.fakes import write_lines

__all__ = ["in_process"]

pytestmark = pytest.mark.in_process
Create = Callable[..., Any]
ASSET = {"inventory_number": "ROW-22", "assettype_id": 102, "client_id": 11}
CREATED: list[tuple[str, dict[str, Any], str, int]] = [
    ("create_client", {"name": "Row22"}, "name", 1),
    ("create_site", {"name": "Row22", "client_id": 11}, "name", 1),
    ("create_user", {"email": "row22@alder.example", "name": "Row 22", "site_id": 201}, "email", 2),
    ("create_asset", ASSET, "inventory_number", 2),
    ("create_asset_group", {"name": "Row22"}, "name", 1),
    ("create_asset_type", {"name": "Row22", "assetgroup_id": 3}, "name", 1),
    ("create_asset_field", {"name": "Row22"}, "name", 1),
    ("create_webhook", {"name": "Row22", "url": "https://hooks.example/halo"}, "name", 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[HaloSandbox]:
    with HaloSandbox() as box:
        yield box


@pytest.fixture
def create(in_process: Ninjaone, box: HaloSandbox, tmp_path: Path) -> Create:
    """Run an action with `if_missing` for rows; return the envelopes and the methods of its requests."""
    (tmp_path / "halo.yaml").write_text(yaml.safe_dump(dict(box.connection)))

    def run(action: str, *rows: dict[str, Any]) -> tuple[list[Any], str]:
        write_lines(tmp_path / "rows.jsonl", [{"if_missing": True, **row} for row in rows])
        before = len(box.log.requests())
        options = ("-c", "halo.yaml", "--delay-ms", "0", "-o", "out.jsonl", "--restart")
        done = in_process("run", f"halopsa.{action}", "-i", "rows.jsonl", *options)
        assert done.returncode in (0, 1), done.stderr
        sent = [request for request in box.log.requests()[before:] if request["path"].startswith("/api/")]
        found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        return found, " ".join(request["method"] for request in sent)

    return run


@pytest.mark.parametrize(("action", "row", "name", "lists"), CREATED, ids=[case[0] for case in CREATED])
def test_each_action_creates_once(
    create: Create, action: str, row: dict[str, Any], name: str, lists: int
) -> None:
    (first, second), sent = create(action, row, row)
    assert first["error"] is None
    assert "existed" not in first["meta"]
    assert (second["meta"]["existed"], second["result"]["id"]) == (True, first["result"]["id"])
    assert sent == "GET POST"
    (again, _), sent = create(action, {**row, name: f" {row[name].upper()} "}, {**row, name: f"{row[name]}b"})
    assert (again["meta"]["existed"], again["result"]["id"]) == (True, first["result"]["id"])
    assert sent == "GET " * lists + "POST"


def test_a_record_is_looked_for_in_its_client(create: Create) -> None:
    for action, row in (("create_site", {"name": "Annex"}), ("create_asset", ASSET)):
        (here, there), _ = create(action, {**row, "client_id": 11}, {**row, "client_id": 12})
        assert there["error"] is None, there
        assert "existed" not in there["meta"]
        assert here["result"]["id"] != there["result"]["id"]


def test_a_row_without_what_identifies_the_record(create: Create) -> None:
    user = {"name": "Nobody", "site_id": 201}
    asset = {"assettype_id": 102, "site_id": 201}
    for action, row, missing in (
        ("create_user", user, "email"),
        ("create_asset", asset, "inventory_number and client_id"),
    ):
        (refused,), sent = create(action, row)
        assert refused["error"] == f"if_missing: requires {missing}, to find an existing record"
        assert (refused["meta"]["code"], sent) == ("input_invalid", "")
