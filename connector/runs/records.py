"""Records of runs, which `rerun` and the catalog's pages read.

A record is a JSON file in the user's state folder; its name is a digest of the run's output path; the next
run with that output replaces it. It contains the job's settings, with templates as written and the connection
by name or file. During the run, a separate thread updates it every second, so that other processes can follow
the run. The record of a killed run is at most a second older than its end.

If the run's state is in a database, the record is there, too. Records are read from files, and also from the
database that the environment selects, if any; of two with the same id, the latest one counts.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connector.client.shared_state import find_database
from connector.common import json_text
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.common.user_folders import records_folder, write_whole
from connector.connections.connection import Connection
from connector.errors import ConnectorError, RunError, RunStoppedError
from connector.files.output_formats import Format, format_of
from connector.runs.active_run import ActiveRun
from connector.runs.job import STREAM, Job
from connector.runs.output_names import absolute, id_of
from connector.runs.recorded_job import job_from_json, job_to_json
from connector.runs.stop_event import Process, process_of

if TYPE_CHECKING:
    from connector.state.records import DatabaseRecords

logger = logging.getLogger(__name__)

VERSION = 1
"""The format version of records; records with another version are not read. Added fields do not change it:
they are optional, and older versions of this package ignore them."""
KEPT = 1000
"""The maximum number of records; the oldest are deleted first."""
EVERY_S = 1.0
"""The interval of updates to the record of a running run, in seconds."""
_CLOCKS_DIFFER_S = 5.0
"""The maximum difference between a run's clock and the time of its file, in seconds."""
_LAST_TIME = datetime(9999, 1, 1, tzinfo=timezone.utc).timestamp()
"""The limit of the times in a record: later ones may be out of the range of `datetime`."""
MOST_POINTS = 120
"""The maximum number of points in a record's timeline."""

_COUNTED = ("rows", "resumed_rows", "succeeded", "failed", "repeatable", "warned", "truncated", "seconds")
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Record:
    """One run. Times are epoch seconds; `ended` is None while it is running, and after it was killed.

    `fingerprint` identifies the run (see `run.fingerprint`). `summary` is its summary at the time `seen`, the
    last update. `rerun_of` is the output of the run whose failed rows it reran. `where` is the connection's
    host, with its name if it is saved. `total` is the number of rows, if known; `timeline` has pairs of
    seconds since the run was started or resumed, and rows done by then. `process` is the run's process, if
    SIGTERM stops the run. `run_id` is the id of the run in the database that has its state, if any.
    """

    output: Path
    job: Job
    fingerprint: Mapping[str, str]
    started: float
    ended: float | None = None
    rerun_of: Path | None = None
    summary: Mapping[str, Json] | None = None
    where: str = ""
    total: int | None = None
    seen: float | None = None
    timeline: Sequence[tuple[float, int]] = ()
    process: Process | None = None
    run_id: int | None = None

    @property
    def id(self) -> str:
        """The record's id, which is the same for all runs with the same output."""
        return id_of(self.output)


class Timeline:
    """The number of finished rows over time. When it is full, every second point is removed."""

    def __init__(self, rows: int) -> None:
        self.points: list[tuple[float, int]] = [(0.0, rows)]
        self._each = 1

    def note(self, seconds: float, rows: int, *, last: bool = False) -> None:
        """Add a point, unless the previous one is too recent. The `last` point is always added."""
        if not last and seconds - self.points[-1][0] < (self._each - 0.5) * EVERY_S:
            return
        self.points.append((round(seconds, 2), rows))
        if len(self.points) > MOST_POINTS:
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
    summary, keeper, shared = run.summary, None, None
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
        shared = _shared(run.job.state)
        save(record, shared)
        keeper = _Keeper(record, run, clock, shared)
    try:
        yield
    except BaseException:
        summary.stopped = True
        raise
    finally:
        summary.seconds = clock.monotonic() - began
        summary.pace = run.pace
        if keeper:
            save(keeper.end(), shared)
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


