"""Pacing: keeps the configured delay between the starts of requests to one account.

It applies to rows, pages and retries, and to all threads and processes of one user on a machine, which share
a small file with the times of the latest requests. Requests in the future are not reserved there, so a
process that is killed does not block others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connector.client.account_limit import AccountLimit
from connector.client.shared_times import POLL_S, separate_times, shared_times
from connector.common.clock import Clock

logger = logging.getLogger(__name__)

TOLERANCE_S = 0.0005
"""Two starts can be closer than the delay by this much, in seconds, and by at most a tenth of it. This makes
up for late starts, so that the average rate of a run is exact."""

_BEGAN, _SLOT, _STARTED, _UNPACED, _DELAY = range(5)
"""The shared times: the epoch time at which the monotonic clock was 0; in monotonic seconds, the slot and the
time of the latest start, and the latest start of a process without a delay; the delay, in seconds, of the
process of the latest start."""
_NEVER = float("-inf")
_FRESH = (_NEVER, _NEVER, _NEVER, 0.0)
LOG_WAIT_S = 5.0
"""Waits longer than this, in seconds, are logged; the first one of a run is also shown without -v."""
_ROUNDING_S = 1e-6
"""Waits shorter than this, in seconds, are skipped."""


@dataclass
class _Turn:
    """A request that waits for its start: its slot, its delay, and the latest start that it has seen."""

    asked: float
    delay_s: float
    slot: float = _NEVER
    seen: float = _NEVER


class Pacer:
    """Lets requests start one after the other, each at least `delay_ms` after the one before it.

    Each request has a slot: the planned start, one delay after the slot of the latest start. Sleeps end a bit
    late, but this does not add up, because each slot is computed from the previous slot. If a start is very
    late, the next slot can be too close; a start therefore also keeps the delay (less `TOLERANCE_S`) from the
    previous start. A start is recorded when the wait ends, and again when the request is sent, since
    connecting can take time.

    Threads of a process take turns, in order. Processes compete: if another one has started a request in the
    meantime, a process takes the next slot, with the shorter of both delays, so that one with a long delay is
    not blocked forever. With a delay of 0, starts are recorded without waiting; other processes keep their
    delay from them when they take a slot, but not again at the start, because they might never reach it.

    With a `limit` reported by the service, the delay is at least what the limit requires, and no request
    starts while the service accepts none.
    """

    def __init__(
        self, delay_ms: float, clock: Clock, path: Path | None = None, limit: AccountLimit | None = None
    ) -> None:
        self._own_delay_s = self._delay_s = delay_ms / 1000
        self._clock, self.limit = clock, limit
        self._joining, self._last_turn = threading.Lock(), threading.Lock()
        self._times, self._lock = (
            shared_times(path, clock, _FRESH) if path else (separate_times(_FRESH), None)
        )
        self._is_noticed = False

    def wait(self) -> None:
        """Wait until the next request can start, and record its start."""
        if self.limit:
            self._delay_s = max(self._own_delay_s, self.limit.delay_s)
        if not self._delay_s:
            while self.limit and (held_s := self.limit.until - self._clock.monotonic()) > 0:
                self.limit.say_wait()
                self._clock.sleep(held_s)
            self._times[_UNPACED] = self._clock.monotonic()
            return
        turn = _Turn(self._clock.monotonic(), self._delay_s)
        with self._in_order():
            while wait_s := self._locked(self._start, turn):
                if self.limit and self.limit.until > self._clock.monotonic():
                    self.limit.say_wait()
                elif wait_s > LOG_WAIT_S:
                    self._log_wait(wait_s)
                self._clock.sleep(wait_s)

    def leaving(self) -> None:
        """Record that the request is sent now; the next one keeps the delay from this time."""
        if self._delay_s:
            self._times[_STARTED] = max(self._times[_STARTED], self._clock.monotonic())

    def _log_wait(self, wait_s: float) -> None:
        ago_s = self._clock.monotonic() - max(self._times[_STARTED], self._times[_UNPACED])
        logger.log(
            logging.INFO if self._is_noticed else logging.WARNING,
            "waiting %.1f s: the delay between requests to one account is %.0f ms, and the latest one "
            "started %.1f s ago",
            *(wait_s, 1000 * self._delay_s, ago_s),
            extra={"notice": not self._is_noticed},
        )
        self._is_noticed = True

    @contextmanager
    def _in_order(self) -> Iterator[None]:
        """Context that admits threads in the order of their calls.

        A lock would admit them in any order, so that the row that others wait for could be the last one.
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

    def _start(self, turn: _Turn) -> float:
        """Start a request and return 0, or return the seconds to wait before the next attempt."""
        now, times = self._clock.monotonic(), self._times
        # A slot is never after its start; if it is, an older version of this package has reserved it.
        started, before = times[_STARTED], min(times[_SLOT], times[_STARTED])
        if turn.slot == _NEVER:
            turn.slot = max(turn.asked, max(before, times[_UNPACED]) + turn.delay_s)
        elif started > turn.seen:  # Another process has started a request.
            turn.delay_s = min(turn.delay_s, times[_DELAY])
            turn.slot = max(turn.slot, before + turn.delay_s)
        turn.seen = started
        distance_s = turn.delay_s - min(TOLERANCE_S, turn.delay_s / 10)
        early_s = max(turn.slot, started + distance_s) - now
        if self.limit:
            early_s = max(early_s, self.limit.until - now)
        if early_s > _ROUNDING_S:
            return early_s
        times[_SLOT], times[_STARTED], times[_DELAY] = turn.slot, now, self._delay_s
        return 0.0

    def _locked(self, step: Callable[[_Turn], float], turn: _Turn) -> float:
        """Run a step while no other process does."""
        if self._lock is not None:
            try:
                with self._lock.acquire(poll_interval=POLL_S):
                    return step(turn)
            except (OSError, NotImplementedError):
                # The folder was removed, or does not support locks: this process continues without sharing.
                began, *times = self._times.tolist()
                self._times, self._lock = separate_times(times, began), None
        return step(turn)
