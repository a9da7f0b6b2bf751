"""What pages have left with the server for runs that are yet to be started: rows, and files to upload."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
from pathlib import Path

from connector.errors import RunError

KEPT = 30
"""How many drafts are kept; the oldest goes first. A page that is still open then is loaded again."""
_NAME = re.compile(r"(?!\.)[^\x00-\x1f\x7f/\\:*?\"<>|]{1,200}")
"""Names of files that every system can have, in the draft's own folder."""


class Drafts:
    """Folders that only this user may read, and which end with the server. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._folders: dict[str, Path] = {}

    def new(self) -> str:
        """Begin a draft and give its key."""
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="ninjaone-drafts-"))
            key = secrets.token_hex(16)
            self._folders[key] = self._root / key
            self._folders[key].mkdir(mode=0o700)
            (self._folders[key] / "uploads").mkdir(mode=0o700)
            while len(self._folders) > KEPT:
                oldest = next(iter(self._folders))
                shutil.rmtree(self._folders.pop(oldest), ignore_errors=True)
            return key

    def folder(self, key: str) -> Path:
        """Return a draft's folder. Raises RunError if it no longer exists."""
        with self._lock:
            if key not in self._folders:
                raise RunError("This page has been open for long: load it again, then go on.")
            return self._folders[key]

    def uploads(self, key: str) -> Path:
        """Return the folder of the files that a draft uploads. Raises RunError."""
        return self.folder(key) / "uploads"

    def upload(self, key: str, name: str, content: bytes) -> None:
        """Keep a file. Raises RunError."""
        if not _NAME.fullmatch(name):
            raise RunError("A file of this name cannot be kept: give it another one.")
        (self.uploads(key) / name).write_bytes(content)

    def close(self) -> None:
        """Forget all of them."""
        with self._lock:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
            self._root = None
            self._folders.clear()
