"""Makes the pictures of the catalogue that README shows, in `docs/images`.

make screenshots
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from connector.web.server import CatalogueServer

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE = {"width": 1180, "height": 720}


def _find(page: Any, root: str) -> None:
    page.goto(f"{root}index.html")
    page.get_by_role("searchbox").fill("mantenance")


def _action(page: Any, root: str) -> None:
    page.goto(f"{root}actions/schedule_maintenance.html")


PICTURES: dict[str, tuple[str, Callable[[Any, str], None]]] = {
    "catalogue-find": ("light", _find),
    "catalogue-action": ("dark", _action),
}
"""By name: the theme, and what leads to what is shown."""


def make() -> None:
    """Take all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with CatalogueServer() as server, sync_playwright() as driver:
        path = shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (theme, lead) in PICTURES.items():
            context = browser.new_context(viewport=SIZE, color_scheme=theme, reduced_motion="reduce")
            page = context.new_page()
            page.goto(server.address)
            page.wait_for_url(server.url)
            lead(page, server.url)
            page.screenshot(path=FOLDER / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    make()
