"""The rate limit that a service reports, shared by all processes of one user with the same account."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

from connector.client.shared_times import separate_times, shared_times
from connector.common.clock import Clock

logger = logging.getLogger(__name__)

_DELAY, _UNTIL = 1, 2
"""The indexes of the shared times: the minimum interval between requests in seconds, and the monotonic time
before which no request may be sent."""
_FRESH = (0.0, float("-inf"))
_MARGIN = 1.05
"""The factor by which the interval between requests exceeds the limit, because other applications can use the
same account."""
_LONGEST_DELAY_S = 60.0
"""The longest plausible interval between requests in seconds; a limit that would require a longer one is
ignored."""


class AccountLimit:
    """The request rate limit of an account, as its service reports it. Safe for threads and processes.

    A limit applies until the service reports another one or the machine restarts. `title` is the service's
    title.
    """

    def __init__(self, title: str, clock: Clock, path: Path | None = None) -> None:
        self._title, self._clock = title, clock
        self._times = shared_times(path, clock, _FRESH)[0] if path else separate_times(_FRESH)
        self._said_until = 0.0

    @property
    def delay_s(self) -> float:
        """The minimum interval between requests, in seconds; 0 if no limit is known."""
        return self._times[_DELAY]

    @property
    def until(self) -> float:
        """The monotonic time in seconds before which no request may be sent."""
        return self._times[_UNTIL]

    def learn(self, says: re.Pattern[str], text: str) -> None:
        """Apply the limit in a response's text. The groups of `says` match its requests and minutes."""
        found = says.search(text)
        if found is None or not (found[1].isdecimal() and found[2].isdecimal() and int(found[1])):
            return
        requests, minutes = int(found[1]), int(found[2])
        delay_s = _MARGIN * 60 * minutes / requests
        if delay_s == self.delay_s or delay_s > _LONGEST_DELAY_S:
            return
        self._times[_DELAY] = delay_s
        logger.warning(
            "%s allows %d requests in %d min: the interval between requests is now at least %.0f ms",
            *(self._title, requests, minutes, 1000 * delay_s),
            extra={"notice": True},
        )

    def hold(self, seconds: float) -> None:
        """Let no process send a request to the account for this number of seconds."""
        self._times[_UNTIL] = max(self._times[_UNTIL], self._clock.monotonic() + seconds)

    def say_wait(self) -> None:
        """Log the time at which requests continue; each process logs it once for each change."""
        left_s = self.until - self._clock.monotonic()
        if self.until <= self._said_until + 1 or left_s < 1:
            return
        self._said_until = self.until
        at = time.strftime("%H:%M:%S", time.localtime(self._clock.now() + left_s))
        said = (self._title, at, left_s)
        logger.warning(
            "%s reports too many requests: continuing at %s, in %.0f s", *said, extra={"notice": True}
        )
