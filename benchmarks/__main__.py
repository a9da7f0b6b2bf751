"""Command line: all benchmarks, written to `docs/benchmarks.md`, or some of them, printed."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import cold, environments, journal, latency, lists, memory, pace, report, rows, sync
from benchmarks.bench import QUICK, Bench, Sizes
from benchmarks.findings import Findings
from benchmarks.measure import UnmeasuredError
from benchmarks.stub import Stub

PARTS = {
    "rows": rows.measure,
    "latency": latency.measure,
    "pace": pace.measure,
    "memory": memory.measure,
    "lists": lists.measure,
    "cold": cold.measure,
    "journal": journal.measure,
    "sync": sync.measure,
}


def main() -> int:
    """Measure and write or print the results. Return 1 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    parser.add_argument(
        "--quick", action="store_true", help="run a short version, to check that everything works"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = QUICK if options.quick else Sizes()
    peers = {name: environments.peer(name) for name in environments.PEERS}
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
                findings.notes.append(f"the part {name} was not measured: {error}")
    measured = report.render(findings, sizes, setting)
    if options.quick or options.parts:
        print(measured)
    else:
        report.write(measured)
    return 1 if findings.notes else 0


if __name__ == "__main__":
    sys.exit(main())
