"""Asking the system for more with files: to have the disk hold them, and to have many of them open."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
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


def allow_open_files(count: int) -> None:
    """Let this process have so many files and connections open, where the system has a limit and lets us."""
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
