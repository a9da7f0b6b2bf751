"""The sessions of a server: one for each connection, opened when it is first used."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from connector.callers.keys import Rights
from connector.callers.problems import ProblemError, stopping
from connector.callers.settings import CallSettings
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.common.clock import Clock, SystemClock
from connector.connections.connection import has_default
from connector.connections.saved import SavedConnections, service_in
from connector.connections.settings import absolute_file, is_file
from connector.errors import ConnectionSetupError, RunError, RunStoppedError
from connector.library.session import Session

logger = logging.getLogger(__name__)

DEFAULT = ""
"""The name that stands for the default connection of a service."""
REFUSED_S = 30.0
"""The time in seconds before a refused sign-in is tried again: each attempt can bring an account nearer to
being locked. Editing the connection ends it."""


@dataclass
class _Open:
    """An open session, and how many requests use it. `edited` identifies the state of its connection."""

    edited: object
    session: Session
    users: int = 0
    refused_at: float | None = None


class Sessions:
    """Opens sessions, and opens them again when a connection was edited, or after its sign-in was refused.

    A session that was replaced is closed when the last request over it has ended. A read has a session that
    refuses every other request, whatever a handler would send.
    """

    def __init__(self, catalog: Catalog, settings: CallSettings, clock: Clock | None = None) -> None:
        self._catalog, self._settings = catalog, settings
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str, bool], _Open] = {}
        self._replaced: list[_Open] = []
        self._is_closed = False

    @contextmanager
    def using(self, action: Action, rights: Rights, named: str | None) -> Iterator[Session]:
        """Context of a request with its session: over the connection `named`, or the caller's first one.

        Raises ProblemError (403 for a connection without a right, 500 for one that cannot be used, 503 after
        `close`).
        """
        name = self._name(action, rights, named)
        read_only = action.effect == "read"
        key = (action.service, name, read_only)
        try:
            edited = _edited(name)
            with self._lock:
                if self._is_closed:
                    raise stopping()
                found = self._open.get(key)
                if found is None or found.edited != edited or self._may_sign_in(found):
                    opened = _Open(edited, self._opened(action.service, name, read_only))
                    if found:
                        self._replaced.append(found)
                    found = self._open[key] = opened
                found.users += 1
        except RunError as error:
            raise ProblemError(500, f"the connection cannot be used: {error}") from error
        finally:
            self._close_replaced()
        try:
            yield found.session
        finally:
            with self._lock:
                found.users -= 1
            self._close_replaced()

    def _may_sign_in(self, found: _Open) -> bool:
        """Return whether a session's sign-in was refused, and can be tried again."""
        return found.refused_at is not None and self._clock.monotonic() >= found.refused_at + REFUSED_S

    def _close_replaced(self) -> None:
        with self._lock:
            unused = [one for one in self._replaced if not one.users]
            self._replaced = [one for one in self._replaced if one.users]
        for one in unused:
            try:
                one.session.close()
            except RunStoppedError as error:  # The request that ends here can be one of another connection.
                logger.error("%s", error)

    def refused(self, session: Session) -> None:
        """Note that the sign-in of a session was refused: the connection is opened again, but not at once."""
        with self._lock:
            for found in self._open.values():
                if found.session is session and found.refused_at is None:
                    found.refused_at = self._clock.monotonic()

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
        allowed = _allowed(self._settings, rights)
        if named is not None:
            named = absolute_file(named)
            if named not in allowed:
                raise ProblemError(403, f'no right to use the connection "{named}"')
            if service_of(self._catalog, named) != action.service:
                raise ProblemError(403, f'"{named}" is not a connection of {action.service}')
            return named
        for name in allowed:
            if name == DEFAULT or service_of(self._catalog, name) == action.service:
                return name
        raise ProblemError(403, f"no right to use a connection of {action.service}")

    def close(self) -> None:
        """Stop all runs, wait for their rows in progress, and close the connections. Refuse new calls.

        Raises RunStoppedError, after all are closed, if an audit log cannot be written.
        """
        with self._lock:
            self._is_closed = True
            opened = [*self._replaced, *self._open.values()]
            self._open, self._replaced = {}, []
        with ExitStack() as all_of_them:
            for one in opened:
                all_of_them.callback(one.session.close)


def _allowed(settings: CallSettings, rights: Rights) -> list[str]:
    """Return the names of the connections that a caller may use, its default ones first."""
    served = settings.connections
    if rights.connections:
        return [name for name in rights.connections if not served or name in served]
    return list(served) or [DEFAULT]


def services_of(catalog: Catalog, settings: CallSettings, rights: Rights) -> set[str]:
    """Return the services for which a caller may use a connection that exists."""
    found: set[str] = set()
    for name in _allowed(settings, rights):
        if name == DEFAULT:
            found.update(one for one in catalog.services if has_default(catalog.service(one)))
            continue
        with suppress(RunError):  # it was removed
            _edited(name)
            found.add(service_of(catalog, name))
    return found


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
