"""The sessions of a server: one for each service, opened when it is first used."""

from __future__ import annotations

import threading
from pathlib import Path

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.connections.saved import SavedConnections, service_in
from connector.connections.settings import is_file
from connector.errors import RunError
from connector.library.session import Session
from connector.mcp.settings import Settings


class Sessions:
    """Opens sessions. A read has a session that refuses every other request, whatever a handler would send.

    A connection that cannot be used is tried again with the next call.
    """

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog, self._settings = catalog, settings
        self._lock = threading.Lock()
        self._open: dict[tuple[str, bool], Session] = {}

    def session(self, action: Action) -> Session:
        """Return the session for an action. Raises RunError if there is no connection that can be used."""
        read_only = action.effect == "read"
        with self._lock:
            key = (action.service, read_only)
            if key not in self._open:
                self._open[key] = self._opened(action.service, read_only)
            return self._open[key]

    def forget(self, session: Session) -> None:
        """Open the connection again next time, because its sign-in was refused."""
        with self._lock:
            self._open = {key: found for key, found in self._open.items() if found is not session}

    def _opened(self, service: str, read_only: bool) -> Session:
        settings = self._settings
        return Session(
            self._name(service),
            service=service,
            catalog=self._catalog,
            delay_ms=settings.delay_ms,
            read_only=read_only,
            audit=settings.audit,
            uploads=settings.uploads or "",
            files=settings.files,
        )

    def _name(self, service: str) -> str | None:
        """Return the connection of a service; None for its default one."""
        names = self._settings.connections
        if not names or self._settings.service:
            return names[0] if names else None
        for name in names:
            if service_of(self._catalog, name) == service:
                return name
        raise RunError(f"{service}: none of the server's connections is one of {service}: {', '.join(names)}")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            sessions, self._open = list(self._open.values()), {}
        for session in sessions:
            session.close()


def services_of(catalog: Catalog, settings: Settings) -> tuple[str, ...]:
    """Return the services of a server: the one that is set, those of its connections, or all of them."""
    if settings.service:
        return (catalog.service(settings.service).name,)
    named = {service_of(catalog, name) for name in settings.connections}
    return tuple(name for name in catalog.services if name in named or not named)


def service_of(catalog: Catalog, name: str) -> str:
    """Return the service of a connection. Raises RunError if its name is not valid."""
    found = service_in(Path(name)) if is_file(name) else SavedConnections().service(name)
    return found or catalog.default_service
