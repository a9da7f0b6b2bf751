"""Reads files to upload; they must be below the folder that a run allows.

A file could be replaced by a link after a check of its path, so it is opened first, and the open file is
checked.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from connector.errors import InputError, quote_value

MAX_FILE_BYTES = 1 << 30
"""The maximum size of a file in bytes. The file is read into memory."""


def find(folder: Path, name: str, given: str) -> Path:
    """Return the path of the file `name` below a folder; `given` is the input's name, for errors.

    Raises InputError (`input_invalid`) if the file is not below the folder, not a regular file, or its name
    is not valid.
    """
    try:
        path = (folder / name).resolve()
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError):
        # The name is too long or has a NUL character, or there is a loop of links.
        raise InputError(
            "input_invalid", f"{given}: {quote_value(name, 80)} is not a valid file name"
        ) from None
    if not path.is_relative_to(folder.resolve()):
        raise InputError("input_invalid", f"{given}: the file {quote_value(name)} is not below {folder}")
    if not is_file:
        raise InputError("input_invalid", f"{given}: there is no file {quote_value(name)} below {folder}")
    return path


def read(path: Path, folder: Path | None) -> bytes:
    """Return the content of a file that `find` returned.

    Raises OSError if it cannot be read, or was moved or replaced since.
    """
    # Without O_NONBLOCK, a pipe that has replaced the file would block.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "not a regular file")
        if about.st_size > MAX_FILE_BYTES:
            raise OSError(0, f"the file has more than {MAX_FILE_BYTES:,} bytes")
        if folder is not None:
            now = path.resolve(strict=True)
            if not now.is_relative_to(folder.resolve()) or not os.path.samestat(about, now.stat()):
                raise OSError(0, f"the file is no longer below {folder}")
        return file.read(MAX_FILE_BYTES)
