"""Events of many hours: closing automations, and deliveries that are lost or repeated at random."""

from __future__ import annotations

import random

import pytest

from connector.sync.alert_events import AlertSettings
from tests.sync.alert_world import World


def test_a_closing_automation_against_a_true_condition_is_left_alone() -> None:
    world = World(AlertSettings(flap_s=0), automation=True)
    for _ in range(60):
        if "a" not in world.alerts:
            world.fire("a")
        world.poll()
        world.wait(60)
    assert len(world.tickets) <= 4
    assert max(world.rows.values(), key=lambda row: row.generation).state == "LEFT"


@pytest.mark.parametrize("flap_s", [0, 900])
@pytest.mark.parametrize("on_close", ["reset", "leave"])
@pytest.mark.parametrize("seed", range(15))
def test_any_deliveries_and_then_three_polls_end_in_the_same_tickets(
    seed: int, on_close: str, flap_s: float
) -> None:
    chance = random.Random(seed)
    world = World(
        AlertSettings(on_close=on_close, flap_s=flap_s),  # type: ignore[arg-type]
        {"a": (1, "x"), "b": (1, "x"), "c": (2, "x")},
    )
    for _ in range(60):
        _anything(world, chance)
        world.copy().settle()
    world.settle()


def _anything(world: World, chance: random.Random) -> None:
    uid = chance.choice(list(world.conditions))
    act = chance.choice(["change", "change", "deliver", "deliver", "lose", "poll", "people", "wait", "fault"])
    if act == "change":
        world.heal(uid) if uid in world.alerts else world.fire(uid)
    elif act == "deliver" and world.deliveries:
        world.deliver(chance.randrange(len(world.deliveries)), keep=chance.random() < 0.3)
    elif act == "lose" and world.deliveries:
        index = chance.randrange(len(world.deliveries))
        world.deliveries = world.deliveries[:index] + world.deliveries[index + 1 :]
    elif act == "poll":
        world.poll()
    elif act == "people":
        is_open = [number for number, t in world.tickets.items() if t.status == "open" and "#" in t.stamp]
        if is_open:
            world.people(chance.choice(is_open), chance.choice(["close", "close", "merge", "touch"]))
    elif act == "wait":
        world.wait(chance.choice([30, 300, 700, 4000]))
    elif act == "fault":
        world.fault = chance.choice(["killed_before", "killed_after", "outage"])
