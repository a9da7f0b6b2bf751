"""The main loop of `sync serve`: process alerts as they arrive, and make runs at an interval."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from connector.common.json_text import Json
from connector.errors import RunError, RunInterruptedError, RunStoppedError

logger = logging.getLogger(__name__)

NAP_S = 0.5
"""The maximum time in seconds to wait for a webhook delivery before checking for due calls."""
PAUSE_S = 30.0
"""The pause in seconds after an error, such as a full disk."""
SHOWN_S = 5.0
"""The interval in seconds at which the counts for the health check are read again."""
STALLED_S = 600.0
"""The time in seconds without progress after which the health check fails."""


class Alerts(Protocol):
    """The methods of `AlertDriver` that the main loop uses."""

    @property
    def blocked(self) -> str:
        """The reason why no tickets are created at all; empty text if they are."""

    def start(self) -> None:
        """Look up the outcomes of calls that were interrupted."""

    def work(self) -> None:
        """Process webhook deliveries, and make the calls that are due."""


class SyncService:
    """Processes alerts as they are delivered, and makes a run at regular intervals.

    `alerts` returns the alert driver of the current connections. After an error, the driver first looks up
    the outcomes of interrupted calls. `run` makes one run, and returns the reason if nothing was planned; if
    it raises RunStoppedError or RunError, the next run follows at the usual time. `shown` returns additional
    properties for the response of `/health`.
    """

    def __init__(
        self,
        alerts: Callable[[], Alerts],
        run: Callable[[], str | None],
        shown: Callable[[], Mapping[str, Json]],
        every_s: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alerts, self._run, self._every_s, self._stop, self._clock = alerts, run, every_s, stop, clock
        self._delivered = threading.Event()
        self._at, self._errors = clock(), dict[str, str]()
        self._is_cut_short = False
        self._read_shown, self._shown_at = shown, -SHOWN_S
        self._shown: Mapping[str, Json] = {}
        self._blocked = ""

    def deliver(self) -> None:
        """Notify the main loop that a webhook delivery was stored. Called by the receiver's threads."""
        self._delivered.set()

    def health(self) -> tuple[bool, dict[str, Json]]:
        """Return whether the service is healthy, and the JSON object for the response of `/health`."""
        silent = self._clock() - self._at
        errors = [*self._errors.values(), *([self._blocked] if self._blocked else [])]
        found = {**self._shown, "errors": errors, "last_activity_s": round(silent, 1)}
        return not errors and silent < STALLED_S, found

    def serve(self) -> None:
        """Run the main loop until `stop` is set."""
        next_run = self._clock()
        while not self._stop.is_set():
            self.between()
            if self._clock() >= next_run:
                next_run = self._clock() + self._every_s
                self._guarded("run", self._run)
                self._shown_at = -SHOWN_S
            is_well = self._work()
            self._show()
            self._nap(min(next_run, self._clock() + (NAP_S if is_well else PAUSE_S)))

    def _show(self) -> None:
        """Prepare the response of `/health`, which other threads read."""
        self._blocked = self._alerts().blocked
        if self._clock() - self._shown_at >= SHOWN_S and self._guarded("health", self._read):
            self._shown_at = self._clock()

    def _read(self) -> None:
        self._shown = self._read_shown()

    def between(self) -> None:
        """Process alerts if any were delivered. Called between two records and between two writes."""
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

    def _guarded(self, what: str, act: Callable[[], str | None]) -> bool:
        """Return whether an act did not fail. An error that it returns is only shown by `/health`."""
        try:
            problem = act()
        except RunInterruptedError:
            self._stop.set()
        except (RunStoppedError, RunError) as error:
            logger.error("%s: %s", what, error)
            self._errors[what] = str(error)
            return False
        else:
            self._errors.pop(what, None)
            if problem:
                self._errors[what] = problem
        return True

    def _nap(self, until: float) -> None:
        # Wait at most 0.2 s at a time, so that `stop`, which a signal handler sets, is noticed.
        while not self._stop.is_set() and not self._delivered.is_set():
            left = until - self._clock()
            if left <= 0:
                return
            self._delivered.wait(min(left, 0.2))
