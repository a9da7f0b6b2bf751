"""Measure the peak memory of runs by the number of rows, and of lists by the number of records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio
from benchmarks.measure import Run, in_turn
from benchmarks.plot import Plot

UPDATES = "update_device, by rows"
EACH = "detailed list --rows each, by records"
ONE = "detailed list --rows one, by records"


def measure(bench: Bench) -> Findings:
    """Return the peak memory of runs without concurrency, each measured once."""
    least, most = bench.sizes.few_rows, bench.sizes.many_rows
    rows = sorted({most} | {count for count in (10 * least, 100 * least) if count < most} | {least})
    records = sorted({bench.sizes.detailed // 10, bench.sizes.detailed // 3, bench.sizes.detailed})
    contestants: dict[tuple[str, int], Callable[[], Run]] = {}
    contestants |= {(UPDATES, count): _updates(bench, count) for count in rows}
    contestants |= {(EACH, count): _listed(bench, count, "each") for count in records}
    contestants |= {(ONE, count): _listed(bench, count, "one") for count in records}
    named = {f"{name}: {count:,}": once for (name, count), once in contestants.items()}
    runs, notes = in_turn(named, 1)
    series: dict[str, list[tuple[float, float]]] = {}
    lines = []
    for name, count in contestants:
        for run in runs.get(f"{name}: {count:,}", ()):
            series.setdefault(name, []).append((count, run.peak_bytes / 1e6))
            lines.append(
                (name, f"{count:,}", f"{run.peak_bytes / 1e6:.1f}", f"{run.cpu_s:.1f}", f"{run.wall_s:.1f}")
            )
    peaks = {(name, int(count)): mb for name, points in series.items() for count, mb in points}
    top, low = peaks.get((UPDATES, most)), peaks.get((UPDATES, least))
    figures = [
        Figure(f"peak memory at {most:,} rows ÷ at {least:,} rows", ratio(top, low), Target(1.1, most=True)),
        Figure(f"peak memory at {most:,} rows", top, Target(60, most=True), " MB", 1),
        *(
            Figure(
                f"peak memory of {records[-1]:,} detailed devices, `--rows {rows_as}`",
                peaks.get((name, records[-1])),
                Target(80, most=True),
                " MB",
                1,
            )
            for name, rows_as in ((EACH, "each"), (ONE, "one"))
        ),
    ]
    title = "Peak memory by rows and records"
    plots = [Plot("benchmarks-memory", title, "rows or records", "MB", series, from_zero=True)]
    head = ("run", "rows or records", "peak, MB", "CPU s", "s")
    return Findings(figures, [Table("Memory", head, lines)], notes, plots=plots if series else [])


def _updates(bench: Bench, count: int) -> Callable[[], Run]:
    def once() -> Run:
        with bench.stub.serve() as served:
            rows = work.write_rows(bench.folder / "rows.jsonl", count)
            return bench.ninjaone("run", work.write_job(bench.folder, served.url, rows), "--restart")

    return once


def _listed(bench: Bench, count: int, rows_as: str) -> Callable[[], Run]:
    def once() -> Run:
        pages = bench.folder / f"pages-{count}"
        if not pages.exists():
            work.write_pages(pages, count, detailed=True)
        with bench.stub.serve(pages=pages) as served:
            return list_devices(bench, bench.folder, served.url, "list_devices_detailed", rows_as)

    return once


def list_devices(
    bench: Bench,
    folder: Path,
    url: str,
    action: str,
    rows_as: str,
    output: str = "out.jsonl",
    python: Path | None = None,
) -> Run:
    """Run a list action into a file of `folder`; `rows_as` is that of `--rows`. Raises UnmeasuredError."""
    (folder / "one.jsonl").write_text("{}\n")
    settings = {"action": action, "templates": {}, "rows": rows_as, "output": output}
    job = work.write_job(folder, url, folder / "one.jsonl", **settings)
    return bench.ninjaone("run", job, "--restart", python=python)
