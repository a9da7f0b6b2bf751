"""A process that works on alerts once, and that can be killed at any of its write points.

A write point is just before or after a commit, and just before or after a request that changes something: in
the latter case it is done, and nobody knows.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from connector.catalog.catalog import Catalog
from connector.sync.alert_driver import AlertDriver
from connector.sync.mapping_file import load_mapping
from connector.sync.sides import open_sides
from connector.sync.state import State
from connector.sync.webhooks import load_hooks, readers
from tests.sync.alert_pair import OurClock

CATALOG = Catalog()
WRITES = ("COMMIT", "INSERT", "UPDATE", "DELETE")


class WritePoints:
    """Counts write points, and kills the process at one of them."""

    def __init__(self, kill_at: int) -> None:
        self.count, self._kill_at = 0, kill_at

    def pass_one(self) -> None:
        self.count += 1
        if self.count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, holder: Any, name: str) -> None:
        """Make the calls of a method write points."""
        method = getattr(holder, name)

        def wrapped(*arguments: Any, **more: Any) -> Any:
            self.pass_one()
            value = method(*arguments, **more)
            self.pass_one()
            return value

        setattr(holder, name, wrapped)


class CountedState(State):
    """A state whose writes are write points."""

    points: WritePoints

    def _run(self, statement: str, values: Any = ()) -> Any:
        is_write = statement.startswith(WRITES) and (statement == "COMMIT" or not self._depth)
        if is_write:
            self.points.pass_one()
        found = super()._run(statement, values)
        if is_write:
            self.points.pass_one()
        return found


def work(folder: str, now: float, kill_at: int, polls: int, answer: Any) -> None:
    """Start, apply what was delivered, and poll; send the number of write points that were passed."""
    points = CountedState.points = WritePoints(kill_at)
    mapping = load_mapping(Path(folder) / "mapping.yaml")
    source, target = open_sides(mapping, CATALOG, delay_ms=0)
    for side in (source, target):
        side.calls.client._clock = OurClock(lambda: now)
    points.around(source, "reset_alert")
    points.around(target, "save_ticket")
    with CountedState(Path(folder), write=True, now=now) as state:
        hooks = readers(load_hooks(source, target))
        driver = AlertDriver(state, source, target, mapping, lambda: now, hooks)
        driver.start()
        driver.work()
        for _ in range(polls):
            driver.poll()
    answer.send(points.count)
