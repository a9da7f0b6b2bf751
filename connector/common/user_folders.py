"""Paths of the folders for a user's files.

The cache folder has access tokens and the time of the last request, and can be deleted. The state folder has
the records of runs. The configuration folder has the saved connections.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path, user_state_path

from connector.common.durability import sync_file, sync_folder
from connector.errors import RunError

STATE_DIR = "NINJAONE_STATE_DIR"
"""The environment variable with a folder to use instead of the cache folder. Containers can share it."""


@cache
def state_folder() -> Path:
    """Return the cache folder, or the folder in the environment variable `STATE_DIR` if it is set.

    Its files can be deleted. Raises RunError if the folder in the variable cannot be written.
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
    """Return the folder with the records of runs."""
    return _usable(lasting_folder() / "runs")


def lasting_folder() -> Path:
    """Return the folder of files to keep, such as the records of runs. It may not exist yet."""
    return user_state_path("ninjaone-connector", appauthor=False)


@cache
def work_folder() -> Path:
    """Return the folder for the job, input and output files of runs for which the user chose no folder."""
    return _usable(user_data_path("ninjaone-connector", appauthor=False) / "runs")


def config_folder() -> Path:
    """Return the folder with the user's configuration. It may not exist yet."""
    return user_config_path("ninjaone-connector", appauthor=False)


def _usable(folder: Path) -> Path:
    """Create a folder that only this user can read, and return it; if that fails, a temporary folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    import tempfile  # imported only for a folder that cannot be written

    return Path(tempfile.mkdtemp(prefix="ninjaone-connector-"))


def state_file(kind: str, key: str) -> Path:
    """Return the path of a state file for `key`, which may be secret: the name has only its digest."""
    return state_folder() / f"{kind}-{digest_name(key)}"


def digest_name(key: str) -> str:
    """Return a file name for a key: its digest, which does not reveal the key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def require_room(folder: Path) -> None:
    """Raise OSError if a small file cannot be written to a folder now, for example on a full disk."""
    probe = folder / f".room.{os.urandom(4).hex()}"
    write_whole(probe, bytes(4096), durable=True)
    probe.unlink()


def write_whole(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = False) -> None:
    """Write a file atomically. Raises OSError and leaves an earlier file unchanged if that fails.

    A `durable` file is on the disk when this returns, so that it survives a loss of power.
    """
    new = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
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
