"""Files to which a run appends lines, which are not lost when the process ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import NoReturn

from connector.common import json_text
from connector.common.durability import sync_file
from connector.common.file_modes import PRIVATE_FILE, PRIVATE_FOLDER
from connector.common.json_text import Json
from connector.errors import RunStoppedError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_BLOCK = 1 << 16
CHECK_INTERVAL_S = 0.1
"""The interval in which a file is checked for removal, in seconds. A removed file is restored."""


class AppendOnlyFile:
    """A file whose lines are complete, except perhaps the last one. Safe for threads.

    When `append` returns, the operating system has the lines, so they are not lost if the process ends. With
    `fsync`, they are on the disk, so they are not lost in a power failure.
    """

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        self.path, self._fsync = path, fsync
        self._lock, self._syncing = Lock(), Lock()
        self._unusable = ""
        self._clock, self._look_at = time.monotonic, 0.0
        try:
            self._descriptor = os.open(path, _FLAGS, PRIVATE_FILE)
            about = os.fstat(self._descriptor)
        except OSError as error:
            self._stop(error)
        self._size = self._synced = about.st_size
        self._tells_removal = about.st_nlink > 0  # some file systems do not report the number of links

    def append(self, lines: bytes, *, although_removed: bool = False) -> None:
        """Write complete lines, all or none of them.

        Raises RunStoppedError if the disk is full, or if the file was removed: it is restored when it is
        closed, but no further row should be started. With `although_removed`, lines are written even if the
        file was removed.
        """
        with self._lock:
            if not although_removed and self._clock() >= self._look_at:
                self._require_name()
            self._write((lines,))
        if self._fsync:
            self.sync()

    def append_blocks(self, blocks: Iterable[bytes]) -> None:
        """Write blocks that together are complete lines, all or none of them. Raises as `append` does."""
        with self._lock:
            self._require_name()
            self._write(blocks)
        if self._fsync:
            self.sync()

    def require_name(self) -> None:
        """Raise RunStoppedError if the file was removed."""
        with self._lock:
            self._require_name()

    def sync(self) -> None:
        """Flush all appended lines to the disk. Threads that call it at the same time share one flush."""
        size = self._size
        with self._syncing:
            if self._unusable:
                raise RunStoppedError(f"{self.path}: cannot be written: {self._unusable}")
            if self._synced >= size:
                return
            size = self._size
            try:
                sync_file(self._descriptor)
            except OSError as error:
                # Lines may not be on the disk, and a second call of fsync would not report this error.
                self._unusable = error.strerror or str(error)
                self._stop(error)
            self._synced = size

    def close(self) -> None:
        """Close the file; restore it first if it was removed. Raises RunStoppedError if that fails."""
        with self._syncing, self._lock:
            if self._unusable == "closed":
                return
            self._unusable = "closed"
            try:
                if self._is_removed():
                    self._put_back()
            except OSError as error:
                raise RunStoppedError(
                    f"{self.path} was removed during the run, and cannot be restored: "
                    f"{error.strerror}. The record of what was sent is lost: check in the service before you "
                    "run it again"
                ) from error
            finally:
                os.close(self._descriptor)

    def _write(self, blocks: Iterable[bytes]) -> None:
        if self._unusable:
            raise RunStoppedError(f"{self.path}: cannot be written: {self._unusable}")
        size = self._size
        try:
            for block in blocks:
                written = os.write(self._descriptor, block)
                while written < len(block):
                    written += os.write(self._descriptor, block[written:])
                size += written
        except BaseException as error:
            self._cut_back(error)
            if isinstance(error, OSError):
                self._stop(error)
            raise
        self._size = size

    def _require_name(self) -> None:
        self._look_at = self._clock() + CHECK_INTERVAL_S
        if not self._unusable and self._is_removed():
            raise RunStoppedError(
                f"{self.path} was removed during the run, and has been restored; use --resume to continue"
            )

    def _is_removed(self) -> bool:
        return self._tells_removal and not os.fstat(self._descriptor).st_nlink

    def _cut_back(self, error: BaseException) -> None:
        """Remove an incomplete line, so that the next line is not appended to it."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._unusable = getattr(error, "strerror", "") or str(error) or type(error).__name__

    def _put_back(self) -> None:
        self.path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with open(os.open(self.path, _FLAGS | os.O_EXCL, PRIVATE_FILE), "wb") as file:
            while block := os.read(self._descriptor, _BLOCK):
                file.write(block)

    def _stop(self, error: OSError) -> NoReturn:
        raise RunStoppedError(f"{self.path}: cannot be written: {error.strerror}") from error


def cut_broken_end(path: Path) -> None:
    """Remove the last line of a file if it is incomplete, because the process ended while writing it."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        position = size
        while position > 0:
            start = max(0, position - _BLOCK)
            file.seek(start)
            newline = file.read(position - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            position = start
        file.truncate(0)


def read_lines(path: Path, *, cut: bool) -> Iterator[tuple[Json, int]]:
    """Yield each value in a file of JSON lines, and the position after its line.

    Raises ValueError for invalid JSON; with `cut`, the file is truncated before that line instead.
    """
    position = 0
    with path.open("rb") as file:
        for line in file:
            try:
                value = json_text.loads(line.decode())
            except ValueError:
                if not cut:
                    raise
                break
            position += len(line)
            yield value, position
        else:
            return
    os.truncate(path, position)
