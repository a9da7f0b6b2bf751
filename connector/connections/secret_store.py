"""Storage of saved connections' secrets: in the system keyring, or in a file that only the user can read.

`CONFIGURATION FOLDER/secrets/NAME.json` has an entry for each secret of a connection: its value, or null if
the value is in the keyring. It is an error if a keyring or file that has a secret cannot be used; the other
one is not tried instead.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from connector.common import json_text
from connector.common.redaction import HIDDEN
from connector.common.user_folders import config_folder, require_room, write_whole
from connector.errors import ConnectionSetupError

logger = logging.getLogger(__name__)

FIELDS = ("client_secret", "access_token", "refresh_token")
"""The settings of a connection that are secrets."""
KEYRING_SERVICE = "ninjaone-connector"
"""The service name of the entries in the keyring; the user name of an entry is NAME/FIELD."""
LOCK_WAIT_S = 30.0
"""The maximum wait for another process that is writing the file of secrets, in seconds."""
HELD_WAIT_S = 600.0
"""The maximum wait for another process that is exchanging a refresh token, in seconds."""

Place = Literal["keyring", "file"]
T = TypeVar("T")
_Kept = dict[str, "str | None"]


class SecretStore:
    """The secrets in a configuration folder (default: the user's). Safe for threads and processes.

    Every method raises ConnectionSetupError, which shows no secret, if the keyring or a file cannot be used.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or config_folder()) / "secrets"

    def path(self, name: str) -> Path:
        """Return the path of a connection's file of secrets."""
        return self._folder / f"{name}.json"

    def places(self, name: str) -> dict[str, Place]:
        """Return where each secret of a connection is stored, by field; the keyring is not used for this."""
        return {field: "keyring" if value is None else "file" for field, value in self._read(name).items()}

    def get(self, name: str, field: str) -> str | None:
        """Return the secret in a field of a connection, or None if the connection has none."""
        kept = self._read(name)
        if field not in kept or kept[field] is not None:
            return kept.get(field)
        try:
            value = _ask_keyring(lambda keyring: keyring.get_password(KEYRING_SERVICE, f"{name}/{field}"))
        except ConnectionSetupError as error:
            raise ConnectionSetupError(
                f'the {field} of "{name}" is in the keyring, which cannot be used now: {error}. Unlock it, '
                "or enter the secret again and store it in a file (connection edit --no-keyring)"
            ) from None
        if value is None:
            raise ConnectionSetupError(
                f'the keyring no longer contains the {field} of "{name}": enter it again (connection edit)'
            )
        return str(value)

    def set(self, name: str, field: str, value: str, place: Place | None = None) -> None:
        """Save a secret; it is durable when this returns.

        Without `place`, it is stored where the other secrets of the connection are; the first secret of a
        connection is stored in the keyring if there is one, else in a file.
        """
        if place is None:
            places = self.places(name)
            place = places.get(field) or next(iter(places.values()), None)
            place = place or ("file" if keyring_lacks() else "keyring")
        if place == "keyring":
            _to_keyring(name, field, value)
        entry = None if place == "keyring" else value
        before = self._change(name, lambda kept: {**kept, field: entry})
        if place == "file" and field in before and before[field] is None:
            # If the keyring cannot be used any more, its entry remains there, where nobody can read it.
            with suppress(ConnectionSetupError):
                _out_of_keyring(name, field)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Return a context in which no other thread or process can change a connection's secrets.

        It is for exchanging a refresh token at a server and saving the new one.
        """
        from connector.common.file_lock import FileLock, Timeout  # slow to import

        lock = FileLock(self._folder / f"{name}.lock", timeout=HELD_WAIT_S, mode=0o600)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                logger.warning(
                    "%s: waiting for another process that is signing in", name, extra={"notice": True}
                )
                lock.acquire()
        except Timeout as error:
            raise ConnectionSetupError(
                f'another process has been signing in for "{name}" for too long'
            ) from error
        except OSError as error:
            raise ConnectionSetupError(f"{lock.lock_file}: cannot be locked: {error}") from error
        try:
            yield
        finally:
            lock.release()

    def require_room(self) -> None:
        """Raise ConnectionSetupError if no secret could be saved in a file now."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            require_room(self._folder)
        except OSError as error:
            raise ConnectionSetupError(f"{self._folder}: cannot be written: {error.strerror}") from error

    def delete(self, name: str, *fields: str) -> None:
        """Delete the given fields of a connection's secrets, or all if no field is given.

        Raises ConnectionSetupError, naming the entries that remain, if the keyring cannot be used.
        """
        kept, left = self._read(name), []
        if not kept:
            return
        gone = set(fields or kept)
        for field in [field for field in kept if field in gone and kept[field] is None]:
            try:
                _out_of_keyring(name, field)
            except ConnectionSetupError as error:
                left.append(f"{name}/{field} ({error})")
        self._change(name, lambda kept: {field: kept[field] for field in kept if field not in gone})
        if left:
            raise ConnectionSetupError(
                f"entries of {KEYRING_SERVICE} remain in the keyring; remove them by hand: {', '.join(left)}"
            )

    def _read(self, name: str) -> _Kept:
        path = self.path(name)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConnectionSetupError(f"{path}: cannot be read: {error.strerror}") from error
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise ConnectionSetupError(
                f"{path}: other users can read this file (mode {stat.S_IMODE(mode):04o}): use chmod 600. If "
                "another user may have read it, create new secrets and store them with connection edit"
            )
        try:
            kept = json_text.loads(data.decode())
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(isinstance(v, (str, type(None))) for v in kept.values()):
            raise ConnectionSetupError(
                f"{path}: damaged. Remove it, and enter the connection's secrets again (connection edit)"
            )
        return kept

    def _change(self, name: str, change: Callable[[_Kept], _Kept]) -> _Kept:
        """Change a connection's file of secrets under a lock; return its previous content."""
        from connector.common.file_lock import FileLock, Timeout  # slow to import

        path = self.path(name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self._folder / ".lock", timeout=LOCK_WAIT_S, mode=0o600):
                for left in self._folder.glob(f".{path.name}.*"):
                    left.unlink()  # This file was left by a process that was killed while it was writing.
                before = self._read(name)
                after = change(before)
                if not after:
                    path.unlink(missing_ok=True)
                elif after != before:
                    write_whole(path, json_text.dump_bytes(after), durable=True)
                return before
        except Timeout as error:
            raise ConnectionSetupError(f"{path}: another process is writing it; try again later") from error
        except OSError as error:
            raise ConnectionSetupError(f"{path}: cannot be written: {error}") from error


