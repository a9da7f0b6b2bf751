"""The catalogue's pages: behind werkzeug's test client, and in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.catalog import Catalog
from connector.web.server import CatalogueServer


@pytest.fixture(scope="module")
def server(catalog: Catalog) -> Iterator[CatalogueServer]:
    """The catalogue over real HTTP."""
    with CatalogueServer(catalog=catalog) as running:
        yield running
