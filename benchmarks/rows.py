"""Measure rows per second and CPU time per row, including startup, of this and other programs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import PEERS, Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio, spread
from benchmarks.measure import Run, expect_lines, in_turn
from connector.hosts.lhub_build import build

OURS = "`ninjaone run`"
OURS_8 = "`ninjaone run --concurrency 8`"
SDK = "(a) LogicHub SDK"
HOSTED = "this connector in the LogicHub SDK"
SESSION = "(b) `requests.Session` loop"
NINJAPY = "(c) ninjapy loop"
SEND = "(d) loop over the connector's HTTP client"


def measure(bench: Bench) -> Findings:
    """Return the measurements of all programs over the same rows, measured in turn."""
    rows = work.write_rows(bench.folder / "rows.jsonl", bench.sizes.rows)
    with bench.stub.instant() as served:
        contestants = _contestants(bench, served.url, rows)
        runs, notes = in_turn(contestants, bench.sizes.rounds)
    notes += [
        f"{name} was not measured: it is not installed"
        for name in (SDK, HOSTED, NINJAPY)
        if name not in contestants
    ]
    rates = {name: bench.sizes.rows / median(r.wall_s for r in taken) for name, taken in runs.items()}
    ours, sdk = rates.get(OURS), rates.get(SDK)
    cpu_us = median(r.cpu_s for r in runs[OURS]) / bench.sizes.rows * 1e6 if OURS in runs else None
    figures = [
        Figure(f"rows/s, one request at a time ÷ {SEND}", ratio(ours, rates.get(SEND)), Target(0.75)),
        Figure(f"rows/s, one request at a time ÷ {SDK}", ratio(ours, sdk), Target(12, 15), digits=1),
        Figure(
            f"rows/s, one request at a time ÷ {SESSION}", ratio(ours, rates.get(SESSION)), Target(1.7, 2.3)
        ),
        Figure(f"rows/s, one request at a time ÷ {NINJAPY}", ratio(ours, rates.get(NINJAPY))),
        Figure(
            f"rows/s with `--concurrency 8` ÷ {SDK}",
            ratio(rates.get(OURS_8), sdk),
            Target(None, 20),
            digits=1,
        ),
        Figure(f"rows/s of {HOSTED} ÷ {SDK}", ratio(rates.get(HOSTED), sdk), Target(10), digits=1),
        Figure("CPU time per row, one request at a time", cpu_us, Target(350, most=True), " µs", 0),
    ]
    return Findings(figures, [_table(bench.sizes.rows, runs)], notes)


def _contestants(bench: Bench, url: str, rows: Path) -> dict[str, Callable[[], Run]]:
    job = work.write_job(bench.folder, url, rows)
    out = bench.folder / "peer.jsonl"

    def loop(python: Path, script: str, target: str | Path) -> Run:
        run = bench.run(python, PEERS / script, target, rows, out)
        expect_lines(out, bench.sizes.rows)
        return run

    here = Path(sys.executable)
    contestants: dict[str, Callable[[], Run]] = {
        OURS: lambda: bench.ninjaone("run", job, "--restart"),
        OURS_8: lambda: bench.ninjaone("run", job, "--restart", "--concurrency", "8"),
        SEND: lambda: loop(here, "send_loop.py", job.with_name("connection.yaml")),
        SESSION: lambda: loop(here, "requests_loop.py", url),
    }
    if python := bench.peers["ninjapy"]:
        contestants[NINJAPY] = lambda: loop(python, "ninjapy_loop.py", url)
    if sdk := bench.peers["lhub"]:
        contestants[SDK] = _by_hand(bench, sdk, url)
    if hosted := bench.peers["hosted"]:
        contestants[HOSTED] = _hosted(bench, hosted, url)
    return contestants


def _by_hand(bench: Bench, python: Path, url: str) -> Callable[[], Run]:
    """Create a typical integration for the LogicHub SDK; return a function that runs it."""
    folder = bench.folder / "by-hand"
    folder.mkdir()
    shutil.copy(PEERS / "lhub_update_device.py", folder / "main.py")
    return _integration(bench, python, folder, base_url=url, client_id="bench", client_secret="bench-secret")


def _hosted(bench: Bench, python: Path, url: str) -> Callable[[], Run]:
    """Build the connector's integration for the LogicHub SDK; return a function that runs it."""
    folder = bench.folder / "hosted"
    build(folder, ["update_device"])
    return _integration(
        bench,
        python,
        folder,
        NINJAONE_BASE_URL=url,
        NINJAONE_CLIENT_ID="bench",
        NINJAONE_CLIENT_SECRET="bench-secret",
        time_between_consecutive_requests_milliseconds="0",
    )


def _integration(bench: Bench, python: Path, folder: Path, **variables: str) -> Callable[[], Run]:
    """Return a function that runs `update_device` of an integration with the LogicHub SDK."""
    rows = folder / "rows"
    rows.mkdir()
    work.write_rows(rows / "part-00000", bench.sizes.rows, id_field="lhub_id")
    out = folder / "out.jsonl"
    environment = bench.environment(
        **variables,
        __lh_integration_input_data_json_folder_path=str(rows),
        __lh_integration_output_data_json_file_path=str(out),
        **{f"___{name}": template for name, template in work.UPDATE.items()},
    )
    entrypoint = "main.update_device"

    def once() -> Run:
        run = bench.run(
            python, "-m", "lhub_integ.shim_exec", "-e", entrypoint, folder=folder, environment=environment
        )
        expect_lines(out, bench.sizes.rows, bad=rb"\"has_error\": true")
        return run

    return once


def _table(rows: int, runs: dict[str, list[Run]]) -> Table:
    head = ("program", "rows/s", "s (min to max)", "CPU µs per row", "peak memory, MB")
    lines = [
        (
            name,
            f"{rows / median(r.wall_s for r in taken):,.0f}",
            f"{median(r.wall_s for r in taken):.2f} ({spread([r.wall_s for r in taken])})",
            f"{median(r.cpu_s for r in taken) / rows * 1e6:.0f}",
            f"{median(r.peak_bytes for r in taken) / 1e6:.0f}",
        )
        for name, taken in runs.items()
    ]
    return Table(f"{rows:,} rows, delay 0, a server without latency", head, lines)
