"""All parts of the benchmarks, as `make bench` runs them, in a short version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_every_part_is_measured() -> None:
    """Programs that cannot be installed here are skipped, which is no failure."""
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stderr.splitlines() if line in PARTS] == list(PARTS)
    assert "Not measured:" not in done.stdout
    for title in (
        "CPU time of a row",
        "Paced runs, by the kernel",
        "Memory",
        "Cold starts",
        "Sync",
        "tenants",
    ):
        assert f"### {title}" in done.stdout or f"{title} ×" in done.stdout, title  # noqa: RUF001
    for plot in ("benchmarks-latency", "benchmarks-memory"):
        assert f"](images/{plot}.svg)" in done.stdout


@pytest.mark.slow
def test_an_unknown_part_is_an_error() -> None:
    command = [sys.executable, "-m", "benchmarks", "speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "unknown benchmark speed" in done.stderr) == (2, True)
