"""Measure runs over many tenants with their state in PostgreSQL, and over workers on Temporal.

All servers are processes of this machine: the API, PostgreSQL, and Temporal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import psycopg

from benchmarks import work
from benchmarks.bench import Bench, Sizes
from benchmarks.findings import Figure, Findings, Table, Target
from benchmarks.measure import UnmeasuredError, in_turn
from benchmarks.pace import DEFAULT_MS
from benchmarks.stub import Served
from benchmarks.tenants import LATENCY_S, write_connections, write_tenant_rows
from tests.postgres import Server, binary
from tests.temporal.server import PROGRAM, TemporalServer

EARLY_MS = 20.0
"""By how much the interval of two requests of an account can be shorter than the delay, as documented."""
_READY_S = 60.0
_STATISTICS_S = 1.5
"""The time after which PostgreSQL has added the transactions of its processes to its statistics."""
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

State = Literal["files", "postgres", "temporal"]


@dataclass(frozen=True)
class Case:
    """A run of an action, with its state in files or in a database, or with workers on Temporal.

    With `few`, it has so few tenants that the machine is not the bottleneck.
    """

    action: str
    state: State
    workers: int = 0
    few: bool = False

    @property
    def name(self) -> str:
        """The description of the run for the report."""
        if self.workers:
            return f"{self.action}: Temporal, {self.workers} worker{'s' * (self.workers > 1)}"
        return f"{self.action}: {'files' if self.state == 'files' else 'PostgreSQL'}, one process"

    def tenants(self, sizes: Sizes) -> int:
        """Return the number of its tenants."""
        return sizes.few_tenants if self.few else sizes.tenants


@dataclass(frozen=True)
class Taken:
    """The measurement of one run; times are in seconds, and the values of `*_row` those for each row.

    `rate` is in requests/s from the first request to the last response; `wall_s` is the time of the command.
    `connector_row_s` is the CPU time of the command and the workers, with their starts; `start_row_s` is that
    of the workers before they take tasks.
    """

    wall_s: float
    rate: float
    connector_row_s: float
    start_row_s: float
    servers_row_s: float
    commits_row: float
    wal_row: float
    closest_s: float
    early: int


CASES = (
    *(Case("run_script", state) for state in ("files", "postgres")),
    *(Case("run_script", "temporal", workers) for workers in (1, 2, 4)),
    *(Case("update_device", state) for state in ("files", "postgres")),
    Case("update_device", "temporal", 1),
)
FEW = (
    *(Case("run_script", state, few=True) for state in ("files", "postgres")),
    Case("run_script", "temporal", 1, few=True),
)
"""The runs whose elapsed time does not depend on the CPU time, if the machine does nothing else."""


def measure(bench: Bench) -> Findings:
    """Return the rates, the costs and the pace of runs over many tenants, by where their state is."""
    if not binary("initdb") or PROGRAM is None:
        return Findings(
            skipped=["the benchmark scale: requires PostgreSQL and Temporal (`make postgres temporal`)"]
        )
    taken, notes = _measured(bench, CASES)
    few, few_notes = _measured(bench, FEW)
    return Findings(
        [*_figures(taken), *_few_figures(few, bench.sizes)],
        [_table(taken, bench.sizes), _table(few, bench.sizes)],
        notes + few_notes,
    )


def _measured(bench: Bench, cases: Sequence[Case]) -> tuple[dict[Case, Taken], list[str]]:
    """Return the measurements of cases with the same tenants, and the reasons of those that are missing."""
    tenants = cases[0].tenants(bench.sizes)
    input = write_tenant_rows(bench, tenants, tenants * bench.sizes.tenant_rows)
    runs, notes = in_turn({case.name: partial(_once, bench, case, input) for case in cases}, 1)
    return {case: runs[case.name][0] for case in cases if runs.get(case.name)}, notes


_STATES: dict[State, str] = {"postgres": "PostgreSQL", "files": "files"}
"""The states of one process with which Temporal is compared, and their names."""


def _table(taken: dict[Case, Taken], sizes: Sizes) -> Table:
    tenants = next((case.tenants(sizes) for case in taken), 0)
    most = tenants * 1000 / DEFAULT_MS
    head = (
        "run",
        f"requests/s (of {most:,.0f})",
        "s",
        "CPU of the connector, µs per row",
        "of which the start of the workers",
        "CPU of PostgreSQL and Temporal, µs per row",
        "transactions per row",
        "bytes of WAL per row",
        "minimum interval, ms",
        f"shorter than {DEFAULT_MS - EARLY_MS:g} ms",
    )
    lines = [(case.name, *_cells(run)) for case, run in taken.items()]
    title = f"{tenants} tenants × {sizes.tenant_rows} rows, state shared by machines"  # noqa: RUF001
    return Table(title, head, lines)


def _few_figures(taken: dict[Case, Taken], sizes: Sizes) -> list[Figure]:
    """Return the overhead of Temporal in elapsed time, where the machine is not the bottleneck."""
    temporal = taken.get(Case("run_script", "temporal", 1, few=True))
    figures = []
    for state in _STATES:
        one = taken.get(Case("run_script", state, few=True))
        value = temporal.wall_s / one.wall_s if temporal and one else None
        of_one = f"one process with state in {_STATES[state]}"
        words = f"{sizes.few_tenants} tenants, elapsed time: Temporal ÷ {of_one}"
        figures.append(Figure(words, value, Target(1.3, most=True)))
    return figures


def _figures(taken: dict[Case, Taken]) -> list[Figure]:
    """Return the overhead of Temporal with one worker, and how well the pace was kept."""
    figures = []
    for action in ("run_script", "update_device"):
        temporal = taken.get(Case(action, "temporal", 1))
        for state in _STATES:
            one = taken.get(Case(action, state))
            words = f"{action}: Temporal with one worker ÷ one process with state in {_STATES[state]}"
            if temporal and one:
                value, wall = temporal.connector_row_s / one.connector_row_s, temporal.wall_s / one.wall_s
                figures.append(Figure(words, value, Target(1.3, most=True), wall=wall))
            else:
                figures.append(Figure(words, None, Target(1.3, most=True)))
    shared = [run for case, run in taken.items() if case.state != "files"]
    figures.append(
        Figure(
            "state shared by machines: minimum interval between two requests of an account",
            min(run.closest_s for run in shared) * 1000 if shared else None,
            Target(DEFAULT_MS - EARLY_MS),
            " ms",
        )
    )
    return figures


def _cells(run: Taken) -> tuple[str, ...]:
    return (
        f"{run.rate:,.0f}",
        f"{run.wall_s:.1f}",
        f"{run.connector_row_s * 1e6:,.0f}",
        f"{run.start_row_s * 1e6:,.0f}",
        f"{run.servers_row_s * 1e6:,.0f}",
        f"{run.commits_row:.2f}",
        f"{run.wal_row:,.0f}",
        f"{run.closest_s * 1000:.1f}",
        f"{run.early}",
    )


def _once(bench: Bench, case: Case, input: Path) -> Taken:
    """Run a case with new servers. Raises UnmeasuredError."""
    tenants = case.tenants(bench.sizes)
    rows = tenants * bench.sizes.tenant_rows
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scale-")))
        served = stack.enter_context(_served(bench))
        templates = {"run_script": work.SCRIPT, "update_device": work.UPDATE}[case.action]
        names = write_connections(bench.folder, served.url, tenants)
        job = work.write_job(
            *(bench.folder, served.url, input),
            action=case.action,
            templates=templates,
            connection="{{ tenant }}",
            allow_connections=names,
            delay_ms=None,
        )
        arguments = ["run", str(job), "--restart", "--yes"]
        database = temporal = None
        workers: list[_Worker] = []
        if case.state != "files":
            database = Server()
            stack.callback(database.stop)
            arguments += ["--state", database.url()]
        if case.workers:
            temporal = stack.enter_context(TemporalServer(folder))
            arguments += ["--on", temporal.url("bench")]
            assert database
            for number in range(case.workers):
                worker = _Worker(bench, folder / f"worker-{number}", database.url(), temporal.host)
                stack.callback(worker.kill)
                workers.append(worker)
            for worker in workers:
                worker.wait_until_ready()
        start_s = sum(_cpu_s(worker.pid) for worker in workers)
        before = _Load.of(database, temporal)
        run = bench.ninjaone(*arguments)
        after = _Load.of(database, temporal)
        connector_s = run.cpu_s + sum(worker.stop() for worker in workers)
    if not served.by_kernel:
        raise UnmeasuredError("the kernel does not record when it receives a request (SO_TIMESTAMPNS)")
    intervals_s = _intervals_s(served, tenants)
    return Taken(
        run.wall_s,
        rows / served.span_s(rows),
        connector_s / rows,
        start_s / rows,
        (after.cpu_s - before.cpu_s) / rows,
        (after.commits - before.commits) / rows,
        (after.wal - before.wal) / rows,
        min(intervals_s),
        sum(interval_s * 1000 < DEFAULT_MS - EARLY_MS for interval_s in intervals_s),
    )


@contextmanager
def _served(bench: Bench) -> Iterator[Served]:
    """Run the server; its times are known after this context."""
    with bench.stub.noting(LATENCY_S) as served:
        yield served


def _intervals_s(served: Served, tenants: int) -> list[float]:
    """Return the intervals between the starts of requests to the same account, in seconds."""
    starts: dict[int, list[float]] = defaultdict(list)
    for (begin, _), target in zip(served.times, served.targets, strict=True):
        found = re.search(r"/device/(\d+)", target)
        if not found:
            raise UnmeasuredError(f"an unexpected request: {target}")
        starts[int(found[1]) % tenants].append(begin)
    return [later - earlier for its in starts.values() for earlier, later in pairwise(sorted(its))]


@dataclass(frozen=True)
class _Load:
    """What PostgreSQL and Temporal have done so far: seconds of CPU time, transactions, bytes of WAL."""

    cpu_s: float = 0.0
    commits: int = 0
    wal: int = 0

    @classmethod
    def of(cls, database: Server | None, temporal: TemporalServer | None) -> _Load:
        """Return the load of servers; that of None is 0."""
        cpu_s = sum(_cpu_s(server.pid) for server in (database, temporal) if server)
        if database is None:
            return cls(cpu_s)
        time.sleep(_STATISTICS_S)
        with psycopg.connect(database.url()) as connection:
            found = connection.execute(
                "SELECT sum(xact_commit)::bigint, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
                " FROM pg_stat_database"
            ).fetchone()
        commits, wal = found or (0, 0)
        return cls(cpu_s, commits, wal)


def _cpu_s(process: int) -> float:
    """Return the CPU time of a process and its children, also of those that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _CLOCK_TICKS + sum(_cpu_s(int(child)) for child in children)


class _Worker:
    """A worker as a process in its own folder."""

    def __init__(self, bench: Bench, folder: Path, state: str, host: str) -> None:
        folder.mkdir()
        self._errors = folder / "errors"
        program = Path(sys.executable).with_name("ninjaone")
        command = [str(program), "worker", "--state", state, "--address", host, "--task-queue", "bench"]
        command += ["--connections", str(bench.folder), "--chunks", "10"]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command, cwd=folder, env=bench.environment(), stderr=errors, stdin=subprocess.DEVNULL
            )

    @property
    def pid(self) -> int:
        """The process of the worker."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait until the worker takes tasks. Raises UnmeasuredError."""
        end = time.monotonic() + _READY_S
        while "takes tasks" not in (said := self._errors.read_text()):
            if self._process.poll() is not None or time.monotonic() > end:
                raise UnmeasuredError(f"a worker does not start: {said.strip()[:300]}")
            time.sleep(0.05)

    def stop(self) -> float:
        """Stop the worker, and return its CPU time in seconds."""
        self._process.terminate()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    def kill(self) -> None:
        """End the worker, if it is still running."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
