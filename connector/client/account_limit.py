"""The rate limit that a service reports, shared by all processes of one user with the same account."""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress

from connector.client.shared_times import OwnTimes, SharedTimes
from connector.common.clock import Clock
from connector.errors import RunStoppedError

logger = logging.getLogger(__name__)

_DELAY, _UNTIL = 1, 2
"""The indexes of the shared times: the minimum interval between requests in seconds, and the time before
which no request may be sent."""
FRESH = (0.0, float("-inf"))
"""The times of an account without a known limit."""
_MARGIN = 1.05
"""The factor by which the interval between requests exceeds the limit, because other applications can use the
same account."""
_MAX_DELAY_S = 60.0
"""The longest plausible interval between requests in seconds; a limit that would require a longer one is
ignored."""


class AccountLimit:
    """The request rate limit of an account, as its service reports it. Safe for threads and processes.

    A limit applies until the service reports another one or the machine restarts. `title` is the service's
    title.
    """

    def __init__(self, title: str, clock: Clock, times: SharedTimes | None = None) -> None:
        self._title, self._clock = title, clock
        self._times = times or OwnTimes(clock, FRESH)
        self._said_until = 0.0

    @property
    def delay_s(self) -> float:
        """The minimum interval between requests, in seconds; 0 if no limit is known."""
        return self._times.values[_DELAY]

    @property
    def held_s(self) -> float:
        """For how many seconds no request may be sent; not positive if one may be sent now."""
        return self._times.values[_UNTIL] - self._times.now()

    def learn(self, says: re.Pattern[str], text: str) -> None:
        """Apply the limit in a response's text. The groups of `says` match its requests and minutes."""
        found = says.search(text)
        if found is None or not (found[1].isdecimal() and found[2].isdecimal() and int(found[1])):
            return
        requests, minutes = int(found[1]), int(found[2])
        delay_s = _MARGIN * 60 * minutes / requests
        if delay_s == self.delay_s or delay_s > _MAX_DELAY_S:
            return
        self._set(_DELAY, delay_s)
        logger.warning(
            "%s allows %d requests in %d min: the interval between requests is now at least %.0f ms",
            *(self._title, requests, minutes, 1000 * delay_s),
            extra={"notice": True},
        )

    def hold(self, seconds: float) -> None:
        """Let no process send a request to the account for this number of seconds."""
        self._set(_UNTIL, max(self._times.values[_UNTIL], self._times.now() + seconds))

    def _set(self, index: int, value: float) -> None:
        def step() -> None:
            self._times.values[index] = value

        # If the database is lost, the response is still valid; the next request is not started.
        with suppress(RunStoppedError):
            self._times.change(step)

    def say_wait(self) -> None:
        """Log the time at which requests continue; each process logs it once for each change."""
        until, left_s = self._times.values[_UNTIL], self.held_s
        if until <= self._said_until + 1 or left_s < 1:
            return
        self._said_until = until
        at = time.strftime("%H:%M:%S", time.localtime(self._clock.now() + left_s))
        said = (self._title, at, left_s)
        logger.warning(
            "%s reports too many requests: continuing at %s, in %.0f s", *said, extra={"notice": True}
        )
