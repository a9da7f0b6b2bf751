"""Records of runs, which `rerun` and the catalog's pages read.

A record is a JSON file in the user's state folder; its name is a digest of the run's output path; the next
run with that output replaces it. It contains the job's settings, with templates as written and the connection
by name or file. During the run, a separate thread updates it every second, so that other processes can follow
the run. The record of a killed run is at most a second older than its end.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from connector.common import json_text
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.common.user_folders import records_folder, write_whole
from connector.connections.connection import Connection
from connector.errors import ConnectorError, RunError
from connector.files.output_formats import Format, format_of
from connector.runs.active_run import ActiveRun
from connector.runs.job import STREAM, Job
from connector.runs.output_names import absolute, id_of
from connector.runs.recorded_job import job_from_json, job_to_json
from connector.runs.stop_event import Process, process_of

logger = logging.getLogger(__name__)

VERSION = 1
"""The format version of records; records with another version are not read. Added fields do not change it:
they are optional, and older versions of this package ignore them."""
KEPT = 1000
"""The maximum number of records; the oldest are deleted first."""
EVERY_S = 1.0
"""The interval of updates to the record of a running run, in seconds."""
MOST_POINTS = 120
"""The maximum number of points in a record's timeline."""

_COUNTED = ("rows", "resumed_rows", "succeeded", "failed", "repeatable", "warned", "truncated", "seconds")
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Record:
    """One run. Times are epoch seconds; `ended` is None while it is running, and after it was killed.

    `fingerprint` identifies the run (see `run.fingerprint`). `summary` is its summary at the time `seen`, the
    last update. `rerun_of` is the output of the run whose failed rows it reran. `where` is the connection's
    host, with its name if it is saved. `total` is the number of rows, if known; `timeline` has pairs of
    seconds since the run was started or resumed, and rows done by then. `process` is the run's process, if
    SIGTERM stops the run.
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
) -> Iterator[None]:
    """Context that writes the record of a run, and completes its summary even if the run ends with an error.

    A run to standard output has no record. `place` is the record's `where`.
    """
    began = clock.monotonic()
    summary, keeper = run.summary, None
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
        )
        save(record)
        keeper = _Keeper(record, run, clock)
    try:
        yield
    except BaseException:
        summary.stopped = True
        raise
    finally:
        summary.seconds = clock.monotonic() - began
        summary.pace = run.pace
        if keeper:
            save(keeper.end())
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

    def __init__(self, record: Record, run: ActiveRun, clock: Clock) -> None:
        self._record, self._run, self._clock = record, run, clock
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
            _write(self.look())
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


def save(record: Record) -> None:
    """Write a record. Errors are ignored, because a run does not depend on its record."""
    _write(record)
    with suppress(OSError):
        _forget_the_oldest()


def forget(output: Path) -> None:
    """Remove the record of the run that wrote an output."""
    with suppress(OSError):
        _path(id_of(absolute(output))).unlink(missing_ok=True)


def _write(record: Record) -> None:
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
    }
    with suppress(OSError):
        write_whole(_path(id_of(record.output)), json_text.dump_bytes(data) + b"\n")


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
    return _read(_path(id)) if _ID.fullmatch(id) else None


def list_records() -> Iterator[Record]:
    """Yield all readable records, in no particular order."""
    for path in records_folder().glob("*.json"):
        if record := _read(path):
            yield record


def read_records() -> tuple[list[Record], list[str]]:
    """Return all readable records, in no particular order, and a message for each unreadable one."""
    readable, unreadable = [], []
    for path in records_folder().glob("*.json"):
        try:
            readable.append(_parse(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            unreadable.append(f"{path}: cannot be read: {reason_of(error)}")
    return readable, unreadable


def reason_of(error: Exception) -> str:
    """Return the reason why a run's file cannot be read, without the file's path."""
    is_worded = isinstance(error, (OSError, ConnectorError, ValueError))
    return getattr(error, "strerror", None) or (
        str(error) if is_worded else f"not a valid record of a run: {error}"
    )


def _path(id: str) -> Path:
    return records_folder() / f"{id}.json"


def _read(path: Path) -> Record | None:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        return _parse(path)
    return None


def _parse(path: Path) -> Record:
    """Return the record in a file.

    Raises OSError, ValueError, KeyError, TypeError or AttributeError if it cannot be read.
    """
    data = json_text.loads(path.read_text(encoding="utf-8"))
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
    )


def _process_from_json(data: Any) -> Process | None:
    if data is None:
        return None
    id, machine = data
    if not isinstance(id, int) or id <= 1 or not isinstance(machine, str):
        raise TypeError("process is not valid")
    return Process(id, machine)


def _check_types(data: Mapping[str, Any]) -> None:
    """Raise TypeError if a number in a record is not a number, or its summary is not complete."""
    summary = data["summary"] or {}
    if not isinstance(summary, Mapping):
        raise TypeError("summary is not an object")
    numbers = {name: data.get(name) for name in ("started", "ended", "seen", "total")}
    numbers |= {name: summary.get(name, 0) for name in _COUNTED}
    for name, value in numbers.items():
        if not isinstance(value, (int, float)) and (value is not None or name == "started"):
            raise TypeError(f"{name} is not a number")
    for name, code in summary.get("codes", {}).items():
        if not isinstance(code["rows"], int) or not isinstance(code["example"], str):
            raise TypeError(f'the summary of the code "{name}" is not complete')


def _forget_the_oldest() -> None:
    paths = list(records_folder().glob("*.json"))
    if len(paths) > KEPT:
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[: len(paths) - KEPT]:
            path.unlink(missing_ok=True)
