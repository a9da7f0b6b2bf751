"""The OpenAPI documents: valid, complete, selected, and without what importers cannot read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from connector.callers.keys import Rights
from connector.catalog.catalog import Catalog
from connector.serve.documents import MAX_DESCRIPTION_LENGTH
from connector.serve.settings import Settings
from tests.serve.web import Web, problem

PATHS = ("openapi.json", "openapi-3.0.json", "swagger.json", "power-automate.json")
ONE_TYPE = PATHS[1:]
META = {"openapi.json": "3.1", "openapi-3.0.json": "3.0", "swagger.json": "2.0", "power-automate.json": "2.0"}
DATA = Path(__file__).parent / "data"
"""The published schemas of OpenAPI documents (Apache License 2.0)."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("folders")
    return {"uploads": folder, "files": folder}


@pytest.fixture(scope="module")
def connections(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> tuple[str, ...]:
    """A connection of each service."""
    folder = tmp_path_factory.mktemp("connections")
    for name in catalog.services:
        (folder / f"{name}.yaml").write_text(f"service: {name}\nbase_url: https://example.com\n")
    return tuple(str(folder / f"{name}.yaml") for name in catalog.services)


@pytest.fixture(scope="module")
def documents(
    tmp_path_factory: pytest.TempPathFactory,
    catalog: Catalog,
    folders: dict[str, Path],
    connections: tuple[str, ...],
) -> dict[str, Any]:
    """All documents, of all actions."""
    web = Web(tmp_path_factory.mktemp("web"), catalog, connections=connections, **folders)
    return {path: web.get(f"/{path}").get_json() for path in PATHS}


def operations(document: Any) -> dict[str, Any]:
    return {path.removeprefix("/actions/"): methods["post"] for path, methods in document["paths"].items()}


def body(operation: Any) -> Any:
    if "requestBody" in operation:
        return operation["requestBody"]["content"]["application/json"]["schema"]
    return next(one["schema"] for one in operation["parameters"] if one.get("in") == "body")


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document, at any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from schemas(item)


@cache
def meta(version: str) -> Any:
    return json.loads((DATA / f"openapi-{version}.schema.json").read_text())


@pytest.mark.parametrize("path", PATHS)
def test_a_document_has_every_action(documents: dict[str, Any], path: str, catalog: Catalog) -> None:
    found = operations(documents[path])
    assert sorted(found) == catalog.names
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[A-Za-z0-9_]+", id) for id in ids)


@pytest.fixture(scope="module")
def share(request: pytest.FixtureRequest) -> int:
    """Every how many operations one is validated, which takes long; with --all, each one is."""
    return 1 if request.config.getoption("--all") else 5


@pytest.mark.parametrize("path", PATHS)
def test_a_document_is_valid(documents: dict[str, Any], path: str, share: int) -> None:
    document = {**documents[path], "paths": dict(list(documents[path]["paths"].items())[::share])}
    validator = Draft202012Validator if META[path] == "3.1" else Draft4Validator
    errors = validator(meta(META[path])).iter_errors(document)
    assert [f"{list(error.absolute_path)[:4]}: {error.message[:200]}" for error in errors] == []


@pytest.mark.parametrize("path", PATHS)
def test_every_reference_leads_somewhere(documents: dict[str, Any], path: str) -> None:
    document = documents[path]
    references = {one["$ref"] for one in schemas(document) if isinstance(one.get("$ref"), str)}
    assert bool(references) == (path != "power-automate.json")
    for reference in references:
        target = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
    arrays = [one for one in schemas(document) if "array" in (one.get("type") or ())]
    assert [one for one in arrays if "items" not in one] == []


def test_the_3_1_document_has_the_schema_of_the_library(
    documents: dict[str, Any], catalog: Catalog, share: int
) -> None:
    for name, operation in list(operations(documents["openapi.json"]).items())[::share]:
        found, described = body(operation), catalog.describe(name)
        assert found["properties"].keys() == described["properties"].keys()
        assert found.get("required", []) == described["required"]
        assert found["additionalProperties"] is False
        assert found.get("allOf") == described.get("allOf")
        Draft202012Validator.check_schema(found)


@pytest.mark.parametrize("path", ONE_TYPE)
def test_the_older_documents_have_one_type_and_no_unions(documents: dict[str, Any], path: str) -> None:
    for operation in operations(documents[path]).values():
        for one in schemas(body(operation)):
            assert not {"oneOf", "anyOf", "allOf", "if", "const", "$ref"} & one.keys()
            assert not isinstance(one.get("type"), list)


@pytest.mark.parametrize("path", PATHS)
def test_texts_suit_importers_with_limits(documents: dict[str, Any], path: str) -> None:
    for name, operation in operations(documents[path]).items():
        assert operation["summary"], name
        assert operation["description"].endswith(".")
        assert len(operation["description"]) <= MAX_DESCRIPTION_LENGTH
        for one in body(operation)["properties"].values():
            assert len(one.get("description", "")) <= 700


def test_the_power_automate_document_has_labels_and_pascal_case(documents: dict[str, Any]) -> None:
    document = documents["power-automate.json"]
    assert len(json.dumps(document)) < 1 << 20
    assert operations(document)["halopsa.list_clients"]["operationId"] == "HalopsaListClients"
    for name, operation in operations(document).items():
        assert re.fullmatch("([A-Z][a-z0-9]*)+", operation["operationId"]), name
        shown = [*operation["parameters"][:-1], *body(operation)["properties"].values()]
        for one in shown:
            assert one["x-ms-summary"]
            assert one["description"].endswith(".")
            assert one["x-ms-visibility"] in ("important", "advanced", "internal")
            assert "type" in one
        required = set(body(operation).get("required", ()))
        properties = body(operation)["properties"]
        important = {n for n, said in properties.items() if said["x-ms-visibility"] == "important"}
        assert important == required
        status = next(one for one in operation["parameters"] if one["name"] == "status")
        assert (status["default"], status["x-ms-visibility"]) == ("mirror", "internal")


def test_destructive_operations_require_the_confirmation(documents: dict[str, Any], catalog: Catalog) -> None:
    effects = {action.name: action.effect for action in catalog.actions()}
    for path in PATHS:
        components = documents[path].get("components", {}).get("parameters", {})
        for name, operation in operations(documents[path]).items():
            given = [
                components[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                for one in operation["parameters"]
            ]
            required = {one["name"] for one in given if one.get("required")}
            assert ("X-Confirm" in required) == (effects[name] == "destructive")
            assert ("Idempotency-Key" in {one["name"] for one in given}) == (effects[name] != "read")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, connections: tuple[str, ...]) -> Web:
    web = Web(tmp_path_factory.mktemp("reader"), catalog, connections=connections)
    web.key = web.keys.add("devices", Rights(("read", "write"), ("*device*",)), "2026-11-29")
    return web


@pytest.mark.parametrize(
    ("query", "selects"),
    [
        ("", lambda a: True),
        ("?effect=read", lambda a: a.effect == "read"),
        ("?areas=devices", lambda a: a.area == "devices"),
        (
            "?areas=ninjaone/devices,patches&effect=write",
            lambda a: a.area in ("devices", "patches") and a.effect == "write",
        ),
        ("?actions=get_device,update_device", lambda a: a.name in ("get_device", "update_device")),
        ("?areas=halopsa/tickets", lambda a: False),
    ],
)
def test_a_document_has_the_selected_actions_that_the_key_may_call(
    reader: Web, catalog: Catalog, query: str, selects: Any
) -> None:
    may = [a for a in catalog.actions() if "device" in a.name and a.effect != "destructive" and selects(a)]
    may = [a for a in may if not Settings().missing_folder(a)]
    found = reader.get(f"/openapi.json{query}").get_json()
    assert sorted(operations(found)) == sorted(a.name for a in may)
    tags = {tag for operation in operations(found).values() for tag in operation["tags"]}
    assert tags == {tag["name"] for tag in found["tags"]}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("area=devices", 'no parameter "area" (did you mean "areas"?)'),
        ("areas=device", 'areas: there is no "device" (did you mean "devices"?)'),
        ("effect=reed", 'effect: there is no "reed" (did you mean "read"?)'),
        ("actions=get_devise", 'actions: there is no "get_devise" (did you mean "get_device"?)'),
        ("names=x", '"names" must be 1 or 0'),
    ],
)
def test_a_wrong_selection_is_refused(reader: Web, query: str, said: str) -> None:
    assert said in problem(reader.get(f"/swagger.json?{query}"), 400)


