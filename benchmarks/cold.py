"""Measure the CPU time of commands that do little, relative to Python importing the same libraries."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, paired, spread
from benchmarks.measure import Run, UnmeasuredError, in_turn

IMPORTS = "import requests, jinja2, jsonschema, yaml"
REFERENCE = f'(r) `python -c "{IMPORTS}"`'
CALL = "`ninjaone call` of one action, cold"
ACTIONS = "`ninjaone actions` over the whole catalog, cold"
SERVE = "`ninjaone catalog serve` to its address, wall time"
FIRST = " and for the first time (empty cache folder)"


def measure(bench: Bench) -> Findings:
    """Return the times of each command, measured in turn."""
    listed = bench.folder / "actions.txt"
    with bench.stub.serve() as served:
        connection = work.write_connection(bench.folder, served.url)

        def call(cache: Path | None = None) -> Run:
            given = ("device_id=12", "display_name=PC-00012", "--delay-ms", "0")
            return bench.ninjaone("call", "update_device", *given, "-c", connection, cache=cache)

        def actions(cache: Path | None = None) -> Run:
            return bench.ninjaone("actions", output=listed, cache=cache)

        contestants = {
            REFERENCE: lambda: bench.run(sys.executable, "-c", IMPORTS),
            CALL: call,
            CALL + FIRST: lambda: call(_empty(bench)),
            ACTIONS: actions,
            ACTIONS + FIRST: lambda: actions(_empty(bench)),
        }
        runs, notes = in_turn(contestants, 1 + bench.sizes.cold_rounds)
    starts, failed = in_turn({SERVE: lambda: _seconds_to_address(bench)}, 1 + bench.sizes.cold_rounds)
    # Ignore the first round, which fills the caches: bytecode and the cache folder.
    runs = {what: taken[1:] for what, taken in runs.items()}
    reference = runs.get(REFERENCE)
    figures = [
        Figure(
            f"{what} ÷ (r), the imports",
            paired(runs.get(what), reference, lambda run: run.cpu_s),
            Target(0.6, most=True),
            wall=paired(runs.get(what), reference, lambda run: run.wall_s),
        )
        for what in (CALL, CALL + FIRST, ACTIONS, ACTIONS + FIRST)
    ]
    to_address = starts.get(SERVE, [])[1:]
    figures.append(Figure(SERVE, median(to_address) if to_address else None, Target(0.5, most=True), " s"))
    lines = []
    for what, taken in runs.items():
        cpu, wall = [run.cpu_s * 1000 for run in taken], [run.wall_s * 1000 for run in taken]
        lines.append(
            (what, f"{median(cpu):.0f} ({spread(cpu, 0)})", f"{median(wall):.0f} ({spread(wall, 0)})")
        )
    table = Table("Cold starts", ("command", "CPU ms (min to max)", "ms (min to max)"), lines)
    return Findings(figures, [table], notes + failed)


def _seconds_to_address(bench: Bench) -> float:
    """Return the time from the start of the catalog's server to its address. Raises UnmeasuredError."""
    program = str(Path(sys.executable).with_name("ninjaone"))
    command = [program, "catalog", "serve", "--no-browser", "--port", "0"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=bench.environment()) as process:
        try:
            assert process.stdout is not None
            if "http://" not in process.stdout.readline():
                raise UnmeasuredError("the catalog's server did not start")
            return time.perf_counter() - began
        finally:
            process.kill()


def _empty(bench: Bench) -> Path:
    cache = bench.folder / "empty"
    shutil.rmtree(cache, ignore_errors=True)
    return cache
