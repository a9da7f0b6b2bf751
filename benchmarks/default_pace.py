"""Measure the time of a row at the default delay, of this and other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table
from benchmarks.measure import Run, in_turn
from benchmarks.pace import DEFAULT_MS
from benchmarks.rows import loop

LATENCY_S = 0.1
MANY = 20_000
"""The rows of a large run, whose time is computed from the measured seconds per row."""
DEFAULT = "`ninjaone run`"
AUTO = "`ninjaone run --delay-ms auto`"
SLEEPING = "`requests.Session` loop with `time.sleep(0.3)`"


def measure(bench: Bench) -> Findings:
    """Return the time and the cost of rows at the default delay, with a server that responds after 100 ms."""
    count = bench.sizes.slow_rows
    sizes = {DEFAULT: count, AUTO: 10 * count, SLEEPING: count}
    contestants = {name: _once(bench, name, rows) for name, rows in sizes.items()}
    runs, notes = in_turn(contestants, -(-bench.sizes.rounds // 2))
    lines, row_s = [], {}
    for name, taken in runs.items():
        rows = sizes[name]
        row_s[name] = median(span_s for span_s, _ in taken) / (rows - 1)
        cpu_s = median(run.cpu_s for _, run in taken)
        lines.append(
            (
                name,
                f"{rows:,}",
                f"{row_s[name] * 1000:.0f}",
                f"{MANY * row_s[name] / 60:.0f}",
                f"{cpu_s / median(run.wall_s for _, run in taken):.1%}",
                f"{max(run.peak_bytes for _, run in taken) / 1e6:.0f}",
            )
        )
    what = f"default delay ({DEFAULT_MS} ms), latency {LATENCY_S * 1000:g} ms"
    figures = [
        Figure(f"{what}: time of a row of {name}", row_s[name] * 1000, unit=" ms", digits=0) for name in row_s
    ]
    head = (
        "program",
        "rows",
        "ms per row",
        f"minutes for {MANY:,} rows",
        "share of a core",
        "peak memory, MB",
    )
    return Findings(figures, [Table(f"Rows at the {what}", head, lines)], notes)


def _once(bench: Bench, name: str, count: int) -> Callable[[], tuple[float, Run]]:
    """Return a function that gives the seconds from the first request to the last, and the measurement."""
    folder = bench.folder / f"{count}-{name.split()[-1].strip('`')[:4]}"
    folder.mkdir()
    rows = work.write_rows(folder / "rows.jsonl", count)

    def once() -> tuple[float, Run]:
        with bench.stub.noting(LATENCY_S) as served:
            if name == SLEEPING:
                delay = str(DEFAULT_MS / 1000)
                run = loop(bench, Path(sys.executable), "requests_loop.py", served.url, rows, count, delay)()
            else:
                job = work.write_job(folder, served.url, rows, delay_ms="auto" if name == AUTO else None)
                run = bench.ninjaone("run", job, "--restart")
        served.span_s(count)
        starts = [began for began, _ in served.times]
        return max(starts) - min(starts), run

    return once
