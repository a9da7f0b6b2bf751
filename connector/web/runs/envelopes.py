"""The latest envelopes and the failed rows of a run, for its page.

While a run is in progress, they are read from its partial output; see `connector.files.output`. If they are
not on this machine, and the run has its state in a database, they are read from there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.common import json_text
from connector.common.redaction import Redactor
from connector.errors import ConnectorError, Kind, kind_of, shorten
from connector.files.envelope_lines import LongLine, read_envelope_lines
from connector.files.output import partial_output_of
from connector.files.output_formats import Format
from connector.files.readers import RowSource

if TYPE_CHECKING:
    from connector.state.run_envelopes import RunEnvelopes

_TAIL = 1 << 18
_BLOCK = 1 << 22
_FAILED = b'"has_error":true'
_LONGEST_RESULT = 200
_LONGEST_ERROR = 2000

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
    """The envelopes of a run, read from its output file, or from its database if the file is not here.

    `accepted` is true if its successful rows only queued work, see `RunView`. `shared` returns the envelopes
    in the database, if there is one. Raises RunError if the database cannot be used.
    """

    def __init__(
        self,
        output: Path,
        format: Format,
        redactor: Redactor,
        *,
        accepted: bool = False,
        shared: Callable[[], RunEnvelopes | None] = lambda: None,
    ) -> None:
        partial = partial_output_of(output)
        self.is_complete = not partial.exists()
        self.path: Path = output if self.is_complete else partial
        self._redactor, self._success = redactor, "accepted" if accepted else "succeeded"
        self._shared = None if _has_lines(self.path) else shared()
        self.format: Format = format if self.is_complete and not self._shared else "jsonl"

    @property
    def exist(self) -> bool:
        """Whether there are envelopes on this machine, or in the database."""
        return self._shared.exists() if self._shared else self.path.is_file()

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
        """Return the complete lines at the end of the file."""
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, 2)
                start = file.seek(max(0, end - _TAIL))
                lines = file.read(end - start).split(b"\n")
        except OSError:
            return []
        return lines[(1 if start else 0) : -1]  # The last line may be incomplete.

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
        try:
            lines = self._lines(b'"row":%d,"meta"' % number) if self.format == "jsonl" else self._rows()
            for envelope in lines:
                if int(envelope["row"]) == number:
                    yield self._complete(envelope)
        except (OSError, ConnectorError, ValueError, KeyError, TypeError, AttributeError):
            return  # as below

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
        try:
            lines = self._lines(_FAILED) if self.format == "jsonl" else self._rows()
            for envelope in lines:
                if int(envelope["row"]) > after:
                    yield envelope
        except (OSError, ConnectorError, ValueError, KeyError, TypeError, AttributeError):
            return  # not the output of a run: the file was replaced or moved

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
            text = shorten(self._redactor.text(str(envelope["error"])), _LONGEST_ERROR)
        else:
            result = self._redactor.json(envelope.get("result"))
            text = shorten(json.dumps(result, ensure_ascii=False), _LONGEST_RESULT)
        return Shown(
            int(envelope["row"]),
            failed,
            meta.get("code") or "",
            "" if meta.get("status") is None else str(meta["status"]),
            text,
            (meta.get("code") or "error") if failed else _outcome(meta) or self._success,
            KIND_WORDS[kind_of(meta)] if failed and meta.get("code") else "",
        )


def _has_lines(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_size > 0
    return False


def _outcome(meta: dict[str, Any]) -> str:
    """Return the state of a row's queued work; empty if nothing waited for it."""
    outcome = meta.get("outcome") or {}
    exit_code = outcome.get("exit_code")
    return str(outcome.get("state", "")) + ("" if exit_code is None else f", exit code {exit_code}")
