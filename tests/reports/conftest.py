"""What the reports share: the command line within the test's process, and their files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Ninjaone, in_process

__all__ = ["in_process"]

DATA = Path(__file__).parent / "data"


@pytest.fixture
def ninjaone(in_process: Ninjaone, tmp_path: Path) -> Ninjaone:
    """Run `ninjaone ARGUMENTS` in a folder with a copy of the reports' files."""
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    return in_process
