"""Measure the startup time of commands, relative to Python importing the same libraries."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio, spread
from benchmarks.measure import Run, in_turn

IMPORTS = "import requests, jinja2, jsonschema, yaml"
REFERENCE = f'(r) `python -c "{IMPORTS}"`'
CALL = "`ninjaone call` of one action, cold"
ACTIONS = "`ninjaone actions` over the whole catalog, cold"
FIRST = " and for the first time (empty cache folder)"


def measure(bench: Bench) -> Findings:
    """Return the startup times of each command, measured in turn."""
    listed = bench.folder / "actions.txt"
    with bench.stub.instant() as served:
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
    # Ignore the first round, which fills the caches: bytecode and the cache folder.
    times = {what: [r.wall_s * 1000 for r in taken[1:]] for what, taken in runs.items()}
    medians = {what: median(taken) for what, taken in times.items()}
    reference = medians.get(REFERENCE)
    targets = {CALL: 1.0, CALL + FIRST: 1.0, ACTIONS: 0.6, ACTIONS + FIRST: 0.6}
    figures = [
        Figure(f"{what} ÷ (r), the imports", ratio(medians.get(what), reference), Target(most, most=True))
        for what, most in targets.items()
    ]
    lines = [(what, f"{medians[what]:.0f}", spread(taken, 0)) for what, taken in times.items()]
    table = Table("Cold starts", ("command", "ms (median)", "min to max"), lines)
    return Findings(figures, [table], notes)


def _empty(bench: Bench) -> Path:
    cache = bench.folder / "empty"
    shutil.rmtree(cache, ignore_errors=True)
    return cache
