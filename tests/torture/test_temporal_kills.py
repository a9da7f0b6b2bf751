"""A run on Temporal whose workers, starter and servers are killed, one after the other, until it ends.

At the end each row has one envelope, in order, and no request that must not be repeated was sent twice.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until
from tests.postgres import Server
from tests.temporal.conftest import require_temporal
from tests.temporal.server import TemporalServer
from tests.temporal.stage import Process, Stage
from tests.torture.runs import NOTHING_RUN

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP and SIGKILL there"),
    pytest.mark.slow,
]

TENANTS, ROWS, KILLS = 4, 1200, 12
OUT_OF_REACH = ("cannot be reached", "the database cannot be used", "another worker is running it")
"""What a starter says whose servers are killed before it has begun."""
_PAUSE_S = 20
"""The time for which a worker is paused: longer than its lease."""


class Hardships:
    """A run with two workers, and what happens to it; `met` counts it."""

    def __init__(
        self, stage: Stage, server: Server, temporal: TemporalServer, seed: int, stack: ExitStack
    ) -> None:
        self._stage, self._server, self._temporal, self._stack = stage, server, temporal, stack
        self._draw = random.Random(seed)
        self.met: Counter[str] = Counter()
        self._workers = {name: self._worker(name) for name in ("one", "two")}
        self.run = stack.enter_context(stage.run())

    def _worker(self, name: str) -> Process:
        return self._stack.enter_context(self._stage.worker(name))

    def meet(self) -> None:
        """Let the run go on for some rows, then let something happen to it."""
        before = len(self._stage.sent()) + self._draw.randint(5, 60)
        wait_until(lambda: len(self._stage.sent()) >= before or self.run.process.poll() is not None, 120)
        if self.run.process.poll() is not None:
            self.finish()
            return
        name = self._draw.choice(list(self._workers))
        what = self._draw.choice(("worker", "worker", "pause", "starter", "temporal", "database"))
        self.met[what] += 1
        if what == "worker":
            self._workers[name].kill()
            self._workers[name] = self._worker(name)
        elif what == "pause":
            self._workers[name].send(signal.SIGSTOP)
            time.sleep(_PAUSE_S)
            self._workers[name].send(signal.SIGCONT)
        elif what == "starter":
            self.run.kill()
            self.run = self._stack.enter_context(self._stage.run("--resume"))
        elif what == "temporal":
            self._temporal.kill()
            time.sleep(self._draw.uniform(0, 3))
            self._temporal.start()
        else:
            self._server.kill()
            time.sleep(self._draw.uniform(0, 3))
            self._server.start()

    def finish(self) -> int:
        """Wait for the end of the run, and return its exit code."""
        while self.run.wait() == NOTHING_RUN and any(text in self.run.said() for text in OUT_OF_REACH):
            self.met["starter without a server"] += 1
            self.run = self._stack.enter_context(self._stage.run("--resume"))
        return self.run.wait()


@pytest.mark.parametrize("seed", range(2))
def test_a_run_whose_processes_are_killed_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, own_postgres: Server, seed: int, record_property: Callable[[str, Any], None]
) -> None:
    require_temporal()
    (tmp_path / "temporal").mkdir()
    with ExitStack() as stack:
        temporal = stack.enter_context(TemporalServer(tmp_path / "temporal"))
        sandboxes = [stack.enter_context(Sandbox()) for _ in range(TENANTS)]
        stage = Stage(tmp_path / "stage", sandboxes, own_postgres.url(), temporal.url("q"), ROWS)
        stage.write_job(delay_ms=50)
        hardships = Hardships(stage, own_postgres, temporal, seed, stack)
        while sum(hardships.met.values()) < KILLS and hardships.run.process.poll() is None:
            hardships.meet()
        assert hardships.finish() in (0, 1), hardships.run.said()
    stage.check_complete(most_unknown=2 * TENANTS * KILLS)
    for what, count in hardships.met.items():
        record_property(what, count)
    unknown = sum(envelope["has_error"] for envelope in stage.envelopes())
    record_property("rows: outcome_unknown", unknown)
