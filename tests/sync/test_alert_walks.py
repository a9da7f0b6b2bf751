"""Random walks of the alert driver: calls that fail, are lost, or kill the process, at any time.

Three polls after the last of them, each alert that is on has its ticket, no other ticket is open, and no
stamp was used twice.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.sync.alert_sides import Desk

STEPS = 16
FAULTS = ("outage", "lost", "before", "after")
DEVICES = (1, 2, 3)


class Walk:
    """Alerts on a few devices, one series each; a fault strikes about every other step."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.draw = desk, random.Random(seed)
        self.late: list[list[object]] = []
        self.fired: Counter[str] = Counter()

    def go(self) -> None:
        acts = (self.fire, self.fire, self.heal, self.close, self.merge, self.acknowledge, self.late_ones)
        for _ in range(STEPS):
            if self.draw.random() < 0.5:
                self.desk.target.faults.next = self.draw.choices(FAULTS, k=self.draw.choice((1, 1, 2)))
            if self.draw.random() < 0.2:
                self.desk.source.faults.next = [self.draw.choice(FAULTS)]
            self.draw.choice((*acts, self.desk.poll, self.wait))()
        self.desk.target.faults.next = self.desk.source.faults.next = []
        for _ in range(3):
            self.desk.wait(3700)
            self.desk.poll()

    def uid(self) -> str:
        return f"s{self.draw.choice(DEVICES)}"

    def fire(self) -> None:
        uid = self.uid()
        if uid not in self.desk.source.on:
            self.fired[uid] += 1
            self.send(self.desk.fire(uid, int(uid[1:]), delivered=False))

    def heal(self) -> None:
        if self.desk.source.on:
            self.send(self.desk.heal(self.draw.choice(sorted(self.desk.source.on)), delivered=False))

    def send(self, delivery: list[object]) -> None:
        """Deliver now, twice, later, or never."""
        for _ in range(self.draw.choice((0, 1, 1, 2))):
            self.desk.deliver(delivery) if self.draw.random() < 0.7 else self.late.append(delivery)

    def late_ones(self) -> None:
        self.draw.shuffle(self.late)
        while self.late:
            self.desk.deliver(self.late.pop())

    def open_tickets(self) -> list[int]:
        return [number for number, ticket in self.desk.tickets.items() if ticket.status == "open"]

    def close(self) -> None:
        if found := self.open_tickets():
            self.desk.agent(self.draw.choice(found), "closed", delivered=self.draw.random() < 0.5)

    def merge(self) -> None:
        found = self.open_tickets()
        if len(found) > 1 and self.draw.random() < 0.5:
            one, other = self.draw.sample(found, 2)
            self.desk.agent(one, "merged", into=other, delivered=self.draw.random() < 0.5)

    def acknowledge(self) -> None:
        self.desk.deliver(["acknowledged", self.uid(), self.desk.now, 1])

    def wait(self) -> None:
        self.desk.wait(self.draw.choice((30.0, 700.0, 3700.0)))

    def check(self) -> None:
        rows = self.desk.driver.rows
        waiting = rows.of_state("CREATING", "CLOSING", "RESETTING", "REOPENING", "ERROR", "WAITING")
        assert waiting == []
        stamps = [ticket.values["stamp"] for ticket in self.desk.tickets.values()]
        assert len(stamps) == len(set(stamps))
        for uid, times in self.fired.items():
            row = rows.latest(uid)
            assert row is None or row.generation <= times, f"{uid} started {times} times: {row}"
        needed = set()
        for uid in self.desk.source.on:
            row = rows.latest(uid)
            assert row is not None
            assert row.state in ("OPEN", "LEFT"), f"{uid} is on"
            if row.state == "OPEN":
                assert row.ticket is not None
                assert self.desk.tickets[row.ticket].status == "open"
                needed.add(row.ticket)
        notes = {n for n, t in self.desk.tickets.items() if "/" in t.values["stamp"]}
        assert set(self.open_tickets()) - notes == needed


@pytest.mark.parametrize("seed", range(40))
def test_random_walks_end_in_the_right_tickets(tmp_path: Path, seed: int) -> None:
    _walk(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(40, 1000, 40))
def test_many_random_walks_end_in_the_right_tickets(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 40):
        (tmp_path / str(seed)).mkdir()
        _walk(tmp_path / str(seed), seed)


def _walk(folder: Path, seed: int) -> None:
    desk = Desk(folder)
    desk.poll()
    walk = Walk(desk, seed)
    try:
        walk.go()
        walk.check()
    finally:
        desk.close()
