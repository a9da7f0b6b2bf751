"""Permissions of the files and folders that a run writes.

The permissions of results, summaries and downloads follow the umask. Journals, partial output and revealed
secrets can be read only by their owner: the mode is 0600 for files and 0700 for folders.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_PUBLIC_FILE = 0o666  # The system clears the bits of the umask.


def create_file(path: Path, *, private: bool) -> BinaryIO:
    """Create a file for writing; an existing file is replaced. Raises OSError.

    Its permissions are 0600 if it is `private`, otherwise those that the umask allows.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, PRIVATE_FILE if private else _PUBLIC_FILE), "wb")


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its owner can read, or make an existing one private. Raises OSError."""
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    with suppress(OSError):  # some file systems have no permissions
        folder.chmod(PRIVATE_FOLDER)
