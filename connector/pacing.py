"""Keeping the configured time between the starts of requests to one account.

Counted over rows, pages and retries alike, and over all threads and processes of one user on a machine:
the time of the latest start is shared through a small file.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from pathlib import Path

from filelock import FileLock

from connector.clock import Clock

_SLOT = struct.Struct("<dd")  # the latest start (monotonic s), and when its clock began (epoch s)
_SAME_BOOT_S = 60.0


class Pacer:
    """Hands out start times, each at least `delay_ms` after the one before it.

    A thread or process that asks is given the next free time and then waits for it, so that nobody has
    to hold the lock while it waits. With a delay of 0 a start is noted and never waited for.
    """

    def __init__(self, delay_ms: float, clock: Clock, path: Path | None = None) -> None:
        self._delay_s = delay_ms / 1000
        self._clock = clock
        self._thread_lock = threading.Lock()
        self._shared = _open_shared(path) if path else None
        self._latest = float("-inf")

    def wait(self) -> None:
        """Wait until the next request may start, and note that it does."""
        self._clock.sleep(self._reserve() - self._clock.monotonic())

    def _reserve(self) -> float:
        with self._thread_lock:
            if self._shared is None:
                return self._advance(float("-inf"))
            if not self._delay_s:
                # Nothing is waited for, so nothing needs to be locked; times handed out to others stay.
                now = self._clock.monotonic()
                if now > self._read(self._shared):
                    self._shared.write(now, self._began())
                return now
            try:
                with self._shared.lock:
                    start = self._advance(self._read(self._shared))
                    self._shared.write(start, self._began())
                    return start
            except (OSError, NotImplementedError):
                self._shared = None  # its folder is gone, or cannot lock: this process keeps its own time
                return self._advance(float("-inf"))

    def _advance(self, others: float) -> float:
        self._latest = max(self._clock.monotonic(), max(self._latest, others) + self._delay_s)
        return self._latest

    def _read(self, shared: _SharedTime) -> float:
        """Read the latest start. A time from before the machine's last start means nothing now."""
        latest, began = shared.read()
        return latest if abs(began - self._began()) < _SAME_BOOT_S else float("-inf")

    def _began(self) -> float:
        return self._clock.now() - self._clock.monotonic()


def _open_shared(path: Path) -> _SharedTime | None:
    """Open the shared file; where that cannot be done, a process keeps its own time."""
    try:
        return _SharedTime(path)
    except (OSError, ValueError, NotImplementedError):
        return None


class _SharedTime:
    """Two numbers in a file that all processes map into memory."""

    def __init__(self, path: Path) -> None:
        self.lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self.lock:
                if os.fstat(descriptor).st_size < _SLOT.size:
                    # Written, not only made longer: on a full disk, that fails here and not in the memory.
                    os.write(descriptor, bytes(_SLOT.size))
            self._map = mmap.mmap(descriptor, _SLOT.size)
        finally:
            os.close(descriptor)

    def read(self) -> tuple[float, float]:
        latest, began = _SLOT.unpack_from(self._map)
        return latest, began

    def write(self, latest: float, began: float) -> None:
        _SLOT.pack_into(self._map, 0, latest, began)
