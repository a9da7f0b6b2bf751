"""The lock of a sync's state: one writer at a time, and a second one is told who that is."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from connector.common.user_folders import write_whole
from connector.errors import RunError, file_errors


class StateLock:
    """Holds `state.lock` beside the state; `state.lock.json` says who does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "state.lock", mode=0o600)
        self._holder = folder / "state.lock.json"

    def acquire(self, now: float) -> None:
        """Take the lock. Raises RunError that names the process that has it, and since when."""
        with file_errors(self._folder):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise RunError(self._held()) from None
            write_whole(self._holder, json.dumps({"process": os.getpid(), "since": now}).encode())

    def release(self) -> None:
        """Give the lock up."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _held(self) -> str:
        try:
            holder = json.loads(self._holder.read_text())
            since = datetime.fromtimestamp(holder["since"]).astimezone().strftime("%Y-%m-%d %H:%M")
            who = f"process {holder['process']}, since {since}"
        except (OSError, ValueError, KeyError, TypeError):
            who = "its process is not known"
        return f"another sync ({who}) works on {self._folder / 'state.db'}: wait for it, or stop it"
