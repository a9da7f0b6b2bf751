"""Permissions that also apply to a process of root: one that cannot override them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2


def obey_permissions() -> None:
    """Take the right to override permissions from the program that this process runs next (`preexec_fn`)."""
    if sys.platform == "linux" and os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def can_obey(folder: Path) -> bool:
    """Return whether permissions hold for such a process; where not, a test cannot show anything."""
    closed = folder / "closed"
    closed.mkdir(mode=0)
    command = [sys.executable, "-c", f"import os; os.listdir({str(closed)!r})"]
    done = subprocess.run(command, preexec_fn=obey_permissions, capture_output=True, timeout=60)
    closed.rmdir()
    return done.returncode != 0
