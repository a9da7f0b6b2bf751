"""Keeping the configured time between the starts of requests to one account.

Counted over rows, pages and retries alike, and over all threads and processes of one user on a machine:
the time of the latest start is shared through a small file.
"""

from __future__ import annotations

import contextlib
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
        self._shared = _SharedTime(path) if path else None
        self._latest = float("-inf")

    def wait(self) -> None:
        """Wait until the next request may start, and note that it does."""
        self._clock.sleep(self._reserve() - self._clock.monotonic())

    def _reserve(self) -> float:
        with self._thread_lock:
            if self._shared is None:
                self._latest = self._after(self._latest)
            elif not self._delay_s:
                self._latest = self._clock.monotonic()
                self._shared.write(self._latest, self._began())
            else:
                with self._shared.lock:
                    latest, began = self._shared.read()
                    # A time from before the machine's last start means nothing now.
                    same_boot = abs(began - self._began()) < _SAME_BOOT_S
                    self._latest = self._after(latest if same_boot else float("-inf"))
                    self._shared.write(self._latest, self._began())
            return self._latest

    def _after(self, latest: float) -> float:
        return max(self._clock.monotonic(), latest + self._delay_s)

    def _began(self) -> float:
        return self._clock.now() - self._clock.monotonic()


class _SharedTime:
    """Two numbers in a file that all processes map into memory."""

    def __init__(self, path: Path) -> None:
        self.lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with contextlib.suppress(OSError):
                if os.fstat(descriptor).st_size < _SLOT.size:
                    os.ftruncate(descriptor, _SLOT.size)
            self._map = mmap.mmap(descriptor, _SLOT.size)
        finally:
            os.close(descriptor)

    def read(self) -> tuple[float, float]:
        latest, began = _SLOT.unpack_from(self._map)
        return latest, began

    def write(self, latest: float, began: float) -> None:
        _SLOT.pack_into(self._map, 0, latest, began)
