"""The sessions of a server: one for each connection, opened when it is first used."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.connections.saved import SavedConnections, service_in
from connector.connections.settings import is_file
from connector.errors import ConnectionSetupError, RunError
from connector.library.session import Session
from connector.serve.keys import Rights
from connector.serve.problems import ProblemError
from connector.serve.settings import Settings

DEFAULT = ""
"""The name that stands for the default connection of a service."""


class Sessions:
    """Opens sessions, and opens them again when a connection was edited or its sign-in is refused.

    A read has a session that refuses every other request, whatever a handler would send.
    """

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog, self._settings = catalog, settings
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str, bool], tuple[object, Session]] = {}
        self._replaced: list[Session] = []

    def session(self, action: Action, rights: Rights, named: str | None) -> Session:
        """Return the session for an action: over the connection `named`, or else the caller's first one.

        Raises ProblemError (403 for a connection without a right, 500 for one that cannot be used).
        """
        name = self._name(action, rights, named)
        read_only = action.effect == "read"
        key = (action.service, name, read_only)
        try:
            edited = _edited(name)
            with self._lock:
                found = self._open.get(key)
                if found and found[0] == edited:
                    return found[1]
                if found:
                    self._replaced.append(found[1])
                session = self._opened(action.service, name, read_only)
                self._open[key] = (edited, session)
                return session
        except RunError as error:
            raise ProblemError(500, f"the connection cannot be used: {error}") from error

    def forget(self, session: Session) -> None:
        """Open the connection again next time, because its sign-in was refused."""
        with self._lock:
            for key, (_, found) in list(self._open.items()):
                if found is session:
                    del self._open[key]
                    self._replaced.append(session)

    def _opened(self, service: str, name: str, read_only: bool) -> Session:
        settings = self._settings
        return Session(
            name or None,
            service=service,
            catalog=self._catalog,
            delay_ms=settings.delay_ms,
            read_only=read_only,
            audit=settings.audit,
            uploads=settings.uploads or "",
            files=settings.files,
        )

    def _name(self, action: Action, rights: Rights, named: str | None) -> str:
        allowed = self._allowed(rights)
        if named is not None:
            if named not in allowed:
                raise ProblemError(403, f'no right to use the connection "{named}"')
            if service_of(self._catalog, named) != action.service:
                raise ProblemError(403, f'"{named}" is not a connection of {action.service}')
            return named
        for name in allowed:
            if name == DEFAULT or service_of(self._catalog, name) == action.service:
                return name
        raise ProblemError(403, f"no right to use a connection of {action.service}")

    def _allowed(self, rights: Rights) -> list[str]:
        """Return the names of the connections that a caller may use, its default ones first."""
        served = self._settings.connections
        if rights.connections:
            return [name for name in rights.connections if not served or name in served]
        return list(served) or [DEFAULT]

    def close(self) -> None:
        """Stop all runs, wait for their rows in progress, and close the connections."""
        with self._lock:
            sessions = [*self._replaced, *(session for _, session in self._open.values())]
            self._open, self._replaced = {}, []
        for session in sessions:
            session.close()


def service_of(catalog: Catalog, name: str) -> str:
    """Return the service of a connection. Raises RunError if its name is not valid."""
    found = service_in(Path(name)) if is_file(name) else SavedConnections().service(name)
    return found or catalog.default_service


def _edited(name: str) -> object:
    """Return a value that changes when a connection is edited. Raises ConnectionSetupError if it is gone."""
    if name == DEFAULT:
        return None
    path = Path(name) if is_file(name) else SavedConnections().path(name)
    try:
        found = os.stat(path)
    except OSError as error:
        raise ConnectionSetupError(f"{path}: cannot be read: {error.strerror}") from error
    return (found.st_mtime_ns, found.st_size, found.st_ino)
