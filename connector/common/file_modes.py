"""Permissions of files and folders that a run writes.

Results, summaries and downloads follow the umask. Files with more than the results (journals, partial output,
revealed secrets) can be read only by their owner: mode 0600, in folders with mode 0700.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_PUBLIC_FILE = 0o666  # The system removes the bits of the umask.


def create_file(path: Path, *, private: bool) -> BinaryIO:
    """Create a file for writing; an existing file is replaced. Raises OSError.

    Its permissions are 0600 if it is `private`, otherwise those that the umask allows.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, PRIVATE_FILE if private else _PUBLIC_FILE), "wb")


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its user can read, or make an existing one private. Raises OSError."""
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    with suppress(OSError):  # not every file system has permissions
        folder.chmod(PRIVATE_FOLDER)
