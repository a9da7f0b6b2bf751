"""Measure the cost of the journal of a run, which is written for requests that must not be repeated."""

from __future__ import annotations

from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, paired, spread
from benchmarks.measure import Run, expect_lines, in_turn

WITH = "into a file: journal, resumable"
WITHOUT = "to standard output: no journal, not resumable"


def measure(bench: Bench) -> Findings:
    """Return the times of a job with a journal (output to a file) and without (standard output)."""
    rows = work.write_rows(bench.folder / "rows.jsonl", bench.sizes.rows)
    streamed = bench.folder / "streamed.jsonl"
    with bench.stub.serve() as served:
        job = work.write_job(bench.folder, served.url, rows, action="run_script", templates=work.SCRIPT)

        def without() -> Run:
            run = bench.ninjaone("run", job, "-o", "-", output=streamed)
            expect_lines(streamed, bench.sizes.rows, bad=b'"has_error":true')
            return run

        contestants = {WITH: lambda: bench.ninjaone("run", job, "--restart"), WITHOUT: without}
        runs, notes = in_turn(contestants, bench.sizes.rounds)
    with_it, without_it = runs.get(WITH), runs.get(WITHOUT)
    figure = Figure(
        "journal and resume: CPU time of a run with them ÷ without",
        paired(with_it, without_it, lambda run: run.cpu_s),
        Target(1.1, most=True),
        wall=paired(with_it, without_it, lambda run: run.wall_s),
    )
    lines = []
    for what, taken in runs.items():
        cpu, wall = [run.cpu_s for run in taken], [run.wall_s for run in taken]
        lines.append((what, f"{median(cpu):.2f} ({spread(cpu)})", f"{median(wall):.2f} ({spread(wall)})"))
    head = ("run", "CPU s (min to max)", "s (min to max)")
    return Findings([figure], [Table(f"{bench.sizes.rows:,} rows of `run_script`", head, lines)], notes)
