"""The command that a conflict's line recommends: it resolves the conflict, or there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES

MAP: dict[str, Any] = {"clients": {"take": "all"}, "devices": {**DEVICES, "match": {"field": 117}}}
SAME = {"client_id": 11, "site_id": 201, "fields": {117: "EX0000001"}}
"""The client and the serial number of device 1."""
STAMPED = {"client_id": 11, "site_id": 201, "ninjarmm_id": 1}


@dataclass(frozen=True)
class Case:
    """A conflict of device 1 or organization 1, and the command that a plan recommends (empty: none).

    `assets` and `clients` have the changed properties in HaloPSA by id. `pins` are arguments of `sync pin`.
    """

    expected: str
    assets: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    clients: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    pins: tuple[tuple[str, int, int], ...] = ()
    mapping: Mapping[str, Any] = field(default_factory=dict)

    def prepare(self, pair: Pair) -> None:
        """Make the changes."""
        for id, values in self.clients.items():
            pair.halo.agent.client(id, **values)
        for id, values in self.assets.items():
            pair.halo.agent.asset(id, **values)
        for pin in self.pins:
            pair.sync("pin", *pin, sends=False)
        pair.map(**{**MAP, **self.mapping})


TWO_STAMPS = Case("sync pin device 1 5011", {5001: {**STAMPED, "inactive": True}, 5011: STAMPED})
CASES = {
    "twins": Case(
        "sync pin device 1 5011 (or 5012)", {5001: {**SAME, "inactive": True}, 5011: SAME, 5012: SAME}
    ),
    "stamped elsewhere": Case("", {5001: {"client_id": 12, "ninjarmm_id": 1}}),
    "stamped here and elsewhere": Case(
        "sync pin device 1 5001", {5011: {"client_id": 12, "ninjarmm_id": 1}, 5001: {"ninjarmm_id": 1}}
    ),
    "stamped and inactive": Case("", {5001: {"ninjarmm_id": 1, "inactive": True}}),
    "two stamps": TWO_STAMPS,
    "of another device": Case("sync pin device 1 5001", {5001: {"ninjarmm_id": 5}}),
    "two devices": Case(
        "sync pin device 1 5001", mapping={"devices": {**DEVICES, "fields": {"117": "EX0000001"}}}
    ),
    "pinned to another": Case("", pins=(("device", 5, 5001),)),
    "pinned to nothing": Case("sync unpin device 1", pins=(("device", 1, 9999),)),
    "pinned to an inactive one": Case(
        "sync unpin device 1", {5001: {"inactive": True}}, pins=(("device", 1, 5001),)
    ),
    "pinned to another client": Case(
        "sync unpin device 1", {5001: {"client_id": 12}}, pins=(("device", 1, 5001),)
    ),
    "two clients": Case("sync pin organization 1 11 (or 12)", clients={12: {"name": "Alder Dental"}}),
    "client of another": Case("sync pin organization 1 11", pins=(("organization", 2, 11),)),
    "pinned client is gone": Case("sync unpin organization 1", pins=(("organization", 1, 99),)),
    "mapped client is inactive": Case(
        "change clients.map in mapping.yaml",
        clients={11: {"inactive": True}},
        mapping={"clients": {"take": "all", "map": [{"organization": 1, "client": 11}]}},
    ),
}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        yield made


def hints(pair: Pair) -> dict[str, str]:
    """Return the command of each conflict of a new plan, without the folder, by its record."""
    done = pair.sync("plan")
    assert done.code == 0, done
    found = {}
    for line in done.out.splitlines():
        if record := re.match(r"conflict  (\w+ \d+)", line):
            found[record[1]] = line.partition("   → ")[2].replace(f" {pair.folder}", "")
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_command_of_a_conflict_resolves_it(pair: Pair, case: Case) -> None:
    """Fails if the first candidate is recommended, although a pin cannot choose it."""
    case.prepare(pair)
    shown = hints(pair)
    (record,) = [record for record in ("organization 1", "device 1") if shown.get(record) == case.expected]
    if not case.expected.startswith("sync"):
        return
    _, command, *words = case.expected.partition(" (or")[0].split()
    assert pair.sync(command, *words, sends=False).code == 0
    assert record not in hints(pair)


def test_a_conflict_that_is_not_looked_at_again_keeps_its_hint(pair: Pair) -> None:
    TWO_STAMPS.prepare(pair)
    assert pair.sync("run").code == 1
    assert hints(pair)["device 1"] == TWO_STAMPS.expected
