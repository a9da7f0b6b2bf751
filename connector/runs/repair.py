"""Writes the failed rows of a finished run for correction, and reads the corrected rows for a rerun."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import Kind, RunError, kind_of, shorten
from connector.files.columns import RowTable
from connector.files.envelope import Envelope
from connector.files.output_formats import Format, format_of
from connector.files.read_options import Format as InputFormat
from connector.files.readers import InputRow, RowSource
from connector.runs.rerun import Doubts, Requests, can_run, read_ends, requests_done

_MARKS = ("row", "error")
_OTHER_MARKS = ("_row", "_error")
"""The names of the two added fields if an input row already has a field `row` or `error`."""


@dataclass(frozen=True)
class FailedRow:
    """A failed row: code, message and kind of its last error.

    `can_run` is true if a rerun can run the row without a check. `done` has the completed requests after
    which a rerun continues the row; see `continued`. `origin` is the number of the row of the job's input
    from which it results, if that is another one.
    """

    number: int
    code: str
    error: str
    kind: Kind
    can_run: bool
    done: Requests = ()
    origin: int = 0


def find_failed(
    output: Path, format: Format, reruns: Iterable[Path] = (), *, new_rows: bool = False
) -> dict[int, FailedRow]:
    """Return the rows of a run that failed and did not succeed in a rerun, by number, ascending.

    A row whose outcome in the run or a rerun is unknown must be checked first (see `Doubts`), unless a rerun
    succeeded. With `new_rows`, the reruns can have rows that the run did not have. Raises RunError if a file
    does not contain envelopes.
    """
    doubts, succeeded = Doubts(), set()
    failed: dict[int, FailedRow] = {}
    in_doubt: dict[int, FailedRow] = {}

    def add(envelope: Envelope, *, is_first: bool = False) -> None:
        doubts.add(envelope, is_first=is_first)
        row = _failed_row(envelope)
        (failed if row.can_run else in_doubt)[row.number] = _failed_again(failed.get(row.number), row)

    for envelope in read_ends(output, format):
        if envelope.has_error:
            add(envelope, is_first=True)
    for rerun in reruns:
        for envelope in read_ends(rerun, format_of(str(rerun), None)):
            if not envelope.has_error:
                succeeded.add(envelope.row)
            elif new_rows or envelope.row in failed or envelope.row in in_doubt:
                add(envelope)
    rows = sorted(failed.keys() | in_doubt.keys())
    return {
        number: in_doubt[number] if number in doubts else failed.get(number) or in_doubt[number]
        for number in rows
        if number not in succeeded
    }


def _failed_again(before: FailedRow | None, row: FailedRow) -> FailedRow:
    """Return a row that failed again; its completed requests stay those of before if it names none."""
    return replace(row, done=before.done) if before and not row.done else row


def _failed_row(envelope: Envelope) -> FailedRow:
    meta = envelope.meta
    done, origin = requests_done(envelope), meta.get("input_row", 0)
    error = envelope.error or ""
    return FailedRow(envelope.row, meta["code"], error, kind_of(meta), can_run(envelope), done, origin)


def mark_rows(rows: Iterable[InputRow], failed: Mapping[int, FailedRow]) -> list[dict[str, Json]]:
    """Return the data of input rows, each with two more fields: `row`, its number, and `error`, its message.

    If any row already has one of these fields, they are named `_row` and `_error`.
    """
    rows = list(rows)
    number, error = _OTHER_MARKS if any(set(_MARKS) & row.data.keys() for row in rows) else _MARKS
    return [{number: row.number, **row.data, error: failed[row.number].error} for row in rows]


FORMATS: tuple[InputFormat, ...] = ("jsonl", "json", "csv", "tsv", "xlsx")
"""The formats in which failed rows can be written."""


def rows_as_text(rows: list[dict[str, Json]], format: str) -> str:
    """Return rows as the text of a file: JSON Lines, a JSON array, CSV or TSV."""
    if format == "jsonl":
        return "".join(json_text.dumps(row) + "\n" for row in rows)
    if format == "json":
        return "[\n" + ",\n".join(json_text.dumps(row) for row in rows) + "\n]\n"
    if not rows:
        return ""  # Not an empty line, which would be a header.
    text = io.StringIO()
    delimiter = "\t" if format == "tsv" else ","
    writer = csv.DictWriter(text, _columns(rows), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def rows_as_workbook(rows: list[dict[str, Json]]) -> bytes:
    """Return rows as an Excel workbook. Raises RunError for a text that a workbook would not keep."""
    from connector.files.excel_writer import is_kept, write_workbook  # slow to import

    for row in rows:
        for name, value in row.items():
            if name not in ("error", "_error") and not is_kept(value):
                number = row.get("_row", row.get("row"))
                raise RunError(
                    f'row {number}: a workbook cannot keep the text of "{shorten(name)}"; use a name that '
                    "ends in .csv"
                )
    file = io.BytesIO()
    write_workbook(RowTable(_columns(rows), rows), file)
    return file.getvalue()


def _columns(rows: list[dict[str, Json]]) -> list[str]:
    """Return the columns of rows; that of the error is the last one."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if "error" in columns or "_error" in columns:
        columns.append(columns.pop(columns.index("error" if "error" in columns else "_error")))
    return columns


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text.dumps(value)


