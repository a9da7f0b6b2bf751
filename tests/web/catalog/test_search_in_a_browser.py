"""Finding an action in a real browser: served, from a folder, and on another web host."""

from __future__ import annotations

from typing import Any

from connector.catalog.catalog import Catalog
from connector.hosts.lhub_build import DOCUMENTED
from tests.kept_catalog import CATALOG
from tests.web.conftest import PHONE, OpenVisit

ALL = len(CATALOG.names)
MAX_BYTES = 200_000
LOADED = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
"""What the browser has loaded for a page; an entry is there once its body has arrived."""
SOON_MS = 1000


def shown(page: Any) -> list[str]:
    """The titles that are seen, from top to bottom."""
    titles: list[str] = page.locator(".cards a:visible").all_inner_texts()
    return titles


def address(page: Any) -> str:
    """The page's address as it is now: that of `page.url` may come late."""
    href: str = page.evaluate("location.href")
    return href


def test_search_forgives_typing_errors_and_has_an_address(visit: OpenVisit, root: str) -> None:
    site = visit(root)
    page = site.open()
    page.keyboard.press("/")
    page.keyboard.type("mantenanse")
    assert sorted(shown(page)) == ["Cancel Maintenance", "Schedule Maintenance"]
    assert page.get_by_role("status").inner_text() == "2 actions"
    assert address(page).endswith(("index.html?q=mantenanse", "/?q=mantenanse"))
    site.keep("find")
    page.reload()
    assert len(shown(page)) == 2
    page.keyboard.press("Escape")
    assert len(shown(page)) == ALL
    assert "?" not in address(page)


def test_what_is_looked_for_comes_first(visit: OpenVisit) -> None:
    page = visit().open()
    looked_for = {
        "schedule_maintenance": "Schedule Maintenance",
        "schedle maint": "Schedule Maintenance",
        "create organisation": "Create New Organization",
        "disabled_features": "Schedule Maintenance",
        "/v2/device/{id}/reboot/{mode}": "Reboot Device",
        "updateDeviceMaintenance": "Schedule Maintenance",
        "ticket coment": "Add Ticket Comment",
        "list devices": "List Devices",
        "run script": "Run Script",
        "update ticket": "Update Ticket",
        "anti virus threats": "Report Antivirus Threats",
        "bitlocker volumes": "Report Volumes",
    }
    for words, first in looked_for.items():
        page.get_by_role("searchbox").fill(words)
        assert (words, shown(page)[0]) == (words, first)


def test_filters_narrow_and_count(visit: OpenVisit, root: str) -> None:
    page = visit(root).open()
    page.get_by_label("Host", exact=True).select_option("lhub")
    assert page.get_by_role("status").inner_text() == f"{len(DOCUMENTED)} actions"
    page.get_by_label("Effect", exact=True).select_option("read")
    page.get_by_label("Paging", exact=True).select_option("yes")
    assert shown(page) == ["List Devices"]
    page.get_by_label("Area", exact=True).select_option("reports")
    assert shown(page) == []
    assert address(page).endswith("?effect=read&area=reports&paging=yes&host=lhub")
    assert page.get_by_role("status").inner_text() == "No actions"
    page.get_by_role("button", name="Clear").click()
    page.get_by_text(f"{ALL} actions", exact=True).wait_for()


def test_an_address_with_filters_shows_them(visit: OpenVisit, root: str) -> None:
    page = visit(root).open("index.html?effect=destructive&area=devices")
    assert page.get_by_label("Effect", exact=True).input_value() == "destructive"
    assert "Decommission Device" in shown(page)
    assert set(page.locator(".cards li:visible").evaluate_all("all => all.map(one => one.className)")) == {
        "destructive"
    }


def test_the_keyboard_is_enough(visit: OpenVisit, root: str) -> None:
    page = visit(root).open()
    page.keyboard.press("/")
    page.keyboard.type("reboot")
    first, second = shown(page)[:2]
    focused = "document.activeElement.textContent"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == first
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == second
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/*.html")
    assert page.get_by_role("heading", level=1).inner_text() == first
    page.go_back()
    assert shown(page)[0] == first


def test_enter_opens_the_first_that_is_found(visit: OpenVisit) -> None:
    page = visit().open()
    page.keyboard.press("/")
    page.keyboard.type("reset alert with data")
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/reset_alert_with_data.html")


def test_without_scripts_it_is_a_plain_list(visit: OpenVisit, root: str) -> None:
    page = visit(root, java_script_enabled=False).open()
    assert len(shown(page)) == ALL
    assert page.get_by_role("searchbox").count() == 0
    page.get_by_role("link", name="Schedule Maintenance").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Schedule Maintenance"
    assert page.get_by_role("heading", name="LogicHub").is_visible()


def test_the_first_page_is_light(visit: OpenVisit) -> None:
    page = visit().open()
    page.wait_for_function(f"{LOADED}.some(entry => entry.name.endsWith('/static/find.js'))")
    page.wait_for_function(f"{LOADED}.length >= 8")
    assert page.evaluate(f"{LOADED}.every(entry => entry.decodedBodySize > 0)")
    assert page.evaluate(f"{LOADED}.reduce((sum, entry) => sum + entry.decodedBodySize, 0)") < MAX_BYTES


def test_the_first_page_can_be_used_within_a_second(visit: OpenVisit) -> None:
    """Counted is the browser's own time, which does not grow when the machine has other things to do."""
    site = visit()
    browser = site.page.context.new_cdp_session(site.page)
    browser.send("Performance.enable", {"timeDomain": "threadTicks"})
    page = site.open()
    assert page.evaluate("performance.getEntriesByName('usable').length") == 1
    metrics = {m["name"]: m["value"] for m in browser.send("Performance.getMetrics")["metrics"]}
    assert 0 < metrics["TaskDuration"] * 1000 < SOON_MS


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: OpenVisit) -> None:
    site = visit(viewport=PHONE, has_touch=True)
    page = site.open()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    site.keep("find-phone")
    page.get_by_role("searchbox").fill("maintenance")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_filter_by_service_shows_its_actions_alone(visit: OpenVisit, catalog: Catalog) -> None:
    page = visit().open()
    page.get_by_label("Service").select_option("ninjaone")
    count = len(catalog.names_of("ninjaone"))
    page.get_by_text(f"{count} actions", exact=True).wait_for()
    assert len(shown(page)) == count
    assert address(page).endswith("?service=ninjaone")
    page.reload()
    assert len(shown(page)) == count
    page.get_by_label("Area", exact=True).select_option("halopsa-tickets")
    assert page.get_by_role("status").inner_text() == "No actions"
