"""Runs from pages of two services: each uses the sandbox of its own service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.catalog.catalog import Catalog
from tests.web.guest import Guest, open_site


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


def test_each_run_uses_the_sandbox_of_its_service(guest: Guest) -> None:
    control = guest.site.control
    mine = guest.run("halopsa.list_clients", '{"n": 2}', {"limit": "{{ n }}"})
    page = guest.wait(mine)
    assert "Clients" in page
    assert '<dd class="good">1</dd>' in page, page
    assert control.sandbox_url("ninjaone") == ""
    other = guest.wait(guest.run("list_organizations", '{"n": 2}', {"limit": "{{ n }}"}))
    assert '<dd class="good">1</dd>' in other, other
    asked = {n: {r["path"] for r in control.sandbox(n).log.requests()} for n in ("ninjaone", "halopsa")}
    assert asked == {"ninjaone": {"/v2/organizations"}, "halopsa": {"/api/Client"}}
    assert all("on the sandbox" in shown for shown in (page, other))


def test_a_change_may_be_tried_in_the_sandbox_without_being_asked(guest: Guest) -> None:
    rows = '{"name": "Acme"}'
    id = guest.run("halopsa.create_client", rows, {"name": "{{ name }}", "toplevel_id": "1"})
    assert '<dd class="good">1</dd>' in guest.wait(id)
