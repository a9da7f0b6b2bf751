"""The command line as a subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ninjaone = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ninjaone(tmp_path: Path) -> Ninjaone:
    """Run `ninjaone ARGUMENTS` in the test's folder and give what came of it."""

    def run(*arguments: object, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "connector", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **environment},
            timeout=60,
        )

    return run
