"""Measure the records per second of a long list, compared with airbyte-cdk reading the same pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import PEERS, Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio, spread
from benchmarks.measure import Run, UnmeasuredError, expect_lines, in_turn

OURS = "`ninjaone run list_devices --rows each`"
AIRBYTE = "airbyte-cdk `source-declarative-manifest read`"


def measure(bench: Bench) -> Findings:
    """Return the measurements of both programs, from process start to end, writing all pages to a file."""
    devices = bench.sizes.devices
    pages = work.write_pages(bench.folder / "pages", devices)
    with bench.stub.instant(pages) as served:
        contestants = {OURS: _ours(bench, served.url)}
        if python := bench.peers["airbyte"]:
            contestants[AIRBYTE] = _airbyte(bench, python, served.url)
        runs, notes = in_turn(contestants, bench.sizes.rounds)
    rates = {name: devices / median(r.wall_s for r in taken) for name, taken in runs.items()}
    lines = [
        (
            name,
            f"{rates[name]:,.0f}",
            f"{median(r.wall_s for r in taken):.2f} ({spread([r.wall_s for r in taken])})",
            f"{median(r.peak_bytes for r in taken) / 1e6:.0f}",
        )
        for name, taken in runs.items()
    ]
    head = ("program", "records/s", "s (min to max)", "peak memory, MB")
    table = Table(f"A list of {devices:,} devices in pages of {work.PAGE:,}", head, lines)
    what = f"list {devices:,} devices in pages of {work.PAGE:,}, records/s ÷ airbyte-cdk"
    return Findings([Figure(what, ratio(rates.get(OURS), rates.get(AIRBYTE)), Target(4))], [table], notes)


def _ours(bench: Bench, url: str) -> Callable[[], Run]:
    rows = bench.folder / "one.jsonl"
    rows.write_text("{}\n")
    job = work.write_job(bench.folder, url, rows, action="list_devices", templates={}, rows="each")

    def once() -> Run:
        run = bench.ninjaone("run", job, "--restart")
        expect_lines(bench.folder / "out.jsonl", bench.sizes.devices, bad=b'"has_error":true')
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
