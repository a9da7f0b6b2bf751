"""The items of a list as JSON, in a temporary file if they are long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO

from connector.errors import RunStoppedError

LONG = 1 << 20
"""The size in bytes from which items are in a file."""
_BLOCK = 1 << 18


class LongList:
    """The items of a list. Each is one line of JSON, in memory until they are longer than `LONG`.

    The temporary file is created in a folder, or else in the system's, and removed when it is closed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] = BytesIO()
        self._size = 0

    def __del__(self) -> None:
        # A list is dropped without being written if its row fails or the run stops.
        self._file.close()

    @property
    def is_long(self) -> bool:
        """Whether the items are in a file."""
        return self._size > LONG

    def add(self, items: Sequence[bytes]) -> None:
        """Add items that are JSON without line breaks. Raises RunStoppedError if they cannot be written."""
        if not items:
            return
        lines = b"\n".join(items)
        was_long, separator = self.is_long, b"\n" if self._size else b""
        self._size += len(separator) + len(lines)
        try:
            if self.is_long and not was_long:
                file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
                file.write(self._in_memory())
                self._file = file
            self._file.write(separator)
            self._file.write(lines)
        except OSError as error:
            where = f"{self._folder}: " if self._folder else ""
            raise RunStoppedError(f"{where}a temporary file cannot be written: {error.strerror}") from error

    def blocks(self) -> Iterator[bytes]:
        """Yield the items, separated by line breaks, in blocks that end anywhere. Raises OSError."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            yield block

    def items(self) -> Iterator[bytes]:
        """Yield each item. Raises OSError."""
        self._file.seek(0)
        return (line.rstrip(b"\n") for line in self._file)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _in_memory(self) -> bytes:
        return self._file.getvalue() if isinstance(self._file, BytesIO) else b""
