"""The pages of a catalog with several services: each page names the service that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.exceptions import NotFound

from connector.catalog.catalog import Catalog
from connector.connections.saved import SavedConnections
from connector.hosts.lhub_build import build
from connector.web.catalog.index_page import make_index
from connector.web.catalog.snippets import snippets
from connector.web.export import pages
from tests.toy import declare_toy
from tests.web.guest import Guest, open_site

TRY = "/actions/toy.create_ticket/try"
ROWS = '{"what": "Ear"}'
TEMPLATES = {"subject": "{{ what }}"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalog and the toy service."""
    return Catalog(own=declare_toy(tmp_path_factory.mktemp("own")))


@pytest.fixture
def guest(both: Catalog) -> Iterator[Guest]:
    with open_site(both) as guest:
        yield guest


def test_the_first_page_lists_each_services_areas(both: Catalog) -> None:
    index = make_index(both.actions(), both.all_services())
    assert index.services["toy"] == ("Toy Desk", 2)
    assert index.services["ninjaone"][0] == "NinjaOne"
    assert sum(count for _, count in index.services.values()) == index.count == len(both.names)
    (desk,) = (area for area in index.areas if area.service == "toy")
    assert (desk.name, desk.title) == ("toy-desk", "Toy Desk: Desk")
    names = [area.name for area in index.areas]
    assert len(set(names)) == len(names)
    assert index.areas[0].service == "ninjaone"


def test_the_first_page_filters_by_service(guest: Guest, catalog: Catalog) -> None:
    page = guest.get("/").text
    assert '<option value="toy">Toy Desk (2)</option>' in page
    assert 'data-area="toy-desk" data-service="toy"' in page
    assert 'href="actions/toy.create_ticket.html"' in page
    one = make_index(catalog.actions("ninjaone"), [catalog.service("ninjaone")])
    alone = guest.site.renderer.page("index.html", "", index=one)
    assert 'id="service"' not in alone
    assert "for everything in NinjaOne" in alone


def test_an_actions_page_names_its_service(guest: Guest) -> None:
    page = guest.get("/actions/toy.create_ticket.html").text
    assert "Changes data in Toy Desk" in page
    assert "Check in Toy Desk whether it took effect" in page
    assert "index.html?area=toy-desk" in page
    assert "ninjaone connection test --service toy" in page
    assert "Changes data in NinjaOne" in guest.get("/actions/create_ticket.html").text
    assert "actions/create_ticket.html" not in page.split("<main")[1]  # of another service, not related
    assert guest.get("/actions/list_toys.html").status_code == NotFound.code


def test_snippets_use_the_services_own_names(both: Catalog) -> None:
    action = both.action("toy.create_ticket")
    texts = {
        snippet.key: snippet.note + "".join(block.text for block in snippet.blocks)
        for snippet in snippets(action, action.examples[0], both.service("toy"))
    }
    assert "ninjaone call toy.create_ticket" in texts["call"]
    assert "your default connection of Toy Desk" in texts["call"]
    assert "Set TOY_BASE_URL and TOY_TOKEN first." in texts["curl"]
    assert '"$TOY_BASE_URL/api/tickets"' in texts["curl"]
    assert "host lhub build toy-integration --actions toy.create_ticket" in texts["lhub"]
    assert "NINJA" not in "".join(texts.values())


@pytest.mark.slow
def test_an_export_has_a_page_for_each_of_two_of_one_name(both: Catalog) -> None:
    written = dict(pages(both))
    assert b"Toy Desk" in written["actions/toy.create_ticket.html"]
    assert b"Toy Desk" not in written["actions/create_ticket.html"]


def test_a_service_without_a_sandbox_asks_for_a_connection(guest: Guest) -> None:
    assert '<option value="">choose a connection</option>' in guest.get(TRY).text
    other = guest.get("/actions/create_ticket/try").text
    assert '<option value="">the sandbox, a local mock NinjaOne server</option>' in other
    form = guest.form("toy.create_ticket", ROWS, TEMPLATES)
    previewed = guest.post("/actions/toy.create_ticket/preview", form).get_json()
    assert previewed["faults"] == {"connection": "Toy Desk has no sandbox: choose a connection"}
    response = guest.post("/actions/toy.create_ticket/run", form)
    assert (response.status_code, "Toy Desk has no sandbox" in response.text) == (400, True)


def test_a_form_offers_the_connections_of_its_service(guest: Guest) -> None:
    saved = SavedConnections()
    saved.save("bear", {"service": "toy", "base_url": "https://toys.example.com", "client_id": "bear"})
    saved.save("acme", {"service": "ninjaone", "region": "eu", "client_id": "acme"})
    page, other = guest.get(TRY).text, guest.get("/actions/create_ticket/try").text
    assert ('value="bear"' in page, 'value="acme"' in page) == (True, False)
    assert ('value="bear"' in other, 'value="acme"' in other) == (False, True)


def test_each_sandbox_is_of_its_own_service(guest: Guest) -> None:
    control = guest.site.control
    one, other = control.sandbox("ninjaone"), control.sandbox("halopsa")
    assert (control.sandbox("ninjaone"), control.sandbox("halopsa")) == (one, other)
    assert one.base_url != other.base_url == control.sandbox_url("halopsa")
    control.close()
    assert control.sandbox_url("halopsa") == ""


def test_a_build_for_logichub_is_of_one_service(both: Catalog, tmp_path: Path) -> None:
    build(tmp_path / "toy", ["toy.create_ticket", "toy.list_toys"], both)
    module = (tmp_path / "toy/main.py").read_text()
    assert "name: Toy Desk" in module
    assert 'Integration("toy")' in module
    assert "def create_ticket(" in module
    assert '        "list_toys",' in module
    assert "NinjaOne" not in module.replace("ninjaone", "")
