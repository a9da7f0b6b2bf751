"""Measure a run over many tenants, each of which has an account with the default delay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, spread
from benchmarks.measure import in_turn
from benchmarks.pace import DEFAULT_MS

LATENCY_S = 0.03


@dataclass(frozen=True)
class Taken:
    """The measurement of one run: requests per second at the server, CPU seconds, peak memory in bytes."""

    rate: float
    cpu_s: float
    peak_bytes: int


def measure(bench: Bench) -> Findings:
    """Return the rate and the CPU time of a run in which each row names its tenant."""
    tenants, rows = bench.sizes.tenants, bench.sizes.tenants * bench.sizes.tenant_rows
    input = write_tenant_rows(bench, tenants, rows)

    def once() -> Taken:
        with bench.stub.serve(LATENCY_S, timed=True) as served:
            job = work.write_job(
                bench.folder,
                served.url,
                input,
                connection="{{ tenant }}",
                allow_connections=write_connections(bench.folder, served.url, tenants),
                delay_ms=None,
            )
            run = bench.ninjaone("run", job, "--restart")
        return Taken(rows / served.span_s(rows), run.cpu_s, run.peak_bytes)

    what = f"{tenants} tenants × {bench.sizes.tenant_rows} rows, default delay"  # noqa: RUF001
    runs, notes = in_turn({what: once}, bench.sizes.rounds)
    taken = runs.get(what, [])
    most = tenants * 1000 / DEFAULT_MS
    rates, cpu = [run.rate for run in taken], [run.cpu_s / rows * 1e6 for run in taken]
    figures = [
        Figure(
            f"{what}: requests/s ÷ {most:,.0f}, which the delay allows",
            median(rates) / most if taken else None,
            Target(0.9),
        ),
        Figure("its CPU time per row", median(cpu) if taken else None, Target(300, most=True), " µs", 0),
    ]
    head = ("requests/s (min to max)", "allowed", "CPU µs per row (min to max)", "peak memory, MB")
    lines = [
        (
            f"{median(rates):,.0f} ({spread(rates, 0)})",
            f"{most:,.0f}",
            f"{median(cpu):.0f} ({spread(cpu, 0)})",
            f"{max(run.peak_bytes for run in taken) / 1e6:.0f}",
        )
        for taken in runs.values()
    ]
    return Findings(figures, [Table(f"{what}, latency {LATENCY_S * 1000:g} ms", head, lines)], notes)


def write_tenant_rows(bench: Bench, tenants: int, count: int) -> Path:
    """Write rows whose tenants take turns, and return the file."""
    path = work.write_rows(bench.folder / "rows.jsonl", count)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [json.dumps({**row, "tenant": _file_of(number % tenants)}) for number, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_connections(folder: Path, url: str, tenants: int) -> list[str]:
    """Write the connection file of each tenant, and return the names of the files."""
    for number in range(tenants):
        file = folder / _file_of(number)
        file.touch(mode=0o600)
        file.write_text(
            f"base_url: {url}\nclient_id: tenant-{number}\nclient_secret: bench-secret-{number}\n"
        )
    return [_file_of(number) for number in range(tenants)]


def _file_of(tenant: int) -> str:
    return f"tenant-{tenant:03}.yaml"
