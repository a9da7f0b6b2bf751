"""Merges envelopes from several files into one output, in the order of the rows."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path

from connector.common import json_text
from connector.errors import RunStoppedError
from connector.files.output import Output

_BLOCK = 1 << 20
_ROW = re.compile(rb',"row":(\d+),')


def merge_files(partials: Iterable[Path], output: Output) -> None:
    """Merge files of envelopes, each sorted by row number, and append them to the output.

    Raises RunStoppedError.
    """
    waiting = bytearray()
    try:
        with ExitStack() as files:
            parts = [_numbered(files.enter_context(partial.open("rb"))) for partial in partials]
            for number, line in heapq.merge(*parts, key=itemgetter(0)):
                if number > output.done_rows:
                    waiting += line
                    if len(waiting) >= _BLOCK:
                        output.write(bytes(waiting))
                        waiting.clear()
        if waiting:
            output.write(bytes(waiting))
    except OSError as error:
        raise RunStoppedError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (row number, line) for each line of a file of envelopes.

    Lines can be long, so a line is parsed only if a regular expression does not find its row number.
    """
    for line in lines:
        found = _ROW.findall(line)
        yield int(found[0]) if len(found) == 1 else json_text.loads(line.decode())["row"], line
