"""`ninjaone sync plan --only` and `--item`, over HTTP against both sandboxes.

Each test fails without `narrow` in `_plan`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        made.map(clients={"take": "all"}, devices=DEVICES)
        yield made


def planned(pair: Pair, *arguments: object) -> Any:
    done = pair.sync("plan", "--json", *arguments)
    assert done.code == 0, done
    return done.json


def ops(plan: Any) -> dict[str, dict[str, int]]:
    """Return the non-empty counts of a plan, which must agree with its items."""
    counts = {entity: dict(numbers) for entity, numbers in plan["counts"].items() if numbers}
    found: dict[str, Counter[str]] = {}
    for item in plan["items"]:
        found.setdefault(item["entity"], Counter())[item["op"]] += 1
    shown = {e: {op: n for op, n in numbers.items() if op != "unchanged"} for e, numbers in counts.items()}
    assert {entity: dict(numbers) for entity, numbers in found.items()} == {
        e: n for e, n in shown.items() if n
    }
    return counts


def test_a_plan_of_some_entities_has_no_others(pair: Pair) -> None:
    assert ops(planned(pair, "--only", "clients,sites")) == {"client": {"link": 4}, "site": {"link": 8}}
    assert set(ops(planned(pair, "--only", "devices"))) == {"asset"}
    done = pair.sync("plan", "--only", "clients", "--exit-code")
    assert "  sites" in done.out
    assert "  assets            0          0          0          0          0          0" in done.out


def test_the_file_of_a_plan_of_single_records_writes_no_others(pair: Pair) -> None:
    pair.run("--only", "clients,sites")
    assert ops(planned(pair, "--full", "--item", "device:1", "device:2")) == {"asset": {"link": 2}}
    (file,) = (pair.folder / "plans").glob("*.json")
    assert pair.sync("apply", "--plan", file).code == 0
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    assert {link["source"] for link in links if link["entity"] == "asset"} == {1, 2}


def test_records_without_changes_are_counted_and_unknown_ones_reported(pair: Pair) -> None:
    pair.run()
    done = pair.sync("plan", "--json", "--item", "device:1", "organization:2", "device:999")
    assert ops(done.json) == {"client": {"unchanged": 1}, "asset": {"unchanged": 1}}
    assert done.err == "warning: device:999 is not in the plan\n"


def test_limits_of_other_entities_do_not_stop_a_plan(tmp_path: Path) -> None:
    with Pair(tmp_path, assets=0) as pair:
        pair.map(clients={"take": "all"}, devices=DEVICES, limits={"creates": 2})
        assert [stop["entity"] for stop in planned(pair)["limits"]] == ["asset"]
        assert planned(pair, "--only", "clients")["limits"] == []
        assert [stop["entity"] for stop in planned(pair, "--item", "device:1")["limits"]] == ["asset"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "things"), '--only: "things" is not one of clients, sites, devices, alerts'),
        (("--item", "computer:1"), '"computer:1" is not a valid key'),
    ],
)
def test_what_a_plan_cannot_be_restricted_to(pair: Pair, arguments: Any, message: str) -> None:
    done = pair.sync("plan", *arguments)
    assert (done.code, message in done.err) == (2, True), done
    assert not (pair.folder / "plans").exists()
