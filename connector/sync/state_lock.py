"""The lock of a sync's state, which allows one writer at a time."""

from __future__ import annotations

import json
import os
import platform
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector.common.file_lock import FileLock, Timeout
from connector.common.user_folders import write_whole
from connector.errors import RunError, file_errors

_OWN = secrets.token_hex(8)
"""Identifies this process: in containers, several processes have the id 1, often on hosts of one name."""


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock: its id, its host, and the epoch time at which it took the lock."""

    process: int
    since: float
    host: str = ""
    token: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is this process."""
        return self.token == _OWN

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since).astimezone().strftime("%Y-%m-%d %H:%M")
        host = f" on {self.host}" if self.host not in ("", platform.node()) else ""
        return f"process {self.process}{host}, since {since}"


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
            holder = {"process": os.getpid(), "since": now, "host": platform.node(), "token": _OWN}
            write_whole(self._holder, json.dumps(holder).encode())

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
            host, token = str(data.get("host", "")), str(data.get("token", ""))
            return Holder(int(data["process"]), float(data["since"]), host, token)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _held(self) -> str:
        who = self._read() or "the process is unknown"
        return f"another sync ({who}) uses {self._folder / 'state.db'}: wait until it ends, or stop it"
