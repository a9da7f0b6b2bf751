"""Virtual environments of a test's own, made of the packages that `make wheels` has put aside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

WHEELS = Path(sys.prefix) / "wheels"
needs_wheels = pytest.mark.skipif(
    not (WHEELS / ".ready").exists(), reason="no packages are put aside: run `make wheels`"
)


def run(*command: object, cwd: Path, **environment: str) -> str:
    """Run a command with nothing of this Python's surroundings, and give what it printed."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path, python: str = sys.executable) -> Path:
    """Make an environment, and give the folder of its programs."""
    run(python, "-m", "venv", folder, cwd=folder.parent)
    return folder / "bin"


def offline_pip(python: Path, *arguments: object, cwd: Path) -> None:
    """Run pip with the packages that are put aside, and no network."""
    run(python, "-m", "pip", *arguments, "--quiet", "--no-index", "--find-links", WHEELS, cwd=cwd)


def copy_sources(folder: Path) -> Path:
    """Copy the sources, so that building leaves nothing in the real ones."""
    copy = folder / "ninjaone-connector"
    left_out = shutil.ignore_patterns(
        ".*", "*.egg-info", "build", "dist", "__pycache__", "tests", "demo-output"
    )
    shutil.copytree(ROOT, copy, ignore=left_out)
    return copy


def build_wheel(python: Path, sources: Path, folder: Path) -> Path:
    """Build the wheel of the sources into a folder."""
    offline_pip(python, "wheel", "--no-deps", "--wheel-dir", folder, sources, cwd=folder.parent)
    (wheel,) = folder.glob("ninjaone_connector-*.whl")
    return wheel
