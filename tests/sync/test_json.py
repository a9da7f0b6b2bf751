"""`--json` of the commands that write or change something: their output is one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        yield made


def test_init_and_rebuild(pair: Pair) -> None:
    (pair.folder / "mapping.yaml").unlink()
    made = pair.sync("init", "--source", "ninja.yaml", "--target", "halo.yaml", "--json").json
    assert made == {
        "file": str(pair.folder / "mapping.yaml"),
        "organizations": 4,
        "locations": 8,
        "taken_over": 0,
        "suggested": 4,
        "open": 0,
    }
    found = pair.sync("rebuild", "--json").json
    assert found["links"] == 12
    assert pair.sync("apply", "--plan", found["plan"], "--json").json["outcomes"]["site"] == {"done": 8}


def test_pins(pair: Pair) -> None:
    file = str(pair.folder / "pins.yaml")
    one = {"file": file, "noun": "device", "source": 4}
    assert pair.sync("pin", "device", 4, 5001, "--json", sends=False).json == {**one, "target": 5001}
    assert pair.sync("unpin", "device", 4, "--json", sends=False).json == {**one, "target": None}


@pytest.mark.parametrize("wrong", [("device", 7, 0), ("device", "x", 1), ("device", 0, 1)])
def test_ids_of_pins_are_checked(pair: Pair, wrong: tuple[object, ...]) -> None:
    assert pair.sync("pin", *wrong, sends=False).code == 2
    assert not (pair.folder / "pins.yaml").exists()


def test_webhooks(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, alerts=ALERTS)
    options = (
        "--url",
        "https://hooks.example.com",
        "--only",
        "halopsa",
        "--json",
        "--yes",
        "--delay-ms",
        "0",
    )
    made = pair.sync_words("webhook", "register", pair.folder, *options).json
    assert made == {"service": "halopsa", "registered": True, "error": None}
    removed = pair.sync_words("webhook", "remove", pair.folder, *options).json
    assert removed == {"service": "halopsa", "removed": True}


def test_rebuild_is_not_limited_by_what_it_does_not_propose(tmp_path: Path) -> None:
    """Fails if the limits of the plan stay in the file: nothing of it would be applied."""
    with Pair(tmp_path, assets=0) as pair:
        devices = {"type": "{{ device.nodeClass }}", "create_types": True, "type_group": 3}
        pair.map(clients={"take": "all"}, devices=devices, limits={"creates": 1})
        found = pair.sync("rebuild", "--json").json
        assert pair.sync("apply", "--plan", found["plan"]).code == 0
