"""SIGKILL at every write point of alerts: no second ticket, no wrong reset, and nothing is stuck.

A real process works on both sandboxes over HTTP and is killed; the next one goes on. The scenario has every
kind of call: creating, closing, reopening, notes, resetting, and a ticket that is looked up.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_queues import Inbox
from tests.sync.alert_pair import AlertPair
from tests.torture.alert_process import work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")

HOUR = 3600.0
Record = Callable[[str, Any], None]


class Scenario:
    """One life of two sandboxes; the process that works between them dies at some write points."""

    def __init__(self, pair: AlertPair, context: Any) -> None:
        self.pair, self._context = pair, context
        self.kills = 0
        self.points = 0
        self._kill_at: list[int] = []

    def live(self, *kill_at: int) -> None:
        """Live through the scenario, and die at these write points, counted over all processes."""
        self._kill_at = sorted(kill_at)
        self.points = 0
        pair = self.pair
        first, second, third = (pair.fire(device, subject=f"alert {device}") for device in (1, 2, 3))
        self.work()
        pair.ninja.alerts.record(first, "ACKNOWLEDGED")
        pair.heal(second)
        pair.halo.agent.close(self._ticket(third))
        self.work()
        pair.fire(2, uid=second, subject="alert 2")  # within `flap_min`
        self.work(polls=1)
        pair.heal(second)
        self.work(polls=2)
        for _ in range(3):
            pair.now += HOUR
            self.work(polls=1)
        self._check(first, second, third)

    def _ticket(self, uid: str) -> int:
        found = [t["id"] for t in self.pair.tickets() if t["summary"] == "alert 3"]
        return found[0] if found else self._made_later(uid)

    def _made_later(self, uid: str) -> int:
        """Let the time pass until the ticket of an alert is made, whose creation was cut short."""
        for _ in range(3):
            self.pair.now += HOUR
            self.work(polls=1)
        (found,) = [t["id"] for t in self.pair.tickets() if t["summary"] == "alert 3"]
        return int(found)

    def work(self, polls: int = 0) -> None:
        """Let a process work, and another one after it if it is killed."""
        self.pair.ninja.wait_for_deliveries()
        self.pair.halo.wait_for_deliveries()
        while True:
            kill_at = self._kill_at[0] - self.points if self._kill_at else 0
            ours, theirs = self._context.Pipe(duplex=False)
            arguments = (str(self.pair.folder), self.pair.now, max(kill_at, 0), polls, theirs)
            process = self._context.Process(target=work, args=arguments)
            process.start()
            theirs.close()
            process.join(120)
            if process.exitcode == 0:
                self.points += ours.recv()
                ours.close()
                return
            ours.close()
            assert process.exitcode == -signal.SIGKILL
            self.kills += 1
            self.points += kill_at
            self._kill_at.pop(0)

    def _check(self, first: str, second: str, third: str) -> None:
        pair = self.pair
        stamps = [
            values.get("CFNinjaAlert")
            for (entity, _), values in pair.halo.state.custom_values.items()
            if entity == "ticket" and values.get("CFNinjaAlert")
        ]
        assert len(set(stamps)) == len(stamps), f"two tickets with one stamp: {stamps}"
        by_alert: dict[str, list[dict[str, Any]]] = {first: [], second: [], third: []}
        for ticket in pair.tickets():
            by_alert[ticket["ninja_alert_id"]].append(ticket)
        assert [len(by_alert[first]), len(by_alert[third])] == [1, 1]
        assert len(by_alert[second]) in (1, 2), "an alert that restarted too late gets a separate ticket"
        assert not pair.is_closed(by_alert[first][0]), "it is still on"
        assert all(map(pair.is_closed, by_alert[second])), "it has ended"
        assert pair.is_closed(by_alert[third][0])
        assert list(pair.ninja.state.alerts)[-1] == first
        assert third not in pair.ninja.state.alerts, "an agent has closed its ticket"
        with State(pair.folder, write=False) as state:
            rows = AlertRows(state)
            assert rows.of_state("CREATING", "CLOSING", "RESETTING", "REOPENING", "ERROR") == []
            assert Inbox(state).waiting() == 0


@pytest.fixture(scope="module")
def context() -> Any:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["tests.torture.alert_process"])
    return found


class Lives:
    """Lives one after the other, each with a new folder and new sandboxes."""

    def __init__(self, folder: Path, context: Any) -> None:
        self._folder, self._context, self._count = folder, context, 0

    def live(self, *kill_at: int) -> Scenario:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        with AlertPair(folder) as pair:
            pair.state.close()
            scenario = Scenario(pair, self._context)
            scenario.live(*kill_at)
        # 200 lives would have more open files than a process may have: the threads of waitress keep them.
        pair.end_threads()
        gc.collect()
        return scenario


@pytest.fixture
def lives(tmp_path: Path, context: Any) -> Lives:
    return Lives(tmp_path, context)


def test_alerts_survive_kills_at_some_write_points(lives: Lives, record_property: Record) -> None:
    points = lives.live().points
    kills: Counter[str] = Counter()
    for point in range(3, points, points // 3):
        kills["kills"] += lives.live(point).kills
    record_property("write points", points)
    record_property("kills", kills["kills"])
    assert kills["kills"] >= 3


@pytest.mark.slow
def test_alerts_survive_kills_at_every_write_point(lives: Lives, record_property: Record) -> None:
    """At every write point once, and then at up to three of them until there were 200 kills."""
    points = lives.live().points
    draw, kills = random.Random(17), 0
    for point in range(1, points + 1):
        kills += lives.live(point).kills
    while kills < 200:
        kills += lives.live(*draw.sample(range(1, points), 3)).kills
    record_property("write points", points)
    record_property("kills", kills)
