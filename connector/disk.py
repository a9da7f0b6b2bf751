"""Having the disk hold what was written, so that it outlasts a loss of power."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def sync_file(descriptor: int) -> None:
    """Have the disk hold a file's content, and not only the disk's own cache. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError:
            pass  # a file system that does not know it, such as a network's
    os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Have the disk hold the names in a folder, where the system has a way to ask for it. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