class _Keeper:
    """Updates the record of a running run from a separate thread."""

    def __init__(
        self, record: Record, run: ActiveRun, clock: Clock, shared: DatabaseRecords | None = None
    ) -> None:
        self._record, self._run, self._clock, self._shared = record, run, clock, shared
        self._timeline = Timeline(run.summary.rows)
        self._began = clock.monotonic()
        self._total: int | None = None
        self._ended = Event()
        self._thread = Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        if self._ended.wait(EVERY_S):
            return
        with suppress(ConnectorError, OSError):
            self._total = self._run.rows.count(lambda: not self._ended.is_set())
        while not self._ended.is_set():
            _write(self.look(), self._shared)
            self._ended.wait(EVERY_S)

    def look(self, *, last: bool = False) -> Record:
        """Return the current record."""
        seconds, summary = self._clock.monotonic() - self._began, self._run.summary
        self._timeline.note(seconds, summary.rows, last=last)
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
        ended = self.look(last=True)
        return replace(ended, ended=self._clock.now(), summary=self._run.summary.as_json())


def save(record: Record, shared: DatabaseRecords | None = None) -> None:
    """Write a record. Errors are ignored, because a run does not depend on its record."""
    _write(record, shared)
    with suppress(OSError):
        _forget_the_oldest()
    if shared:
        with suppress(RunStoppedError):
            shared.keep_latest(KEPT)


def forget(output: Path) -> None:
    """Remove the record of the run that wrote an output."""
    id = id_of(absolute(output))
    with suppress(OSError):
        _path(id).unlink(missing_ok=True)
    if shared := _shared():
        shared.delete(id)


def _shared(state: str = "") -> DatabaseRecords | None:
    """Return the records in the database of a run's state, else of the environment. Raises RunError."""
    database = find_database(state)
    if database is None:
        return None
    from connector.state.records import DatabaseRecords

    return DatabaseRecords(database)


def _write(record: Record, shared: DatabaseRecords | None = None) -> None:
    data = {
        "record": VERSION,
        "output": str(record.output),
        "job": job_to_json(record.job),
        "fingerprint": dict(record.fingerprint),
        "started": record.started,
        "ended": record.ended,
        "rerun_of": None if record.rerun_of is None else str(record.rerun_of),
        "summary": record.summary,
        "where": record.where,
        "total": record.total,
        "seen": record.seen,
        "timeline": record.timeline,
        "process": record.process,
        "run_id": record.run_id,
    }
    content = json_text.dump_bytes(data)
    with suppress(OSError):
        write_whole(_path(record.id), content + b"\n")
    if shared:
        with suppress(RunStoppedError):
            shared.write(record.id, content.decode())


def find(output: Path) -> Record | None:
    """Return the record of the run that wrote an output, or None."""
    return find_by_id(id_of(absolute(output)))


def find_run(path: Path) -> Record | None:
    """Return the record of the run whose output, or whose file of failed rows, a path is; or None."""
    path = absolute(path)
    return find_by_id(id_of(path)) or next((r for r in list_records() if _errors_of(r) == path), None)


def _errors_of(record: Record) -> Path | None:
    return record.job.errors and absolute(record.job.errors)


def envelopes_format(of: Path, job: Job) -> Format:
    """Return the format of the envelopes in a run's output or its file of failed rows. Raises RunError."""
    if job.errors and absolute(of) == absolute(job.errors):
        return format_of(str(of), None)
    if job.results:
        errors = f"; use its file of failed rows: {job.errors}" if job.errors else " (--errors FILE has them)"
        raise RunError(f"{of}: has only results, and not the failed rows of its run{errors}")
    return format_of(str(of), job.output_format)


def find_by_id(id: str) -> Record | None:
    """Return the record with this id, or None."""
    if not _ID.fullmatch(id):
        return None
    record, shared = _read(_path(id)), _shared()
    if shared and (content := shared.read(id)):
        with suppress(*_UNREADABLE):
            return _latest(_parse(content), record)
    return record


def list_records() -> Iterator[Record]:
    """Yield all readable records, in no particular order. Raises RunError if the database cannot be used."""
    records = LatestRecords(_shared())
    records.read()
    yield from records.by_id.values()


def latest_records() -> LatestRecords:
    """Return a reader of all records; if the database cannot be used, of those in files, with a message."""
    try:
        return LatestRecords(_shared())
    except RunError as error:
        records = LatestRecords(None)
        records.unreadable.append(str(error))
        records.lacks_database = True
        return records


