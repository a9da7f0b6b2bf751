"""Run all benchmarks and write the results to `docs/benchmarks.md`, or run some and print the results."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from benchmarks import (
    cold,
    default_pace,
    environments,
    journal,
    latency,
    lists,
    memory,
    pace,
    report,
    rows,
    scale,
    sync,
    tenants,
)
from benchmarks.bench import QUICK, Bench, Sizes
from benchmarks.findings import Findings
from benchmarks.measure import UnmeasuredError
from benchmarks.stub import Stub

PARTS = {
    "rows": rows.measure,
    "latency": latency.measure,
    "pace": pace.measure,
    "default": default_pace.measure,
    "memory": memory.measure,
    "lists": lists.measure,
    "cold": cold.measure,
    "journal": journal.measure,
    "sync": sync.measure,
    "tenants": tenants.measure,
    "scale": scale.measure,
}

_COMPARING = {"rows", "latency", "lists"}
"""The benchmarks that run other programs, which are installed for them."""


def main() -> int:
    """Run the benchmarks, print the results, and write them; return 1 if one could not be measured.

    What is skipped, because it is not available here, is no failure.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"benchmark to run: {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="run a short version, to check that the benchmarks work"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; expected {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = QUICK if options.quick else Sizes()
    compares = not options.parts or not _COMPARING.isdisjoint(options.parts)
    peers = {name: environments.peer(name) if compares else None for name in environments.PEERS}
    nginx = environments.find_nginx()
    setting = report.setting(nginx, peers, sizes)
    findings = Findings()
    for name in options.parts or PARTS:
        print(name, file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            bench = Bench(Path(folder), Stub(Path(folder), nginx), sizes, peers)
            try:
                findings.add(PARTS[name](bench))
            except UnmeasuredError as error:
                findings.notes.append(f"the benchmark {name}: {error}")
            except Exception as error:  # The results of the other benchmarks must not be lost.
                traceback.print_exc()
                findings.notes.append(f"the benchmark {name}: {type(error).__name__}: {error}")
    measured = report.render(findings, sizes, setting)
    print(measured)
    if not (options.quick or options.parts):
        report.write(measured, findings.plots)
    return 1 if findings.notes else 0


if __name__ == "__main__":
    sys.exit(main())
