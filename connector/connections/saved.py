"""The connections that a user keeps: the settings of each in a file of its own, and which one is the default.

    CONFIGURATION FOLDER/connections/NAME.yaml    the keys of a connection's file, less the secrets
    CONFIGURATION FOLDER/default                  the default connection's name

The files may be edited by hand. The secrets are `secret_store`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from connector.common.user_folders import config_folder, write_whole
from connector.errors import ConnectionSetupError, file_errors, nearest

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NO_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|.*\.ya?ml")
"""Device names of some systems, and what `--connection` reads as a file."""


class SavedConnections:
    """The connections below one configuration folder, by default the user's own."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or config_folder()
        self._folder, self._default = folder / "connections", folder / "default"

    def names(self) -> list[str]:
        """Return the names of the saved connections, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.yaml") if is_name(path.stem))

    def path(self, name: str) -> Path:
        """Return the path of a saved connection's settings. Raises ConnectionSetupError if there is none."""
        path = self._path(name)
        with file_errors(path):
            is_saved = path.is_file()
        if not is_saved:
            names = self.names()
            saved = f"; there are {', '.join(names)}" if names else "; none is saved yet"
            raise ConnectionSetupError(f'no connection "{name}" is saved{nearest(name, names)}{saved}')
        return path

    def refuse_taken(self, name: str) -> None:
        """Raise ConnectionSetupError if the name is in use or not valid."""
        with file_errors(self._folder):
            is_saved = self._path(name).exists()
        if is_saved:
            raise ConnectionSetupError(f'a connection "{name}" is saved already: edit it, or remove it first')

    def save(self, name: str, settings: Mapping[str, Any]) -> Path:
        """Save a connection's settings, without secrets; return the file. Raises ConnectionSetupError."""
        path = self._path(name)
        text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
        _write(path, text)
        return path

    def remove(self, name: str) -> None:
        """Remove a connection's settings, also as the default. Raises ConnectionSetupError."""
        path = self.path(name)
        try:
            if self.default == name:
                self._default.unlink()
            path.unlink()
        except OSError as error:
            raise ConnectionSetupError(f"{path}: cannot be removed: {error.strerror}") from error

    @property
    def default(self) -> str | None:
        """The default connection's name, if there is one; not that of one which was removed by hand."""
        try:
            name = self._default.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConnectionSetupError(f"{self._default}: cannot be read: {error}") from error
        return name if name in self.names() else None

    def make_default(self, name: str) -> None:
        """Make a saved connection the default. Raises ConnectionSetupError."""
        self.path(name)
        _write(self._default, f"{name}\n")

    def _path(self, name: str) -> Path:
        if not is_name(name):
            raise ConnectionSetupError(
                f'"{name}" is no name for a connection: use up to 64 of a-z, 0-9, ".", "_" and "-", '
                "the first one a letter or a digit, as it is a file's name, too"
            )
        return self._folder / f"{name}.yaml"


def is_name(text: str) -> bool:
    """Return whether this is a valid name of a connection: a safe file name on every system."""
    return _NAME.fullmatch(text) is not None and _NO_NAME.fullmatch(text) is None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, text.encode(), durable=True)
    except OSError as error:
        raise ConnectionSetupError(f"{path}: cannot be written: {error.strerror}") from error
