"""The page of `ninjaone sync demo` in a real browser, from a file: accessible, filtered with the keyboard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.conftest import LOOKS, OpenVisit
from tests.web.test_accessible import violations


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("demo of a sync")
    command = [sys.executable, "-m", "connector", "sync", "demo", "--short", "--output", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ, timeout=120)
    return folder.as_uri() + "/"


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
def test_the_page_is_accessible(visit: OpenVisit, root: str, scheme: str, viewport: dict[str, int]) -> None:
    site = visit(root, color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page = site.open("demo.html")
    site.keep(f"sync-demo-{scheme}-{viewport['width']}", full_page=True)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_plan_is_filtered_with_the_keyboard(visit: OpenVisit, root: str) -> None:
    page = visit(root).open("demo.html")
    shown = page.locator("#items > li:visible")
    every = shown.count()
    page.get_by_label("Operation").focus()
    page.keyboard.type("conflict")
    assert (shown.count(), page.locator("#found").inner_text()) == (2, "2 items")
    page.get_by_label("Records").focus()
    page.keyboard.type("asset")
    assert page.locator("#found").inner_text() == "1 item"
    assert "Candidates: 5012 A00012, 5018 A00018" in shown.inner_text()
    page.get_by_label("Name, id or reason").focus()
    page.keyboard.type("no such thing")
    assert page.locator("#found").inner_text() == "No items"
    page.reload()
    assert shown.count() == every > 20


def test_without_scripts_everything_is_shown(visit: OpenVisit, root: str) -> None:
    page = visit(root, java_script_enabled=False).open("demo.html")
    assert page.locator("#items > li").first.is_visible()
    assert not page.locator("#filter").is_visible()
    assert page.locator(".lives > li").count() == 4
