"""Flushes files and folders to the disk, and raises the limit of open files."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def sync_file(descriptor: int) -> None:
    """Flush a file's content to the disk, including the disk's own write cache. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError:
            pass  # The file system, such as a network share, does not support F_FULLFSYNC.
    os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries (file names) to the disk; does nothing on Windows. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def allow_open_files(count: int) -> None:
    """Raise the limit of open files and connections to `count`, as far as the system allows."""
    if sys.platform != "win32":
        try:
            import resource
        except ImportError:
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = resource.RLIM_INFINITY
        if soft != unlimited and soft < count:
            with suppress(OSError, ValueError):
                resource.setrlimit(
                    resource.RLIMIT_NOFILE, (count if hard == unlimited else min(count, hard), hard)
                )
