"""Protects existing files: a file that a command replaces or appends to must be one of the same kind."""

from __future__ import annotations

import re
from pathlib import Path

from connector.errors import RunError

_SEARCHED = 1 << 16
"""The number of bytes at the beginning of a file that are searched."""


def require_kind(path: Path, kind: str, mark: re.Pattern[bytes]) -> None:
    """Raise RunError if a file has content whose beginning lacks the `mark` of its kind.

    `kind` describes it, such as `a log`. A file that does not exist or cannot be read is not checked.
    """
    try:
        if not path.is_file():
            return
        with path.open("rb") as file:
            start = file.read(_SEARCHED)
    except OSError:
        return
    if start.strip() and not mark.search(start):
        raise RunError(f"{path}: already exists and is not {kind}, so it is not changed; use another name")
