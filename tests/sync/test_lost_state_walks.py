"""Random sequences of events with lost states: no second ticket, no stamp twice, and no wrong reset.

`Desk` itself fails if a stamp is used twice. Fails without the look-up of stamps, and if a closed ticket of
the same occurrence, or its generation, is forgotten, or the open ticket of an alert that ended.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.sync.alert_sides import MAPPING, Desk

UIDS = "abc"


@pytest.mark.parametrize("first_run", ["adopt", "ticket"])
@pytest.mark.parametrize("seed", [*range(6), 117, 125, 131, 250])
def test_walks_with_lost_states(tmp_path: Path, first_run: str, seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk(tmp_path, f"{MAPPING}  first_run: {first_run}\n")
    desk.poll()
    fired: Counter[str] = Counter()
    closed: set[str] = set()
    for _ in range(25):
        act = chance.choice(["fire", "fire", "heal", "poll", "poll", "close", "lose", "wait"])
        uid, delivered = chance.choice(UIDS), chance.random() < 0.7
        if act == "fire":
            fired[uid] += 1
            desk.fire(uid, 1 + UIDS.index(uid), delivered=delivered)
        elif act == "heal" and uid in desk.source.on:
            desk.heal(uid, delivered=delivered)
        elif act == "close" and (number := open_ticket(desk, uid)) is not None:
            closed.add(uid)
            desk.agent(number, "closed", delivered=delivered)
        elif act == "lose":
            desk.state.close()
            for file in tmp_path.glob("state.db*"):
                file.unlink()
            desk.start()
        elif act == "wait":
            desk.wait(700)
        elif act == "poll":
            desk.now += 600
            desk.poll()
        created = Counter(ticket.values["alert"] for ticket in desk.tickets.values())
        assert created <= fired
        assert {uid for uid, _ in desk.source.resets} <= closed
    desk.close()


def open_ticket(desk: Desk, uid: str) -> int | None:
    tickets = (n for n, t in desk.tickets.items() if t.values["alert"] == uid and t.status == "open")
    return next(tickets, None)