def keyring_lacks() -> str:
    """Return why no keyring can be used, or an empty string if one can."""
    try:
        _ask_keyring(lambda keyring: None)
    except ConnectionSetupError as error:
        return str(error)
    return ""


def _keyring() -> Any:
    """Return the backend of the system's keyring. Raises ConnectionSetupError if there is none."""
    try:
        import keyring  # an optional dependency, and slow to load: it detects the available keyrings
    except ImportError:
        raise ConnectionSetupError(f"a keyring requires `pip install '{KEYRING_SERVICE}[keyring]'`") from None
    backend = keyring.get_keyring()
    # Backends with a priority below 1 store nothing, or store secrets where everyone can read them.
    if backend.priority < 1:
        raise ConnectionSetupError("this session has no keyring")
    return backend


def _ask_keyring(ask: Callable[[Any], T], secret: str = "") -> T:
    """Call `ask` with the keyring. Raises ConnectionSetupError, without the secret, for any failure."""
    try:
        return ask(_keyring())
    except ConnectionSetupError:
        raise
    except Exception as error:  # backends raise various exceptions, for example without D-Bus
        said = str(error) or type(error).__name__
        raise ConnectionSetupError(said.replace(secret, HIDDEN) if secret else said) from None


def _to_keyring(name: str, field: str, value: str) -> None:
    user = f"{name}/{field}"

    def keep(keyring: Any) -> bool:
        keyring.set_password(KEYRING_SERVICE, user, value)
        return bool(keyring.get_password(KEYRING_SERVICE, user) == value)

    try:
        if not _ask_keyring(keep, value):
            raise ConnectionSetupError("the value read back differs from the saved one")
    except ConnectionSetupError as error:
        raise ConnectionSetupError(f"the keyring cannot store the {field}: {error}") from None


def _out_of_keyring(name: str, field: str) -> None:
    user = f"{name}/{field}"

    def remove(keyring: Any) -> None:
        if keyring.get_password(KEYRING_SERVICE, user) is not None:
            keyring.delete_password(KEYRING_SERVICE, user)

    _ask_keyring(remove)
