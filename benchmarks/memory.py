"""Measure the peak memory of a run over very many rows, relative to a run over few rows."""

from __future__ import annotations

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio
from benchmarks.measure import Run, in_turn


def measure(bench: Bench) -> Findings:
    """Return the measurements of two runs without concurrency: over few and over many rows."""
    few, many = bench.sizes.rows, bench.sizes.many_rows
    with bench.stub.instant() as served:

        def run(count: int) -> Run:
            rows = work.write_rows(bench.folder / "rows.jsonl", count)
            return bench.ninjaone("run", work.write_job(bench.folder, served.url, rows), "--restart")

        contestants = {f"{count:,} rows": lambda count=count: run(count) for count in (few, many)}
        runs, notes = in_turn(contestants, 1)
    peaks = {what: taken[0].peak_bytes for what, taken in runs.items()}
    most, least = peaks.get(f"{many:,} rows"), peaks.get(f"{few:,} rows")
    figures = [
        Figure(f"peak memory at {many:,} rows ÷ at {few:,} rows", ratio(most, least), Target(1.1, most=True)),
        Figure(f"peak memory at {many:,} rows", most and most / 1e6, Target(60, most=True), " MB", 1),
    ]
    lines = [(what, f"{r[0].peak_bytes / 1e6:.1f}", f"{r[0].wall_s:.1f}") for what, r in runs.items()]
    return Findings(figures, [Table("Memory", ("run", "peak, MB", "s"), lines)], notes)
