"""The activity that runs one chunk of rows: its heartbeats, its cancellation, and its errors."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from connector.errors import ConnectorError, RunError, RunInterruptedError
from connector.temporal.workflow import ACTIVITY, ChunkInput

logger = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
_SOON = timedelta(seconds=2)
"""The pause before a chunk is tried again whose rows another worker held, or that could not sign in."""
_MOST_SETUP_ERRORS = 10
"""The number of consecutive attempts to start a chunk before it fails."""


class Chunk(Protocol):
    """A chunk of rows that a worker runs."""

    def run(self, stop: Event) -> bool:
        """Run the rows that have no envelope yet; return false if the run has too many errors.

        When `stop` is set, rows in progress are finished, and RunInterruptedError is raised. Raises RunError
        (nothing was sent) and RunStoppedError.
        """

    def beat(self) -> None:
        """Save the progress. It is called every second from another thread."""


Open = Callable[[ChunkInput], Chunk]
"""A function that opens a chunk. Raises RunError."""


class Activities:
    """The activities of a worker."""

    def __init__(self, open_chunk: Open) -> None:
        self._open = open_chunk

    @activity.defn(name=ACTIVITY, no_thread_cancel_exception=True)
    def run_chunk(self, given: ChunkInput) -> bool:
        """Run a chunk, and return whether its group continues."""
        stop = Event()
        try:
            chunk = self._open(given)
            with _Heart(chunk, stop):
                return chunk.run(stop)
        except Exception as error:
            if isinstance(error, RunInterruptedError) and activity.is_cancelled():
                raise CancelledError("the rows in progress are finished") from None
            failure = _failure(error)
            place = given.group, given.chunk, given.run
            logger.warning(
                "chunk %d.%d of run %s failed: %s", *place, failure.message, extra={"notice": True}
            )
            raise failure from None


class _Heart:
    """A context that sends heartbeats, and sets `stop` if the activity is cancelled or the worker stops."""

    def __init__(self, chunk: Chunk, stop: Event) -> None:
        self._chunk, self._stop, self._ended = chunk, stop, Event()
        context = contextvars.copy_context()
        self._thread = Thread(target=lambda: context.run(self._beat), name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            activity.heartbeat()
            if activity.is_cancelled() or activity.is_worker_shutdown():
                self._stop.set()
            try:
                self._chunk.beat()
            except ConnectorError as error:
                logger.warning("the progress of a chunk cannot be saved: %s", error)


def _failure(error: Exception) -> ApplicationError:
    """Return the error for Temporal, with whether and when it retries the chunk.

    An error of the settings can affect a single worker, such as a connection that is missing on its machine.
    So other workers can try the chunk before it fails.
    """
    if isinstance(error, RunError) and not error.transient:
        details = list(activity.info().heartbeat_details)
        tries = 1 + (details[0] if details and isinstance(details[0], int) else 0)
        activity.heartbeat(tries)
        last = tries >= _MOST_SETUP_ERRORS
        return ApplicationError(str(error), type=type(error).__name__, non_retryable=last)
    if isinstance(error, ConnectorError):
        delay = _SOON if isinstance(error, RunError) else None
        return ApplicationError(str(error), type=type(error).__name__, next_retry_delay=delay)
    # Its message can contain values of rows, so it is only logged by the worker.
    logger.error("a bug in the connector", exc_info=error)
    return ApplicationError("a bug in the connector: see the log of the worker", type=type(error).__name__)
