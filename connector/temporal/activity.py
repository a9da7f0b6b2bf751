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
from connector.state.database import DatabaseLostError
from connector.temporal.workflow import ACTIVITY, ChunkInput

logger = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
_SOON = timedelta(seconds=2)
"""The pause before a chunk is tried again whose rows another worker held, or that could not sign in."""
_MAX_ERRORS = 10
"""The number of consecutive attempts without a finished row, each with an error that may last, before a chunk
fails."""


class Chunk(Protocol):
    """A chunk of rows that a worker runs."""

    @property
    def finished(self) -> int:
        """The number of rows that were finished since the chunk was opened."""

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
        stop, errors = Event(), _earlier_errors()
        chunk: Chunk | None = None
        try:
            chunk = self._open(given)
            with _Heart(chunk, stop, errors):
                return chunk.run(stop)
        except Exception as error:
            if isinstance(error, RunInterruptedError) and activity.is_cancelled():
                raise CancelledError("the rows in progress are finished") from None
            failure = _failure(error, 0 if chunk and chunk.finished else errors + 1)
            place = given.group, given.chunk, given.run
            logger.warning(
                "chunk %d.%d of run %s failed: %s", *place, failure.message, extra={"notice": True}
            )
            raise failure from None


class _Heart:
    """A context that sends heartbeats, and sets `stop` if the activity is cancelled or the worker stops."""

    def __init__(self, chunk: Chunk, stop: Event, errors: int) -> None:
        self._chunk, self._stop, self._errors, self._ended = chunk, stop, errors, Event()
        context = contextvars.copy_context()
        self._thread = Thread(target=lambda: context.run(self._beat), name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            activity.heartbeat(0 if self._chunk.finished else self._errors)
            if activity.is_cancelled() or activity.is_worker_shutdown():
                self._stop.set()
            try:
                self._chunk.beat()
            except ConnectorError as error:
                logger.warning("the progress of a chunk cannot be saved: %s", error)


def _earlier_errors() -> int:
    """Return the `errors` of the attempts before this one; see `_failure`."""
    details = list(activity.info().heartbeat_details)
    return details[0] if details and isinstance(details[0], int) else 0


def _failure(error: Exception, errors: int) -> ApplicationError:
    """Return the error for Temporal, with whether and when it retries the chunk.

    An error that may last can affect a single worker, such as a connection that is missing on its machine, or
    a full disk. So other workers can try the chunk before it fails. `errors` is the number of consecutive
    attempts with such an error and without a finished row, with this one.
    """
    if is_bug := not isinstance(error, ConnectorError):
        # Its message can contain values of rows, so it is only logged by the worker.
        logger.error("a bug in the connector", exc_info=error)
    message = "a bug in the connector: see the log of the worker" if is_bug else str(error)
    kind = type(error).__name__
    if _is_transient(error):
        delay = _SOON if isinstance(error, RunError) else None
        return ApplicationError(message, type=kind, next_retry_delay=delay)
    activity.heartbeat(errors)
    return ApplicationError(message, type=kind, non_retryable=errors >= _MAX_ERRORS)


def _is_transient(error: Exception) -> bool:
    if isinstance(error, RunError):
        return error.transient
    return isinstance(error, (DatabaseLostError, RunInterruptedError))
