"""Runs on Temporal whose processes are killed, paused and cut off, one after the other, until they end.

Three workers run the rows of twelve tenants. Workers, the starter, Temporal's server and PostgreSQL are
killed, workers are paused until others have taken over, and the network between a process and the database
drops everything for a while. At the end each row has one envelope, in order, no request that must not be
repeated was sent twice, and no update was repeated after a later one, except by a worker that was paused
between its last check and the request.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.postgres import Server
from tests.state.proxy import Proxy
from tests.temporal.conftest import require_temporal
from tests.temporal.server import TemporalServer
from tests.temporal.stage import Process, Stage
from tests.torture.kinds import DELETE, ONE_DEVICE, SCRIPT, TICKET, Kind
from tests.torture.runs import NOTHING_RUN, STOPPED

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP and SIGKILL there"),
    pytest.mark.slow,
]

TENANTS, ROWS = 12, 2880
WORKERS = ("one", "two", "three")
STARTER = "starter"
HARDSHIPS = {
    "worker killed": 7,
    "worker paused": 3,
    "network cut": 4,
    "starter killed": 2,
    "Temporal killed": 2,
    "database killed": 3,
}
"""How often each happens to each run."""
OUT_OF_REACH = ("cannot be reached", "the database cannot be used", "another worker is running it")
"""What a starter says whose servers are killed or cut off."""
_PAUSES_S = (18.0, 25.0)
"""The times for which a worker is paused: longer than its lease."""
_CUTS_S = (3.0, 25.0)
"""The times for which a network is cut: shorter and longer than a lease, and than a database may take."""
_PATIENCE_S = 180
METHODS = {
    "create_ticket": "POST",
    "run_script": "POST",
    "update_device": "PATCH",
    "delete_contact": "DELETE",
}
VARIANTS = [
    ((TICKET,), 1, 20),
    ((TICKET,), 4, 300),
    ((SCRIPT,), 4, 300),
    ((ONE_DEVICE,), 1, 20),
    ((DELETE,), 3, 200),
    ((TICKET, ONE_DEVICE, SCRIPT, DELETE), 1, 20),
]
"""The kinds of the rows, each of which is a step of the job; `concurrency`; and the latency of the service in
milliseconds."""


class Rows(Stage):
    """A job whose steps have a kind each, over the rows of several tenants in turn.

    `n` is the number of a row of its tenant, from 1.
    """

    kinds: Sequence[Kind] = ()

    def write(self, kinds: Sequence[Kind], concurrency: int) -> None:
        """Write the rows and the job."""
        self.kinds = kinds
        self.write_rows(
            [{"n": n // TENANTS + 1, "tenant": self.names[n % TENANTS]} for n in range(self.rows)]
        )
        steps = [
            {"name": kind.action, "action": kind.action, "templates": kind.templates, "input": "rows.jsonl"}
            for kind in kinds
        ]
        settings = {"delay_ms": 200 // concurrency, "concurrency": concurrency, "output": "out"}
        self.write_job(**dict.fromkeys(("action", "templates", "input")), steps=steps, **settings)
        for sandbox in self.sandboxes:
            contacts = {n: {"id": n, "uid": str(n)} for n in range(1, self.rows // TENANTS + 1)}
            sandbox.state.store["contact"] = contacts

    def of_tenants(self, kind: Kind) -> list[list[int]]:
        """The rows of a step whose requests each tenant received, in the order of arrival."""
        found = []
        for sandbox in self.sandboxes:
            entries = (entry for entry in sandbox.log.requests() if entry["method"] == METHODS[kind.action])
            found.append([n for entry in entries if (n := kind.row_of(entry)) is not None])
        return found

    def check(self, kind: Kind, most_unknown: int, most_late: int) -> Counter[str]:
        """Check envelopes and requests of a step; return counts of rows and requests."""
        lines = (self.starter / "out" / f"{kind.action}.jsonl").read_text().splitlines()
        envelopes = [json.loads(line) for line in lines]
        assert [envelope["row"] for envelope in envelopes] == list(range(1, self.rows + 1))
        codes = Counter(str(envelope["meta"]["code"]) for envelope in envelopes)
        assert codes.keys() <= {"None", "outcome_unknown"}, codes
        sent = self.of_tenants(kind)
        by_row = Counter((n - 1) * TENANTS + tenant + 1 for tenant, rows in enumerate(sent) for n in rows)
        repeated = sum(count > 1 for count in by_row.values())
        if kind.once:
            assert not repeated
            assert codes["outcome_unknown"] <= most_unknown
        else:
            assert not codes["outcome_unknown"]
        for envelope in envelopes:
            if not envelope["has_error"]:
                assert by_row[envelope["row"]]
                assert kind.fits(envelope["result"], (envelope["row"] - 1) // TENANTS + 1)
        counts = Counter(
            {"rows": len(envelopes), "outcome_unknown": codes["outcome_unknown"], "repeated": repeated}
        )
        if kind is ONE_DEVICE:
            counts["late updates"] = sum(later < n for rows in sent for n, later in pairwise(rows))
            assert counts["late updates"] <= most_late
        if kind is DELETE:
            assert not any(sandbox.state.store["contact"] for sandbox in self.sandboxes)
        return counts


class Hardships:
    """A run with three workers, and what happens to it; `met` counts it."""

    def __init__(
        self, stage: Rows, server: Server, temporal: TemporalServer, seed: int, stack: ExitStack
    ) -> None:
        self._stage, self._server, self._temporal, self._stack = stage, server, temporal, stack
        self._draw = random.Random(seed)
        self.left = [what for what, count in HARDSHIPS.items() for _ in range(count)]
        self._draw.shuffle(self.left)
        self.met: Counter[str] = Counter()
        self._proxies = {
            name: stack.enter_context(closing(Proxy(server.port))) for name in (*WORKERS, STARTER)
        }
        self._ends: dict[str, tuple[float, str]] = {}
        """When the pause of a worker or the cut of its network ends, and which it is."""
        self._received = [0] * len(stage.sandboxes)
        self._workers = {name: self._worker(name) for name in WORKERS}
        self.run = self._start()

    def _url(self, name: str) -> str:
        return self._server.url(port=self._proxies[name].port)

    def _worker(self, name: str) -> Process:
        return self._stack.enter_context(self._stage.worker(name, "--chunks", "4", state=self._url(name)))

    def _start(self, *options: str) -> Process:
        self._stage.state = self._url(STARTER)
        return self._stack.enter_context(self._stage.run("--yes", *options))

    def go_on(self) -> bool:
        """Wait for some more requests, end what is over, and return whether the run has not ended."""
        wanted, end = self._draw.randint(5, 40 * len(self._stage.kinds)), time.monotonic() + _PATIENCE_S
        while wanted > 0:
            assert time.monotonic() < end, f"no row is sent: {self.run.said()}"
            self._end_what_is_over()
            if self._has_ended():
                return False
            time.sleep(0.02)
            for number, sandbox in enumerate(self._stage.sandboxes):
                new = len(sandbox.log.requests(self._received[number]))
                self._received[number] += new
                wanted -= new
        return True

    def _end_what_is_over(self, now: float = 0.0) -> None:
        for name, (end, what) in list(self._ends.items()):
            if (now or time.monotonic()) >= end:
                del self._ends[name]
                if what == "worker paused":
                    self._workers[name].send(signal.SIGCONT)
                else:
                    self._proxies[name].drops = False

    def _has_ended(self) -> bool:
        """Return whether the run has ended; a starter that was cut off is started again."""
        code = self.run.process.poll()
        if code in (NOTHING_RUN, STOPPED) and any(text in self.run.said() for text in OUT_OF_REACH):
            self.met["starter without a server"] += 1
            self.run = self._start("--resume")
            return False
        return code is not None

    def meet(self) -> None:
        """Let the next thing happen."""
        what = self.left.pop()
        free = [name for name in WORKERS if name not in self._ends]
        if what in ("worker paused", "network cut"):
            if what == "network cut" and STARTER not in self._ends:
                free.append(STARTER)
            if len(free) < 2:  # somebody has to go on
                self._end_what_is_over(min(end for end, _ in self._ends.values()))
                free = [name for name in WORKERS if name not in self._ends]
        self.met[what] += 1
        if what == "starter killed":
            self.run.kill()
            self.run = self._start("--resume")
        elif what == "Temporal killed":
            self._temporal.kill()
            time.sleep(self._draw.uniform(0, 3))
            self._temporal.start()
        elif what == "database killed":
            self._server.kill()
            time.sleep(self._draw.uniform(0, 3))
            self._server.start()
        else:
            self._to_one(what, self._draw.choice(free or list(WORKERS)))

    def _to_one(self, what: str, name: str) -> None:
        if what == "worker killed":
            if name in self._ends:
                self._end_what_is_over(self._ends[name][0])
            self._workers[name].kill()
            self._workers[name] = self._worker(name)
        elif what == "worker paused":
            self._workers[name].send(signal.SIGSTOP)
            self._ends[name] = time.monotonic() + self._draw.uniform(*_PAUSES_S), what
        else:
            self.met["network of the starter"] += name == STARTER
            self._proxies[name].drops = True
            self._ends[name] = time.monotonic() + self._draw.uniform(*_CUTS_S), what

    def finish(self) -> int:
        """Wait for the end of the run, and return its exit code."""
        end = time.monotonic() + 5 * _PATIENCE_S
        while self._ends or not self._has_ended():
            assert time.monotonic() < end, self.run.said()
            self._end_what_is_over()
            time.sleep(0.05)
        for name, worker in self._workers.items():
            assert worker.process.poll() is None, f"{name}: {worker.said()}"
        return self.run.wait()


@pytest.mark.parametrize("variant", range(len(VARIANTS)))
def test_a_run_whose_processes_are_killed_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, own_postgres: Server, variant: int, record_property: Callable[[str, Any], None]
) -> None:
    require_temporal()
    kinds, concurrency, latency_ms = VARIANTS[variant]
    with ExitStack() as stack:
        folder = tmp_path / "temporal"
        folder.mkdir()
        temporal = stack.enter_context(TemporalServer(folder))
        sandboxes: Sequence[Sandbox] = [
            stack.enter_context(Sandbox(latency_ms=latency_ms, devices=300)) for _ in range(TENANTS)
        ]
        rows = ROWS // len(kinds)
        stage = Rows(tmp_path / "stage", sandboxes, own_postgres.url(), temporal.url("q"), rows)
        stage.write(kinds, concurrency)
        hardships = Hardships(stage, own_postgres, temporal, variant, stack)
        while hardships.left and hardships.go_on():
            hardships.meet()
        assert hardships.finish() in (0, 1), hardships.run.said()
    met = hardships.met
    assert {what: met[what] for what in HARDSHIPS} == HARDSHIPS, "the run ended before"
    of_rows = sum(met[what] for what in HARDSHIPS if what not in ("starter killed", "Temporal killed"))
    for name, count in (("concurrency", concurrency), *met.items()):
        record_property(name, count)
    for kind in kinds:
        counts = stage.check(kind, of_rows * TENANTS * concurrency, most_late=met["worker paused"])
        for name, count in counts.items():
            record_property(f"{kind.name}: {name}", count)
