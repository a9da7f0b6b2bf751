"""The file in a work folder that names the worker which runs a run there, and the run.

A process on the same disk knows by it that an earlier one has ended: it has the lock of the folder now.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import unicodedata
from pathlib import Path

from connector.common.user_folders import write_whole
from connector.files import work_folder


def key_of(path: Path) -> str:
    """Return the name that identifies a run on all workers: its output, as the job names it, with slashes.

    While its work folder exists, the run is also found by another name of the output, such as its absolute
    path. On macOS, an accent is one character or two: both are names of the same file.
    """
    if kept := _read_worker(path):
        return kept["run"]
    name = Path(os.path.normpath(path)).as_posix()
    return unicodedata.normalize("NFC", name) if sys.platform == "darwin" else name


def worker_of(path: Path, *, make: bool = False) -> str:
    """Return the name of the process that holds the lock of an output's work folder.

    It is kept in the folder, so that a process on the same disk knows that an earlier one has ended: it has
    the lock now. Without `make`, return an empty text if there is none.
    """
    if kept := _read_worker(path):
        return kept["worker"]
    if not make:
        return ""
    made = {"worker": secrets.token_hex(16), "run": key_of(path)}
    write_whole(work_folder.worker_file_of(path), json.dumps(made).encode())
    return made["worker"]


def _read_worker(path: Path) -> dict[str, str] | None:
    try:
        kept: dict[str, str] = json.loads(work_folder.worker_file_of(path).read_text(encoding="utf-8"))
        return kept
    except (OSError, ValueError):
        return None
