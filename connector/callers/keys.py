"""The keys of the HTTP server: who may call which actions over which connections.

    CONFIGURATION FOLDER/keys.json     for each key its name, its rights and the digest of its secret

Once the file exists, every request needs a key, also after the last key was removed.

A secret has 256 random bits, so its SHA-256 cannot be reversed. It is shown once, when the key is added.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from connector.catalog.action import EFFECTS, Action
from connector.common import json_text
from connector.common.file_lock import FileLock
from connector.common.user_folders import config_folder, write_whole
from connector.errors import RunError, file_errors, nearest

FILE = "keys.json"
VERSION = 1
PREFIX = "nck_"
"""The first characters of every secret, by which scanners of leaked secrets can recognize it."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Rights:
    """What a caller may do: actions with one of these effects whose names match one of the patterns.

    In a pattern, `*` stands for any characters. `connections` are the names of connections; if it is empty,
    all of the server's connections are allowed.
    """

    effects: tuple[str, ...] = ("read",)
    actions: tuple[str, ...] = ("*",)
    connections: tuple[str, ...] = ()

    def allows(self, action: Action) -> bool:
        """Return whether the action may be called."""
        return action.effect in self.effects and self.allows_name(action.name)

    def allows_name(self, action: str) -> bool:
        """Return whether the name of an action matches one of the patterns."""
        return any(fnmatchcase(action, pattern) for pattern in self.actions)


@dataclass(frozen=True)
class Key:
    """A key: its name, its rights, the digest of its secret, and the date on which it was added."""

    name: str
    rights: Rights
    sha256: str
    added: str


class Keys:
    """The keys in a configuration folder (default: the user's). Changes take effect in running servers."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or config_folder()) / FILE
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys: dict[str, Key] = {}
        self._existed = False

    def all(self) -> list[Key]:
        """Return all keys, sorted by name. Raises RunError if the file cannot be read."""
        with self._lock, file_errors(self.path):
            try:
                found = os.stat(self.path)
            except FileNotFoundError:
                self._seen, self._keys = None, {}
                return []
            self._existed = True
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                self._keys = _read(self.path)
                self._seen = seen
            return sorted(self._keys.values(), key=lambda key: key.name)

    def are_required(self) -> bool:
        """Return whether every request needs a key: the file exists, or once existed for this object.

        Raises RunError if the file cannot be read.
        """
        self.all()
        return self._existed

    def find(self, secret: str) -> Key | None:
        """Return the key with this secret, or None. Raises RunError if the file cannot be read."""
        digest = _digest(secret)
        found = None
        for key in self.all():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def add(self, name: str, rights: Rights, date: str) -> str:
        """Add a key and return its secret, which is not stored. Raises RunError."""
        if not _NAME.fullmatch(name):
            raise RunError(
                f'"{name}" is not a valid name of a key: use up to 64 of a-z, 0-9, ".", "_" and "-", '
                "starting with a letter or digit"
            )
        check_rights(rights)
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._changing() as keys:
            if name in keys:
                raise RunError(f'the key "{name}" already exists: remove it first, or use another name')
            keys[name] = Key(name, rights, _digest(secret), date)
        return secret

    def remove(self, name: str) -> None:
        """Remove a key; running servers refuse it from now on. Raises RunError if there is none."""
        with self._changing() as keys:
            if name not in keys:
                raise RunError(f'no key "{name}"{nearest(name, keys)}; `key list` shows all keys')
            del keys[name]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """Context that reads the keys, and writes them if no error is raised."""
        with file_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(f"{self.path}.lock", mode=0o600):
                keys = _read(self.path) if self.path.exists() else {}
                yield keys
                listed = [asdict(key) for key in keys.values()]
                text = json_text.dump_bytes({"version": VERSION, "keys": listed})
                write_whole(self.path, text + b"\n", durable=True)


def check_rights(rights: Rights) -> None:
    """Raise RunError for an unknown effect, or an empty list of effects or actions."""
    for effect in rights.effects:
        if effect not in EFFECTS:
            raise RunError(f'no effect "{effect}"{nearest(effect, EFFECTS)}; effects: {", ".join(EFFECTS)}')
    if not rights.effects or not rights.actions:
        raise RunError("a key without effects or actions can be used for nothing")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path) -> dict[str, Key]:
    """Return the keys in a file, by name. Raises RunError if it is damaged, or of a newer version."""
    try:
        data: Any = json_text.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise RunError(f"{path}: the file has version {data['version']}; this version reads {VERSION}")
        return {key.name: key for key in map(_key, data["keys"])}
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path}: the file of keys is damaged: {error}; restore it, or replace its content by "
            f'{{"version": {VERSION}, "keys": []}}, and add the keys again'
        ) from error


def _key(data: Mapping[str, Any]) -> Key:
    rights = data["rights"]
    read = Rights(*(_texts(rights[name]) for name in ("effects", "actions", "connections")))
    return Key(str(data["name"]), read, str(data["sha256"]), str(data["added"]))


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError("a list of texts is expected")
    return tuple(value)
