"""The demo where the modules of POSIX are not there, as on Windows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HIDDEN = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
HIDE = f"""
import select, sys
sys.modules.update(dict.fromkeys({HIDDEN}))  # `None` makes an import fail
for name in ("poll", "epoll", "kqueue"):
    if hasattr(select, name):
        delattr(select, name)
"""
CHECK = f"""
import select
assert not hasattr(select, "poll")
for name in {HIDDEN}:
    try:
        __import__(name)
    except ImportError:
        continue
    raise AssertionError(name)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python, and of all that it starts, without those modules."""
    folder = tmp_path / "hide"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDE)
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_the_demo_runs_without_modules_of_posix(tmp_path: Path, environment: dict[str, str]) -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-c", CHECK)
    assert "create_organization: 6 rows, 2 succeeded, 4 failed" in run("-m", "connector", "demo")
    assert (tmp_path / "demo-output" / "devices.csv").exists()
