"""Writes the results of an unfinished run to a file as if the run were finished, instead of resuming it.

Rows that finished keep their envelopes. Each other row gets an error: `outcome_unknown` if it has sent
requests that must not be repeated, otherwise `cancelled`, which can be retried.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

from connector.common.file_modes import create_file
from connector.errors import Code, RunError
from connector.files.envelope import Envelope
from connector.files.envelope_lines import Line, LongLine, read_envelope, read_envelope_lines
from connector.runs.run_stores import store_of

_IN_DOUBT = (
    "the run ended before this row was finished, after it had sent requests that must not be repeated: "
    "check whether they took effect before you send the row again"
)
_NOT_RUN = "the run ended before this row was run, or before it sent a request that must not be repeated"


@dataclass
class Exported:
    """The counts of rows: finished, with unknown outcome (`outcome_unknown`), and not run (`cancelled`)."""

    finished: int = 0
    in_doubt: int = 0
    not_run: int = 0


def export_unfinished(
    output: Path,
    to: Path,
    action: str,
    numbers: Iterable[int],
    *,
    state: str,
    private: bool,
    fingerprint: Mapping[str, str] | None = None,
) -> Exported:
    """Write the envelopes of an unfinished run to a new JSON Lines file; return the counts.

    `numbers` are the row numbers of the complete run, ascending; `state` is its setting, and
    `fingerprint` that of its job, if it is known.

    Raises RunError if there is no such run, if it is still running, or if the file cannot be written; and if
    the database has an unfinished run of another job, whose output has the same name.
    """
    store = store_of(state)
    if not store.is_interrupted(output):
        raise RunError(f"{output}: there is no unfinished run to export")
    if to.exists():
        raise RunError(f"{to}: already exists; use a new file name")
    store.check_own(output, fingerprint)
    store.check_not_running(output)
    sent, exported = store.sent_by_unfinished_run(output), Exported()
    others = heapq.merge(numbers, sorted(sent.rows))
    part = to.with_name(f"{to.name}.part")
    try:
        with (
            store.partial_files(output) as paths,
            ExitStack() as files,
            create_file(part, private=private) as file,
        ):
            partials = [files.enter_context(path.open("rb")) for path in paths]
            finished = map(_finished_rows, partials)
            rows = heapq.merge(*finished, ((row, ()) for row in others), key=_row)
            for row, same in groupby(rows, key=_row):
                lines = max((lines for _, lines in same), key=bool)
                if lines:
                    exported.finished += 1
                elif row in sent.rows or not sent.complete:
                    exported.in_doubt += 1
                    lines = (_unfinished(row, action, "outcome_unknown", _IN_DOUBT),)
                else:
                    exported.not_run += 1
                    lines = (_unfinished(row, action, "cancelled", _NOT_RUN),)
                for line in lines:
                    file.writelines((line,) if isinstance(line, bytes) else line.blocks())
        os.replace(part, to)
    except OSError as error:
        raise RunError(f"{to}: cannot be written: {error.strerror}") from error
    return exported


def _row(pair: tuple[int, Sequence[Line]]) -> int:
    return pair[0]


def _finished_rows(partial: IO[bytes]) -> Iterator[tuple[int, Sequence[Line]]]:
    """Yield (row number, envelope lines) of each completely written row, up to the first unreadable line."""
    row, lines = 0, list[Line]()
    try:
        for line in read_envelope_lines(partial):
            envelope = Envelope.from_json(read_envelope(line))
            if envelope.row != row:
                row, lines = envelope.row, []
            lines.append(line)
            if envelope.ends_row and (isinstance(line, LongLine) or line.endswith(b"\n")):
                yield row, lines
    except (OSError, ValueError, TypeError, AttributeError):
        return


def _unfinished(row: int, action: str, code: Code, message: str) -> bytes:
    meta = {
        "action": action,
        "status": None,
        "code": code,
        "attempts": 0,
        "request_id": None,
        "repeatable": code == "cancelled",
        **({"transient": True} if code == "cancelled" else {}),
    }
    return Envelope(row, message, None, meta).line()
