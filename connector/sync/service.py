"""The loop of a sync that always runs: alerts immediately, everything else by the schedule."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from connector.common.json_text import Json
from connector.errors import RunError, RunInterruptedError, RunStoppedError

logger = logging.getLogger(__name__)

NAP_S = 0.5
"""The maximum time to wait for a delivery before the loop checks for due work, in seconds."""
PAUSE_S = 30.0
"""The pause after an error such as a full disk, in seconds."""
STALLED_S = 600.0
"""The duration of one piece of work after which the health check fails, in seconds."""


class Alerts(Protocol):
    """The interface to alerts that the loop uses, implemented by `AlertDriver`."""

    def start(self) -> None:
        """Look up the outcomes of interrupted calls."""

    def work(self) -> None:
        """Apply deliveries, and make the calls whose time has come."""


class Interleaved:
    """A side of the sync that calls a function before each request and between the records of a list."""

    def __init__(self, side: Any, between: Callable[[], None]) -> None:
        self._side, self._between = side, between

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._side, name)
        return partial(self._call, value) if callable(value) else value

    def _call(self, method: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        self._between()
        found = method(*arguments, **more)
        return self._listed(found) if isinstance(found, Iterator) else found

    def _listed(self, records: Iterator[Any]) -> Iterator[Any]:
        for record in records:
            self._between()
            yield record


class SyncService:
    """Processes alerts as they are delivered, and makes a run at regular intervals.

    `alerts` returns the driver of the current connections; after an error that ended its work, it first looks
    up unknown outcomes. `run` makes one run: it raises RunStoppedError or RunError if it fails,
    and the next run tries again. `shown` is what `/health` shows.
    """

    def __init__(
        self,
        alerts: Callable[[], Alerts],
        run: Callable[[], None],
        every_s: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alerts, self._run, self._every_s, self._stop, self._clock = alerts, run, every_s, stop, clock
        self._delivered = threading.Event()
        self._at, self._errors = clock(), dict[str, str]()
        self._is_cut_short = False
        self.shown: Mapping[str, Json] = {}

    # Called by the receiver's threads.

    def deliver(self) -> None:
        """Notify the loop of a delivery."""
        self._delivered.set()

    def health(self) -> tuple[bool, dict[str, Json]]:
        """Return whether the health check passed, and the value to show."""
        silent = self._clock() - self._at
        errors = [*self._errors.values()]
        found = {**self.shown, "errors": errors, "last_activity_s": round(silent, 1)}
        return not errors and silent < STALLED_S, found

    # Called by the one thread that works.

    def serve(self) -> None:
        """Work until stopped."""
        next_run = self._clock()
        while not self._stop.is_set():
            self.between()
            if self._clock() >= next_run:
                next_run = self._clock() + self._every_s
                self._guarded("run", self._run)
            is_well = self._work()
            self._nap(min(next_run, self._clock() + (NAP_S if is_well else PAUSE_S)))

    def between(self) -> None:
        """Serve alerts if some were delivered; called between two records and between two writes."""
        self._at = self._clock()
        if self._delivered.is_set():
            self._work()

    def _work(self) -> bool:
        self._delivered.clear()
        self._at = self._clock()

        def work() -> None:
            driver = self._alerts()
            if self._is_cut_short:
                driver.start()
                self._is_cut_short = False
            driver.work()

        is_done = self._guarded("alerts", work)
        self._is_cut_short = self._is_cut_short or not is_done
        return is_done

    def _guarded(self, what: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except RunInterruptedError:
            self._stop.set()
        except (RunStoppedError, RunError) as error:
            logger.error("%s: %s", what, error)
            self._errors[what] = str(error)
            return False
        else:
            self._errors.pop(what, None)
        return True

    def _nap(self, until: float) -> None:
        # In short waits: a signal handler sets `stop`.
        while not self._stop.is_set() and not self._delivered.is_set():
            left = until - self._clock()
            if left <= 0:
                return
            self._delivered.wait(min(left, 0.2))
