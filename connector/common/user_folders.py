"""The folders in which one user's runs keep what must outlast a process.

Tokens and the last request's time are in a cache, which may be lost; the records of runs are not. What the
user has set up is in a folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path, user_state_path

from connector.common.durability import sync_file, sync_folder


@cache
def state_folder() -> Path:
    """The folder for what may be lost."""
    return _usable(user_cache_path("ninjaone-connector", appauthor=False))


@cache
def records_folder() -> Path:
    """The folder for the records of runs."""
    return _usable(lasting_folder() / "runs")


def lasting_folder() -> Path:
    """The folder of what outlasts a run and must not be lost. It need not be there yet."""
    return user_state_path("ninjaone-connector", appauthor=False)


@cache
def work_folder() -> Path:
    """The folder below which runs that were given no folder of their own keep their job, rows and output."""
    return _usable(user_data_path("ninjaone-connector", appauthor=False) / "runs")


def config_folder() -> Path:
    """The folder of what the user has set up. It need not be there yet."""
    return user_config_path("ninjaone-connector", appauthor=False)


def _usable(folder: Path) -> Path:
    """Make a folder that this user alone may read; a temporary one where the user has none to write to."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="ninjaone-connector-"))


def state_file(kind: str, key: str) -> Path:
    """A file's path for a key that may be secret: the name says nothing about it."""
    return state_folder() / f"{kind}-{digest_name(key)}"


def digest_name(key: str) -> str:
    """A name for a key that is as good as unique and says nothing about it."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def require_room(folder: Path) -> None:
    """Raise OSError when no file could be written into a folder now."""
    probe = folder / f".room.{secrets.token_hex(4)}"
    write_whole(probe, bytes(4096), durable=True)
    probe.unlink()


def write_whole(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = False) -> None:
    """Write a file so that no reader ever sees half of it. Raises OSError, and leaves what was there.

    A `durable` one is on the disk when this returns, and so outlasts a loss of power.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                sync_file(file.fileno())
        os.replace(new, path)
    except OSError:
        with suppress(OSError):
            os.unlink(new)
        raise
    if durable:
        sync_folder(path.parent)
