"""A lock between processes whose file stays open, so that it is taken by a single system call."""

from __future__ import annotations

import os
import sys
import time
import weakref
from pathlib import Path
from types import TracebackType

POLL_S = 0.0005
"""The interval between attempts to take the lock on Windows, in seconds. Other systems wake the process."""

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        while True:
            os.lseek(descriptor, 0, os.SEEK_SET)
            try:
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except PermissionError:
                time.sleep(POLL_S)

    def _release(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    try:
        import fcntl
    except ImportError as error:  # A Python without it, as in a browser, has no locks between processes.
        _MISSING = str(error)
    else:
        _MISSING = ""

    def _take(descriptor: int) -> None:
        if _MISSING:
            raise OSError(_MISSING)
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _release(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class KeptLock:
    """A context in which no other process holds the lock on a file. The system releases it if a process ends.

    The file is created with mode 0600. The lock is not reentrant, and does not exclude threads of the same
    process. Raises OSError if the file cannot be opened or locked. `filelock.FileLock` excludes it, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._open()

    def _open(self) -> None:
        self._process = os.getpid()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        weakref.finalize(self, os.close, self._descriptor)

    def __enter__(self) -> None:
        if self._process != os.getpid():  # a forked process would share the lock of its parent
            self._open()
        _take(self._descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _release(self._descriptor)
