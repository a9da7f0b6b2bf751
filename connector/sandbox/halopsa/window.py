"""A limit of requests in a rolling time window, with a clock that tests can replace."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

from connector.sandbox.errors import HttpError
from connector.sandbox.halopsa.errors import TEXT
from connector.sandbox.halopsa.traps import Traps


class Window:
    """Counts the requests of the last minutes. `clock` returns seconds."""

    def __init__(self, traps: Traps, clock: Callable[[], float]) -> None:
        self._traps = traps
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: deque[float] = deque()

    def check(self) -> None:
        """Count a request. Raises HttpError 429 if the limit is reached; the request is then not counted."""
        limit = self._traps["rate_limit"]
        if limit == "none":
            return
        most, minutes = (int(part) for part in limit.split("/"))
        now = self._clock()
        with self._lock:
            while self._passed and self._passed[0] <= now - minutes * 60:
                self._passed.popleft()
            if len(self._passed) < most:
                self._passed.append(now)
                return
            wait_s = self._passed[len(self._passed) - most] + minutes * 60 - now
        headers = dict(TEXT)
        if self._traps.is_on("retry_after", "sent"):
            headers["Retry-After"] = str(math.ceil(wait_s))
        text = f"Rate Limit Reached - {most} Requests per rolling {minutes} minute window"
        raise HttpError(429, text=text, headers=headers)

    def passed(self) -> int:
        """Return the number of requests in the current window."""
        with self._lock:
            return len(self._passed)
