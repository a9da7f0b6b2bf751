"""An output that is written, and one that an interrupted run left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import in_process
from tests.files.outputs import envelope, start

__all__ = ["in_process"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def interrupted(out: Path) -> Path:
    """The output of a run that ended after three rows."""
    output = start(out)
    for row in (1, 2, 3):
        output.write(envelope(row).line())
    output.close()
    return out
