"""The command that a conflict's line recommends: it resolves the conflict, or there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES

MAP = {"clients": {"take": "all"}, "devices": {**DEVICES, "match": {"field": 117}}}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        made.map(**MAP)
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


def twins(pair: Pair) -> str:
    """Two active assets have the serial number of device 1, and the first of them is inactive."""
    for asset, inactive in ((5001, True), (5011, False), (5012, False)):
        fields = {117: "EX0000001"}
        pair.halo.agent.asset(asset, client_id=11, site_id=201, fields=fields, inactive=inactive)
    return "sync pin device 1 5011 (or 5012)"


def stamped_elsewhere(pair: Pair) -> str:
    pair.halo.agent.asset(5001, client_id=12, ninjarmm_id=1)
    return ""


def stamped_here_and_elsewhere(pair: Pair) -> str:
    pair.halo.agent.asset(5011, client_id=12, ninjarmm_id=1)
    pair.halo.agent.asset(5001, ninjarmm_id=1)
    return "sync pin device 1 5001"


def stamped_and_inactive(pair: Pair) -> str:
    pair.halo.agent.asset(5001, ninjarmm_id=1, inactive=True)
    return ""


def two_stamps(pair: Pair) -> str:
    for asset, inactive in ((5001, True), (5011, False)):
        pair.halo.agent.asset(asset, client_id=11, site_id=201, ninjarmm_id=1, inactive=inactive)
    return "sync pin device 1 5011"


def of_another_device(pair: Pair) -> str:
    pair.halo.agent.asset(5001, ninjarmm_id=5)
    return "sync pin device 1 5001"


def two_devices(pair: Pair) -> str:
    pair.map(clients={"take": "all"}, devices={**DEVICES, "fields": {"117": "EX0000001"}})
    return "sync pin device 1 5001"


def pinned_to_another(pair: Pair) -> str:
    pair.sync("pin", "device", 5, 5001, sends=False)
    return ""


def pinned_to_nothing(pair: Pair) -> str:
    pair.sync("pin", "device", 1, 9999, sends=False)
    return "sync unpin device 1"


def pinned_to_an_inactive_one(pair: Pair) -> str:
    pair.halo.agent.asset(5001, inactive=True)
    pair.sync("pin", "device", 1, 5001, sends=False)
    return "sync unpin device 1"


def pinned_to_another_client(pair: Pair) -> str:
    pair.halo.agent.asset(5001, client_id=12)
    pair.sync("pin", "device", 1, 5001, sends=False)
    return "sync unpin device 1"


def two_clients(pair: Pair) -> str:
    pair.halo.agent.client(12, name="Alder Dental")
    return "sync pin organization 1 11 (or 12)"


def client_of_another(pair: Pair) -> str:
    pair.sync("pin", "organization", 2, 11, sends=False)
    return "sync pin organization 1 11"


def pinned_client_is_gone(pair: Pair) -> str:
    pair.sync("pin", "organization", 1, 99, sends=False)
    return "sync unpin organization 1"


def mapped_client_is_inactive(pair: Pair) -> str:
    pair.map(**{**MAP, "clients": {"take": "all", "map": [{"organization": 1, "client": 11}]}})
    pair.halo.agent.client(11, inactive=True)
    return "change clients.map in mapping.yaml"


CASES = (
    *(twins, stamped_elsewhere, stamped_here_and_elsewhere, stamped_and_inactive, two_stamps),
    *(of_another_device, two_devices, pinned_to_another, pinned_to_nothing, pinned_to_an_inactive_one),
    *(pinned_to_another_client, two_clients, client_of_another, pinned_client_is_gone),
    mapped_client_is_inactive,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_command_of_a_conflict_resolves_it(pair: Pair, case: object) -> None:
    """Fails if the first candidate is recommended, although a pin cannot choose it."""
    expected = case(pair)  # type: ignore[operator]
    shown = hints(pair)
    (record,) = [record for record in ("organization 1", "device 1") if shown.get(record) == expected]
    if not expected.startswith("sync"):
        return
    _, command, *words = expected.partition(" (or")[0].split()
    assert pair.sync(command, *words, sends=False).code == 0
    assert record not in hints(pair) or command == "unpin"


def test_a_conflict_that_is_not_looked_at_again_keeps_its_hint(pair: Pair) -> None:
    expected = two_stamps(pair)
    assert pair.sync("run").code == 1
    assert hints(pair)["device 1"] == expected
