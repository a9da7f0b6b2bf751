"""The number of calls in progress."""

from __future__ import annotations

import threading


class Running:
    """The number of running requests, which is that of the `with` blocks that have not ended."""

    def __init__(self) -> None:
        self._count, self._ended = 0, threading.Condition()

    def __enter__(self) -> None:
        with self._ended:
            self._count += 1

    def __exit__(self, *exc: object) -> None:
        with self._ended:
            self._count -= 1
            self._ended.notify_all()

    def wait(self) -> None:
        """Wait until no request runs."""
        with self._ended:
            while self._count:
                self._ended.wait(0.5)  # a timeout, so that signals are handled meanwhile
