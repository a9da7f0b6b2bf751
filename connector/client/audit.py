"""The audit log: a line for every attempt of an API request. Several runs can append to one file.

A line (`schemas/audit.schema.json`) has the time, action and row, method and path, and the outcome; it has
neither bodies nor queries, which can contain secrets. It is written after the attempt, so that a request in
progress is missing if the process is killed. The run's journal has such a request if it must not be repeated;
any other is sent again when the run is resumed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock

from connector.common import json_text
from connector.common.existing_files import require_kind
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.errors import RowError, RunError, RunStoppedError
from connector.http.messages import Request, Response

VERSION = 1
"""The version of `schemas/audit.schema.json`. Each line has it, because a file can have lines of several
versions."""

_MARK = re.compile(rb'^\{"audit":', re.MULTILINE)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_NOT_WAITING = getattr(os, "O_NONBLOCK", 0)
"""This flag makes opening a pipe without a reader fail instead of wait."""


class Audit:
    """Writes the audit log of one connection. Safe for threads, and for processes that share a file."""

    def __init__(self, paths: Sequence[str], connection: str, redactor: Redactor) -> None:
        """Check that all files can be written. Raises RunError if not.

        `connection` is the connection's name as written in each audit line.
        """
        self._files = [_LineFile(Path(path)) for path in paths]
        self._connection, self._redactor = connection, redactor

    def note(
        self,
        request: Request,
        outcome: Response | RowError,
        *,
        action: str,
        row: int,
        began: float,
        seconds: float,
        hide: Callable[[str], str] | None = None,
    ) -> None:
        """Write one line for a request that was sent; `began` is in epoch seconds, `seconds` the duration.

        `hide` also removes the secrets of the row. A line that cannot be written is kept in memory, and
        `require` tries to write it again.
        """
        hide = hide or self._redactor.text
        line: dict[str, Json] = {
            "audit": VERSION,
            "time": datetime.fromtimestamp(began, timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z",
            "connection": self._connection,
            "action": action or None,
            "row": row or None,
            "method": request.method,
            "path": hide(request.path),
            "status": outcome.status,
            "error": outcome.code if isinstance(outcome, RowError) else None,
            "request_id": outcome.request_id and hide(outcome.request_id),
            "duration_ms": round(seconds * 1000, 1),
            "attempt": outcome.attempts,
        }
        for file in self._files:
            file.append(json_text.dump_bytes(line) + b"\n")

    def require(self) -> None:
        """Raise RunStoppedError unless all lines are written: each request needs a record."""
        for file in self._files:
            file.require()


class _LineFile:
    """A file that is opened for each line, so that log rotation can move it during a run."""

    def __init__(self, path: Path) -> None:
        require_kind(path, "an audit log", _MARK)
        self._path, self._lock = path, Lock()
        self._kept: list[bytes] = []
        self._is_torn = False
        try:
            descriptor = os.open(path, _APPEND | _NOT_WAITING, 0o600)
            try:
                about = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            if about.st_size and stat.S_ISREG(about.st_mode):
                with path.open("rb") as file:
                    file.seek(-1, os.SEEK_END)
                    self._is_torn = file.read() != b"\n"
        except OSError as error:
            raise RunError(f"{path}: the audit log cannot be written: {error.strerror}") from error
        if not stat.S_ISREG(about.st_mode):
            raise RunError(f"{path}: the audit log cannot be written: not a regular file")

    def append(self, line: bytes) -> None:
        with self._lock:
            self._kept.append(line)
            self._write_kept()

    def require(self) -> None:
        if not self._kept:  # no lock, for speed: this is called before each request
            return
        with self._lock:
            if error := self._write_kept():
                raise RunStoppedError(
                    f"{self._path}: the audit log cannot be written: {error.strerror}. These lines are "
                    "missing: " + b"".join(self._kept).decode().rstrip("\n").replace("\n", " and ")
                )

    def _write_kept(self) -> OSError | None:
        """Write the pending lines, one system call each, so that lines of several processes do not mix."""
        try:
            while self._kept:
                line = (b"\n" if self._is_torn else b"") + self._kept[0]
                descriptor = os.open(self._path, _APPEND, 0o600)
                try:
                    written = os.write(descriptor, line)
                finally:
                    os.close(descriptor)
                self._is_torn = written < len(line)
                if not self._is_torn:
                    del self._kept[0]
        except OSError as error:
            return error
        return None
