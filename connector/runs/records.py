"""Records of runs, which `rerun` and the catalog's pages read.

A record is a JSON file in the user's state folder; its name is a digest of the run's output path; the next
run with that output replaces it. It contains the job's settings, with templates as written and the connection
by name or file. During the run, a separate thread updates it every second (see `runs.recording`). The record
of a killed run is at most a second older than its end.

If the run's state is in a database, the record is there, too. Records are read from files, and also from the
database that the environment selects, if any; of two with the same id, the latest one counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from connector.client.shared_state import find_database
from connector.common.user_folders import records_folder, write_whole
from connector.errors import RunError, RunStoppedError
from connector.files.output_formats import Format, format_of
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import UNREADABLE, Record, reason_of, record_from_json, record_to_json

if TYPE_CHECKING:
    from connector.state.records import DatabaseRecords

KEPT = 1000
"""The maximum number of records; the oldest are deleted first."""
_CLOCKS_DIFFER_S = 5.0
"""The maximum difference between a run's clock and the time of its file, in seconds."""
_ID = re.compile(r"[0-9a-f]{32}")


def save(record: Record, shared: DatabaseRecords | None = None) -> None:
    """Write a record. Errors are ignored, because a run does not depend on its record."""
    write(record, shared)
    with suppress(OSError):
        _delete_oldest()
    if shared:
        with suppress(RunStoppedError):
            shared.keep_latest(KEPT)


def forget(output: Path) -> None:
    """Remove the record of the run that wrote an output."""
    id = id_of(absolute(output))
    with suppress(OSError):
        _path(id).unlink(missing_ok=True)
    if shared := database_records():
        shared.delete(id)


def database_records(state: str = "") -> DatabaseRecords | None:
    """Return the records in the database of a run's state, else of the environment. Raises RunError."""
    database = find_database(state)
    if database is None:
        return None
    from connector.state.records import DatabaseRecords

    return DatabaseRecords(database)


def write(record: Record, shared: DatabaseRecords | None = None) -> None:
    """Write a record, and keep all others. Errors are ignored, as in `save`."""
    content = record_to_json(record)
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
    record, shared = _read(_path(id)), database_records()
    if shared and (content := shared.read(id)):
        with suppress(*UNREADABLE):
            return _latest(record_from_json(content), record)
    return record


def list_records() -> Iterator[Record]:
    """Yield all readable records, in no particular order. Raises RunError if the database cannot be used."""
    records = LatestRecords(database_records())
    records.read()
    yield from records.by_id.values()


def latest_records() -> LatestRecords:
    """Return a reader of all records; if the database cannot be used, of those in files, with a message."""
    try:
        return LatestRecords(database_records())
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
            text = content if isinstance(content, str) else content.read_text(encoding="utf-8")
            record = record_from_json(text)
            id = record.id
        except UNREADABLE as error:
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


def _path(id: str) -> Path:
    return records_folder() / f"{id}.json"


def _read(path: Path) -> Record | None:
    with suppress(*UNREADABLE):
        return record_from_json(path.read_text(encoding="utf-8"))
    return None


def _delete_oldest() -> None:
    paths = list(records_folder().glob("*.json"))
    if len(paths) > KEPT:
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[: len(paths) - KEPT]:
            path.unlink(missing_ok=True)
