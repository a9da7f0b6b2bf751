"""The journal of a run: it records requests that must not be repeated, and their responses.

Each request is recorded before it is sent. Deletions are recorded, too, because a repeated deletion can fail
with "not found". The journal is a JSON Lines file (`schemas/journal.schema.json`) in the work folder of the
run. Each line is passed to the operating system before the request is sent, so it is kept if the process is
killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from connector.common import json_text
from connector.common.durability import sync_file
from connector.common.file_modes import create_file
from connector.common.json_text import Json, quoted
from connector.common.redaction import Redactor
from connector.errors import RunError, RunStoppedError
from connector.files.append_only import AppendOnlyFile, cut_broken_end, read_lines
from connector.files.sent_requests import SentRequests, answer_text
from connector.http.digest import request_digest
from connector.http.messages import Request, Response

JOURNAL_NAME = "journal.jsonl"
VERSION = 2
"""The version of `schemas/journal.schema.json`."""
READABLE_VERSIONS = (1, VERSION)
"""The versions of journals that can be resumed.

In version 1, a request's `step` counts all requests of its row, not only the recorded ones. Such a journal is
converted when its run is resumed.
"""


class Journal:
    """The journal as an `exchange.Recorder`; it returns what an interrupted run has recorded."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.path, self._redactor = path, redactor
        self._earlier = SentRequests()
        self._file: AppendOnlyFile | None = None

    def begin(self, fingerprint: Mapping[str, str], *, fsync: bool = False) -> None:
        """Start a new journal, whose first line identifies the run. `fsync` is that of AppendOnlyFile."""
        self._file = AppendOnlyFile(self.path, fsync=fsync)
        head: dict[str, Json] = {"journal": VERSION, "run": dict(fingerprint)}
        self._file.append(json_text.dump_bytes({**head, "fsync": True} if fsync else head) + b"\n")

    def resume(self, after_row: int, *, fsync: bool = False, cut: bool = False) -> None:
        """Continue the journal of an interrupted run. The rows up to `after_row` are done.

        Raises ValueError, KeyError or TypeError for a line that cannot be read; with `cut`, the file is
        truncated there instead.
        """
        cut_broken_end(self.path)
        if read_head(self.path).version == 1:
            _convert(self.path, cut=cut)
        for entry, _ in read_lines(self.path, cut=cut):
            if "row" in entry and entry["row"] > after_row:
                self._earlier.note(entry["row"], entry["step"], entry)
        self._file = AppendOnlyFile(self.path, fsync=fsync)

    @property
    def earlier_rows(self) -> int:
        """The number of unfinished rows for which the interrupted run sent requests."""
        return len(self._earlier)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def has_sent(self, row: int) -> bool:
        """Return whether the interrupted run has sent a request of a row that must not be repeated."""
        return self._earlier.has_sent(row)

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return a recorded response; see `SentRequests.recorded`."""
        return self._earlier.recorded(row, step, request)

    def sent(self, row: int, step: int, request: Request) -> None:
        """Record a request before it is sent.

        If this raises RunStoppedError, the request must not be sent.
        """
        named, digest = quoted(str(request)), request_digest(request)
        line = f'{{"row":{row},"step":{step},"sent":{named},"request":"{digest}"}}\n'
        self._open_file().append(line.encode())

    def require_held(self) -> None:
        """Do nothing: the run is locked until this process ends."""

    def require_lease(self) -> bool:
        """Return False: there is no lease."""
        return False

    def answered(self, row: int, step: int, response: Response) -> None:
        """Record the response to a request, with secrets masked.

        A full disk is not an error here, because there may still be room for the row's envelope. If there is
        not, the outcome of the request is unknown. No further request can be recorded, so none is sent.
        """
        answer = answer_text(response, self._redactor)
        self._note_end(f'{{"row":{row},"step":{step},"answer":{answer}}}\n')

    def refused(self, row: int, step: int) -> None:
        """Record that a request had no effect; nothing is recorded if the disk is full."""
        self._note_end(f'{{"row":{row},"step":{step},"refused":true}}\n')

    def _note_end(self, line: str) -> None:
        file = self._open_file()
        with suppress(RunStoppedError):  # A full disk is not an error here: see `answered`.
            file.append(line.encode(), although_removed=True)

    def _open_file(self) -> AppendOnlyFile:
        if self._file is None:
            raise RunStoppedError(f"{self.path}: the journal is not open")
        return self._file


class Head(NamedTuple):
    """The first line of a journal: the digests of the run, and whether its lines are flushed to the disk."""

    run: Mapping[str, str]
    fsync: bool
    version: int


def read_head(path: Path) -> Head:
    """Return the first line of an unfinished run's journal. Raises RunError."""
    try:
        with path.open("rb") as file:
            head = json_text.loads(file.readline().decode())
        version = head["journal"]
        if version not in READABLE_VERSIONS:
            raise RunError(
                f"{path}: the journal has version {version}, and this version of the connector reads "
                f"{' and '.join(map(str, READABLE_VERSIONS))}: resume the run with the version that wrote it"
            )
        return Head(head["run"], head.get("fsync") is True, version)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: the journal of the unfinished run cannot be read: {error}") from error


def _convert(path: Path, *, cut: bool) -> None:
    """Convert a journal of version 1, in which `step` counted all requests of a row.

    Raises the same errors as `Journal.resume`.
    """
    steps: dict[int, set[int]] = {}
    for entry, _ in read_lines(path, cut=cut):
        if "row" in entry:
            steps.setdefault(entry["row"], set()).add(entry["step"])
    places = {row: {step: n for n, step in enumerate(sorted(of_row))} for row, of_row in steps.items()}
    converted = path.with_name(f"{path.name}.new")
    with create_file(converted, private=True) as file:
        for entry, _ in read_lines(path, cut=cut):
            if "row" in entry:
                entry["step"] = places[entry["row"]][entry["step"]]
            else:
                entry["journal"] = VERSION
            file.write(json_text.dump_bytes(entry) + b"\n")
        file.flush()
        sync_file(file.fileno())
    os.replace(converted, path)
