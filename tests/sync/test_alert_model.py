"""The life of an alert, searched breadth-first: every order of deliveries, polls, people's acts and faults.

Each scenario is a world and the acts that are possible in it. From every state that is reached, three
complete polls must end in tickets that fit the alerts (A9); on the way no alert gets a second ticket, no
alert is reset that no one closed the ticket of, no ticket is closed whose alert is on, no chain of calls is
endless, and no row is stuck (`alert_world`).

Mutations that must fail here, each tried:

* `_is_later` without the comparison with `ended`, or with `>=` an older start
* `_missing` without the check of `event.seq` against `heard`
* `SHOWN = 1`, `SHOWN = 99`, `MISSED = 99`
* `_ended` without `event.at < row.start`
* `_end` that closes a row in CREATING, or forgets `end_pending` in `opened`
* `_not_found` that creates after the first look-up, or after an incomplete one
* `_unknown` that creates again at once
* `end` without `is_shared`, or without `is_ours`
* `on_ticket` without `is_closed_by_us`
* `_closed_by_people` without the count of resets
* `_merged` that leaves the row at its old ticket
* `_closing` that closes a ticket which another alert has come to need
* `_is_takeable` without `is_ours`
* `_ended` that keeps `again`, `close` that forgets it
* `_due` without WAITING
* `_unknown` that makes a call again at once although its response was lost twice
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest

from connector.sync.alert_events import AlertSettings, Release, Retry
from connector.sync.alert_rows import PENDING
from tests.sync.alert_world import World

Act = Callable[[World], None]
DEEPEST = 8
"""Events in a row that the full search looks at."""
WIDEST = 2500
"""Worlds of a layer that the full search follows: all of them, but in scenarios with faults."""
WIDEST_QUICK = 120
"""The same for `make test`."""
FAULTS = ("killed_before", "killed_after", "killed_blind", "outage", "refused")
MUTE = ("mute",)


@dataclass(frozen=True)
class Scenario:
    world: Callable[[], World]
    acts: str
    """Words: fire, heal, deliver, double, poll, list, wait, long (wait), people's acts, faults, release."""
    quick: int
    most_events: int = 3


def two_open() -> World:
    """Return a world in which two alerts have their tickets."""
    world = World(conditions=TWO)
    world.fire("a")
    world.fire("b")
    world.poll()
    world.deliveries = ()
    return world


TWO = {"a": (1, "x"), "b": (1, "x")}
SCENARIOS = {
    "deliveries": Scenario(World, "fire heal deliver double poll", 7),
    "lists": Scenario(World, "fire heal deliver list read close", 7, 2),
    "list_faults": Scenario(World, "fire heal list poll close faults", 6, 2),
    "faults": Scenario(World, "fire heal deliver poll wait faults", 5, 2),
    "lag": Scenario(partial(World, lag=590), "fire heal poll wait short faults", 5, 2),
    "people": Scenario(World, "fire heal deliver poll read close reopen delete touch", 7, 2),
    "people_faults": Scenario(World, "fire poll read close wait faults", 7, 2),
    "leave": Scenario(
        partial(World, AlertSettings(on_close="leave")), "fire heal deliver poll read close reopen", 7, 2
    ),
    "merges": Scenario(two_open, "fire heal poll close merge merge_foreign", 6, 4),
    "merge_faults": Scenario(two_open, "fire heal deliver poll merge faults wait", 5, 3),
    "waiting": Scenario(
        partial(World, AlertSettings(wait_s=300)), "fire heal deliver double poll wait faults", 5, 2
    ),
    "held": Scenario(
        partial(World, AlertSettings(tickets_per_hour=1), TWO), "fire heal poll release long close", 6, 3
    ),
    "flaps": Scenario(partial(World, conditions=TWO), "fire heal deliver poll long close", 5, 3),
    "flaps_refused": Scenario(
        partial(World, conditions=TWO, takes_reopening=False), "fire heal poll close faults", 6, 3
    ),
    "untouched": Scenario(
        partial(World, AlertSettings(on_reset="close_untouched")),
        "fire heal poll touch close faults",
        8,
        3,
    ),
    "note": Scenario(
        partial(World, AlertSettings(on_reset="note")), "fire heal poll long close delete faults", 6
    ),
    "suppressed": Scenario(partial(World, wanted=False), "fire heal deliver double poll list", 6),
    "waiting_lists": Scenario(partial(World, AlertSettings(wait_s=300)), "fire heal deliver list wait", 7, 2),
    "mute": Scenario(World, "fire heal poll close long retry mute", 5, 2),
    "glitches": Scenario(World, "fire heal deliver poll glitch long close", 7, 2),
}


