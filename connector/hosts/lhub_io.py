"""The platform's rows in, and envelopes out as the SDK writes results: through files or through pipes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from connector.common.json_text import Json
from connector.errors import RunStoppedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow, RowSource
from connector.hosts.lhub_sdk import load_sdk


class PlatformIO:
    """Both directions of one run: its rows, and the answer to each, under the row's id.

    Rows are JSON objects, one a line: bare in the `part-*` files of a folder, or each as the member `row` of
    an object on standard input. The id is the row's field `lhub_id`.
    """

    def __init__(self) -> None:
        self._sdk = load_sdk()
        self._ids: dict[int, Json] = {}
        self._folder = os.environ.get(self._sdk.INPUT_DATA_JSON_FOLDER_PATH, "").strip()

    def rows(self) -> Iterator[InputRow]:
        """Give the rows, in order. Raises RunError when there is no such folder."""
        for row in self._rows_of_folder() if self._folder else self._rows_of_stdin():
            self._ids[row.number] = row.data.get(self._sdk.LHUB_ID)
            yield row

    def _rows_of_folder(self) -> Iterator[InputRow]:
        folder = Path(self._folder)
        if folder.is_dir() and not any(folder.glob("part-*")):
            return iter(())  # a table without rows
        return RowSource(self._folder, "jsonl").rows()

    def _rows_of_stdin(self) -> Iterator[InputRow]:
        with tempfile.TemporaryFile() as partial:
            # All of it first, as the SDK does: a platform may write all rows before it reads an answer.
            shutil.copyfileobj(sys.stdin.buffer, partial)
            partial.seek(0)
            with open(partial.fileno(), "rb", closefd=False) as lines:
                yield from map(_unwrapped, RowSource("-", "jsonl", stdin=lines).rows())

    def answer(self, envelope: Envelope) -> None:
        """Answer a row, in the bytes that the SDK would write for a function that returned the envelope.

        Raises RunStoppedError when the platform takes no more.
        """
        lhub_id = self._ids.pop(envelope.row) if envelope.ends_row else self._ids[envelope.row]
        try:
            self._sdk.print_result(json.dumps(envelope.as_json()), lhub_id)
            sys.stdout.flush()
        except OSError as error:
            raise RunStoppedError(f"the platform takes no more results: {error.strerror}") from error


def _unwrapped(line: InputRow) -> InputRow:
    """Take a row out of the object that it comes in on standard input."""
    if line.error:
        return line
    row = line.data.get("row")
    if isinstance(row, dict):
        return InputRow(line.number, row)
    return InputRow(line.number, {}, f'line {line.number}: an object with the member "row" is expected')
