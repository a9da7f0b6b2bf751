"""Assigns rows to tenants if the connection is a template, such as `connection: "{{ tenant }}"`.

The value of the template must exactly match one of the connections that the run allows. A row with any other
value is rejected; its value appears only in the error message.

**The split.** One pass over the input writes the rows of each tenant to a separate file. Each tenant can then
process its rows at its own rate with constant memory. A resumed run splits its input again, so the template
can use only the row's fields, not the time (`now`) or the filter `random`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from threading import Event

from connector.catalog.inputs import Input
from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.file_modes import PRIVATE_FILE, PRIVATE_FOLDER
from connector.connections.settings import is_file
from connector.errors import InputError, RowError, RunError, RunInterruptedError, RunStoppedError, shorten
from connector.files.readers import InputRow
from connector.templating.scope import Row, Scope, is_template

Choose = Callable[[Row], str]
"""A function that returns the name of a row's tenant, one of the allowed names. Raises InputError."""

NOBODY = ""
"""The name of the group of rejected rows."""

_BLOCK = 1 << 16
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


def read_allowed(listed: Iterable[str], folder: Path = Path()) -> dict[str, str]:
    """Return the name or file of each allowed connection, keyed by the value that selects it in a row.

    Files are relative to `folder`. Raises RunError for empty and duplicate names.
    """
    allowed: dict[str, str] = {}
    for name in map(str.strip, listed):
        if not name:
            raise RunError("allow_connections: a name is empty")
        if name in allowed:
            raise RunError(f'allow_connections: "{name}" is listed twice')
        allowed[name] = str(folder / name) if is_file(name) else name
    return allowed


def read_choice(connection: str | None, allowed: Mapping[str, str]) -> Choose | None:
    """Return the compiled template of the connection, or None if all rows use the same connection.

    Raises RunError, also if only one of template and `allow_connections` is given.
    """
    if connection is None or not is_template(connection):
        if allowed:
            raise RunError(
                "allow_connections requires a connection template that selects one of these for each row, "
                'such as --connection "{{ tenant }}"'
            )
        return None
    if not allowed:
        raise RunError(
            f"connection {connection} is a template; list the connections that rows may select with "
            "--allow-connections NAME,NAME (allow_connections in a job)"
        )
    return _compile(connection, allowed)


def _compile(source: str, allowed: Mapping[str, str]) -> Choose:
    from connector.templating.templates import compile_template  # imported only for a template

    given = Input("connection", "Connection", {"type": "string"})
    try:
        render = compile_template(source, given.schema)
    except RunError as error:
        raise RunError(f"connection: {error}") from error
    refuse_random("connection", source)
    hint = f"Allowed connections: {shorten(', '.join(allowed))}"

    def choose(row: Row) -> str:
        try:
            name = given.read(render(Scope(row)))
        except RowError as error:
            raise InputError(error.code, f"connection: {error}. {hint}") from error
        if name is ABSENT:
            raise InputError("input_invalid", f"connection: the template is empty for this row. {hint}")
        if name not in allowed:
            raise InputError("input_invalid", f'connection: "{shorten(name, 60)}" is not allowed. {hint}')
        return str(name)

    return choose


def refuse_random(setting: str, source: str) -> None:
    """Raise RunError if the template of a setting does not return the same value for a row every time."""
    from jinja2 import nodes  # imported only for a template

    from connector.templating.environment import read_template

    if any(called.name == "random" for called in read_template(source).find_all(nodes.Filter)):
        raise RunError(
            f"{setting}: the filter random cannot be used here, because a resumed run needs the "
            "same value again"
        )


class Split:
    """The rows of a run, split by tenant into files in a folder. Rows keep their numbers."""

    def __init__(self, folder: Path, tenants: Iterable[str]) -> None:
        self._folder = folder
        names = (NOBODY, *tenants)
        self._paths = {name: folder / f"{number}.jsonl" for number, name in enumerate(names)}
        self.counts = dict.fromkeys(names, 0)
        """The number of rows by tenant."""

    def write(self, rows: Iterator[InputRow], choose: Choose, stop: Event) -> None:
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


def assign(row: InputRow, choose: Choose | None = None) -> tuple[str, bytes]:
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
