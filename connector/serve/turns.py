"""Turns: a bound on the requests that run at the same time, and on the time that others wait for one."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from connector.callers.problems import busy
from connector.errors import count_of

RUNNING = 8
"""The maximum number of requests that run over one connection at the same time."""
MAX_REQUESTS = 28
"""The maximum number of requests that run or wait. The server has more threads, to refuse others."""
THREADS = 32


class Turns:
    """The turns of all connections. Requests of a connection share its pace: more would not be faster."""

    def __init__(self, max_wait_s: float, running: int = RUNNING, most: int = MAX_REQUESTS) -> None:
        self._max_wait_s = max_wait_s
        self._turns: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(running))
        self._room = threading.Semaphore(most)
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, connection: str) -> Iterator[None]:
        """Context of a running request. Raises ProblemError (429) if it would wait too long."""
        if not self._room.acquire(blocking=False):
            raise busy("too many requests are running or waiting", self._max_wait_s)
        try:
            with self._lock:
                turns = self._turns[connection]
            if not turns.acquire(timeout=min(self._max_wait_s, threading.TIMEOUT_MAX)):
                waited = count_of(round(self._max_wait_s), "second")
                raise busy(f"no turn within {waited}; nothing was sent", self._max_wait_s)
            try:
                yield
            finally:
                turns.release()
        finally:
            self._room.release()
