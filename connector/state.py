"""The folder in which one user's runs share what must outlast a process: tokens, the last request's time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path


@cache
def state_folder() -> Path:
    """The folder, readable by this user alone; a temporary one where the user has none to write to."""
    folder = user_cache_path("ninjaone-connector", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="ninjaone-connector-"))


def state_file(kind: str, key: str) -> Path:
    """A file's path for a key that may be secret: the name says nothing about it."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return state_folder() / f"{kind}-{digest}"
