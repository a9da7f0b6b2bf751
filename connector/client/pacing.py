"""The configured time between the starts of requests to one account.

It is kept over rows, pages and retries, and over all threads and processes of one user on a machine, which
share a few times through a small file. Nothing is reserved there: whoever ends, however it ends, leaves only
what it has started.
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
"""How much closer than the delay (and by no more than a tenth of it) two starts may be: a start makes up that
much for those before it that were late, so that a run as a whole keeps its pace."""

_BEGAN, _SLOT, _STARTED, _UNPACED, _DELAY = range(5)
"""What is shared: when the clock began (epoch s), and on that clock (monotonic s) the slot of the
latest start, that start, and the latest start of a process that keeps no delay; the delay (s) of whoever made
the latest start."""
_NEVER = float("-inf")
_FRESH = (_NEVER, _NEVER, _NEVER, 0.0)
LOG_WAIT_S = 5.0
"""A longer wait is logged, and the first one of a run is shown to its user."""
_ROUNDING_S = 1e-6
"""A shorter time is not slept."""


@dataclass
class _Turn:
    """A request that waits for its start: its slot, the delay it keeps, and the latest start it knows."""

    asked: float
    delay_s: float
    slot: float = _NEVER
    seen: float = _NEVER


class Pacer:
    """Lets requests start one after the other, each at least `delay_ms` after the one before it.

    A request aims at a slot: a delay after the slot of the latest start. No sleep ends on time, so every
    start is a little late; the slots are not, so that this does not add up. A thread that was kept from
    running can be very late, and the next slot near: a start therefore also keeps its distance (less
    `TOLERANCE_S`) from the start before it. A start is noted when a request is let go, and again when it
    leaves: until then a connection may have to be made.

    The threads of a process take turns, in order. Processes compete: one that finds that another has started
    meanwhile aims at the next slot, at the shorter delay of the two, so that a process with a long delay is
    not kept waiting for ever. With a delay of 0 a start is noted and never waited for; another process keeps
    its delay from it when it takes a slot, and not again at its start, which it might never reach.

    With a `limit`, which the service has told, the delay is at least what that requires, and nothing starts
    while the service asks for none.
    """

    def __init__(
        self, delay_ms: float, clock: Clock, path: Path | None = None, limit: AccountLimit | None = None
    ) -> None:
        self._own_delay_s = delay_ms / 1000
        self._clock, self.limit = clock, limit
        self._joining, self._last_turn = threading.Lock(), threading.Lock()
        self._times, self._lock = (
            shared_times(path, clock, _FRESH) if path else (separate_times(_FRESH), None)
        )
        self._is_noticed = False

    @property
    def _delay_s(self) -> float:
        return self._own_delay_s if self.limit is None else max(self._own_delay_s, self.limit.delay_s)

    def wait(self) -> None:
        """Wait until the next request may start, and note that it does."""
        delay_s = self._delay_s
        if not delay_s:
            while self.limit and (held_s := self.limit.until - self._clock.monotonic()) > 0:
                self.limit.say_wait()
                self._clock.sleep(held_s)
            self._times[_UNPACED] = self._clock.monotonic()
            return
        turn = _Turn(self._clock.monotonic(), delay_s)
        with self._in_order():
            while wait_s := self._locked(self._start, turn):
                if self.limit and self.limit.until > self._clock.monotonic():
                    self.limit.say_wait()
                elif wait_s > LOG_WAIT_S:
                    self._log_wait(wait_s)
                self._clock.sleep(wait_s)

    def leaving(self) -> None:
        """Note that the request which was let go leaves now: the next one keeps its distance from that."""
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
        """Wait for the threads that asked before this one, and let those that ask after it wait.

        A lock would admit them in any order: the row that a run's order waits for could be the last one.
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
        """Start and return 0; or return how long to wait before the next attempt, in seconds."""
        now, times = self._clock.monotonic(), self._times
        # The slot of a start is not after it; one that is was reserved by an older version.
        started, before = times[_STARTED], min(times[_SLOT], times[_STARTED])
        if turn.slot == _NEVER:
            turn.slot = max(turn.asked, max(before, times[_UNPACED]) + turn.delay_s)
        elif started > turn.seen:  # another process was faster
            turn.delay_s = min(turn.delay_s, times[_DELAY])
            turn.slot = max(turn.slot, before + turn.delay_s)
        turn.seen = started
        distance_s = turn.delay_s - min(TOLERANCE_S, turn.delay_s / 10)
        early_s = max(turn.slot, started + distance_s, self.limit.until if self.limit else _NEVER) - now
        if early_s > _ROUNDING_S:
            return early_s
        times[_SLOT], times[_STARTED], times[_DELAY] = turn.slot, now, self._delay_s
        return 0.0

    def _locked(self, step: Callable[[_Turn], float], turn: _Turn) -> float:
        """Take a step while no other process does."""
        if self._lock is not None:
            try:
                with self._lock.acquire(poll_interval=POLL_S):
                    return step(turn)
            except (OSError, NotImplementedError):
                # Its folder is gone, or cannot lock: from now on this process keeps its own time.
                began, *times = self._times.tolist()
                self._times, self._lock = separate_times(times, began), None
        return step(turn)
