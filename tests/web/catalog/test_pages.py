"""The content of the pages and their files, without a browser."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from werkzeug.test import Client

from connector.authoring.checks import violations
from connector.catalog.catalog import Catalog
from connector.web.access import AccessControl
from connector.web.app import make_site
from connector.web.catalog.action_page import make_action_page
from connector.web.catalog.sandbox_answers import FILE, envelope_of
from connector.web.catalog.schema_tree import read_schema
from connector.web.render import STATIC, Renderer
from tests.declared import declare
from tests.web import make_answers

BASE = "http://127.0.0.1:8000"


class EnvelopePage(HTMLParser):
    """What a page holds: tags with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline = ""
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._within = tag

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style"):
            self.inline += data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._within = ""


def addresses(page: EnvelopePage) -> list[str]:
    return [a[name] for _, a in page.tags for name in ("href", "src", "action") if name in a]


@pytest.fixture(scope="module")
def files(exported: Path) -> dict[str, EnvelopePage]:
    return {p.relative_to(exported).as_posix(): EnvelopePage(p.read_text()) for p in exported.rglob("*.html")}


def test_no_page_has_a_script_or_a_style_in_it(files: dict[str, EnvelopePage]) -> None:
    for name, page in files.items():
        assert page.inline == "", name
        for tag, attributes in page.tags:
            assert "style" not in attributes, f"{name}: {tag}"
            assert not [a for a in attributes if a.startswith("on")], f"{name}: {tag}"


def test_every_address_is_relative_and_leads_somewhere(
    files: dict[str, EnvelopePage], exported: Path
) -> None:
    for name, page in files.items():
        ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
        for address in addresses(page):
            path, _, fragment = address.partition("#")
            assert not re.match(r"[a-z]+:|/", address), f"{name}: {address}"
            if path:
                assert ((exported / name).parent / path.partition("?")[0]).is_file(), f"{name}: {address}"
            else:
                assert fragment in ids, f"{name}: {address}"


def test_ids_are_there_once(files: dict[str, EnvelopePage]) -> None:
    for name, page in files.items():
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), name


def test_scripts_and_styles_name_no_other_address() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css"):
            text = path.read_text(encoding="utf-8")
            assert re.findall(r"https?://(?!www\.w3\.org/)\S+", text) == [], path.name
            assert "eval(" not in text, path.name


def test_the_vendored_library_is_what_was_fetched() -> None:
    for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_every_vendored_file_is_listed_and_has_its_licence() -> None:
    vendor = STATIC / "vendor"
    listed = {line.split()[1] for line in (vendor / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in vendor.iterdir()} - {"SHA256SUMS"}
    for name in listed:
        if name.endswith(".js"):
            assert "MIT" in (vendor / name).read_text()[:200]
            assert "Copyright" in (vendor / name).with_suffix(".LICENSE.txt").read_text()


def test_what_a_declaration_says_is_text(tmp_path: Path) -> None:
    harm = "<script>alert(1)</script>\"'"
    declare(
        tmp_path, title=harm, summary=harm, inputs={"x": {"title": harm, "to": "query.x", "enum": [harm]}}
    )
    catalog = Catalog(tmp_path / "actions")
    actions = list(catalog.actions())
    page = make_action_page(catalog, "probe", actions)
    shown = EnvelopePage(Renderer(served=True, csrf_token="t").page("action.html", "../", page=page))
    assert shown.inline == ""
    assert [tag for tag, _ in shown.tags].count("script") == 2


@pytest.fixture
def guest(catalog: Catalog) -> Client:
    access = AccessControl(make_site(catalog))
    client = Client(access)
    client.get("/", base_url=BASE, query_string={"token": access.token})
    return client


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/index.html", 200),
        ("/actions/list_devices.html", 200),
        ("/actions/no_such_action.html", 404),
        ("/nothing", 404),
        ("/static/style.css", 200),
        ("/static/search-index.js", 200),
        ("/static/vendor/minisearch.js", 200),
        ("/static/../app.py", 404),
        ("/static/..%2fapp.py", 404),
        ("/static//etc/passwd", 404),
        ("/static/vendor", 404),
    ],
)
def test_addresses(guest: Client, path: str, status: int) -> None:
    response = guest.get(path, base_url=BASE)
    assert response.status_code == status
    assert "def " not in response.text[:2000] or path.endswith(".html")


