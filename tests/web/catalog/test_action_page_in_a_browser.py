"""An action's page in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from tests.web.conftest import PHONE, OpenVisit

SOME = ("schedule_maintenance", "create_ticket", "list_devices_detailed", "delete_organization_document")


def test_the_page_says_what_the_action_is(visit: OpenVisit, root: str) -> None:
    site = visit(root)
    page = site.open("actions/schedule_maintenance.html")
    text = page.locator("main").inner_text()
    for message in (
        "Schedule a maintenance window for a device",
        "Changes data in NinjaOne",
        "Safe to repeat",
        "PUT /v2/device/{id}/maintenance",
        "disabledFeatures",
        "AVSCANS",
        "input_invalid",
        "Cancel Maintenance",
    ):
        assert message in text
    site.keep("understand")
    page.get_by_role("link", name="Cancel Maintenance").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Cancel Maintenance"
    page.get_by_label("Breadcrumb").get_by_role("link", name="Devices").click()
    page.wait_for_url("**/index.html?area=devices")


def test_what_is_copied_is_what_stands_there(visit: OpenVisit, root: str) -> None:
    site = visit(root)
    site.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = site.open("actions/schedule_maintenance.html")
    page.get_by_role("tab", name="curl").click()
    figure = page.get_by_role("tabpanel", name="curl").locator("figure")
    figure.get_by_role("button", name="Copy").click()
    page.locator("#status", has_text="Copied").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == figure.locator("code").inner_text()


def test_the_chosen_way_is_remembered_and_the_arrows_move(visit: OpenVisit) -> None:
    site = visit()
    page = site.open("actions/schedule_maintenance.html")
    page.get_by_role("tab", name="Command line").press("ArrowRight")
    assert page.get_by_role("tab", name="Job file").evaluate("tab => tab === document.activeElement")
    assert page.get_by_role("tabpanel").count() == 1
    site.open("actions/reboot_device.html")
    assert page.get_by_role("tab", name="Job file", selected=True).count() == 1


def test_a_way_to_use_it_has_an_address(visit: OpenVisit, root: str) -> None:
    site = visit(root)
    page = site.open("actions/create_organization.html")
    page.get_by_role("tab", name="curl").first.click()
    assert page.url.endswith("create_organization.html#curl-1")
    other = visit(root).open("actions/create_organization.html#python-2")
    assert other.get_by_role("tab", name="Python", selected=True).count() == 1
    assert other.locator("#python-2").is_visible()


def test_the_theme_is_the_systems_until_one_is_chosen(visit: OpenVisit, root: str) -> None:
    site = visit(root, color_scheme="dark")
    page = site.open()
    back = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(back)
    site.keep("find-dark")
    page.get_by_role("button", name="Theme: auto").click()
    assert page.get_by_role("button", name="Theme: light").count() == 1
    light = page.evaluate(back)
    assert (light, dark != light) == ("rgb(255, 255, 255)", True)
    site.open("actions/schedule_maintenance.html")
    assert page.evaluate(back) == light
    page.get_by_role("button", name="Theme: light").click()
    assert page.evaluate(back) == dark


def widest(page: Any) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: OpenVisit, catalog: Catalog) -> None:
    site = visit(viewport=PHONE)
    for name in ("schedule_maintenance", "create_ticket", "list_devices_detailed"):
        assert widest(site.open(f"actions/{name}.html")) <= PHONE["width"], name
    site.keep("understand-phone", full_page=True)


@pytest.mark.slow
def test_no_page_is_wider_than_a_phone(visit: OpenVisit, catalog: Catalog) -> None:
    site = visit(viewport=PHONE)
    wide = [name for name in catalog.names if widest(site.open(f"actions/{name}.html")) > PHONE["width"]]
    assert wide == []
