"""The record of a run: its settings, its progress and its summary, as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import ConnectorError
from connector.runs.job import Job
from connector.runs.output_names import id_of
from connector.runs.recorded_job import job_from_json, job_to_json
from connector.runs.stop_event import Process

VERSION = 1
"""The format version of records; records with another version are not read. Added fields do not change it:
they are optional, and older versions of this package ignore them."""
UPDATE_INTERVAL_S = 1.0
"""The interval of updates to the record of a running run, in seconds."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""The errors of reading a record, or another file of a run, that is not valid."""

_LAST_TIME = datetime(9999, 1, 1, tzinfo=timezone.utc).timestamp()
"""The limit of the times in a record: later ones may be out of the range of `datetime`."""
_COUNTED = ("rows", "resumed_rows", "succeeded", "failed", "repeatable", "warned", "truncated", "seconds")


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


def record_to_json(record: Record) -> bytes:
    """Return the JSON text of a record."""
    return json_text.dump_bytes(
        {
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
    )


def record_from_json(content: str) -> Record:
    """Return the record in a JSON text. Raises one of `UNREADABLE` if it is not valid."""
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


def reason_of(error: Exception) -> str:
    """Return the reason why a run's file cannot be read, without the file's path."""
    is_worded = isinstance(error, (OSError, ConnectorError, ValueError))
    return getattr(error, "strerror", None) or (
        str(error) if is_worded else f"not a valid record of a run: {error}"
    )
