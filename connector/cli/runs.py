"""The `runs` command: list the latest runs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from connector.cli.job_options import add_state
from connector.cli.main import NOTHING_RUN, OK
from connector.cli.numbers import whole_number
from connector.runs.record import Record
from connector.runs.records import latest_records
from connector.runs.run_state import LABELS, state_of
from connector.state.tried_once import each_tried_once

LISTED = 20
"""The number of runs that are listed by default."""
_COLUMNS = ("STARTED", "STATE", "ROWS", "FAILED", "ACTION", "CONNECTION", "OUTPUT")
_NUMBERS = ("ROWS", "FAILED")


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone runs`."""
    parser.add_argument(
        "-n",
        "--limit",
        metavar="N",
        type=whole_number(lambda number: number >= 1, "the number of runs must be at least 1"),
        default=LISTED,
        help=f"number of runs (default: {LISTED})",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    add_state(parser, "PostgreSQL database whose runs are listed (default: NINJAONE_STATE, else none)")
    parser.set_defaults(command=_runs)


def _runs(options: argparse.Namespace) -> int:
    with each_tried_once():
        return _list_runs(options)


def _list_runs(options: argparse.Namespace) -> int:
    records = latest_records()
    records.read()
    latest = sorted(records.by_id.values(), key=lambda record: -record.started)[: options.limit]
    now = time.time()
    listed = [(record, LABELS[state_of(record, now)]) for record in latest]
    if options.json:
        print(json.dumps([_as_json(record, state) for record, state in listed], indent=1))
    elif listed:
        print("\n".join(_table([_COLUMNS, *(_cells(record, state) for record, state in listed)])))
    elif not records.unreadable:
        print("no runs yet", file=sys.stderr)
    for message in records.unreadable:
        print(f"ninjaone: {message}", file=sys.stderr)
    is_failed = records.lacks_database or (records.unreadable and not latest)
    return NOTHING_RUN if is_failed else OK


def _cells(record: Record, state: str) -> Sequence[str]:
    """Return the cells of a run, one for each column."""
    summary: Mapping[str, Any] = record.summary or {}
    rows, total = summary.get("rows", 0), record.total
    step = f" ({record.job.step})" if record.job.step else ""
    return (
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.started)),
        state,
        str(rows) if total in (None, rows) else f"{rows}/{total}",
        str(summary.get("failed", 0)),
        f"{record.job.action}{step}",
        record.where,
        str(record.output),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines with aligned columns; the columns of numbers are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for name, cell, width in zip(_COLUMNS, row, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _as_json(record: Record, state: str) -> Mapping[str, Any]:
    """Return a run as JSON. Times are ISO 8601 in UTC; `total` is null if the number of rows is not known."""
    summary: Mapping[str, Any] = record.summary or {}
    return {
        "id": record.id,
        "started": _iso(record.started),
        "ended": None if record.ended is None else _iso(record.ended),
        "state": state,
        "rows": summary.get("rows", 0),
        "total": record.total,
        "succeeded": summary.get("succeeded", 0),
        "failed": summary.get("failed", 0),
        "codes": {code: its["rows"] for code, its in summary.get("codes", {}).items()},
        "action": record.job.action,
        "step": record.job.step or None,
        "connection": record.where,
        "output": str(record.output),
        "rerun_of": None if record.rerun_of is None else str(record.rerun_of),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
