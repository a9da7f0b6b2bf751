"""The syncs that the server shows, each a folder with a mapping, pins, state and plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from connector.catalog.catalog import Catalog
from connector.connections.saved import SavedConnections
from connector.connections.settings import is_file
from connector.errors import ConnectorError, RunError
from connector.sync.calls import service_of
from connector.sync.mapping import SyncMapping
from connector.sync.mapping_file import load_mapping
from connector.sync.pins import Pins, load_pins
from connector.sync.state import State
from connector.web.tryout.targets import Place, place_at

MAPPING, PINS = "mapping.yaml", "pins.yaml"


@dataclass(frozen=True)
class SyncFolder:
    """The folder of a sync. The sync's name is the folder's name."""

    name: str
    path: Path

    @property
    def url_name(self) -> str:
        """The sync's name, escaped for a URL."""
        return quote(self.name, safe="")

    def mapping(self) -> SyncMapping:
        """Return the sync's mapping. Raises DeclarationError."""
        return load_mapping(self.path / MAPPING)

    def pins(self) -> Pins:
        """Return the sync's pins. Raises RunError."""
        return load_pins(self.path / PINS)

    def state(self) -> State:
        """Return the sync's state, opened for reading. Raises RunError."""
        return State(self.path, write=False)


@dataclass(frozen=True)
class SideView:
    """One of the two systems of a sync: its service's title, its connection, and the paths of web pages."""

    title: str
    place: Place
    web_paths: dict[str, str]

    def url(self, kind: str, id: object) -> str:
        """Return the URL of a record's page in the system's web interface; empty if it is not known."""
        path = self.web_paths.get(kind, "")
        return self.place.base_url + path.replace("{id}", str(id)) if path and self.place.base_url else ""


@dataclass(frozen=True)
class Sides:
    """The source and the target of a sync. `fault` is the reason why the mapping cannot be used."""

    source: SideView
    target: SideView
    fault: str = ""


def sync_folders(paths: Iterable[Path]) -> dict[str, SyncFolder]:
    """Return the syncs in these folders, by name. Raises RunError for a folder without a sync."""
    found: dict[str, SyncFolder] = {}
    for given in paths:
        path = given.resolve()
        if not (path / MAPPING).is_file():
            raise RunError(f"{given}: there is no {MAPPING}; `ninjaone sync init {given}` creates one")
        if path.name in found and found[path.name].path != path:
            raise RunError(f"{given}: another folder is also called {path.name}; rename one of them")
        found[path.name] = SyncFolder(path.name, path)
    return found


def sides_of(sync: SyncFolder, catalog: Catalog) -> Sides:
    """Return the source and the target of a sync, as far as mapping and connections can be read."""
    try:
        mapping = sync.mapping()
    except ConnectorError as error:
        unknown = Place("", fault=str(error))
        return Sides(SideView("the source", unknown, {}), SideView("the target", unknown, {}), str(error))
    return Sides(
        _side(sync, catalog, mapping.source, "the source"), _side(sync, catalog, mapping.target, "the target")
    )


def _side(sync: SyncFolder, catalog: Catalog, named: str, unknown: str) -> SideView:
    try:
        service = catalog.service(service_of(named, sync.path) or "")
        path = sync.path / named if is_file(named) else SavedConnections().path(named)
        return SideView(service.title, place_at(service, named, path), dict(service.web_paths))
    except ConnectorError as error:
        return SideView(unknown, Place(named, fault=str(error)), {})
