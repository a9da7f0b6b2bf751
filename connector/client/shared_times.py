"""Times, such as that of the latest request, that a user's processes share in a small file."""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from connector.common.clock import Clock
from connector.common.kept_lock import KeptLock

_SAME_BOOT_S = 60.0
T = TypeVar("T")


class SharedTimes(Protocol):
    """Times of one account, in seconds of `now`.

    `values` are the latest known ones, which only a step of `change` changes; the first has no meaning.
    `lead_s` is how long before its time a start can be recorded, and `slack_s` how much later than recorded
    it can be without being recorded again; None if each is recorded again. A recorded time is `margin_s`
    later than `now`, which compensates for clocks that differ. `tolerance_s` is how much sooner than its
    delay a start can follow the previous one.
    """

    values: memoryview[float]
    tolerance_s: float
    lead_s: float
    slack_s: float | None

    @property
    def margin_s(self) -> float:
        """The uncertainty of `now`, in seconds."""

    def now(self) -> float:
        """Return the time, in seconds."""

    def change(self, step: Callable[[], T]) -> T:
        """Call `step`, which can change the values while no one else can; return its result.

        It can be called again with newer values, if others have changed them in the meantime.
        """

    def note_now(self, index: int) -> float:
        """Set a time to the current one, if that is later, and return the current time.

        Other processes can see it a little later."""


class OwnTimes:
    """Times of one process: `fresh`, after the epoch time at which the monotonic clock was 0."""

    margin_s = 0.0
    lead_s = 0.0
    tolerance_s = 0.0005
    slack_s: float | None = None

    def __init__(self, clock: Clock, fresh: Sequence[float]) -> None:
        self._clock = clock
        self.values = _memory((0.0, *fresh))

    def now(self) -> float:
        """Return the monotonic time."""
        return self._clock.monotonic()

    def change(self, step: Callable[[], T]) -> T:
        """Call `step`."""
        return step()

    def note_now(self, index: int) -> float:
        """Set a time to the current one, if that is later, and return the current time."""
        now = self._clock.monotonic()
        if not self.values[index] >= now:  # also if a damaged file has no number there
            self.values[index] = now
        return now


class FileTimes(OwnTimes):
    """Times in a memory-mapped file.

    The first one is the epoch time at which the monotonic clock was 0. Times from before the last boot are
    replaced by `fresh`, except the first `lasting` ones, which are no times but other numbers. If the file
    cannot be mapped or locked, the process continues with its own times.
    """

    def __init__(self, path: Path, clock: Clock, fresh: Sequence[float], lasting: int = 0) -> None:
        super().__init__(clock, fresh)
        self._lock: KeptLock | None = None
        try:
            lock = KeptLock(path.with_name(path.name + ".lock"))
            self.values = _mapped(path, lock, clock, fresh, lasting)
            self._lock = lock
        except (OSError, ValueError):
            pass

    def change(self, step: Callable[[], T]) -> T:
        """Call `step` while no other process holds the lock."""
        if self._lock is not None:
            try:
                with self._lock:
                    return step()
            except OSError:
                # The folder does not support locks: this process continues with its own times.
                self.values, self._lock = _memory(self.values), None
        return step()


def _memory(numbers: Sequence[float]) -> memoryview[float]:
    return memoryview(array("d", numbers))


def _mapped(
    path: Path, lock: KeptLock, clock: Clock, fresh: Sequence[float], lasting: int
) -> memoryview[float]:
    size = 8 * (1 + len(fresh))
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
                times[kept:] = _memory((began, *fresh))[kept:]
                times[0] = began
            return times
    finally:
        os.close(descriptor)
