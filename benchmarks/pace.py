"""Measure the accuracy of the configured delay between requests, by the times at which the server's kernel
received them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, spread
from benchmarks.measure import UnmeasuredError, in_turn

DEFAULT_MS = 300
"""The default delay of a run, in milliseconds."""
EARLY_MS = 1.0
"""The tolerance in milliseconds for the interval of two requests: twice that of the pace itself."""


@dataclass(frozen=True)
class Case:
    """A run with a delay (None: default), or several at once. `rows` are those of all runs.

    `most` is the maximum ratio of the time to the ideal time.
    """

    rows: int
    delay_ms: int | None
    latency_s: float
    concurrency: int
    most: float | None = None
    processes: int = 1

    @property
    def name(self) -> str:
        """The description of the run for the report."""
        delay = f"delay {self.delay_ms} ms" if self.delay_ms else f"default delay ({DEFAULT_MS} ms)"
        flight = f"`--concurrency {self.concurrency}`" if self.concurrency > 1 else "one at a time"
        processes = f"{self.processes} processes, " if self.processes > 1 else ""
        return f"N = {self.rows}, {processes}{delay}, latency {self.latency_s * 1000:g} ms, {flight}"

    @property
    def delay_s(self) -> float:
        """The effective delay in seconds."""
        return (self.delay_ms or DEFAULT_MS) / 1000

    @property
    def ideal_s(self) -> float:
        """The ideal time from the first request to the last response, in seconds."""
        return (self.rows - 1) * self.delay_s + self.latency_s


@dataclass(frozen=True)
class Paced:
    """The time in seconds from first request to last response, and the sorted intervals between requests."""

    span_s: float
    intervals_s: list[float]


def measure(bench: Bench) -> Findings:
    """Return the measurements of runs with a delay: concurrent, sequential, and with the default delay."""
    sizes = bench.sizes
    cases = [
        Case(sizes.paced_rows, 5, 0.03, 16, 1.03),
        Case(sizes.paced_rows, 5, 0.002, 1, 1.05),
        Case(sizes.paced_rows // 4 * 4, 20, 0.002, 1, processes=4),
        Case(sizes.slow_rows, None, 0.03, 1),
    ]
    runs, notes = in_turn({case.name: _once(bench, case) for case in cases}, sizes.rounds)
    figures = [figure for case in cases for figure in _figures(case, runs.get(case.name))]
    lines = [_line(case, runs[case.name]) for case in cases if case.name in runs]
    head = (
        "run",
        "ideal, s",
        "first request to last response, s (min to max)",
        "intervals, ms: minimum (of each round)",
        f"shorter than the delay by more than {EARLY_MS:g} ms",
    )
    return Findings(figures, [Table("Paced runs, by the kernel of the server", head, lines)], notes)


def _once(bench: Bench, case: Case) -> Callable[[], Paced]:
    concurrency = ("--concurrency", str(case.concurrency)) if case.concurrency > 1 else ()
    each = case.rows // case.processes

    def once() -> Paced:
        with bench.stub.noting(case.latency_s) as served, ThreadPoolExecutor(case.processes) as threads:

            def run(number: int) -> None:
                folder = bench.folder / f"paced-{case.rows}-{number}"
                folder.mkdir(exist_ok=True)
                rows = work.write_rows(folder / "rows.jsonl", each)
                job = work.write_job(folder, served.url, rows, delay_ms=case.delay_ms)
                bench.ninjaone("run", job, "--restart", *concurrency, folder=folder)

            list(threads.map(run, range(case.processes)))
        span_s = served.span_s(case.rows)
        if not served.by_kernel:
            raise UnmeasuredError("the kernel does not record when it receives a request (SO_TIMESTAMPNS)")
        return Paced(span_s, served.intervals_s())

    return once


def _figures(case: Case, taken: list[Paced] | None) -> list[Figure]:
    times = median(run.span_s for run in taken) / case.ideal_s if taken else None
    closest = min(run.intervals_s[0] for run in taken) * 1000 if taken else None
    return [
        Figure(
            f"paced run, {case.name}: time ÷ ((N-1)·delay + latency)",
            times,
            Target(case.most, most=True),
            digits=3,
        ),
        Figure(
            "its minimum interval between two request starts",
            closest,
            Target(case.delay_s * 1000 - EARLY_MS),
            " ms",
        ),
    ]


def _line(case: Case, taken: list[Paced]) -> tuple[str, ...]:
    spans = [run.span_s for run in taken]
    closest = [run.intervals_s[0] * 1000 for run in taken]
    all_s = [interval_s for run in taken for interval_s in run.intervals_s]
    early = sum(interval_s * 1000 < case.delay_s * 1000 - EARLY_MS for interval_s in all_s)
    return (
        case.name,
        f"{case.ideal_s:.3f}",
        f"{median(spans):.3f} ({spread(spans, 3)})",
        spread(closest),
        f"{early:,} of {len(all_s):,}",
    )