def test_a_served_page_is_an_exported_one_with_what_the_server_adds(guest: Client, exported: Path) -> None:
    served = guest.get("/actions/list_devices.html", base_url=BASE).text
    for line in (exported / "actions" / "list_devices.html").read_text().splitlines():
        assert line in served or "ninjaone-connector 2" in line


def test_a_wrong_declaration_is_said_and_not_a_failure(tmp_path: Path) -> None:
    declare(tmp_path)
    path = tmp_path / "actions" / "ninjaone" / "area" / "probe.yaml"
    path.write_text(path.read_text() + "unknown_key: 1\n")
    access = AccessControl(make_site(Catalog(tmp_path / "actions")))
    client = Client(access)
    client.get("/", base_url=BASE, query_string={"token": access.token})
    response = client.get("/", base_url=BASE)
    assert (response.status_code, "unknown_key" in response.text) == (500, True)


def test_answers_are_the_sandboxes_of_today(catalog: Catalog, tmp_path: Path) -> None:
    assert FILE.read_text() == make_answers.written(make_answers.make_answers(catalog, tmp_path)), (
        "run: make answers"
    )


def test_answers_are_what_the_declarations_promise(catalog: Catalog) -> None:
    for action in catalog.actions():
        envelope = envelope_of(action.name)
        assert envelope is not None
        assert violations({"$ref": "envelope.schema.json"}, envelope) == []
        if action.returns_json:
            assert violations(action.result, envelope["result"]) == [], action.name


def test_related_actions_are_about_the_same_thing(catalog: Catalog) -> None:
    actions = list(catalog.actions())
    related = [card.name for card in make_action_page(catalog, "update_organization", actions).related]
    assert {"create_organization", "get_organization", "list_organizations"} <= set(related[:4])
    assert "update_organization" not in related


def test_an_action_that_is_newer_than_the_published_api_says_so(catalog: Catalog) -> None:
    renderer, actions = Renderer(served=True, csrf_token="t"), list(catalog.actions())

    def shown(name: str) -> str:
        return renderer.page("action.html", "../", page=make_action_page(catalog, name, actions))

    assert "Newer than the API document" in shown("list_device_geolocation_history")
    assert "Newer than the API document" not in shown("list_devices")


def test_errors_are_those_that_an_action_can_give(catalog: Catalog) -> None:
    actions = list(catalog.actions())

    def codes(name: str) -> set[str]:
        return {failure.code for failure in make_action_page(catalog, name, actions).failures}

    assert {"outcome_unknown", "partial", "conflict"} <= codes("create_organization")
    assert "outcome_unknown" not in codes("schedule_maintenance")
    assert not {"outcome_unknown", "partial", "conflict"} & codes("list_devices")


def test_a_schema_that_holds_itself_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "vendor/Folder.json": {
            "properties": {"parent": {"$ref": "Folder.json"}, "owner": {"$ref": "User.json"}}
        },
        "vendor/User.json": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    }
    monkeypatch.setattr("connector.web.catalog.schema_tree.load_schema", files.__getitem__)
    folder = read_schema({"type": "array", "items": {"$ref": "vendor/Folder.json"}})
    parent, owner = folder.members
    assert (folder.title, parent.type, owner.title) == ("Folder", "Folder, as above", "User")
    assert [(member.name, member.required) for member in owner.members] == [("id", True)]


@pytest.mark.parametrize(
    ("schema", "type", "notes", "options"),
    [
        ({"type": "integer", "format": "int32", "minimum": 1}, "integer", ["at least 1"], []),
        ({"type": ["string", "null"], "maxLength": 5}, "string or null", ["at most 5 characters"], []),
        ({"type": "array", "items": {"enum": ["A", "B"]}}, "array of string", [], ["A", "B"]),
        ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
         "array of array of integer", [], []),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "string or integer", [], []),
        ({}, "any", [], []),
    ],
)  # fmt: skip
def test_schemas_in_words(schema: object, type: str, notes: list[str], options: list[str]) -> None:
    node = read_schema(schema)
    assert (node.type, list(node.notes), list(node.options)) == (type, notes, options)
