"""Access tokens that processes share, and the lock of their sign-ins: in files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from connector.common import json_text
from connector.common.kept_lock import KeptLock
from connector.common.user_folders import write_whole

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 60.0
"""The maximum wait for another process that is signing in, in seconds; that process can be suspended."""


@dataclass(frozen=True, eq=False)
class SavedToken:
    """An access token, which is valid until a time in epoch seconds.

    `came_with` is the `binding` of the grant that it came with.
    """

    token: str = field(repr=False)
    until: float
    scopes: tuple[str, ...]
    came_with: str


class TokenStore(Protocol):
    """The saved token of one sign-in. A token that cannot be read or saved costs a further sign-in."""

    def held(self, label: str) -> AbstractContextManager[None]:
        """Return a context in which no other process signs in with the same credentials.

        It begins without the lock if another process, which can be suspended, holds it for `LOCK_WAIT_S`.
        """

    def read(self) -> SavedToken | None:
        """Return the saved token, which may have expired; None if there is none."""

    def write(self, token: SavedToken, instead_of: str) -> None:
        """Save a token, unless another process has replaced the token `instead_of` (empty: none) before."""

    def forget(self) -> None:
        """Delete the saved token."""


class FileTokens:
    """The saved token in a file that only the user can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def held(self, label: str) -> Iterator[None]:
        """Return a context that holds the lock.

        If the file system does not support locks, processes may each sign in once.
        """
        lock = _taken(self._path.with_name(f"{self._path.name}.lock"), label)
        try:
            yield
        finally:
            if lock:
                lock.close()

    def read(self) -> SavedToken | None:
        """Return the token in the file; None if there is none, or the file is damaged."""
        try:
            kept = json_text.loads(self._path.read_text(encoding="utf-8"))
            token, until, scopes = kept["token"], float(kept["until"]), tuple(kept["scopes"])
            came_with = kept["came_with"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return SavedToken(token, until, scopes, came_with) if isinstance(token, str) else None

    def write(self, token: SavedToken, instead_of: str) -> None:
        """Replace the file atomically, unless it has another token than `instead_of`."""
        found = self.read()
        if found and found.token != instead_of:
            return
        kept = {
            "token": token.token,
            "until": token.until,
            "scopes": token.scopes,
            "came_with": token.came_with,
        }
        with suppress(OSError):
            write_whole(self._path, json_text.dump_bytes(kept))

    def forget(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self._path.unlink()


def _taken(path: Path, label: str) -> KeptLock | None:
    """Wait for the lock, and log if another process holds it; return None if it cannot be taken."""
    lock = None
    with suppress(OSError):
        lock = KeptLock(path)
        if not lock.take():
            log_wait(label)
            lock.take(LOCK_WAIT_S)
    return lock


def log_wait(label: str) -> None:
    """Log that another process is signing in."""
    logger.warning("%s: waiting for another process that is signing in", label, extra={"notice": True})
