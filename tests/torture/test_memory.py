"""Memory stays constant while one request hangs: no row is started far ahead of it."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.torture.kinds import READ
from tests.torture.oracle import Oracle
from tests.torture.runs import FINISHED, Run

ROWS = 3_000
FARTHEST = 200
"""The maximum number of rows started after the one that hangs."""
GROWTH_MB = 12
"""The results of all rows would take several times as much."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no /proc there")
@pytest.mark.slow
def test_one_request_that_hangs_does_not_fill_the_memory(tmp_path: Path) -> None:
    with Sandbox(devices=ROWS) as sandbox:
        run = Run(tmp_path, sandbox, READ, ROWS, concurrency=8, timeout_s=300)
        sandbox.set_faults(queue=["hold"])
        process = run.start()
        assert run.wait_for(1, process)
        at_first = peak_mb(process.pid)
        received = -1
        while received != len(run.requests()):
            received = len(run.requests())
            time.sleep(0.5)
        assert 8 <= received <= FARTHEST
        assert run.state().written < 8
        assert peak_mb(process.pid) <= at_first + GROWTH_MB
        sandbox.set_faults(queue=[])
        peak = at_first
        while process.poll() is None:
            peak = max(peak, peak_mb(process.pid))
            time.sleep(0.02)
    assert process.returncode in FINISHED
    assert peak <= at_first + GROWTH_MB
    Oracle(READ, run.requests()).check(run.envelopes(), ROWS, 0)


def peak_mb(process: int) -> float:
    """Return the peak memory of a process in MB; 0 if it has ended."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0
