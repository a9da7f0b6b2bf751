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
WAIT_POLL_S = 0.05
"""The interval between attempts to take the lock with a maximum wait, in seconds."""

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        while not _try(descriptor):
            time.sleep(POLL_S)

    def _try(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

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

    def _try(descriptor: int) -> bool:
        if _MISSING:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

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
        self._close = weakref.finalize(self, os.close, self._descriptor)

    @property
    def is_open(self) -> bool:
        """Whether `close` was not called yet."""
        return self._close.alive

    def take(self, wait_s: float = 0.0) -> bool:
        """Take the lock until `close`, and return true; return false if it cannot be taken in `wait_s`.

        It cannot be taken if the file was removed, because another process could then lock a new one. In a
        Python without locks, it is always taken.
        """
        end = time.monotonic() + wait_s
        while not _try(self._descriptor):
            if time.monotonic() >= end:
                return False
            time.sleep(WAIT_POLL_S)
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Release the lock, and close the file."""
        self._close()

    def __enter__(self) -> None:
        if self._process != os.getpid():  # a forked process would share the lock of its parent
            self._open()
        _take(self._descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _release(self._descriptor)
