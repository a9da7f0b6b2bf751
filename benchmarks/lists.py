"""Measure the CPU time of a record of a long list, compared with airbyte-cdk reading the same pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import PEERS, Bench
from benchmarks.environments import CORE
from benchmarks.findings import Figure, Findings, Table, Target, paired, spread
from benchmarks.measure import Run, UnmeasuredError, expect_lines, in_turn
from benchmarks.memory import list_devices

OURS = "`ninjaone run list_devices --rows each`"
PLAIN = f"{OURS} without the extra `fast`"
AIRBYTE = "airbyte-cdk `source-declarative-manifest read`"
DETAILED = "`ninjaone run list_devices_detailed --rows each`"
CSV = f"{DETAILED} into CSV"


def measure(bench: Bench) -> Findings:
    """Return the measurements of both programs, from process start to end, writing all pages to a file."""
    findings = _compared(bench)
    findings.add(_as_csv(bench))
    return findings


def _compared(bench: Bench) -> Findings:
    devices = bench.sizes.devices
    skipped = [
        f"{name}: it cannot be installed here"
        for name, of in ((AIRBYTE, "airbyte"), (PLAIN, CORE))
        if not bench.peers[of]
    ]
    pages = work.write_pages(bench.folder / "pages", devices)
    with bench.stub.serve(pages=pages) as served:
        contestants = {OURS: _ours(bench, served.url, "list_devices", devices)}
        if plain := bench.peers[CORE]:
            contestants[PLAIN] = _ours(bench, served.url, "list_devices", devices, python=plain)
        if python := bench.peers["airbyte"]:
            contestants[AIRBYTE] = _airbyte(bench, python, served.url)
        runs, notes = in_turn(contestants, bench.sizes.rounds)
    figures = [
        Figure(
            f"{AIRBYTE} ÷ {ours}, {devices:,} devices in pages of {work.PAGE:,}",
            paired(runs.get(AIRBYTE), runs.get(ours), lambda run: run.cpu_s),
            target,
            wall=paired(runs.get(AIRBYTE), runs.get(ours), lambda run: run.wall_s),
        )
        for ours, target in ((OURS, Target(6)), (PLAIN, Target(3)))
    ]
    table = _table(f"A list of {devices:,} devices in pages of {work.PAGE:,}", devices, runs)
    return Findings(figures, [table], notes, skipped)


def _as_csv(bench: Bench) -> Findings:
    """Return what CSV costs more than JSON Lines."""
    devices = bench.sizes.detailed
    pages = work.write_pages(bench.folder / "detailed", devices, detailed=True)
    with bench.stub.serve(pages=pages) as served:
        lines = _ours(bench, served.url, "list_devices_detailed", devices)
        csv = _ours(bench, served.url, "list_devices_detailed", devices, output="out.csv")
        runs, notes = in_turn({DETAILED: lines, CSV: csv}, -(-bench.sizes.rounds // 2))
    figure = Figure(
        f"{devices:,} detailed devices: CSV ÷ JSON Lines",
        paired(runs.get(CSV), runs.get(DETAILED), lambda run: run.cpu_s),
        Target(1.5, most=True),
        wall=paired(runs.get(CSV), runs.get(DETAILED), lambda run: run.wall_s),
    )
    table = _table(f"A list of {devices:,} devices with details in pages of {work.PAGE:,}", devices, runs)
    return Findings([figure], [table], notes)


def _table(title: str, devices: int, runs: Mapping[str, Sequence[Run]]) -> Table:
    head = ("program", "CPU µs per record (min to max)", "records/s", "s (min to max)", "peak memory, MB")
    lines = []
    for name, taken in runs.items():
        cpu, wall = [run.cpu_s / devices * 1e6 for run in taken], [run.wall_s for run in taken]
        lines.append(
            (
                name,
                f"{median(cpu):.1f} ({spread(cpu, 1)})",
                f"{devices / median(wall):,.0f}",
                f"{median(wall):.2f} ({spread(wall)})",
                f"{median(run.peak_bytes for run in taken) / 1e6:.0f}",
            )
        )
    return Table(title, head, lines)


def _ours(
    bench: Bench,
    url: str,
    action: str,
    devices: int,
    *,
    output: str = "out.jsonl",
    python: Path | None = None,
) -> Callable[[], Run]:
    def once() -> Run:
        run = list_devices(bench, bench.folder, url, action, "each", output, python)
        if output.endswith(".jsonl"):
            expect_lines(bench.folder / output, devices, bad=b'"has_error":true')
        return run

    return once


def _airbyte(bench: Bench, python: Path, url: str) -> Callable[[], Run]:
    config, catalog = bench.folder / "config.json", bench.folder / "catalog.json"
    config.write_text(json.dumps({"base_url": url, "client_id": "bench", "client_secret": "bench-secret"}))
    stream = {"name": "devices", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    sync = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    catalog.write_text(json.dumps({"streams": [sync]}))
    out = bench.folder / "airbyte.jsonl"

    def once() -> Run:
        run = bench.run(
            python.with_name("source-declarative-manifest"),
            "read",
            "--config",
            config,
            "--catalog",
            catalog,
            "--manifest-path",
            PEERS / "airbyte_devices.yaml",
            output=out,
        )
        with out.open("rb") as lines:
            found = sum(line.startswith(b'{"type":"RECORD"') for line in lines)
        if found != bench.sizes.devices:
            raise UnmeasuredError(f"the program read {found} records instead of {bench.sizes.devices}")
        return run

    return once
