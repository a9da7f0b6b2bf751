"""The pages of a sync in a real browser: accessible, and usable with the keyboard alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.sync.pins import Pins, load_pins
from connector.sync.plan_file import plan_paths
from connector.web.server import CatalogServer
from connector.web.syncs.commands import SyncCommands
from tests.web.conftest import DESKTOP, LOOKS, PHONE, OpenVisit
from tests.web.syncs.shown import make_folder
from tests.web.syncs.test_fields_page import SAMPLE
from tests.web.test_accessible import violations


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("syncs") / "acme", time.time())


@pytest.fixture(scope="module")
def server(catalog: Catalog, folder: Path) -> Iterator[CatalogServer]:
    with CatalogServer(catalog=catalog, syncs=[folder]) as running:
        yield running


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
@pytest.mark.parametrize("path", ["", "/plan", "/unmatched", "/fields", "/alerts"])
def test_a_page_is_accessible(visit: OpenVisit, path: str, scheme: str, viewport: dict[str, int]) -> None:
    site = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page = site.open(f"sync/acme{path}")
    size = "phone" if viewport is PHONE else "desktop"
    site.keep(f"sync-{path.strip('/') or 'overview'}-{scheme}-{size}", full_page=True)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_plan_is_filtered_with_the_keyboard(visit: OpenVisit) -> None:
    page = visit().open("sync/acme")
    page.get_by_role("link", name="Plan", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name, id or reason").focus()
    page.keyboard.type("pc-new")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=pc-new")
    assert page.locator(".plan-items > li").count() == 1
    page.get_by_role("link", name="1 client conflict").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**op=conflict")
    assert "Initech" in page.locator(".plan-items").inner_text()


def test_the_life_of_an_alert_is_opened_with_the_keyboard(visit: OpenVisit) -> None:
    page = visit().open("sync/acme/alerts?state=closed")
    page.get_by_text("What happened").focus()
    page.keyboard.press("Enter")
    assert "closed, as the alert ended" in page.locator("#life-1").inner_text()


def await_reloaded(page: Any, sign: Any) -> None:
    """Wait until the page was loaded again and shows `sign`, and its scripts listen."""
    sign.wait_for()
    page.locator("html.ready").wait_for()


def test_a_conflict_is_pinned_and_unpinned_with_the_keyboard(visit: OpenVisit, folder: Path) -> None:
    page = visit().open("sync/acme/unmatched")
    page.get_by_role("button", name="Organization Initech is client 19").focus()
    page.keyboard.press("Enter")
    await_reloaded(page, page.get_by_text("pinned to 19"))
    assert load_pins(folder / "pins.yaml").organization == {3: 19}
    page.get_by_label("Client id of organization Globex & <Sons>").focus()
    page.keyboard.type("17")
    page.keyboard.press("Enter")
    await_reloaded(page, page.get_by_text("pinned to 17"))
    assert load_pins(folder / "pins.yaml").organization == {2: 17, 3: 19}
    for source in (2, 3):
        button = page.get_by_role("button", name=f"Unpin organization {source}")
        button.focus()
        page.keyboard.press("Enter")
        await_reloaded(page, page.locator("html.ready").filter(has_not=button))
    assert load_pins(folder / "pins.yaml") == Pins()


def test_ticked_items_are_applied_with_the_keyboard_once_the_number_is_typed(
    visit: OpenVisit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def start(self: SyncCommands, sync: Any, kind: str, plan: str, options: list[str], once: str) -> None:
        started.append([kind, *options])

    monkeypatch.setattr(SyncCommands, "start", start)
    site = visit()
    page = site.open("sync/acme/plan?op=update")
    assert page.get_by_role("button", name="Apply the ticked items").is_disabled()
    page.get_by_label("Tick update asset PC-1").focus()
    page.keyboard.press("Space")
    site.open("sync/acme/plan?op=create")
    page.get_by_label("Tick create asset PC-NEW").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Apply 2 ticked").focus()
    page.keyboard.press("Enter")
    typed = page.get_by_label("Type 2, the number of writes, to continue")
    typed.wait_for()
    assert violations(page) == []
    site.keep("sync-apply-light-desktop")
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    assert started == []
    page.get_by_role("button", name="Apply 2 ticked").press("Enter")
    typed.wait_for()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Apply the ticked items").wait_for()
    plan = plan_paths(folder)[0]
    assert started == [["apply", "--plan", str(plan), "--item", "asset:1", "asset:901"]]


def test_a_command_is_watched_to_its_end(visit: OpenVisit) -> None:
    """The connection of the source has no secret, so the plan cannot be made."""
    site = visit()
    page = site.open("sync/acme/plan")
    page.get_by_role("button", name="Make a new plan").press("Enter")
    page.get_by_text("not started", exact=True).wait_for(timeout=60_000)
    page.locator("#command-text[open]", has_text="rmm.yaml").wait_for()
    assert violations(page) == []
    site.keep("sync-plan-failed-light-desktop")


WATCHED = (
    '<div id="live" data-live data-state="{}">'
    '<details id="command-text"{}><summary>Out</summary>{}</details></div>'
)
TOGGLE_TWICE = "[1, 2].forEach(() => document.querySelector('summary').click());"


@pytest.mark.parametrize(("toggled", "is_open"), [(False, True), (True, False)])
def test_output_opens_at_a_failure_unless_the_user_closed_it(
    visit: OpenVisit, toggled: bool, is_open: bool
) -> None:
    page = visit().open("sync/acme/plan")
    script = page.evaluate("fetch('/static/watch.js').then(response => response.text())")
    bodies = iter([WATCHED.format("live", "", "a"), WATCHED.format("still", " open", "ab")])
    page.route("**/sync/acme/plan", lambda route: route.fulfill(body=next(bodies), content_type="text/html"))
    page.reload()
    page.evaluate(script + (TOGGLE_TWICE if toggled else ""))
    page.locator("#live[data-state=still]").wait_for()
    assert page.evaluate("document.getElementById('command-text').open") is is_open


def test_fields_are_tried_while_someone_types(visit: OpenVisit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.web.sync_fields._sample", lambda site, sync: SAMPLE)
    for scheme, viewport in (("light", DESKTOP), ("dark", PHONE)):
        site = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
        page = site.open("sync/acme/fields")
        page.locator("#tried", has_text="2 devices: 2 without errors; 1 field cannot be used.").wait_for()
        page.get_by_label("Template of 51").fill("{{ device.id")
        page.get_by_label("Its number or name").fill("44")
        page.get_by_label("Template of the other field").fill("{{ device.system.modell }}")
        page.locator("#n-new", has_text="device.system.modell is not a member of any device").wait_for()
        assert page.get_by_label("Template of 51").get_attribute("aria-invalid") == "true"
        page.locator("#tried-rows details").nth(1).locator("summary").press("Enter")
        page.locator("#tried-rows", has_text="missing: device.system.modell").wait_for()
        assert "44:" in page.locator("#tried-text").inner_text()
        assert page.get_by_role("button", name="Copy: For mapping.yaml, below devices").count() == 1
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        site.keep(f"sync-fields-tried-{scheme}", full_page=True)
