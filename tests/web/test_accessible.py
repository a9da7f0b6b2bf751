"""WCAG 2.2 AA, as far as axe can tell: light and dark, on a desktop and on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.catalog import Catalog
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


FIND, ACTION = "index.html?q=ticket", "actions/create_organization.html"
SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("path", "scheme", "viewport"),
    [
        pytest.param(FIND, "light", DESKTOP, id="find-light-desktop"),
        pytest.param(ACTION, "dark", PHONE, id="action-dark-phone"),
        pytest.param(FIND, "dark", PHONE, id="find-dark-phone", marks=SLOW),
        pytest.param(FIND, "dark", DESKTOP, id="find-dark-desktop", marks=SLOW),
        pytest.param(FIND, "light", PHONE, id="find-light-phone", marks=SLOW),
        pytest.param(ACTION, "light", DESKTOP, id="action-light-desktop", marks=SLOW),
        pytest.param(ACTION, "dark", DESKTOP, id="action-dark-desktop", marks=SLOW),
        pytest.param(ACTION, "light", PHONE, id="action-light-phone", marks=SLOW),
    ],
)
def test_a_page_is_accessible(visit: OpenVisit, path: str, scheme: str, viewport: dict[str, int]) -> None:
    site = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    assert violations(site.open(path)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "first"), [("light", 0), ("dark", 6)])
def test_many_pages_are_accessible(visit: OpenVisit, catalog: Catalog, scheme: str, first: int) -> None:
    site = visit(color_scheme=scheme, reduced_motion="reduce")
    paths = ["index.html", *(f"actions/{name}.html" for name in catalog.names[first::12])]
    found = {path: message for path in paths if (message := violations(site.open(path)))}
    assert found == {}
