"""The catalogue's pages in a real browser: served, exported to a folder, and on another web host.

Screenshots go to `build/screenshots`, where CI keeps them.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.web.export import export
from connector.web.server import CatalogServer
from tests.conftest import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 375, "height": 740}
LOOKS = [
    pytest.param("light", DESKTOP, id="light-desktop"),
    pytest.param("dark", PHONE, id="dark-phone"),
    pytest.param("dark", DESKTOP, id="dark-desktop", marks=pytest.mark.slow),
    pytest.param("light", PHONE, id="light-phone", marks=pytest.mark.slow),
]
"""Color schemes and sizes of the window: two that have the least in common, and with `--all` the others."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no Chromium here: make chromium")
    with playwright.sync_playwright() as driver:
        # As root, it has no sandbox of its own; it opens nothing but our pages.
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def server(catalog: Catalog) -> Iterator[CatalogServer]:
    """The catalogue over real HTTP."""
    with CatalogServer(catalog=catalog) as running:
        yield running


@pytest.fixture(scope="session")
def exported(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue as files, in a folder whose name needs escaping."""
    folder = tmp_path_factory.mktemp("export") / "the catalogue & more"
    export(folder, catalog)
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def web_host(exported: Path) -> Iterator[str]:
    """The exported files below a path of a plain web server."""
    handler = partial(_Quiet, directory=str(exported.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/the%20catalogue%20%26%20more/"
        running.shutdown()
        thread.join()


@dataclass
class Visit:
    """A browser's visit: `page` is Playwright's; what it asked for, and what it complained of."""

    page: Any
    root: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "index.html") -> Any:
        """Open a page below the root."""
        self.page.goto(self.root + path)
        return self.page

    def keep(self, name: str, **options: Any) -> None:
        """Keep a picture of what is shown."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", **options)


OpenVisit = Callable[..., Visit]


@pytest.fixture
def visit(chromium: Any, server: CatalogServer) -> Iterator[OpenVisit]:
    """Opens visits, each in a profile of its own; at the end, none has asked elsewhere or complained."""
    opened: list[tuple[Any, Visit]] = []

    def visit(root: str = "", **options: Any) -> Visit:
        """Visit the server, or the files below `root`."""
        context = chromium.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options})
        one = Visit(context.new_page(), root or server.url)
        opened.append((context, one))
        context.on("request", lambda request: one.asked.append(request.url))
        context.on(
            "console",
            lambda message: one.complaints.append(message.text) if message.type == "error" else None,
        )
        context.on("weberror", lambda error: one.complaints.append(str(error.error)))
        if not root:
            one.page.goto(server.address)
            one.page.wait_for_url(server.url)
        return one

    yield visit
    for context, one in opened:
        context.close()
        elsewhere = [url for url in one.asked if not url.startswith((one.root, "data:"))]
        assert (elsewhere, one.complaints) == ([], [])


@pytest.fixture(params=["served", *(pytest.param(one, marks=pytest.mark.slow) for one in ("folder", "host"))])
def root(request: pytest.FixtureRequest) -> str:
    """Where the pages are: served ("", see `visit`), in a folder, on a web host below a path."""
    if request.param == "folder":
        return str(request.getfixturevalue("exported").as_uri()) + "/"
    return "" if request.param == "served" else str(request.getfixturevalue("web_host"))
