"""Makes the pictures of the catalog that README and docs show, in `docs/images`.

make screenshots
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from connector.web.server import CatalogServer
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE = {"width": 1180, "height": 720}


def _find(page: Any, root: str) -> None:
    page.goto(f"{root}index.html")
    page.get_by_role("searchbox").fill("mantenance")


def _action(page: Any, root: str) -> None:
    page.goto(f"{root}actions/schedule_maintenance.html")


def _try(page: Any, root: str) -> None:
    page.goto(f"{root}actions/schedule_maintenance/try")
    page.locator("#rows").fill(
        "device,feature,until\n1,PATCHING,2036-07-16T06:00:00-4:00\n2,EVERYTHING,2036-07-16T06:00:00Z\n"
    )
    page.locator("#t-end").fill("{{ until }}")
    page.locator("#t-disabled_features").fill('["{{ feature }}", "ALERTS"]')
    page.locator("#t-device_id").fill("{{ device }}")
    page.locator("#tried", has_text="2 rows: 1 can be sent, 1 cannot.").wait_for()
    page.evaluate("scrollTo({top: 210, behavior: 'instant'})")
    page.wait_for_timeout(300)


def _run(page: Any, root: str) -> None:
    page.goto(f"{root}actions/update_device/try")
    rows = [f'{{"device": {n}, "site": "Leeds", "number": {n}}}' for n in range(1, 41)]
    page.locator("#rows").fill("\n".join(rows))
    page.locator("#tried", has_text="The first 20 of 40 rows: 20 can be sent.").wait_for()
    page.get_by_role("button", name="Run in the sandbox").click()
    page.locator("#live", has_text=re.compile("3[0-9] of 40")).wait_for()


def _sync(page: Any, root: str) -> None:
    page.goto(f"{root}sync/acme/plan?entity=asset")
    page.locator("[data-tick]").first.check()
    page.locator(".plan-items").scroll_into_view_if_needed()
    page.evaluate("scrollTo({top: 330, behavior: 'instant'})")


def _plan(folder: Path) -> Path:
    """Make the folder of a sync with a plan; both sandboxes have ended when it is shown."""
    folder.mkdir()
    fields = {
        "117": "{{ device.system.serialNumber }}",
        "51": "{{ device.system.model }}, {{ device.os.name }}",
    }
    with Pair(folder) as pair:
        pair.map(clients={"take": "all"}, devices={**DEVICES, "fields": fields})
        pair.run("--only", "clients,sites")
        pair.sync("plan", "--full")
    return folder


PICTURES: dict[str, tuple[str, Callable[[Any, str], None]]] = {
    "catalog-find": ("light", _find),
    "catalog-action": ("dark", _action),
    "catalog-try": ("light", _try),
    "catalog-run": ("dark", _run),
    "catalog-sync": ("light", _sync),
}
"""By name: the theme, and what leads to what is shown."""


def make() -> None:
    """Take all pictures. The run in one of them leaves nothing behind."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as home:
        os.environ.update(
            {f"XDG_{kind}_HOME": f"{home}/{kind}" for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        )
        with CatalogServer(syncs=[_plan(Path(home) / "acme")]) as server, sync_playwright() as driver:
            _take(server, driver)


def _take(server: CatalogServer, driver: Any) -> None:
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
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