def acts(world: World, scenario: Scenario) -> Iterator[tuple[str, Act]]:
    """Yield what can happen next."""
    words = scenario.acts.split()
    for uid in world.conditions:
        if "fire" in words and uid not in world.alerts and world.fired < scenario.most_events:
            yield f"fire {uid}", lambda w, uid=uid: w.fire(uid)
        if "heal" in words and uid in world.alerts:
            yield f"heal {uid}", lambda w, uid=uid: w.heal(uid)
    for index, delivery in enumerate(world.deliveries):
        if "deliver" in words:
            yield f"deliver {delivery}", lambda w, index=index: w.deliver(index)
        if "double" in words:
            yield f"deliver {delivery} and again", lambda w, index=index: w.deliver(index, keep=True)
    if "poll" in words:
        yield "poll", World.poll
    if "glitch" in words and world.alerts:
        yield "glitch", World.glitch
    if "list" in words:
        if world.snapshot is None:
            yield "request the list", World.request_list
        else:
            yield "receive the list", World.receive_list
    if "wait" in words:
        yield "wait", lambda w: w.wait(620)
    if "short" in words:
        yield "short", lambda w: w.wait(70)
    if "long" in words:
        yield "long", lambda w: w.wait(3700)
    for number, ticket in world.tickets.items():
        if "read" in words:
            yield f"read {number}", lambda w, number=number: w.read(number)
        for act in ("close", "merge", "merge_foreign", "delete", "touch"):
            if act in words and ticket.status == "open" and (act == "close" or ticket.stamp != "foreign"):
                yield f"{act} {number}", lambda w, number=number, act=act: w.people(number, act)
        if "reopen" in words and ticket.status == "closed":
            yield f"reopen {number}", lambda w, number=number: w.people(number, "reopen")
    if "retry" in words:
        for row in list(world.rows.values()):
            if row.state in ("ERROR", *PENDING):
                event: Retry | Release = Retry(row.uid, row.generation, world.now)
                yield f"retry {row.stamp}", lambda w, event=event: w.react(replace(event, now=w.now))
    if "release" in words:
        for row in list(world.rows.values()):
            if row.state == "HELD":
                event = Release(row.uid, row.generation, world.now)
                yield f"release {row.stamp}", lambda w, event=event: w.react(replace(event, now=w.now))


def steps(world: World, scenario: Scenario) -> Iterator[tuple[str, World]]:
    """Yield the worlds that can be next, also through a fault of the first call."""
    words = scenario.acts.split()
    faults = ("", *(FAULTS if "faults" in words else ()), *(MUTE if "mute" in words else ()))
    for name, act in acts(world, scenario):
        for fault in faults:
            after = world.copy()
            after.fault = fault
            act(after)
            if fault and after.fault:  # it made no call
                continue
            after.fault = ""
            yield f"{name} {fault}".strip(), after


def search(scenario: Scenario, depth: int, widest: int = 10**9) -> int:
    """Look at every world up to a depth; return how many there are.

    From a layer with more than `widest` worlds only so many, drawn at random, are followed.
    """
    start = scenario.world()
    seen = {start.key()}
    layer: list[tuple[tuple[str, ...], World]] = [((), start)]
    for _ in range(depth):
        following = []
        for path, world in layer:
            try:
                for name, after in steps(world, scenario):
                    if after.key() not in seen:
                        seen.add(after.key())
                        following.append(((*path, name), after))
                        after.copy().settle()
            except AssertionError as error:
                raise AssertionError(f"{error}, after {path} and one more") from error
        layer = following if len(following) <= widest else random.Random(0).sample(following, widest)
    return len(seen)


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_order_of_events_breaks_the_life_of_an_alert(name: str) -> None:
    assert search(SCENARIOS[name], SCENARIOS[name].quick, WIDEST_QUICK) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_order_of_events_breaks_the_life_of_an_alert_however_long(name: str) -> None:
    assert search(SCENARIOS[name], DEEPEST, WIDEST) > 300


if __name__ == "__main__":
    import sys

    for name in sys.argv[2:] or SCENARIOS:
        began = time.process_time()
        found = search(SCENARIOS[name], int(sys.argv[1]) if sys.argv[1:] else SCENARIOS[name].quick)
        print(name, found, f"{time.process_time() - began:.1f} s", flush=True)
