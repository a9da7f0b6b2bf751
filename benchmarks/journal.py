"""Measure the cost of the journal of a run, which is written for requests that must not be repeated."""

from __future__ import annotations

from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio, spread
from benchmarks.measure import Run, expect_lines, in_turn

WITH = "into a file: journal, resumable"
WITHOUT = "to standard output: no journal, not resumable"


def measure(bench: Bench) -> Findings:
    """Return the times of a job with a journal (output to a file) and without (standard output)."""
    rows = work.write_rows(bench.folder / "rows.jsonl", bench.sizes.rows)
    streamed = bench.folder / "streamed.jsonl"
    with bench.stub.instant() as served:
        job = work.write_job(bench.folder, served.url, rows, action="run_script", templates=work.SCRIPT)

        def without() -> Run:
            run = bench.ninjaone("run", job, "-o", "-", output=streamed)
            expect_lines(streamed, bench.sizes.rows, bad=b'"has_error":true')
            return run

        contestants = {WITH: lambda: bench.ninjaone("run", job, "--restart"), WITHOUT: without}
        runs, notes = in_turn(contestants, bench.sizes.rounds)
    times = {what: [r.wall_s for r in taken] for what, taken in runs.items()}
    medians = {what: median(taken) for what, taken in times.items()}
    cost = ratio(medians.get(WITH), medians.get(WITHOUT))
    figure = Figure("journal and resume: cost of a run with it ÷ without", cost, Target(1.1, most=True))
    lines = [(what, f"{medians[what]:.2f} ({spread(taken)})") for what, taken in times.items()]
    table = Table(f"{bench.sizes.rows:,} rows of `run_script`", ("run", "s (min to max)"), lines)
    return Findings([figure], [table], notes)
