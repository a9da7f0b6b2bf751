"""Commands that run as separate processes, which continue if the server stops."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG = "log.txt"
"""The file with a command's messages, in its folder."""
_LOG_SHOWN = 4000
"""The length of the part of the messages that is shown, in characters."""


def start_command(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a command in a folder, with its messages in a log file. It continues if the server stops."""
    with open(folder / LOG, "wb", opener=private_opener) as log:
        process = subprocess.Popen(  # noqa: S603 - our own command; user input is in files, or is checked
            [sys.executable, "-m", "connector", *arguments],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **_detached(),
        )
    # Without `wait`, the process would become a zombie. A daemon thread does not delay the server's exit.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def log_text(path: Path) -> str:
    """Return the last part of a command's messages."""
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")[-_LOG_SHOWN:].strip()
    return ""


def _detached() -> dict[str, Any]:
    """Return arguments of Popen for a process with private files that Ctrl-C in the terminal does not end."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    else:
        return {"start_new_session": True, "umask": 0o077}


def private_opener(path: str, flags: int) -> int:
    """Open a file with mode 0600; an `opener` for `open`."""
    return os.open(path, flags, 0o600)
