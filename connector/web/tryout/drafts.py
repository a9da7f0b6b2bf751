"""Drafts: the rows and uploaded files of forms that have not started a run."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
from pathlib import Path

from connector.errors import RunError

KEPT = 30
"""The maximum number of drafts. The oldest one is deleted first; its page must then be reloaded."""
_NAME = re.compile(r"(?!\.)[^\x00-\x1f\x7f/\\:*?\"<>|]{1,200}")
"""A pattern of file names that are valid on every operating system."""


class Drafts:
    """The drafts' folders. Only the current user can read them; they are deleted when the server stops.

    Safe for threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._folders: dict[str, Path] = {}

    def new(self) -> str:
        """Create a draft and return its key."""
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
        """Return a draft's folder. Raises RunError if the draft was deleted."""
        with self._lock:
            if key not in self._folders:
                raise RunError("This page has expired: reload it to continue.")
            return self._folders[key]

    def uploads(self, key: str) -> Path:
        """Return the folder with the uploaded files of a draft. Raises RunError."""
        return self.folder(key) / "uploads"

    def upload(self, key: str, name: str, content: bytes) -> None:
        """Save an uploaded file in a draft. Raises RunError if its name is not valid."""
        if not _NAME.fullmatch(name):
            raise RunError("This file name is not allowed: rename the file.")
        (self.uploads(key) / name).write_bytes(content)

    def close(self) -> None:
        """Delete all drafts."""
        with self._lock:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
            self._root = None
            self._folders.clear()
