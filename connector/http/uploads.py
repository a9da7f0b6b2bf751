"""Files that are sent: found below the folder that a run allows, and read only if they are still there.

A file could be replaced by a link after it was checked, so it is opened first, and the open file is checked.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from connector.errors import InputError

LARGEST_FILE = 1 << 30
"""Limit of one file in bytes. It is read into memory."""


def find(folder: Path, name: str, given: str) -> Path:
    """Find a file by its name below a folder, for the input `given`.

    Raises InputError (`input_invalid`) for what is not below it, is no plain file, or cannot be a name.
    """
    try:
        path = (folder / name).resolve()
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
        raise InputError("input_invalid", f'{given}: "{name[:80]}" cannot be a file\'s name') from None
    if not path.is_relative_to(folder.resolve()):
        raise InputError("input_invalid", f'{given}: the file "{name}" is not below {folder}')
    if not is_file:
        raise InputError("input_invalid", f'{given}: there is no file "{name}" below {folder}')
    return path


def read(path: Path, folder: Path | None) -> bytes:
    """Read a file that `find` found below the folder. Raises OSError, also where it is no longer there."""
    # Without O_NONBLOCK, a pipe that has replaced the file would block.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "it is no plain file")
        if about.st_size > LARGEST_FILE:
            raise OSError(0, f"it has more than {LARGEST_FILE:,} bytes")
        if folder is not None:
            now = path.resolve(strict=True)
            if not now.is_relative_to(folder.resolve()) or not os.path.samestat(about, now.stat()):
                raise OSError(0, f"it is not below {folder} any more")
        return file.read(LARGEST_FILE)
