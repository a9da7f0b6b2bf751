"""The command line on a terminal: a person who reads prompts and types answers."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE_S = 60.0
_ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "connector", *sys.argv[1:]])
"""


def on_terminal(
    arguments: Sequence[object], answers: Sequence[tuple[str, str]], folder: Path
) -> tuple[int, str]:
    """Run `ninjaone ARGUMENTS` on a terminal of its own; give its exit code and all that the screen showed.

    Each of the `answers` is typed when the text before it has been shown since the last one.
    """
    import pty

    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_A_TERMINAL, *map(str, arguments)],
        stdin=terminal, stdout=terminal, stderr=terminal, cwd=folder, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    screen, seen, end = "", 0, time.monotonic() + PATIENCE_S
    waiting = list(answers)
    try:
        while time.monotonic() < end:
            if not select.select([keyboard], [], [], 0.1)[0]:
                continue
            try:
                shown = os.read(keyboard, 65536).decode()
            except OSError:  # nobody has the terminal open any more
                break
            screen += shown
            if waiting and (at := screen.find(waiting[0][0], seen)) >= 0:
                seen = at + len(waiting[0][0])
                os.write(keyboard, waiting.pop(0)[1].encode() + b"\n")
        assert not waiting, f"never asked for {waiting[0][0]!r}: {screen}"
        return process.wait(timeout=PATIENCE_S), screen
    finally:
        os.close(keyboard)
        if process.poll() is None:
            process.kill()
            process.wait()
