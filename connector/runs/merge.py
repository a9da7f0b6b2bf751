"""Merges envelopes from several files into one output, in the order of the rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from typing import IO

from connector.errors import RunStoppedError
from connector.files.envelope_lines import Line, LongLine, read_envelope, read_envelope_lines, row_of
from connector.files.output import Output

_BLOCK = 1 << 20


def merge_files(partials: Iterable[Path], output: Output) -> None:
    """Merge files of envelopes, each sorted by row number, and append them to the output.

    Raises RunStoppedError.
    """
    waiting = bytearray()
    try:
        with ExitStack() as files:
            parts = [_numbered(files.enter_context(partial.open("rb"))) for partial in partials]
            for number, line in heapq.merge(*parts, key=itemgetter(0)):
                if number > output.done_rows and isinstance(line, LongLine):
                    output.write(bytes(waiting))
                    waiting.clear()
                    output.write_list(line)
                elif number > output.done_rows and isinstance(line, bytes):
                    waiting += line
                    if len(waiting) >= _BLOCK:
                        output.write(bytes(waiting))
                        waiting.clear()
        if waiting:
            output.write(bytes(waiting))
    except OSError as error:
        raise RunStoppedError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, Line]]:
    """Yield (row number, line) for each line of a file of envelopes."""
    for line in read_envelope_lines(file):
        yield read_envelope(line)["row"] if isinstance(line, LongLine) else row_of(line), line
