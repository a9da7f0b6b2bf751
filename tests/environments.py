"""Virtual environments of a test's own, made of the packages that `make wheels` has put aside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1]
WHEELS = Path(sys.prefix) / "wheels"


def run(*command: object, cwd: Path, **environment: str) -> str:
    """Run a command without this Python's environment, and return what it printed."""
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


def environment(folder: Path, python: str = sys.executable, *, pip: bool = False) -> Path:
    """Make an environment, and return the folder of its programs. Most need no pip, which takes seconds."""
    run(python, "-m", "venv", *([] if pip else ["--without-pip"]), folder, cwd=folder.parent)
    return folder / "bin"


def offline_pip(python: Path, *arguments: object, cwd: Path) -> None:
    """Run pip for a Python, with the packages that are put aside, and no network."""
    offline = ("--quiet", "--no-index", "--find-links", WHEELS)
    run(sys.executable, "-m", "pip", "--python", python, *arguments, *offline, cwd=cwd)


def copy_sources(folder: Path) -> Path:
    """Copy the sources, so that building leaves nothing in the real ones."""
    copy = folder / "ninjaone-connector"
    left_out = shutil.ignore_patterns(
        ".*", "*.egg-info", "build", "dist", "__pycache__", "tests", "demo-output"
    )
    shutil.copytree(SOURCES, copy, ignore=left_out)
    return copy


def build_wheel(folder: Path) -> Path:
    """Build the wheel of a copy of the sources, below a folder."""
    sources, wheels = copy_sources(folder), folder / "dist"
    offline_pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", wheels, sources, cwd=folder)
    (wheel,) = wheels.glob("ninjaone_connector-*.whl")
    return wheel
