"""Measure the accuracy of the configured delay between requests, by the server's clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, spread
from benchmarks.measure import in_turn

DEFAULT_MS = 300
"""The default delay of a run, in milliseconds."""
_EARLY_MS = 1.0
"""The tolerance in milliseconds for the interval of two arrivals, because transmission times vary."""


@dataclass(frozen=True)
class Case:
    """A run with a delay (None: default). `most` is the maximum ratio of its time to the ideal time."""

    rows: int
    delay_ms: int | None
    latency_s: float
    concurrency: int
    most: float | None = None

    @property
    def name(self) -> str:
        """The description of the run for the report."""
        delay = f"delay {self.delay_ms} ms" if self.delay_ms else f"default delay ({DEFAULT_MS} ms)"
        flight = f"`--concurrency {self.concurrency}`" if self.concurrency > 1 else "one at a time"
        return f"N = {self.rows}, {delay}, latency {self.latency_s * 1000:g} ms, {flight}"

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
    """The time in seconds from first request to last response, and the minimum interval between requests."""

    span_s: float
    closest_s: float


def measure(bench: Bench) -> Findings:
    """Return the measurements of runs with a delay: concurrent, sequential, and with the default delay."""
    sizes = bench.sizes
    cases = [
        Case(sizes.paced_rows, 5, 0.03, 16, 1.03),
        Case(sizes.paced_rows, 5, 0.002, 1, 1.05),
        Case(sizes.slow_rows, None, 0.03, 1),
    ]
    runs, notes = in_turn({case.name: _once(bench, case) for case in cases}, sizes.rounds)
    figures = [figure for case in cases for figure in _figures(case, runs.get(case.name))]
    lines = [_line(case, runs[case.name]) for case in cases if case.name in runs]
    head = (
        "run",
        "ideal, s",
        "first request to last response, s (min to max)",
        "minimum interval, ms (of each round)",
    )
    return Findings(figures, [Table("Paced runs", head, lines)], notes)


def _once(bench: Bench, case: Case) -> Callable[[], Paced]:
    rows = work.write_rows(bench.folder / f"rows-{case.rows}.jsonl", case.rows)
    concurrency = ("--concurrency", str(case.concurrency)) if case.concurrency > 1 else ()

    def once() -> Paced:
        with bench.stub.noting(case.latency_s) as served:
            job = work.write_job(bench.folder, served.url, rows, delay_ms=case.delay_ms)
            bench.ninjaone("run", job, "--restart", *concurrency)
        return Paced(served.span_s(case.rows), served.closest_s())

    return once


def _figures(case: Case, taken: list[Paced] | None) -> list[Figure]:
    times = median(run.span_s for run in taken) / case.ideal_s if taken else None
    closest = min(run.closest_s for run in taken) * 1000 if taken else None
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
            Target(case.delay_s * 1000 - _EARLY_MS),
            " ms",
        ),
    ]


def _line(case: Case, taken: list[Paced]) -> tuple[str, ...]:
    spans = [run.span_s for run in taken]
    starts = [run.closest_s * 1000 for run in taken]
    return case.name, f"{case.ideal_s:.3f}", f"{median(spans):.3f} ({spread(spans, 3)})", spread(starts)
