"""WCAG 2.2 AA, as far as axe can tell: light and dark, on a desktop and on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog import Catalog
from tests.web.conftest import DESKTOP, PHONE, OpenVisit

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


def violations(page: Any) -> list[str]:
    """What axe finds: the rule, and the elements."""
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {[node['html'][:200] for node in rule['nodes'][:3]]}" for rule in found]


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [
        pytest.param("light", DESKTOP, id="light-desktop"),
        pytest.param("dark", PHONE, id="dark-phone"),
        pytest.param("dark", DESKTOP, id="dark-desktop", marks=pytest.mark.slow),
        pytest.param("light", PHONE, id="light-phone", marks=pytest.mark.slow),
    ],
)
def test_pages_are_accessible(visit: OpenVisit, scheme: str, viewport: dict[str, int]) -> None:
    site = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    assert violations(site.open("index.html?q=device")) == []
    assert violations(site.open("actions/create_organization.html")) == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_pages_are_accessible(visit: OpenVisit, catalog: Catalog, scheme: str) -> None:
    site = visit(color_scheme=scheme, reduced_motion="reduce")
    paths = ["index.html", *(f"actions/{name}.html" for name in catalog.names[::3])]
    found = {path: said for path in paths if (said := violations(site.open(path)))}
    assert found == {}
