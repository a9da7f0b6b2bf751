"""Workers with a folder each, and a database that they share: kills, pauses, and a database that is killed.

Each run goes from worker to worker, with one row or several in parallel. A worker is killed (SIGKILL), or
paused (SIGSTOP) until another one has taken over and ended, or its database is killed, or the network to it
drops everything. At the end each row has one envelope, and no request that must not be repeated was sent
twice.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from tests.postgres import Server
from tests.state.proxy import Proxy
from tests.state.workers import BUSY, Workers
from tests.torture.kinds import SCRIPT, TICKET, Kind
from tests.torture.runs import codes

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP and SIGKILL there"),
    pytest.mark.slow,
]

ROWS = 150
KILLS = 100
HARDSHIPS = ("killed", "paused", "database killed", "network cut")
TENANTS = {
    "connection": "{{ 'connection.yaml' if n else none }}",
    "allow_connections": ["connection.yaml"],
}
VARIANTS: list[tuple[Kind, dict[str, Any]]] = [
    (TICKET, {}),
    (TICKET, {"concurrency": 4}),
    (SCRIPT, {"concurrency": 4}),
    (TICKET, {"concurrency": 2, **TENANTS}),
]
"""The kind of the rows, and settings of the job."""
_PATIENCE_S = 180
Record = Callable[[str, Any], None]


class Hardships:
    """What happens to the workers of one run; `met` counts it."""

    def __init__(
        self, workers: Workers, server: Server, proxy: Proxy, concurrency: int, seed: int, met: Counter[str]
    ) -> None:
        self.workers, self._server, self._proxy, self.met = workers, server, proxy, met
        self.concurrency = concurrency
        self._draw = random.Random(seed)
        self.in_doubt: set[int] = set()
        self._paused: list[Popen[str]] = []

    def meet(self, worker: str) -> bool:
        """Let a worker run for a while, then let something happen. Return whether it was still running."""
        since = len(self.workers.requests())
        process = self.workers.start(
            worker, *self.workers.again(), url=self._server.url(port=self._proxy.port)
        )
        requests = since + self._draw.randint(1, 12)
        while len(self.workers.requests()) < requests and process.poll() is None:
            time.sleep(0.002)
        time.sleep(self._draw.uniform(0, 0.01))
        if process.poll() is not None:
            self._ended(process)
            return False
        what = self._draw.choice(("killed", *HARDSHIPS))
        self.met[what] += 1
        if what == "killed":
            process.kill()
            process.communicate()
        elif what == "paused":
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            self._paused.append(process)
        else:
            self._without_database(process, what)
        self.in_doubt |= self.workers.in_doubt()
        return True

    def _without_database(self, process: Popen[str], what: str) -> None:
        if what == "network cut":
            self._proxy.drops = True
        else:
            self._server.kill()
        self._ended(process)
        if what == "network cut":
            self._proxy.drops = False
        else:
            self._server.start()

    def _ended(self, process: Popen[str]) -> None:
        """Check how a worker ended by itself."""
        _, said = process.communicate(timeout=_PATIENCE_S)
        lost = "the database cannot be used" in said or "another worker has taken over" in said
        assert process.returncode in (0, 1) or BUSY in said or lost, said
        self.met["busy"] += BUSY in said

    def wake(self) -> None:
        """Let the paused workers continue: each sends one request a row in parallel, if noted."""
        for process in self._paused:
            before = len(self.workers.requests())
            process.send_signal(signal.SIGCONT)
            _, said = process.communicate(timeout=_PATIENCE_S)
            late = {self.workers.kind.row_of(entry) for entry in self.workers.requests()[before:]}
            if process.returncode in (0, 1):
                continue  # nobody had taken over, and it finished the run
            assert process.returncode in (2, 3), said
            self.met["late requests"] += len(late)
            assert len(late) <= self.concurrency
            assert late <= self.in_doubt


@pytest.mark.parametrize("seed", range(len(VARIANTS)))
def test_workers_that_die_lose_nothing_and_send_nothing_twice(
    tmp_path: Path, own_postgres: Server, seed: int, record_property: Record
) -> None:
    met: Counter[str] = Counter()
    found: Counter[str | None] = Counter()
    runs = 0
    kind, settings = VARIANTS[seed]
    concurrency = settings.get("concurrency", 1)
    while sum(met[what] for what in HARDSHIPS) < KILLS / len(VARIANTS):
        runs += 1

        with (
            Sandbox(latency_ms=3 * concurrency, devices=200, seed=runs) as sandbox,
            closing(Proxy(own_postgres.port)) as proxy,
        ):
            folder, url = tmp_path / str(runs), own_postgres.url()
            workers = Workers(folder, sandbox, kind, ROWS, url, response_s=2, **settings)
            for table in ("run", "journal", "envelopes"):
                open_database(own_postgres.url()).run(f"DELETE FROM connector_{table}")
            hardships = Hardships(workers, own_postgres, proxy, concurrency, 100 * seed + runs, met)
            names = random.Random(seed).choices("abcd", k=100)
            for name in names[:12]:
                if not hardships.meet(f"{name}{len(hardships._paused)}"):
                    break
            envelopes = workers.finish("z")
            hardships.wake()
            workers.check(envelopes, hardships.in_doubt)
            found += codes(envelopes)
    assert set(HARDSHIPS) <= met.keys()
    record_property("runs", runs)
    for name, count in (*met.items(), *((f"rows: {code or 'success'}", n) for code, n in found.items())):
        record_property(name, count)
