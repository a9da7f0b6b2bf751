"""The folders for a user's files.

Tokens and the time of the last request are in the cache folder, which can be deleted; records of runs are in
the state folder. The configuration has a separate folder.
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
from connector.errors import RunError

STATE_DIR = "NINJAONE_STATE_DIR"
"""The variable that names a folder shared by processes with separate caches, such as containers."""


@cache
def state_folder() -> Path:
    """Return the folder for files that can be deleted: the one in STATE_DIR, or the user's cache folder.

    Raises RunError if the one in STATE_DIR cannot be written.
    """
    if not os.environ.get(STATE_DIR):
        return _usable(user_cache_path("ninjaone-connector", appauthor=False))
    folder = Path(os.environ[STATE_DIR])
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise RunError(f"{folder}: the folder in {STATE_DIR} cannot be written")
    return folder


@cache
def records_folder() -> Path:
    """Return the folder of the records of runs."""
    return _usable(lasting_folder() / "runs")


def lasting_folder() -> Path:
    """Return the folder of persistent files, such as records of runs. It may not exist yet."""
    return user_state_path("ninjaone-connector", appauthor=False)


@cache
def work_folder() -> Path:
    """Return the folder for the jobs, rows and outputs of runs that were started without a folder."""
    return _usable(user_data_path("ninjaone-connector", appauthor=False) / "runs")


def config_folder() -> Path:
    """Return the folder of the user's configuration. It may not exist yet."""
    return user_config_path("ninjaone-connector", appauthor=False)


def _usable(folder: Path) -> Path:
    """Return a folder that only this user can read; a temporary one if it cannot be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="ninjaone-connector-"))


def state_file(kind: str, key: str) -> Path:
    """Return the path of a file for a key that may be secret; the name does not reveal it."""
    return state_folder() / f"{kind}-{digest_name(key)}"


def digest_name(key: str) -> str:
    """Return a practically unique name for a key, which does not reveal it."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def require_room(folder: Path) -> None:
    """Raise OSError if a file cannot be written to a folder now."""
    probe = folder / f".room.{secrets.token_hex(4)}"
    write_whole(probe, bytes(4096), durable=True)
    probe.unlink()


def write_whole(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = False) -> None:
    """Write a file atomically. Raises OSError, and then the earlier file is unchanged.

    A `durable` file is on the disk when this returns, so that it survives a loss of power.
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
