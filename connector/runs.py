"""What is known of a run: `Running` while it goes on, and the record that a run to a file leaves for later.

A record is a JSON file in a folder of the user's, named by the run's output; the next run to that output
replaces it. It holds the job's settings: templates as they were written, the connection by its name or file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from connector import json_text
from connector.batch import Summary
from connector.clock import Clock
from connector.connections import is_file
from connector.files import InputRow
from connector.job import STREAM, Job
from connector.json_text import Json
from connector.state import digest_name, records_folder, write_whole
from connector.tenants import is_template

VERSION = 1
"""The version of the records; one of another version is not read."""
KEPT = 1000
"""How many records are kept; the oldest go first."""

_PATHS = ("uploads", "files", "audit")


class Rows(Protocol):
    """The rows of a run."""

    def rows(self) -> Iterator[InputRow]:
        """Give them in order. Raises RunFault."""

    def count(self, go_on: Callable[[], bool]) -> int | None:
        """Count them, while `go_on` says so; None where that cannot be done."""

    def passed(self, row: int) -> int:
        """Tell how many of them lie up to the row of that number."""


@dataclass(frozen=True)
class Running:
    """A run that has begun, for those who look on from another thread: its `summary` goes up with every row.

    `requests` tells how many API requests were sent, at least `delay_ms` apart.
    """

    job: Job
    rows: Rows
    summary: Summary
    delay_ms: float
    requests: Callable[[], int]


Onlooker = Callable[[Running], None]
"""Is told of every run that begins."""


@dataclass(frozen=True)
class Record:
    """One run. Times are epoch seconds; `ended` is None while it goes on, and after it was killed.

    `fingerprint` says by digests what the run was (see `run.fingerprint`), `summary` what came of it.
    `rerun_of` is the output of the run whose failed rows it ran again.
    """

    output: Path
    job: Job
    fingerprint: Mapping[str, str]
    started: float
    ended: float | None = None
    rerun_of: Path | None = None
    summary: Mapping[str, Json] | None = None


def absolute(path: str | Path) -> Path:
    """Give the one path by which an output is known, whichever way it was named."""
    path = Path(path)
    return path.parent.resolve() / path.name


@contextmanager
def recorded(
    job: Job, fingerprint: Mapping[str, str], summary: Summary, clock: Clock, rerun_of: Path | None
) -> Iterator[None]:
    """Keep the record of a run that writes a file, and complete its summary however it ends."""
    began = clock.monotonic()
    record = None
    if job.output != STREAM:
        output = absolute(job.output)
        before = find(output) if summary.resumed_rows else None
        started = before.started if before else clock.now()
        record = Record(output, job, fingerprint, started, rerun_of=rerun_of)
        save(record)
    try:
        yield
    except BaseException:
        summary.stopped = True
        raise
    finally:
        summary.seconds = clock.monotonic() - began
        if record:
            save(replace(record, ended=clock.now(), summary=summary.as_json()))


def save(record: Record) -> None:
    """Keep a record. One that cannot be written is done without: no run fails for it."""
    data = {
        "record": VERSION,
        "output": str(record.output),
        "job": _job_to_json(record.job),
        "fingerprint": dict(record.fingerprint),
        "started": record.started,
        "ended": record.ended,
        "rerun_of": None if record.rerun_of is None else str(record.rerun_of),
        "summary": record.summary,
    }
    with suppress(OSError):
        write_whole(_path(record.output), json_text.dump_bytes(data) + b"\n")
        _forget_the_oldest()


def find(output: Path) -> Record | None:
    """Give the record of the run that wrote an output, if there is one."""
    return _read(_path(absolute(output)))


def records() -> Iterator[Record]:
    """Give all records, in no order."""
    for path in records_folder().glob("*.json"):
        if record := _read(path):
            yield record


def _path(output: Path) -> Path:
    return records_folder() / f"{digest_name(os.path.normcase(output))}.json"


def _read(path: Path) -> Record | None:
    try:
        data = json_text.loads(path.read_text(encoding="utf-8"))
        if data["record"] != VERSION:
            return None
        return Record(
            Path(data["output"]),
            _job_from_json(data["job"]),
            data["fingerprint"],
            data["started"],
            data["ended"],
            None if data["rerun_of"] is None else Path(data["rerun_of"]),
            data["summary"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _job_to_json(job: Job) -> dict[str, Json]:
    """Write a job's settings by their keys in a job file, paths absolute, defaults left out."""
    defaults = Job(action="")
    given = {f.name: getattr(job, f.name) for f in fields(Job)}
    changed = {name: value for name, value in given.items() if value != getattr(defaults, name)}
    for name in (*_PATHS, "input", "output"):
        if name in ("uploads", *changed) and given[name] != STREAM:
            changed[name] = os.path.abspath(given[name])
    if job.connection is not None and not is_template(job.connection):
        changed["connection"] = _absolute(job.connection)
    if job.allow_connections:
        changed["allow_connections"] = {said: _absolute(c) for said, c in job.allow_connections.items()}
    return changed


def _absolute(connection: str) -> str:
    return os.path.abspath(connection) if is_file(connection) else connection


def _job_from_json(data: Mapping[str, Any]) -> Job:
    settings: dict[str, Any] = {n: Path(value) if n in _PATHS else value for n, value in data.items()}
    return Job(**settings)


def _forget_the_oldest() -> None:
    paths = list(records_folder().glob("*.json"))
    if len(paths) > KEPT:
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[: len(paths) - KEPT]:
            path.unlink(missing_ok=True)
