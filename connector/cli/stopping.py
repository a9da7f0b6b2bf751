"""Stops a command at the first Ctrl-C after the work in progress."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Event

from connector.cli.main import INTERRUPTED


class stopping:
    """A context in which the first Ctrl-C stops after the work in progress, and the second at once."""

    def __init__(
        self, stop: Event, say: Callable[[str], None], after: str = "after the rows in progress"
    ) -> None:
        self._stop, self._say, self._after = stop, say, after
        self._is_stopping = False

    def __enter__(self) -> None:
        self._before = {s: signal.signal(s, self._handle_signal) for s in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle_signal(self, *_: object) -> None:
        if self._is_stopping:
            # End at once, because a thread may hang. The output can be resumed, as after a kill.
            os._exit(INTERRUPTED)
        self._is_stopping = True
        self._stop.set()
        self._say(f"ninjaone: stopping {self._after}; press Ctrl-C again to stop now")
