"""Merges envelopes from several files into one output, in the order of the rows."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from connector.common.durability import free_open_files, reserved_open_files
from connector.common.file_modes import create_file
from connector.errors import RunStoppedError
from connector.files.envelope_lines import Line, LongLine, read_envelope, read_envelope_lines, row_of
from connector.files.output import Output

_BLOCK = 1 << 20
_OTHER_FILES = 50
"""The number of files that other threads may open during a merge."""


def merge_files(partials: Iterable[Path], output: Output) -> None:
    """Merge files of envelopes, each sorted by row number, and append them to the output.

    If there are more files than can be open, groups of them are merged first, in a temporary folder beside
    the first file. Raises RunStoppedError.
    """
    paths = list(partials)
    try:
        with reserved_open_files(len(paths)), ExitStack() as folders:
            most = max(2, free_open_files() - _OTHER_FILES)
            while len(paths) > most:
                folder = folders.enter_context(TemporaryDirectory(prefix="merge-", dir=paths[0].parent))
                groups = [paths[start : start + most] for start in range(0, len(paths), most)]
                paths = [_merge_group(group, Path(folder, str(n))) for n, group in enumerate(groups)]
            _merge(paths, output.done_rows, output.write, output.write_list)
    except OSError as error:
        raise RunStoppedError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _merge_group(paths: Sequence[Path], merged: Path) -> Path:
    """Merge files into a new one, and return it. Raises OSError and RunStoppedError."""
    try:
        with create_file(merged, private=True) as file:
            _merge(paths, 0, file.write, lambda line: file.writelines(line.blocks()))
    except OSError as error:
        if error.filename:
            raise
        raise RunStoppedError(f"{merged}: cannot be written: {error.strerror}") from error
    return merged


def _merge(
    paths: Sequence[Path],
    done_rows: int,
    write: Callable[[bytes], object],
    write_list: Callable[[LongLine], object],
) -> None:
    """Write the envelopes of files after `done_rows` in the order of the rows. Raises OSError."""
    waiting = bytearray()
    with ExitStack() as files:
        parts = [_numbered(files.enter_context(path.open("rb"))) for path in paths]
        for number, line in heapq.merge(*parts, key=itemgetter(0)):
            if number > done_rows and isinstance(line, LongLine):
                write(bytes(waiting))
                waiting.clear()
                write_list(line)
            elif number > done_rows and isinstance(line, bytes):
                waiting += line
                if len(waiting) >= _BLOCK:
                    write(bytes(waiting))
                    waiting.clear()
    if waiting:
        write(bytes(waiting))


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, Line]]:
    """Yield (row number, line) for each line of a file of envelopes."""
    for line in read_envelope_lines(file):
        yield read_envelope(line)["row"] if isinstance(line, LongLine) else row_of(line), line
