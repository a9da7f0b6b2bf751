"""The catalog that the tests of a process share, because reading 900 declarations takes seconds."""

from __future__ import annotations

from pathlib import Path

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog


class KeptCatalog(Catalog):
    """A catalog that reads each declaration once. What it returns is shared, so no test may change it."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[Path, Action] = {}

    def _load(self, path: Path) -> Action:
        if path not in self._kept:
            self._kept[path] = super()._load(path)
        return self._kept[path]


CATALOG = KeptCatalog()
