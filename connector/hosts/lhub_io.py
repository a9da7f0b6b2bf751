"""Read the rows of LogicHub and write results in the SDK's format, through files or pipes."""

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
    """The input and output of one run. Each result is written with the id of its row, the field `lhub_id`.

    Rows are JSON objects, one per line: in the `part-*` files of a folder, or on standard input as the
    property `row` of an object.
    """

    def __init__(self) -> None:
        self._sdk = load_sdk()
        self._ids: dict[int, Json] = {}
        self._read: Callable[[], Iterator[InputRow]] = lambda: iter(())
        self._folder = os.environ.get(self._sdk.INPUT_DATA_JSON_FOLDER_PATH, "").strip()

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order. Raises RunError if the input folder does not exist."""
        with self._input() as read:
            self._read = read
            for row in read():
                self._ids[row.number] = row.data.get(self._sdk.LHUB_ID)
                yield row

    def columns(self) -> frozenset[str]:
        """Return the names of all columns; this reads all rows."""
        return frozenset().union(*(row.data for row in self._read()))

    @contextmanager
    def _input(self) -> Iterator[Callable[[], Iterator[InputRow]]]:
        """Yield a function that returns an iterator over all rows."""
        if not self._folder:
            with tempfile.TemporaryDirectory(prefix="ninjaone-connector-") as temporary:
                # Read all input first, as the SDK does: the platform may read no result until then.
                with open(Path(temporary, "rows"), "wb") as copy:
                    shutil.copyfileobj(sys.stdin.buffer, copy)
                yield lambda: map(_unwrapped, RowSource("-", "jsonl", stdin=open(copy.name, "rb")).rows())  # noqa: SIM115
        elif Path(self._folder).is_dir() and not any(Path(self._folder).glob("part-*")):
            yield lambda: iter(())  # an empty table
        else:
            yield RowSource(self._folder, "jsonl").rows

    def answer(self, envelope: Envelope) -> None:
        """Write an envelope in the SDK's format for results.

        Raises RunStoppedError if the platform accepts no more results.
        """
        lhub_id = self._ids.pop(envelope.row) if envelope.ends_row else self._ids[envelope.row]
        try:
            self._sdk.print_result(json.dumps(envelope.as_json()), self._writable(lhub_id))
            sys.stdout.flush()
        except OSError as error:
            raise RunStoppedError(f"the platform accepts no more results: {error.strerror}") from error

    def _writable(self, lhub_id: Json) -> Json:
        """Return a row id that the SDK can write; in file mode, arrays and objects become JSON text."""
        return json.dumps(lhub_id) if self._folder and isinstance(lhub_id, (list, dict)) else lhub_id


def _unwrapped(line: InputRow) -> InputRow:
    """Return the row in the property `row` of an object from standard input."""
    if line.error:
        return line
    row = line.data.get("row")
    if isinstance(row, dict):
        return InputRow(line.number, row)
    return InputRow(line.number, {}, f'line {line.number}: expected an object with the property "row"')
