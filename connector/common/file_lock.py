"""A lock between processes, by a file."""

from __future__ import annotations

import errno
from typing import Any

import filelock
from filelock import Timeout

__all__ = ["FileLock", "Timeout"]


class FileLock(filelock.FileLock):
    """A lock that raises OSError, and not NotImplementedError, if the file system does not support locks."""

    def acquire(self, *args: Any, **kwargs: Any) -> Any:
        """Acquire the lock; see `filelock.BaseFileLock.acquire`. Raises Timeout or OSError."""
        try:
            return super().acquire(*args, **kwargs)
        except NotImplementedError as error:
            raise OSError(errno.ENOLCK, "the file system does not support locks") from error
