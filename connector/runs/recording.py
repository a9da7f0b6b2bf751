"""Keeps the record of a run up to date while it is running, so that other processes can follow it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.common.clock import Clock
from connector.connections.connection import Connection
from connector.errors import ConnectorError
from connector.runs.active_run import ActiveRun
from connector.runs.job import STREAM
from connector.runs.output_names import absolute
from connector.runs.record import UPDATE_INTERVAL_S, Record
from connector.runs.records import database_records, find, save, write
from connector.runs.stop_event import process_of

if TYPE_CHECKING:
    from connector.state.records import DatabaseRecords

logger = logging.getLogger(__name__)

MAX_POINTS = 120
"""The maximum number of points in a record's timeline."""


class Timeline:
    """The number of finished rows over time. When it is full, every second point is removed."""

    def __init__(self, rows: int) -> None:
        self.points: list[tuple[float, int]] = [(0.0, rows)]
        self._each = 1

    def add(self, seconds: float, rows: int, *, last: bool = False) -> None:
        """Add a point, unless the previous one is too recent. The `last` point is always added."""
        if not last and seconds - self.points[-1][0] < (self._each - 0.5) * UPDATE_INTERVAL_S:
            return
        self.points.append((round(seconds, 2), rows))
        if len(self.points) > MAX_POINTS:
            del self.points[1:-1:2]
            self._each *= 2


def where(*connections: Connection) -> str:
    """Return the name and host of a single connection, or the number of connections, as text."""
    if len(connections) != 1:
        return f"{len(connections)} connections"
    (connection,) = connections
    host = urlsplit(connection.base_url).netloc
    return f"{connection.name} ({host})" if connection.name else host


@contextmanager
def recorded(
    run: ActiveRun,
    fingerprint: Mapping[str, str],
    clock: Clock,
    rerun_of: Path | None = None,
    place: str = "",
    run_id: int | None = None,
) -> Iterator[None]:
    """Context that writes the record of a run, and completes its summary even if the run ends with an error.

    A run to standard output has no record. `place` is the record's `where`.
    """
    began = clock.monotonic()
    summary, updater, shared = run.summary, None, None
    _log_start(run, place)
    if run.job.output != STREAM:
        output = absolute(run.job.output)
        before = find(output) if summary.resumed_rows else None
        started = before.started if before else clock.now()
        record = Record(
            *(output, run.job, fingerprint, started, None, rerun_of),
            where=place,
            seen=clock.now(),
            process=process_of(run.stop),
            run_id=run_id,
        )
        shared = database_records(run.job.state)
        save(record, shared)
        updater = _Updater(record, run, clock, shared)
    try:
        yield
    except BaseException:
        summary.stopped = True
        raise
    finally:
        summary.seconds = clock.monotonic() - began
        summary.pace = run.pace
        if updater:
            save(updater.end(), shared)
        _log_end(run)


def _log_start(run: ActiveRun, place: str) -> None:
    job, resumed = run.job, run.summary.resumed_rows
    logger.info(
        "%s: run started: input %s, output %s, connection %s, rows in parallel %d, delay %.0f ms%s",
        *(job.label, job.input, job.output, place, job.concurrency, run.delay_ms),
        f", resumed after {resumed} rows" if resumed else "",
    )


def _log_end(run: ActiveRun) -> None:
    summary = run.summary
    codes = ", ".join(f"{code} {number}" for code, number in sorted(summary.codes.items()))
    logger.info(
        "%s: run %s: rows %d, failed %d%s, %d requests in %.1f s",
        *(run.job.label, "stopped" if summary.stopped else "finished", summary.rows, summary.failed),
        f" ({codes})" if codes else "",
        *(run.requests(), summary.seconds),
    )


class _Updater:
    """Updates the record of a running run from a separate thread."""

    def __init__(
        self, record: Record, run: ActiveRun, clock: Clock, shared: DatabaseRecords | None = None
    ) -> None:
        self._record, self._run, self._clock, self._shared = record, run, clock, shared
        self._timeline = Timeline(run.summary.rows)
        self._began = clock.monotonic()
        self._total: int | None = None
        self._ended = Event()
        self._thread = Thread(target=self._update, daemon=True)
        self._thread.start()

    def _update(self) -> None:
        if self._ended.wait(UPDATE_INTERVAL_S):
            return
        with suppress(ConnectorError, OSError):
            self._total = self._run.rows.count(lambda: not self._ended.is_set())
        while not self._ended.is_set():
            write(self.current(), self._shared)
            self._ended.wait(UPDATE_INTERVAL_S)

    def current(self, *, last: bool = False) -> Record:
        """Return the current record."""
        seconds, summary = self._clock.monotonic() - self._began, self._run.summary
        self._timeline.add(seconds, summary.rows, last=last)
        return replace(
            self._record,
            summary={**summary.as_json(), "seconds": round(seconds, 3)},
            total=self._total,
            seen=self._clock.now(),
            timeline=tuple(self._timeline.points),
        )

    def end(self) -> Record:
        """Return the final record of a run."""
        self._ended.set()
        self._thread.join()
        ended = self.current(last=True)
        return replace(ended, ended=self._clock.now(), summary=self._run.summary.as_json())
