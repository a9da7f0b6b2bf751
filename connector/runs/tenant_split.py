"""Splits rows by tenant if a template selects the connection of each row; see `connection_choice`.

One pass over the input writes the rows of each tenant to a separate file. Each tenant can then process its
rows at its own rate with constant memory. A resumed run splits its input again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

from connector.common import json_text
from connector.common.file_modes import PRIVATE_FILE, PRIVATE_FOLDER
from connector.errors import RowError, RunError, RunInterruptedError, RunStoppedError
from connector.files.readers import InputRow
from connector.runs.connection_choice import SelectConnection
from connector.templating.scope import Row

NOBODY = ""
"""The name of the group of rejected rows."""

_BLOCK = 1 << 16
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Split:
    """The rows of a run, split by tenant into files in a folder. Rows keep their numbers."""

    def __init__(self, folder: Path, tenants: Iterable[str]) -> None:
        self._folder = folder
        names = (NOBODY, *tenants)
        self._paths = {name: folder / f"{number}.jsonl" for number, name in enumerate(names)}
        self.counts = dict.fromkeys(names, 0)
        """The number of rows by tenant."""

    def write(self, rows: Iterator[InputRow], choose: SelectConnection, stop: Event) -> None:
        """Split the rows into files. Raises RunError if they cannot be written, RunInterruptedError."""
        waiting = {name: bytearray() for name in self._paths}
        try:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
            for row in rows:
                if stop.is_set():
                    raise RunInterruptedError("the run was stopped before its rows were assigned to tenants")
                name, line = assign(row, choose)
                self.counts[name] += 1
                waiting[name] += line
                if len(waiting[name]) > _BLOCK:
                    self._append(name, waiting[name])
            for name, lines in waiting.items():
                self._append(name, lines)
        except OSError as error:
            raise RunError(f"{self._folder}: the rows cannot be written: {error.strerror}") from error

    def _append(self, name: str, lines: bytearray) -> None:
        """Append lines to a tenant's file. The file is closed again, because there can be many tenants."""
        with open(os.open(self._paths[name], _FLAGS, PRIVATE_FILE), "ab") as file:
            file.write(lines)
        lines.clear()

    def rows(self, tenant: str) -> Iterator[InputRow]:
        """Yield a tenant's rows in order; NOBODY yields the rejected rows. Raises RunStoppedError."""
        try:
            file = self._paths[tenant].open("rb")
        except OSError as error:
            raise RunStoppedError(f"{self._paths[tenant]}: cannot be read: {error.strerror}") from error
        with file:
            for line in file:
                yield read_line(line)


def read_line(line: bytes) -> InputRow:
    """Return the row in a line of `assign`."""
    return InputRow(**json_text.loads(line.decode()))


def assign(row: InputRow, choose: SelectConnection | None = None) -> tuple[str, bytes]:
    """Return a row's tenant (NOBODY without `choose`), and the row as a line for `read_line`."""
    error, code = row.error, row.code
    name = NOBODY
    if choose and not error:
        try:
            name = choose(row.data)
        except RowError as refusal:
            error, code = str(refusal), refusal.code
    try:
        return name, _line(row, row.data, error, code)
    except ValueError as problem:
        return NOBODY, _line(row, {}, f"the row cannot be written as JSON: {problem}", code)


def _line(row: InputRow, data: Row, error: str, code: str) -> bytes:
    line = {"number": row.number, "data": data, **({"origin": row.origin} if row.origin else {})}
    return json_text.dump_bytes({**line, "error": error, "code": code} if error else line) + b"\n"
