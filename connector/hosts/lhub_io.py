"""Reads the platform's rows and writes results in the SDK's format, through files or pipes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.common.json_text import Json
from connector.errors import RunStoppedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow, RowSource
from connector.hosts.lhub_sdk import load_sdk


class PlatformIO:
    """The input and output of one run: rows, and a result for each under the row's id.

    Rows are JSON objects, one per line: in the `part-*` files of a folder, or on standard input as the member
    `row` of an object. The id is the row's field `lhub_id`.
    """

    def __init__(self) -> None:
        self._sdk = load_sdk()
        self._ids: dict[int, Json] = {}
        self._read: Callable[[], Iterator[InputRow]] = lambda: iter(())
        self._folder = os.environ.get(self._sdk.INPUT_DATA_JSON_FOLDER_PATH, "").strip()

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows, in order. Raises RunError if there is no such folder."""
        with self._input() as read:
            self._read = read
            for row in read():
                self._ids[row.number] = row.data.get(self._sdk.LHUB_ID)
                yield row

    def columns(self) -> frozenset[str]:
        """Return the names of all columns, which requires reading all rows."""
        return frozenset().union(*(row.data for row in self._read()))

    @contextmanager
    def _input(self) -> Iterator[Callable[[], Iterator[InputRow]]]:
        """Yield a function that returns an iterator over all rows."""
        if not self._folder:
            with tempfile.TemporaryDirectory(prefix="ninjaone-connector-") as temporary:
                # Read completely first, as in the SDK: the platform can write all rows before it reads any.
                with open(Path(temporary, "rows"), "wb") as copy:
                    shutil.copyfileobj(sys.stdin.buffer, copy)
                yield lambda: map(_unwrapped, RowSource("-", "jsonl", stdin=open(copy.name, "rb")).rows())  # noqa: SIM115
        elif Path(self._folder).is_dir() and not any(Path(self._folder).glob("part-*")):
            yield lambda: iter(())  # The table has no rows.
        else:
            yield RowSource(self._folder, "jsonl").rows

    def answer(self, envelope: Envelope) -> None:
        """Write a row's result as the SDK would for a function that returned the envelope.

        Raises RunStoppedError if the platform accepts no more results.
        """
        lhub_id = self._ids.pop(envelope.row) if envelope.ends_row else self._ids[envelope.row]
        try:
            self._sdk.print_result(json.dumps(envelope.as_json()), self._writable(lhub_id))
            sys.stdout.flush()
        except OSError as error:
            raise RunStoppedError(f"the platform accepts no more results: {error.strerror}") from error

    def _writable(self, lhub_id: Json) -> Json:
        """Return an id that the SDK can write: in file mode, it fails for arrays and objects."""
        return json.dumps(lhub_id) if self._folder and isinstance(lhub_id, (list, dict)) else lhub_id


def _unwrapped(line: InputRow) -> InputRow:
    """Return the row inside an object from standard input."""
    if line.error:
        return line
    row = line.data.get("row")
    if isinstance(row, dict):
        return InputRow(line.number, row)
    return InputRow(line.number, {}, f'line {line.number}: expected an object with the member "row"')
