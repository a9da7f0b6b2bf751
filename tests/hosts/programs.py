"""Hosts that `make` installs into folders of `build`, and the connector's wheel beside them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.conftest import ROOT
from tests.environments import offline_pip

PATIENCE_S = 300.0


def programs(name: str, wheel: Path) -> Path:
    """The folder of the programs of a Python host, with the wheel installed; skip if the host is missing."""
    folder = ROOT / "build" / name / "bin"
    if not folder.exists():
        pytest.skip(f"{name} is not installed: run make {name}")
    with FileLock(folder.parent / "wheel.lock"):
        offline_pip(folder / "python", "install", "--no-deps", "--force-reinstall", wheel, cwd=ROOT)
    return folder


def run_host(*command: object, cwd: Path, fails: bool = False, **environment: str) -> str:
    """Run a program of a host, and return what it printed on both outputs."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode != 0) is fails, done.stdout
    return done.stdout


def read_json(path: Path) -> Any:
    """The value in a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
