"""Pacing: keeps the configured delay between the starts of requests to one account.

The delay applies to rows, pages and retries, and to all threads and processes that share the account's
`SharedTimes`: those of one user on a machine, or those with one database. Future requests are not reserved
there, so a process that is killed does not block others.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from connector.client.account_limit import AccountLimit
from connector.client.shared_times import OwnTimes, SharedTimes
from connector.common.clock import Clock
from connector.errors import RunStoppedError

if TYPE_CHECKING:
    from connector.client.adaptive_pace import Started

logger = logging.getLogger(__name__)

_SLOT, _STARTED, _UNPACED, _DELAY = range(1, 5)
"""The indexes of the shared times. 1: the slot of the latest start, 2: the latest start, 3: the latest start
by a process without a delay; 4: the delay in seconds of the process with the latest start."""
_NEVER = float("-inf")
FRESH = (_NEVER, _NEVER, _NEVER, 0.0)
"""The times of an account to which no request was sent."""
LOG_WAIT_S = 5.0
"""The minimum duration of a wait to log, in seconds. The first such wait of a run is also shown without
-v."""
MAX_LATE_SLEEPS = 50
"""The maximum number of times that the sleep before a request ends too late for its recorded start."""
MAX_LEAD_S = 5.0
"""The maximum time by which starts are recorded ahead because recording takes long, in seconds."""
ROUNDING_S = 1e-6
"""The minimum duration of a wait, in seconds; shorter waits are skipped."""


@dataclass(eq=False)
class Turn:
    """A request that waits for its start: its slot, its delay, and the latest start that it has seen.

    Once it has started, `recorded` is its recorded start, and `request` is the request in the adaptive pace.
    `lead_s` is by how much its start is recorded ahead if it is recorded again. `has_slept` is true if it was
    recorded early enough to wait for its start, and `late_sleeps` is how often this wait ended too late.
    """

    asked: float
    delay_s: float
    slot: float = _NEVER
    seen: float = _NEVER
    recorded: float = _NEVER
    lead_s: float = 0.0
    has_slept: bool = False
    late_sleeps: int = 0
    request: Started | None = None


Outcome = Literal["accepted", "throttled", "unknown"]
"""The outcome of a request: the service reported too many requests, or not, or nothing is known."""


class Pacer:
    """Starts requests one after the other, each at least `delay_ms` after the previous one.

    Each request has a slot: the planned start, one delay after the slot of the latest start. Sleeps end a bit
    late, but this does not add up, because each slot is computed from the previous slot. If a start is very
    late, the next slot can be too close; a start is therefore also at least the delay (less a tolerance, at
    most a tenth of it) after the previous start. A start is recorded when the wait ends, and again when the
    request is sent, since connecting can take time.

    The threads of a process take turns, in order. Processes compete: if another process has started a request
    in the meantime, a process takes the next slot, with the shorter of both delays, so that a process with a
    long delay is not blocked forever. With a delay of 0, starts are recorded without waiting; other processes
    keep their delay from these starts when they take a slot, but not again at the start, because they might
    never reach it.

    With a `limit` reported by the service, the delay is at least the interval that the limit requires, and no
    request starts while the service accepts none.
    """

    adapts = False
    """Whether the delay depends on the outcomes of requests, so that `ended` must be called."""

    def __init__(
        self,
        delay_ms: float,
        clock: Clock,
        times: SharedTimes | None = None,
        limit: AccountLimit | None = None,
    ) -> None:
        self._own_delay_s = self._delay_s = delay_ms / 1000
        self._clock, self.limit = clock, limit
        self._joining, self._last_turn = threading.Lock(), threading.Lock()
        self._times = times or OwnTimes(clock, FRESH)
        self._left = _NEVER
        """When the latest request of this pacer was sent: a little later than its recorded start."""
        self._lead_s = 0.0
        """By how much starts are recorded ahead because recording took long lately, in seconds."""
        self._is_noticed = False
        self.throttled = 0
        """The number of responses about too many requests; counted if the delay adapts to them."""

    @property
    def delay_ms(self) -> float:
        """The current interval between requests, in milliseconds."""
        return 1000 * self._delay_s

    def wait(self) -> Turn:
        """Wait until the next request can start, and record its start. Pass the turn to `ended`."""
        if self.limit:
            self._delay_s = max(self._own_delay_s, self.limit.delay_s)
        if not self._delay_s:
            while self.limit and (held_s := self.limit.held_s) > 0:
                self.limit.say_wait()
                self._clock.sleep(held_s)
            return Turn(self._times.note_now(_UNPACED), 0.0)
        turn = Turn(self._times.now(), self._delay_s)
        self._take(turn)
        return turn

    def _take(self, turn: Turn) -> None:
        """Wait until a request can start, and record its start. Threads take turns in the order of calls.

        A single lock would admit threads in any order, which could delay the row whose result must be written
        next. So each thread waits for the lock of the one before it.
        """
        mine = threading.Lock()
        mine.acquire()
        try:
            with self._joining:
                before, self._last_turn = self._last_turn, mine
            with before:
                self._wait_to_start(turn)
        finally:
            mine.release()

    def _wait_to_start(self, turn: Turn) -> None:
        wait_s = self._first_wait_s(turn)  # without the lock of the times, which would take longer
        while wait_s or (wait_s := self._try_start(turn)):
            if self.limit and self.limit.held_s > 0:
                self.limit.say_wait()
            elif wait_s > LOG_WAIT_S:
                self._log_wait(wait_s)
            self._clock.sleep(wait_s)
            wait_s = 0.0

    def ended(self, turn: Turn, outcome: Outcome, retry_after_s: float | None = None) -> float:
        """Note the outcome of a request. Return for how long no request starts because of it, in seconds."""
        return 0.0

    def leaving(self, turn: Turn) -> bool:
        """Record that a request is sent now; the delay before the next request starts at this time.

        Where starts are recorded ahead, wait for the recorded time; what the request needs, such as a
        connection, was done in the meantime. If it is much later than recorded, and another request may have
        started, or if the service accepts none now, wait for another turn. Return whether there was a wait.

        Raises RunStoppedError, and nothing is to be sent, if recording takes too long, or if the machine is
        too busy.
        """
        if not turn.delay_s:
            return False
        slack_s = self._times.slack_s
        if slack_s is None:
            self._times.note_now(_STARTED)
            return False
        slack_s = min(slack_s, turn.delay_s / 20)
        has_waited = turn.has_slept = False
        while self._waits(turn, slack_s):
            has_waited = True
        self._left = self._times.now()
        self._lead_s = turn.lead_s or 0.9 * self._lead_s
        return has_waited

    def _waits(self, turn: Turn, slack_s: float) -> bool:
        """Wait, and return True, if a request is too early or too late, or the service accepts none now."""
        late_s = self._late_s(turn)
        if self._is_held(turn):
            turn.recorded, turn.has_slept = _NEVER, False
            self._take(turn)
        elif late_s < -ROUNDING_S:
            self._clock.sleep(-late_s)
            turn.has_slept = True
        elif late_s > slack_s:
            self._take_again(turn)
        else:
            return False
        return True

    def _is_held(self, turn: Turn) -> bool:
        """Return whether the service accepts no request at a request's recorded start."""
        left_s = max(0.0, turn.recorded - self._times.now())
        return self.limit is not None and self.limit.held_s > left_s + ROUNDING_S

    def _take_again(self, turn: Turn) -> None:
        """Wait for another turn, since it is much later than recorded. Raises RunStoppedError."""
        if turn.has_slept:  # Recording was quick enough, but a busy machine has ended the sleep late.
            turn.has_slept = False
            turn.late_sleeps += 1
            if turn.late_sleeps > MAX_LATE_SLEEPS:
                raise RunStoppedError(
                    f"this machine is too busy to keep the delay of {1000 * turn.delay_s:g} ms: one request "
                    f"was late more than {MAX_LATE_SLEEPS} times; reduce the load, or use a longer delay"
                )
            self._take(turn)
            return
        if turn.lead_s == MAX_LEAD_S:
            raise RunStoppedError(
                f"the state's database needs more than {MAX_LEAD_S:g} s to record the start of a request"
            )
        self._take(turn)
        # If recording takes so long that the request is late again, it is recorded ahead, and if that is not
        # enough, further ahead.
        turn.lead_s = min(2 * turn.lead_s or self._least_lead_s(turn), MAX_LEAD_S)

    def _least_lead_s(self, turn: Turn) -> float:
        """Return by how many seconds the start of a request can be recorded ahead in any case."""
        return min(self._times.lead_s, turn.delay_s / 4)

    def _late_s(self, turn: Turn) -> float:
        """Return by how many seconds it is later than a request's recorded start; negative before it."""
        return self._times.now() + self._times.margin_s - turn.recorded

    def _log_wait(self, wait_s: float) -> None:
        times = self._times.values
        ago_s = self._times.now() - max(times[_STARTED], times[_UNPACED])
        logger.log(
            logging.INFO if self._is_noticed else logging.WARNING,
            "waiting %.1f s: the delay between requests to one account is %.0f ms, and the latest one "
            "started %.1f s ago",
            *(wait_s, 1000 * self._delay_s, ago_s),
            extra={"notice": not self._is_noticed},
        )
        self._is_noticed = True

    def _first_wait_s(self, turn: Turn) -> float:
        """Return the seconds to wait before a request can start, if no other process starts one first."""
        if self.adapts or self._times.lead_s:  # what is known in this process can be out of date
            return 0.0
        wait_s = self._early_s(turn, self._times.now())
        return wait_s if wait_s > ROUNDING_S else 0.0

    def _try_start(self, turn: Turn) -> float:
        """Start a request under the lock of the times and return 0, or return the seconds to wait before."""
        before = turn.slot, turn.seen, turn.recorded
        began, seen = self._times.now(), turn.seen
        wait_s = self._times.change(partial(self._retry_start, turn, turn.delay_s, before))
        if self._times.lead_s and not self.adapts and turn.seen > seen != _NEVER:
            self._record_further_ahead(turn, self._times.now() - began)
        return wait_s

    def _record_further_ahead(self, turn: Turn, took_s: float) -> None:
        """Record starts further ahead, since another process was faster while recording took `took_s`.

        If that one has learned how long recording takes, it would be faster each time.
        """
        lead_s = max(self._lead_s, self._least_lead_s(turn))
        self._lead_s = max(self._lead_s, min(2 * lead_s, 2 * took_s, MAX_LEAD_S))

    def _retry_start(self, turn: Turn, delay_s: float, before: tuple[float, float, float]) -> float:
        """Start a request whose turn was `before`; so an earlier attempt without effect leaves no trace."""
        turn.delay_s, (turn.slot, turn.seen, turn.recorded) = delay_s, before
        return self._start(turn)

    def _start(self, turn: Turn) -> float:
        """Start a request and return 0, or return the seconds to wait before trying again."""
        shared, times = self._times, self._times.values
        now = shared.now()
        if times[_STARTED] == turn.recorded != _NEVER:  # It has not left yet, and nothing has started since.
            times[_STARTED] = turn.recorded = now + turn.lead_s + shared.margin_s
            return 0.0
        early_s = self._early_s(turn, now)
        lead_s = max(self._least_lead_s(turn), self._lead_s)
        if early_s > lead_s + ROUNDING_S:
            return early_s - lead_s
        turn.recorded = now + max(self._lead_s, early_s) + shared.margin_s
        times[_SLOT], times[_STARTED], times[_DELAY] = turn.slot, turn.recorded, self._delay_s
        return 0.0

    def _early_s(self, turn: Turn, now: float) -> float:
        """Return the seconds from `now` until the time of a turn; starts of other processes defer it."""
        times = self._times.values
        # A slot is never after its start. If it is, another process is just recording its start, or an older
        # version of this package has written the file.
        started = times[_STARTED]
        before = min(times[_SLOT], started)
        if turn.slot == _NEVER:
            turn.slot = max(turn.asked, max(before, times[_UNPACED]) + turn.delay_s)
        elif started > turn.seen:  # another process has started a request
            turn.delay_s = min(turn.delay_s, times[_DELAY])
            turn.slot = max(turn.slot, before + turn.delay_s)
        turn.seen = started
        distance_s = turn.delay_s - min(self._times.tolerance_s, turn.delay_s / 10)
        left = self._left if self._left <= now else _NEVER  # later than now if the database's clock was set
        early_s = max(turn.slot, max(started, left) + distance_s) - now
        return max(early_s, self.limit.held_s) if self.limit else early_s
