"""The connections and the sandbox that a run started from a page can use.

Pages show only a connection's name and host. Its secrets are read by the process of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from connector.catalog.service import Service
from connector.connections.connection import host
from connector.connections.saved import SavedConnections
from connector.connections.settings import expanded, read_settings
from connector.errors import ConnectionSetupError


@dataclass(frozen=True)
class Place:
    """A saved connection, or the sandbox if `name` is empty. `fault` is the reason why it cannot be used."""

    name: str
    base_url: str = ""
    read_only: bool = False
    fault: str = ""

    @property
    def title(self) -> str:
        """The name that pages show."""
        if not self.name:
            return "the sandbox"
        return f"{self.name} ({urlsplit(self.base_url).netloc})" if self.base_url else self.name


def saved_places(service: Service) -> Iterator[Place]:
    """Yield the user's saved connections for a service."""
    saved = SavedConnections()
    for name in saved.names():
        if saved.service(name) in ("", service.name):
            yield saved_place(service, name)


def saved_place(service: Service, name: str) -> Place:
    """Return a saved connection. If it cannot be read, its `fault` has the reason."""
    try:
        return place_at(service, name, SavedConnections().path(name))
    except ConnectionSetupError as fault:
        return Place(name, fault=str(fault))


def place_at(service: Service, name: str, path: Path) -> Place:
    """Return the connection in a file. If it cannot be read, its `fault` has the reason."""
    try:
        settings = expanded(read_settings(service, path), lambda key: f"{name}, {key}")
        base_url = host(service, settings.get("region"), settings.get("base_url"), name)
    except ConnectionSetupError as fault:
        return Place(name, fault=str(fault))
    return Place(name, base_url, bool(settings.get("read_only")))
