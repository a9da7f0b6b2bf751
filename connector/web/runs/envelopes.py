"""The latest envelopes and the failed rows of a run, for its page.

While a run is in progress, they are read from its partial output; see `files.work_folder`. If the run has
its state in a database, they are read from there, unless its complete output is on this machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.common import json_text
from connector.common.redaction import Redactor
from connector.errors import ConnectorError, Kind, kind_of, shorten
from connector.files.envelope_lines import LongLine, read_envelope_lines
from connector.files.output_formats import Format
from connector.files.readers import RowSource
from connector.files.work_folder import partial_output_of

if TYPE_CHECKING:
    from connector.state.run_envelopes import RunEnvelopes

_TAIL = 1 << 18
_MAX_TAIL_BYTES = 8 << 20
_BLOCK = 1 << 22
_FAILED = b'"has_error":true'
_MAX_RESULT_LENGTH = 200
_MAX_ERROR_LENGTH = 2000
_TIMES_DIFFER_S = 2.0
"""The maximum difference between the clock and the times of files, in seconds."""

KIND_WORDS: Mapping[Kind, str] = {"retry": "retry as is", "fix": "fix first", "check": "check first"}
"""What to do with a failed row, by kind."""


@dataclass(frozen=True)
class Shown:
    """One envelope as a page shows it: secrets are hidden and long texts shortened.

    `verdict` is the code of a failed row, and otherwise `succeeded`, `accepted`, or the state of the queued
    work. `kind` says what to do with a failed row, if the output's format has it.
    """

    row: int
    failed: bool
    code: str
    status: str
    text: str
    verdict: str
    kind: str = ""

    @property
    def tone(self) -> str:
        """The CSS class of the verdict."""
        return "good" if self.verdict.startswith(("succeeded", "completed")) else "open"


@dataclass(frozen=True)
class EnvelopePage:
    """A page of failed rows.

    The next page starts after the row `next_after`, which is None on the last page.
    """

    rows: list[Shown]
    next_after: int | None


class Envelopes:
    """The envelopes of a run, read from its output file or its database.

    `accepted` is true if its successful rows only queued work, see `RunView`. `shared` returns the envelopes
    in the database, if there is one. They are used while the database has the run, unless its complete output
    is here: another machine may have continued the run since its partial output was written here, and an
    output from before `began` (epoch seconds), the start of the run, is of another run.

    Raises RunError if the database cannot be used, also while the envelopes are read.
    """

    def __init__(
        self,
        output: Path,
        format: Format,
        redactor: Redactor,
        *,
        accepted: bool = False,
        began: float = 0.0,
        shared: Callable[[], RunEnvelopes | None] = lambda: None,
    ) -> None:
        partial = partial_output_of(output)
        self.is_complete = not partial.exists()
        self.path: Path = output if self.is_complete else partial
        self._redactor, self._success = redactor, "accepted" if accepted else "succeeded"
        is_output = self.is_complete and _was_written_since(output, began)
        self._shared = None if is_output else _kept(shared())
        self.format: Format = format if self.is_complete and not self._shared else "jsonl"

    @property
    def exist(self) -> bool:
        """Whether there are envelopes on this machine, or in the database."""
        return self._shared is not None or self.path.is_file()

    def open(self) -> BufferedReader | Iterator[bytes]:
        """Return the complete envelopes: a file, or pieces of it. Raises OSError and RunError."""
        return self._shared.pieces() if self._shared else self.path.open("rb")

    def last(self, number: int) -> list[Shown]:
        """Return the latest envelopes, newest first. Only the end of the file is read."""
        if self.format != "jsonl":
            return []
        whole = self._shared.latest(number)[::-1] if self._shared else self._last_lines()
        try:
            return [self.shown(json_text.loads(line.decode())) for line in reversed(whole[-number:])]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []  # not the output of a run: the file was replaced

    def _last_lines(self) -> list[bytes]:
        """Return the complete lines at the end of the file; at least one, unless it is longer than 8 MiB."""
        found: list[bytes] = []
        with suppress(OSError), self.path.open("rb") as file:
            end = file.seek(0, 2)
            for length in (_TAIL, _MAX_TAIL_BYTES):
                start = file.seek(max(0, end - length))
                lines = file.read(end - start).split(b"\n")
                found = lines[(1 if start else 0) : -1]  # The last line may be incomplete.
                if found or not start:
                    break
        return found

    def failed(self, number: int, code: str = "", after: int = 0) -> EnvelopePage:
        """Return up to `number` failed rows after a row number. With `code`, only rows with this code."""
        found: list[Shown] = []
        for envelope in self._behind(after):
            shown = self.shown(envelope)
            if shown.failed and code in ("", shown.code):
                if len(found) == number:
                    return EnvelopePage(found, found[-1].row)
                found.append(shown)
        return EnvelopePage(found, None)

    def of_row(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield the envelopes of a row, with secrets hidden. In a table, other columns are its result."""
        with self._expecting_another_file():
            lines = self._lines(b'"row":%d,"meta"' % number) if self.format == "jsonl" else self._rows()
            for envelope in lines:
                if int(envelope["row"]) == number:
                    yield self._complete(envelope)

    @contextmanager
    def _expecting_another_file(self) -> Iterator[None]:
        """Context that ignores the error if a file is not the output of a run: it was replaced or moved.

        Raises RunError if the database cannot be used: rows that cannot be read must not look like no rows.
        """
        try:
            yield
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        except ConnectorError:
            if self._shared:
                raise

    def _complete(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Return an envelope with all of its members and without secrets."""
        own = ("row", "has_error", "error", "result", "meta", "input")
        error = self._redactor.text(str(envelope["error"])) if envelope["error"] else None
        result = envelope.get("result", {name: its for name, its in envelope.items() if name not in own})
        return {
            "has_error": envelope["has_error"] in (True, "true"),
            "error": error,
            "result": self._redactor.json(result),
            "row": int(envelope["row"]),
            "meta": self._redactor.json(envelope.get("meta") or {}),
        }

    def _behind(self, after: int) -> Iterator[dict[str, Any]]:
        with self._expecting_another_file():
            lines = self._lines(_FAILED) if self.format == "jsonl" else self._rows()
            for envelope in lines:
                if int(envelope["row"]) > after:
                    yield envelope

    def _lines(self, part: bytes) -> Iterator[dict[str, Any]]:
        """Yield the envelopes of a JSON Lines file whose line has a part; other lines are not parsed."""
        if self._shared:
            yield from (json_text.loads(line.decode()) for line in self._shared.lines(part))
            return
        with self.path.open("rb") as file:
            rest = b""
            while block := file.read(_BLOCK):
                block = rest + block
                whole = block.rfind(b"\n") + 1
                rest = block[whole:]
                at = block.find(part, 0, whole)
                while at >= 0:
                    end = block.index(b"\n", at) + 1
                    yield json_text.loads(block[block.rfind(b"\n", 0, at) + 1 : end].decode())
                    at = block.find(part, end, whole)
                if len(rest) > _BLOCK:
                    file.seek(-len(rest), os.SEEK_CUR)
                    rest = b""
                    line = next(read_envelope_lines(file))
                    if isinstance(line, LongLine):
                        line = b"".join(line.blocks()) if part in next(line.blocks()) else b""
                    if part in line:
                        yield json_text.loads(line.decode())

    def _rows(self) -> Iterator[dict[str, Any]]:
        for row in RowSource(str(self.path), self.format).rows():
            yield row.data

    def shown(self, envelope: dict[str, Any]) -> Shown:
        """Return an envelope as a page shows it. In a CSV file, an envelope has only its row and error."""
        meta = envelope.get("meta") or {}
        failed = envelope["has_error"] in (True, "true")
        if failed:
            text = shorten(self._redactor.text(str(envelope["error"])), _MAX_ERROR_LENGTH)
        else:
            result = self._redactor.json(envelope.get("result"))
            text = shorten(json.dumps(result, ensure_ascii=False), _MAX_RESULT_LENGTH)
        return Shown(
            int(envelope["row"]),
            failed,
            meta.get("code") or "",
            "" if meta.get("status") is None else str(meta["status"]),
            text,
            (meta.get("code") or "error") if failed else _outcome(meta) or self._success,
            KIND_WORDS[kind_of(meta)] if failed and meta.get("code") else "",
        )


def _was_written_since(output: Path, began: float) -> bool:
    with suppress(OSError):
        about = output.stat()
        return about.st_size > 0 and about.st_mtime >= began - _TIMES_DIFFER_S
    return False


def _kept(shared: RunEnvelopes | None) -> RunEnvelopes | None:
    """Return the envelopes in the database if it still has the run, and otherwise None. Raises RunError."""
    return shared if shared and shared.exists() else None


def _outcome(meta: dict[str, Any]) -> str:
    """Return the state of a row's queued work; empty if nothing waited for it."""
    outcome = meta.get("outcome") or {}
    exit_code = outcome.get("exit_code")
    return str(outcome.get("state", "")) + ("" if exit_code is None else f", exit code {exit_code}")
