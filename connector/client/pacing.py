"""Keeping the configured time between the starts of requests to one account.

Counted over rows, pages and retries alike, and over all threads and processes of one user on a machine:
they share three times through a small file.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from connector.common.clock import Clock

logger = logging.getLogger(__name__)

TOLERANCE_S = 0.0005
"""How much closer than the delay (and by no more than a tenth of it) two starts may come: by so much a start
makes up for those before it that were late, so that a run as a whole keeps its pace."""

_BEGAN, _SLOT, _STARTED, _UNPACED = range(4)
"""What is shared, as doubles: when the clock began (epoch s), and on that clock (monotonic s) the latest slot
that was given out, the latest start, and the latest start of a process that keeps no delay."""
_NEVER = float("-inf")
_SIZE = 4 * 8
_SAME_BOOT_S = 60.0
_POLL_S = 0.0005
LOG_WAIT_S = 5.0
"""A longer wait for the pace is logged."""
_ROUNDING_S = 1e-6
"""Less than this is no time to sleep."""


class Pacer:
    """Lets requests start one after the other, each at least `delay_ms` after the one before it.

    A request is given the next free slot, a delay after the slot before it, and waits for it. No sleep ends
    on time, so every start is a little late; the slots are not, so that this does not add up. A thread that
    was kept from running can be very late, though, and the next slot near: a start therefore keeps its
    distance (less `TOLERANCE_S`) from the start before it, too, whoever made that. A start is noted when a
    request is let go, and again when it leaves: until then a connection may have to be made.

    One thread of a process at a time has a slot; the others queue behind it, in order. Nobody sleeps while
    holding the lock that the processes share. With a delay of 0 a start is noted and never waited for;
    another process keeps its delay from it when it takes a slot, and not again at its start, which it might
    never come to.
    """

    def __init__(self, delay_ms: float, clock: Clock, path: Path | None = None) -> None:
        self._delay_s = delay_ms / 1000
        self._distance_s = self._delay_s - min(TOLERANCE_S, self._delay_s / 10)
        self._clock = clock
        self._joining, self._last_turn = threading.Lock(), threading.Lock()
        self._times, self._lock = _open_shared(path, clock) if path else (_own_times(), None)

    def wait(self) -> None:
        """Wait until the next request may start, and note that it does."""
        if not self._delay_s:
            self._times[_UNPACED] = self._clock.monotonic()
            return
        asked = self._clock.monotonic()
        with self._turn():
            wait_s = self._locked(self._reserve, asked)
            if wait_s > LOG_WAIT_S:
                said = (wait_s, 1000 * self._delay_s)
                logger.info("waiting %.1f s for the pace: %.0f ms between requests to one account", *said)
            self._clock.sleep(wait_s)
            while early_s := self._locked(self._start):
                self._clock.sleep(early_s)

    def leaving(self) -> None:
        """Note that the request which was let go leaves now: the next one keeps its distance from that."""
        if self._delay_s:
            self._times[_STARTED] = max(self._times[_STARTED], self._clock.monotonic())

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the threads that asked before this one, and hold up those that ask after it.

        A lock would let in whoever comes by: the row that a run's order waits for could stay outside.
        """
        mine = threading.Lock()
        mine.acquire()
        try:
            with self._joining:
                before, self._last_turn = self._last_turn, mine
            with before:
                yield
        finally:
            mine.release()

    def _reserve(self, asked: float) -> float:
        """Take the next free slot since it was asked for, and give the time until then."""
        times = self._times
        times[_SLOT] = max(asked, max(times[_SLOT], times[_UNPACED]) + self._delay_s)
        return times[_SLOT] - self._clock.monotonic()

    def _start(self) -> float:
        """Start, and give 0; or if the latest start is too near, give the time that is to pass."""
        now, times = self._clock.monotonic(), self._times
        early_s = times[_STARTED] + self._distance_s - now
        if early_s > _ROUNDING_S:
            return early_s
        times[_STARTED] = now
        return 0.0

    def _locked(self, step: Callable[..., float], *given: float) -> float:
        """Take a step while no other process does."""
        if self._lock is not None:
            try:
                with self._lock.acquire(poll_interval=_POLL_S):
                    return step(*given)
            except (OSError, NotImplementedError):
                # Its folder is gone, or cannot lock: from now on this process keeps its own time.
                self._times, self._lock = memoryview(array("d", self._times.tolist())), None
        return step(*given)


def _own_times(began: float = 0.0) -> memoryview[float]:
    return memoryview(array("d", (began, _NEVER, _NEVER, _NEVER)))


def _open_shared(path: Path, clock: Clock) -> tuple[memoryview[float], FileLock | None]:
    """Map the file into memory; where that cannot be done, a process keeps its own time."""
    try:
        lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with lock.acquire(poll_interval=_POLL_S):
                if os.fstat(descriptor).st_size < _SIZE:
                    # Written, not only made longer: on a full disk, that fails here and not in the memory.
                    os.write(descriptor, bytes(_SIZE))
                times = memoryview(mmap.mmap(descriptor, _SIZE)).cast("d")
                began = clock.now() - clock.monotonic()
                if not abs(times[_BEGAN] - began) < _SAME_BOOT_S:
                    # Nothing yet, or times from before the machine's last start, which mean nothing now.
                    times[:] = _own_times(began)
        finally:
            os.close(descriptor)
    except (OSError, ValueError, NotImplementedError):
        return _own_times(), None
    return times, lock
