"""Flushes files and folders to the disk, and raises the limit of open files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

_OTHER_FILES = 100
"""The number of files for code that reserves none, such as libraries and the database client."""
_reserved = 0
"""The number of files that all threads of this process have reserved."""
_reserving = Lock()


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


@contextmanager
def reserved_open_files(count: int) -> Iterator[None]:
    """Context in which `count` files and connections can be open, in addition to those reserved by others.

    The limit of open files is raised as far as the system allows.
    """
    global _reserved
    with _reserving:
        _reserved += count
        allow_open_files(_OTHER_FILES + _reserved)
    try:
        yield
    finally:
        with _reserving:
            _reserved -= count


def free_open_files() -> int:
    """Return how many more files this process can open; on Windows, an estimate."""
    free = 4000  # on Windows, where the C runtime allows 8192
    if sys.platform != "win32":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            opened = len(os.listdir("/dev/fd"))
        except OSError:  # not mounted
            opened = _OTHER_FILES
        free = sys.maxsize if soft == resource.RLIM_INFINITY else soft - opened
    return free


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
