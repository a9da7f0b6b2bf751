"""Measurements of a process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.measure import UnmeasuredError


def test_the_peak_is_that_of_the_process_and_not_of_the_one_that_measures(tmp_path: Path) -> None:
    held = b"x" * 300_000_000  # A process that is started from here has a peak of at least this much.
    run = measure.run([sys.executable, "-I", "-S", "-c", "pass"], tmp_path, {})
    assert run.peak_bytes < len(held) / 3
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    assert measure.run([sys.executable, "-I", "-S", "-c", busy], tmp_path, {}).cpu_s >= 0.3


def test_a_process_that_fails_or_takes_too_long_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnmeasuredError, match="ended with code 3: no disk"):
        measure.run(
            [sys.executable, "-c", "import sys; print('no disk', file=sys.stderr); sys.exit(3)"], tmp_path, {}
        )
    with pytest.raises(UnmeasuredError, match="could not be started"):
        measure.run([tmp_path / "missing"], tmp_path, {})
    monkeypatch.setattr(measure, "TIMEOUT_S", 0.01)
    with pytest.raises(UnmeasuredError, match="did not end within"):
        measure.run([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, {})
