"""A browser without a browser: werkzeug's client behind the doors, with the token that our pages hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.web.access import CSRF_HEADER, AccessControl
from connector.web.app import make_site
from connector.web.site import Site

BASE = "http://127.0.0.1:8000"
LONG_S = 120
"""For how long a run's own process is waited for, on a machine that may have much else to do."""


class Guest:
    """Somebody who has opened the address."""

    def __init__(self, site: Site) -> None:
        self.site, self.access = site, AccessControl(site)
        site.csrf_token = self.access.csrf_token
        self._client = Client(self.access)
        self.get("/", token=self.access.token)

    def get(self, path: str, **query: str) -> TestResponse:
        return self._client.get(path, base_url=BASE, query_string=query or None, buffered=True)

    def post(self, path: str, data: Any = None, **more: Any) -> TestResponse:
        headers = {"Origin": BASE, CSRF_HEADER: self.access.csrf_token, **more.pop("headers", {})}
        return self._client.post(path, base_url=BASE, headers=headers, data=data, **more)

    def form(self, action: str, rows: str | None, templates: dict[str, str], **more: str) -> dict[str, str]:
        """Return what the form of an action posts, with a new draft."""
        named = {f"template.{name}": text for name, text in templates.items()}
        given = {} if rows is None else {"rows": rows}
        its = {"draft": self.site.drafts.new(), "once": str(time.monotonic_ns()), "delay_ms": "0"}
        return {**its, **given, **named, **more}

    def run(self, action: str, rows: str, templates: dict[str, str], **more: str) -> str:
        """Start a run, and give its id."""
        response = self.post(f"/actions/{action}/run", self.form(action, rows, templates, **more))
        assert response.status_code == 200, response.text
        return str(response.get_json()["location"].rpartition("/")[2])

    def wait(self, id: str) -> str:
        """Wait for the end of a run, and give its page."""
        return until(lambda: self._ended(id))

    def _ended(self, id: str) -> str:
        page = self.get(f"/runs/{id}").text
        return "" if 'data-state="live"' in page else page


def until(look: Callable[[], Any]) -> Any:
    """Look until there is something, and give it."""
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


@lru_cache
def _all_actions(catalog: Catalog) -> list[Action]:
    """Load them once for all sites."""
    return list(catalog.actions())


@contextmanager
def open_site(catalog: Catalog, *syncs: Path) -> Iterator[Guest]:
    """A site of a test's own, with the syncs in these folders, and a guest in it."""
    site = make_site(catalog, syncs)
    site.actions = _all_actions(catalog)
    try:
        yield Guest(site)
    finally:
        site.close()