class LatestRecords:
    """Reads records, and the files that were written last first, so that the latest runs are known early.

    `by_id` has the records that were read, and `unreadable` a message for each one that cannot be read.
    `by_id` is complete for runs that started after `complete_after` (epoch seconds), except that it has no
    records of the database if `lacks_database` is set, because the database cannot be used.

    The constructor reads the records of the database. It raises RunError if the database cannot be used.
    """

    def __init__(self, shared: DatabaseRecords | None) -> None:
        self.by_id: dict[str, Record] = {}
        self.unreadable: list[str] = []
        self.complete_after = inf
        self.lacks_database = False
        if shared:
            for id, content in shared.all():
                self._add(f"{shared.shown}: record {id}", content)
        self._files = sorted(_written())

    def read(self, count: int | None = None) -> None:
        """Read the next files, by default all."""
        for _ in range(len(self._files) if count is None else min(count, len(self._files))):
            _, path = self._files.pop()
            self._add(path, Path(path))
        # A run does not start after its record was written.
        self.complete_after = self._files[-1][0] + _CLOCKS_DIFFER_S if self._files else -inf

    def _add(self, place: str, content: str | Path) -> None:
        try:
            record = _parse(content if isinstance(content, str) else content.read_text(encoding="utf-8"))
            id = record.id
        except _UNREADABLE as error:
            self.unreadable.append(f"{place}: cannot be read: {reason_of(error)}")
        else:
            self.by_id[id] = _latest(record, self.by_id.get(id))


def _written() -> Iterator[tuple[float, str]]:
    """Yield the times at which the files of records were written, and their paths."""
    with suppress(FileNotFoundError), os.scandir(records_folder()) as entries:  # there may be none yet
        for entry in entries:
            if entry.name.endswith(".json"):
                with suppress(FileNotFoundError):  # deleted in the meantime
                    yield entry.stat().st_mtime, entry.path


def _latest(record: Record, other: Record | None) -> Record:
    """Return the record that was updated last."""
    return other if other and (other.seen or other.started) > (record.seen or record.started) else record


def reason_of(error: Exception) -> str:
    """Return the reason why a run's file cannot be read, without the file's path."""
    is_worded = isinstance(error, (OSError, ConnectorError, ValueError))
    return getattr(error, "strerror", None) or (
        str(error) if is_worded else f"not a valid record of a run: {error}"
    )


def _path(id: str) -> Path:
    return records_folder() / f"{id}.json"


def _read(path: Path) -> Record | None:
    with suppress(*_UNREADABLE):
        return _parse(path.read_text(encoding="utf-8"))
    return None


def _parse(content: str) -> Record:
    """Return the record in a JSON text. Raises one of `_UNREADABLE` if it is not valid."""
    data = json_text.loads(content)
    if data["record"] != VERSION:
        raise ValueError(f"its version is {data['record']}, and this version reads {VERSION}")
    _check_types(data)
    return Record(
        Path(data["output"]),
        job_from_json(data["job"]),
        data["fingerprint"],
        data["started"],
        data["ended"],
        None if data["rerun_of"] is None else Path(data["rerun_of"]),
        data["summary"],
        data.get("where", ""),
        data.get("total"),
        data.get("seen"),
        tuple((seconds, rows) for seconds, rows in data.get("timeline", ())),
        _process_from_json(data.get("process")),
        data.get("run_id"),
    )


def _process_from_json(data: Any) -> Process | None:
    if data is None:
        return None
    id, machine = data
    if not isinstance(id, int) or id <= 1 or not isinstance(machine, str):
        raise TypeError("process is not valid")
    return Process(id, machine)


def _check_types(data: Mapping[str, Any]) -> None:
    """Raise TypeError if a number in a record is not a number, or its summary is not complete.

    Raises ValueError if a time is out of range.
    """
    summary = data["summary"] or {}
    if not isinstance(summary, Mapping):
        raise TypeError("summary is not an object")
    times = {name: data.get(name) for name in ("started", "ended", "seen")}
    numbers = {**times, "total": data.get("total"), "run_id": data.get("run_id")}
    numbers |= {name: summary.get(name, 0) for name in _COUNTED}
    for name, value in numbers.items():
        if not isinstance(value, (int, float)) and (value is not None or name == "started"):
            raise TypeError(f"{name} is not a number")
        if name in times and value is not None and not 0 <= value < _LAST_TIME:
            raise ValueError(f"{name} is out of range: {value}")
    for name, code in summary.get("codes", {}).items():
        if not isinstance(code["rows"], int) or not isinstance(code["example"], str):
            raise TypeError(f'the summary of the code "{name}" is not complete')


def _forget_the_oldest() -> None:
    paths = list(records_folder().glob("*.json"))
    if len(paths) > KEPT:
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[: len(paths) - KEPT]:
            path.unlink(missing_ok=True)
