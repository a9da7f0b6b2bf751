"""The lock of a sync's state, which allows one writer at a time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector.common.file_lock import FileLock, Timeout
from connector.common.user_folders import write_whole
from connector.errors import RunError, file_errors


@dataclass(frozen=True)
class Holder:
    """The id of the process that holds the lock, and the epoch time at which it took the lock."""

    process: int
    since: float


class StateLock:
    """The file lock `state.lock` in a sync folder; `state.lock.json` has the process that holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "state.lock", mode=0o600)
        self._holder = folder / "state.lock.json"

    def acquire(self, now: float) -> None:
        """Acquire the lock. Raises RunError with the process that holds it, and since when."""
        with file_errors(self._folder):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise RunError(self._held()) from None
            write_whole(self._holder, json.dumps({"process": os.getpid(), "since": now}).encode())

    def release(self) -> None:
        """Release the lock."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> Holder | None:
        """Return the process that holds the lock; None if it is free, or its process was killed."""
        found = self._read()
        if found is None:
            return None
        try:
            self._lock.acquire(timeout=0)
        except (Timeout, OSError):
            return found
        self._lock.release()
        return None

    def _read(self) -> Holder | None:
        try:
            data = json.loads(self._holder.read_text())
            return Holder(int(data["process"]), float(data["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _held(self) -> str:
        holder = self._read()
        who = "the process is unknown"
        if holder is not None:
            since = datetime.fromtimestamp(holder.since).astimezone().strftime("%Y-%m-%d %H:%M")
            who = f"process {holder.process}, since {since}"
        return f"another sync ({who}) uses {self._folder / 'state.db'}: wait until it ends, or stop it"
