"""Two runs on one connection at the same time keep the delay between them, as the sandbox sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import write_lines
from tests.interruption import wait_for_requests

DELAY_S = 0.3
"""What a run keeps when nothing else is said."""
ROWS = 4


def start_run(connection_file: Path, output: Path) -> subprocess.Popen[str]:
    """Start a run that waits for its rows on standard input."""
    command = [sys.executable, "-m", "connector", "run", "get_device", "-c", str(connection_file)]
    settings = ["-i", "-", "--input-format", "jsonl", "-o", str(output)]
    return subprocess.Popen([*command, *settings], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def feed(run: subprocess.Popen[str], device: int, rows: int) -> None:
    assert run.stdin is not None
    run.stdin.write(f'{{"device_id": {device}}}\n' * rows)
    run.stdin.flush()


def test_two_runs_on_one_connection_keep_the_delay_between_them(
    sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    runs = {device: start_run(connection_file, tmp_path / f"{device}.jsonl") for device in (1, 2)}
    for device, run in runs.items():
        feed(run, device, 1)
    for run in runs.values():
        wait_for_requests(run, len(runs), sandbox)
    given = time.monotonic()
    for device, run in runs.items():
        feed(run, device, ROWS - 1)
    for device, run in runs.items():
        _, errors = run.communicate(timeout=120)
        assert run.returncode == 0, errors
        lines = (tmp_path / f"{device}.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == ROWS
        assert not any(json.loads(line)["has_error"] for line in lines)

    received = sandbox.log.requests()
    assert {request["path"] for request in received[:2]} == {"/v2/device/1", "/v2/device/2"}
    assert len(received) == 2 * ROWS
    # A busy machine may hold up a request on its way, but no later row starts before it is given. Without one
    # pace for both, these rows take half of this time.
    assert received[-1]["time"] - given > (2 * (ROWS - 1) - 1.5) * DELAY_S


def test_a_killed_run_with_a_long_delay_says_what_it_waits_for_and_blocks_no_other(
    sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}] * 2)
    run = [
        sys.executable,
        "-m",
        "connector",
        "run",
        "get_device",
        "-c",
        str(connection_file),
        "-i",
        str(rows),
    ]
    slow = [*run, "-o", str(tmp_path / "slow.jsonl"), "--delay-ms", "3600000"]
    with subprocess.Popen(slow, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        shown = process.stderr.readline()
        process.kill()
    assert "waiting 3" in shown
    assert "the delay between requests to one account is 3600000 ms, and the latest one started" in shown
    later = [*run, "-o", str(tmp_path / "later.jsonl"), "--delay-ms", "10"]
    assert subprocess.run(later, timeout=60, capture_output=True).returncode == 0
    assert len(sandbox.log.requests()) == 3
