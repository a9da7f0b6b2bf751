"""Saved connections: a file of settings for each, and a file with the names of the default ones.

    CONFIGURATION FOLDER/connections/NAME.yaml    the keys of a connection file, without secrets
    CONFIGURATION FOLDER/default                  the names of the default connections, one per service

The files can be edited by hand. The secrets are stored by `secret_store`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from connector.common import strict_yaml
from connector.common.user_folders import config_folder, write_whole
from connector.errors import ConnectionSetupError, RunError, file_errors, nearest

_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
_NO_NAME = r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|.*\.ya?ml"
"""Names that are not allowed: device names of Windows, and names that end in .yaml or .yml."""


class SavedConnections:
    """The saved connections in a configuration folder (default: the user's configuration folder)."""

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
            saved = f"; saved: {', '.join(names)}" if names else "; no connections are saved yet"
            raise ConnectionSetupError(f'no saved connection "{name}"{nearest(name, names)}{saved}')
        return path

    def refuse_taken(self, name: str) -> None:
        """Raise ConnectionSetupError if the name is in use or not valid."""
        with file_errors(self._folder):
            is_saved = self._path(name).exists()
        if is_saved:
            raise ConnectionSetupError(f'the connection "{name}" already exists: edit it, or remove it first')

    def save(self, name: str, settings: Mapping[str, Any]) -> Path:
        """Save a connection's settings, without secrets; return the file. Raises ConnectionSetupError."""
        path = self._path(name)
        text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
        _write(path, text)
        return path

    def remove(self, name: str) -> None:
        """Remove a connection's settings, and remove it as the default. Raises ConnectionSetupError."""
        path = self.path(name)
        if self.is_default(name):
            self._write_defaults([other for other in self._defaults() if other != name])
        try:
            path.unlink()
        except OSError as error:
            raise ConnectionSetupError(f"{path}: cannot be removed: {error.strerror}") from error

    def service(self, name: str) -> str:
        """Return the service of a saved connection; an empty string if it names none or is not valid."""
        return service_in(self._path(name))

    def default(self, service: str) -> str | None:
        """Return the name of a service's default connection, or None; also None if its file was deleted."""
        return next((name for name in self._defaults() if self.service(name) in ("", service)), None)

    def is_default(self, name: str) -> bool:
        """Return whether a connection is the default of its service."""
        return name in self._defaults()

    def make_default(self, name: str) -> None:
        """Make a saved connection the default of its service. Raises ConnectionSetupError."""
        self.path(name)
        same = ("", self.service(name))
        others = [other for other in self._defaults() if other != name and self.service(other) not in same]
        self._write_defaults([*others, name])

    def _defaults(self) -> list[str]:
        try:
            names = self._default.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ConnectionSetupError(f"{self._default}: cannot be read: {error}") from error
        return [name for name in names if name in self.names()]

    def _write_defaults(self, names: Sequence[str]) -> None:
        if names:
            _write(self._default, "".join(f"{name}\n" for name in names))
            return
        try:
            self._default.unlink()
        except OSError as error:
            raise ConnectionSetupError(f"{self._default}: cannot be removed: {error.strerror}") from error

    def _path(self, name: str) -> Path:
        if not is_name(name):
            raise ConnectionSetupError(
                f'"{name}" is not a valid connection name: use up to 64 of a-z, 0-9, ".", "_" and "-", '
                "starting with a letter or digit"
            )
        return self._folder / f"{name}.yaml"


def service_in(path: Path) -> str:
    """Return the service in a connection's file; an empty string if it names none or is not valid."""
    with suppress(RunError):
        data = strict_yaml.load(path, may_quote=False)
        service = data.get("service") if isinstance(data, dict) else None
        return service if isinstance(service, str) else ""
    return ""


def is_name(text: str) -> bool:
    """Return whether a text is a valid connection name, which is a safe file name on every system."""
    return re.fullmatch(_NAME, text) is not None and re.fullmatch(_NO_NAME, text) is None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, text.encode(), durable=True)
    except OSError as error:
        raise ConnectionSetupError(f"{path}: cannot be written: {error.strerror}") from error
