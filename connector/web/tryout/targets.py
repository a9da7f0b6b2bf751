"""Where a run that a page starts may go: the sandbox, or a connection that the user has saved.

Of a connection a page shows its name and its host alone. Its secrets are read by the process that runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from connector.catalog.service import Service
from connector.connections.connection import expanded, host, read_settings
from connector.connections.saved import SavedConnections
from connector.errors import ConnectionSetupError


@dataclass(frozen=True)
class Place:
    """A saved connection, or without a `name` the sandbox. `fault` says why it cannot be used."""

    name: str
    base_url: str = ""
    read_only: bool = False
    fault: str = ""

    @property
    def title(self) -> str:
        """Name it for a person."""
        if not self.name:
            return "the sandbox"
        return f"{self.name} ({urlsplit(self.base_url).netloc})" if self.base_url else self.name


def saved_places(service: Service) -> Iterator[Place]:
    """Return the connections that the user has saved for a service."""
    for name in SavedConnections().names():
        yield saved_place(service, name)


def saved_place(service: Service, name: str) -> Place:
    """Return one of them; one that cannot be read has its `fault`."""
    try:
        path = SavedConnections().path(name)
        settings = expanded(read_settings(service, path), lambda key: f"{name}, {key}")
        base_url = host(service, settings.get("region"), settings.get("base_url"), name)
    except ConnectionSetupError as fault:
        return Place(name, fault=str(fault))
    return Place(name, base_url, bool(settings.get("read_only")))