def test_names_make_ids_texts_and_are_asked_for_in_each_request(reader: Web) -> None:
    plain, named = (
        operations(reader.get(f"/openapi-3.0.json?actions=get_device{more}").get_json())["get_device"]
        for more in ("", "&names=1")
    )
    assert body(plain)["properties"]["device_id"]["type"] == "integer"
    assert body(named)["properties"]["device_id"]["type"] == "string"
    assert "minimum" not in body(named)["properties"]["device_id"]
    assert {"$ref": "#/components/parameters/names"} in named["parameters"]
    assert {"$ref": "#/components/parameters/names"} not in plain["parameters"]


def test_a_document_has_only_services_with_a_connection(
    tmp_path: Path, catalog: Catalog, connections: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [Path(path).stem for path in connections]

    def services(**options: Any) -> Iterator[set[str]]:
        web = Web(tmp_path / str(len(list(tmp_path.iterdir()))), catalog, **options)
        limited = web.keys.add("limited", Rights(connections=connections[1:]), "2026-11-29")
        for key in (web.key, limited):
            found = operations(web.get("/openapi.json?effect=read", key).get_json())
            yield {catalog.action(name).service for name in found}

    assert list(services(connections=connections[:1])) == [{names[0]}, set()]
    assert list(services()) == [set(), {names[1]}]
    monkeypatch.setenv("HALOPSA_BASE_URL", "https://example.com")
    assert list(services()) == [{"halopsa"}, {names[1]}]


def test_the_address_is_that_of_the_request_or_of_the_proxy(reader: Web) -> None:
    headers = {"Authorization": f"Bearer {reader.key}", "Host": "actions.example.com"}
    for scheme in ("http", "https"):
        response = reader.client.get(
            "/openapi.json?actions=get_device", headers=headers, base_url=f"{scheme}://actions.example.com"
        )
        assert response.get_json()["servers"] == [{"url": f"{scheme}://actions.example.com"}]
    swagger = reader.client.get("/swagger.json?actions=get_device", headers=headers).get_json()
    assert swagger["host"] == "actions.example.com"
    for host, said in (("a.example, api.example:8443", "api.example:8443"), ("a/b", "actions.example.com")):
        proxied = {**headers, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
        document = reader.client.get("/openapi.json?actions=get_device", headers=proxied).get_json()
        assert document["servers"] == [{"url": f"https://{said}"}]