def read_corrected(
    source: RowSource, path: str, known: Mapping[Any, int] | None = None, key: str = ""
) -> dict[int, InputRow]:
    """Return the corrected rows in a file, keyed by the number of the row that each replaces, ascending.

    `path` is the name of the file in messages. That number is in the field `row` (or `_row`). With `key`, it
    is looked up in `known` by the value of that field. Raises RunError for a row that cannot be read or
    matched, and for two rows with the same number.
    """
    found: dict[int, InputRow] = {}
    for row in source.rows():
        if row.error:
            raise RunError(row.error)
        number = (
            _number_of(row.data, f"{path}, row {row.number}")
            if known is None
            else _number_by_key(row, path, known, key)
        )
        if number in found:
            raise RunError(f"{path}: two rows replace row {number}")
        found[number] = InputRow(number, _without_marks(row.data))
    return dict(sorted(found.items()))


def _number_of(data: Mapping[str, Json], where: str) -> int:
    return row_number(data.get("_row", data.get("row")), where)


def row_number(value: Json, where: str) -> int:
    """Return the number of a row in the field `row` of corrected rows. Raises RunError with `where`."""
    text = str(value).strip()
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise RunError(
            f'{where}: "row" is not the number of a row; use the numbers that the command `failed` writes, '
            "or --key COLUMN"
        )
    return int(text)


def _number_by_key(row: InputRow, path: str, known: Mapping[Any, int], key: str) -> int:
    if key not in row.data:
        raise RunError(f'{path}, row {row.number}: no field "{key}"')
    return known.get(key_text(row.data[key]), -row.number)


def key_text(value: Json) -> str:
    """Return a key's value as text, so that values from CSV and JSON files can be compared."""
    return _cell(value).strip()


def _without_marks(data: Mapping[str, Json]) -> dict[str, Json]:
    marks = _OTHER_MARKS if "_row" in data else _MARKS
    return {name: value for name, value in data.items() if name not in marks}


class CorrectedRows:
    """The corrected rows of a rerun, in the order of the rows that they replace."""

    def __init__(self, rows: Mapping[int, InputRow]) -> None:
        self._rows, self._numbers = rows, sorted(rows)

    def rows(self) -> Iterator[InputRow]:
        """Yield the corrected rows in order."""
        return (self._rows[number] for number in self._numbers)

    def count(self, go_on: Callable[[], bool]) -> int:
        """Return the number of rows."""
        return len(self._numbers)

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        return bisect_right(self._numbers, row)
