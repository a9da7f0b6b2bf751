"""A small file of times, such as that of the latest request, that a user's processes share."""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Sequence
from pathlib import Path

from connector.common.clock import Clock
from connector.common.kept_lock import KeptLock

_SAME_BOOT_S = 60.0


def separate_times(fresh: Sequence[float], began: float = 0.0) -> memoryview[float]:
    """Return times for one process: the epoch time at which the monotonic clock was 0, then `fresh`."""
    return memoryview(array("d", (began, *fresh)))


def shared_times(
    path: Path, clock: Clock, fresh: Sequence[float], lasting: int = 0
) -> tuple[memoryview[float], KeptLock | None]:
    """Return the times in a memory-mapped file, and their lock.

    The first time is the epoch time at which the monotonic clock was 0. Times from before the last boot are
    replaced by `fresh`, except the first `lasting` ones, which are no times but other numbers. If the file
    cannot be mapped, the times are not shared, and the lock is None.
    """
    size = 8 * (1 + len(fresh))
    try:
        lock = KeptLock(path.with_name(path.name + ".lock"))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with lock:
                if os.fstat(descriptor).st_size < size:
                    # Write zeros, so that a full disk is an error here, and not later when the memory is
                    # accessed.
                    os.write(descriptor, bytes(size))
                times = memoryview(mmap.mmap(descriptor, size)).cast("d")
                began = clock.now() - clock.monotonic()
                if not abs(times[0] - began) < _SAME_BOOT_S:
                    # The file is new, or was written before the last boot.
                    kept = 1 + lasting if times[0] else 1  # 0: the file is new
                    times[kept:] = separate_times(fresh, began)[kept:]
                    times[0] = began
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return separate_times(fresh), None
    return times, lock
