"""Documents with references and with repeated schemas, in JSON and YAML, mean the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector.authoring.drift import Drift, find_drift
from connector.authoring.openapi_document import read_document
from connector.authoring.openapi_facts import published_facts
from connector.authoring.openapi_names import KnownApi, known_api, with_known_names
from connector.authoring.openapi_schemas import resource_schemas
from connector.authoring.scaffold import draft
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.errors import RunError
from tests.authoring.documents import SCHEMAS, as_yaml, built, inlined
from tests.conftest import SHARED

PUBLISHED = SHARED / "api" / "ninjaone-openapi.json"
FORMS: dict[str, Callable[[Any], str]] = {
    "references.json": json.dumps,
    "inlined.json": lambda document: json.dumps(inlined(document)),
    "references.yaml": as_yaml,
    "inlined.yaml": lambda document: as_yaml(inlined(document)),
}


SOME_FORMS = [
    pytest.param(form, marks=() if form in ("references.json", "inlined.yaml") else pytest.mark.slow)
    for form in FORMS
]
"""The two forms that have the least in common, and with `--all` the others."""


@pytest.fixture(scope="module")
def known() -> KnownApi:
    return known_api("ninjaone")


@pytest.fixture(scope="module", params=["built", pytest.param("published", marks=pytest.mark.slow)])
def document(request: pytest.FixtureRequest, known: KnownApi) -> Any:
    """The vendor's document: generated from the facts, and the original if it is available."""
    if request.param == "built":
        return built(known)
    if not PUBLISHED.exists():
        pytest.skip("the published document is not available")
    return json.loads(PUBLISHED.read_text("utf-8"))


@pytest.fixture(scope="module")
def forms(document: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Return a function that returns the document in a form, read from a file once."""
    folder = tmp_path_factory.mktemp("forms")
    return cache(lambda form: read(document, form, folder))


def read(document: Any, form: str, folder: Path) -> Any:
    path = folder / form
    path.write_text(FORMS[form](document), "utf-8")
    return read_document(str(path))


def drift(document: Any, known: KnownApi, catalog: Catalog, service: Service) -> Drift:
    return find_drift(document, known, list(catalog.actions()), service)


@pytest.mark.parametrize("form", SOME_FORMS)
def test_no_form_of_the_same_document_differs(
    forms: Callable[[str], Any], known: KnownApi, catalog: Catalog, service: Service, form: str
) -> None:
    document = forms(form)
    references = json.dumps(document["paths"]).count("$ref")
    assert references > 100 if form.startswith("references") else references < 10
    assert drift(document, known, catalog, service) == Drift()
    assert published_facts(with_known_names(document, known)) == known.operations


def change_everything(document: Any) -> None:
    """Change a document as the next version of an API might."""
    schemas, paths = document["components"]["schemas"], document["paths"]
    schemas["Organization"]["properties"]["region"] = {"type": "string"}
    schemas["Location"]["properties"]["id"]["format"] = "int64"
    del schemas["Alert"]["properties"]["subject"]
    schemas["AlertCount"] = {"type": "object", "properties": {"count": {"type": "integer"}}}
    del paths["/v2/device/{id}/maintenance"]["delete"]
    paths["/v2/ticketing/ticket"]["post"]["requestBody"].pop("required")
    paths["/v2/organizations"]["post"]["requestBody"]["required"] = True
    devices = paths["/v2/devices"]["get"]["parameters"]
    devices.remove(next(parameter for parameter in devices if parameter["name"] == "df"))
    content = {"application/json": {"schema": {"type": "array", "items": {"$ref": SCHEMAS + "Organization"}}}}
    new = {"operationId": "getArchive", "tags": ["new"], "responses": {"200": {"content": content}}}
    paths["/v2/archive"] = {"get": new}
    alerts = paths["/v2/alerts"]["get"]["responses"]
    alerts["default"] = {"content": {"application/json": {"schema": {"$ref": SCHEMAS + "AlertCount"}}}}


@pytest.mark.parametrize("form", SOME_FORMS[1:])
@pytest.mark.slow
def test_every_form_reports_the_same_changes(
    document: Any, known: KnownApi, catalog: Catalog, service: Service, tmp_path: Path, form: str
) -> None:
    changed = copy.deepcopy(document)
    change_everything(changed)
    first = drift(read(changed, "references.json", tmp_path), known, catalog, service)
    assert drift(read(changed, form, tmp_path), known, catalog, service) == first
    assert first.added == ["getArchive (GET /v2/archive)"]
    assert first.removed == ["cancelDeviceMaintenance (DELETE /v2/device/{id}/maintenance)"]
    assert {name: [str(change) for change in changes] for name, changes in first.resources.items()} == {
        "Alert": ['subject: removed, was {"type": "string"}'],
        "Location": ["id.format: changed from int32 to int64"],
        "Organization": ['region: added, {"type": "string"}'],
    }
    message = {name: [str(change) for change in changes] for name, changes in first.changed.items()}
    assert message["create_1"] == ["required_body: removed, was true"]
    assert message["createOrganization"] == ["required_body: added, true"]
    assert message["getAlerts"] == [
        "result.type: changed from array to object",
        'result.items: removed, was {"$ref": "Alert"}',
    ]
    assert message.keys() == {"create_1", "createOrganization", "getAlerts", "getDevices"}
    contradicted = {problem.partition(":")[0] for problem in first.actions}
    assert contradicted == {"cancel_maintenance", "list_alerts", "list_devices"}


PAGED = {
    "getDevices": "after",
    "getActivities": "activities",
    "getOperatingSystems": "cursor",
    "getTicketsByBoard": "last_cursor_id",
    "getAllNodeAttributes": "cursor_name",
    "getTicketLogEntriesByTicketId": "anchor_id",
    "getAllUserAndContacts": "anchor_natural_id",
    "search": "limit",
}
OTHERS = ["createComment", "update_1", "getDeviceLink", "uploadTempAttachments", "deleteTags"]
QUICK = ("getDevices", "update_1")
"""The operations that are also drafted without `--all`: one with pages, one with a body."""


@pytest.mark.parametrize(
    "operation",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in (*PAGED, *OTHERS)],
)
@pytest.mark.parametrize("form", SOME_FORMS[1:])
def test_every_form_gives_the_same_draft(
    forms: Callable[[str], Any], service: Service, operation: str, form: str
) -> None:
    made = draft(forms("references.json"), operation, service)
    assert draft(forms(form), operation, service) == made
    assert made.doubts == ()
    assert f"paging: {PAGED[operation]}" in made.text if operation in PAGED else "paging" not in made.text


def response(schema: Any) -> Any:
    return {"200": {"content": {"application/json": {"schema": schema}}}}


def get(name: str, schema: Any, **more: Any) -> Any:
    return {"get": {"operationId": name, "responses": response(schema), **more}}


def text(*names: str) -> Any:
    return {name: {"type": "string"} for name in names}


FOLDER = {
    "type": "object",
    "properties": {
        **text("name", "path"),
        "folders": {"type": "array", "items": {"$ref": SCHEMAS + "Folder"}},
        "owner": {"$ref": SCHEMAS + "User"},
    },
}
USER = {"type": "object", "properties": text("name", "email")}
SMALL: Any = {
    "openapi": "3.0.1",
    "info": {"version": "1"},
    "paths": {
        "/folder": {
            **get("getFolder", {"$ref": SCHEMAS + "Folder"}),
            "put": {
                "operationId": "putFolder",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": SCHEMAS + "Folder"}}}},
                "responses": {},
            },
        },
        "/folders": get("getFolders", {"type": "array", "items": {"$ref": SCHEMAS + "Folder"}}),
        "/user": get("getUser", {"$ref": SCHEMAS + "User"}),
    },
    "components": {"schemas": {"Folder": FOLDER, "User": USER}},
}


def known_of(document: Any) -> KnownApi:
    return KnownApi(published_facts(document), resource_schemas(document, "ninjaone"))


def small(change: Any = None) -> Any:
    document = copy.deepcopy(SMALL)
    if change:
        change(document)
    return document


def found_in(document: Any, service: Service) -> dict[str, Any]:
    found = find_drift(document, known_of(SMALL), [], service)
    return {name: value for name, value in found.described().items() if value and name != "missing"}


def repeated(document: Any, times: int) -> Any:
    """Return the document with references replaced by schemas to this depth, also recursive ones."""

    def expanded(value: Any, left: int) -> Any:
        if isinstance(value, list):
            return [expanded(item, left) for item in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            name = value["$ref"].rpartition("/")[2]
            return expanded(document["components"]["schemas"][name], left - 1) if left else value
        return {key: expanded(item, left) for key, item in value.items()}

    return {**document, "paths": expanded(document["paths"], times)}


@pytest.mark.parametrize("times", [0, 1, 2, 3, 6])
def test_a_schema_inside_itself_is_the_same_at_any_depth(service: Service, times: int) -> None:
    assert found_in(repeated(small(), times), service) == {}

    def change(document: Any) -> None:
        document["components"]["schemas"]["Folder"]["properties"]["size"] = {"type": "integer"}

    found = found_in(repeated(small(change), times), service)
    assert {name: [c["where"] for c in changes] for name, changes in found["resources"].items()} == {
        "Folder": ["size"]
    }
    assert list(found["changed"]) == ["putFolder"]
    assert len(found) == 2


def test_a_resource_that_differs_at_one_place_is_a_change_of_that_operation(service: Service) -> None:
    document = inlined(SMALL)
    schema = document["paths"]["/folder"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["name"] = {"type": "integer"}
    assert list(found_in(document, service)) == ["changed"]
    assert list(found_in(document, service)["changed"]) == ["getFolder"]


def test_a_place_may_add_what_belongs_to_itself(service: Service) -> None:
    document = inlined(SMALL)
    schema = document["paths"]["/folder"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["owner"] |= {"nullable": True, "description": "Prose.", "readOnly": True}
    assert found_in(document, service) == {}


def test_another_resource_in_a_resources_place(service: Service) -> None:
    def change(document: Any) -> None:
        document["paths"]["/user"] = get("getUser", {"$ref": SCHEMAS + "Folder"})

    for document in (small(change), inlined(small(change))):
        changed = {c["where"]: c for c in found_in(document, service)["changed"]["getUser"]}
        assert (changed["result.$ref"]["was"], changed["result.$ref"]["now"]) == ("User", "Folder")


def test_a_schema_that_extends_another_is_all_of_its_members(service: Service) -> None:
    base = {"type": "object", "required": ["name"], "properties": text("name")}
    extended = {"allOf": [{"$ref": SCHEMAS + "Base"}, {"required": ["path"], "properties": text("path")}]}
    merged = {"type": "object", "required": ["name", "path"], "properties": text("name", "path")}

    def change(schema: Any) -> Any:
        document = {**small(), "paths": {"/folder": get("getFolder", {"$ref": SCHEMAS + "Folder"})}}
        return {**document, "components": {"schemas": {"Folder": schema, "Base": base}}}

    known = known_of(change(extended))
    for document in (change(extended), change(merged), inlined(change(extended)), inlined(change(merged))):
        assert find_drift(document, known, [], service) == Drift(missing=["getFolder (GET /folder)"])
    longer = change({**merged, "properties": text("name", "path", "size")})
    assert list(find_drift(longer, known, [], service).resources) == ["Folder"]


def test_parameters_bodies_responses_and_paths_may_be_references(service: Service) -> None:
    document = small()
    item = document["paths"]["/folder"]
    document["components"] |= {
        "requestBodies": {"Folder": item["put"]["requestBody"]},
        "responses": {"Folder": item["get"]["responses"]["200"]},
        "x-paths": {"/folder": dict(item)},
    }
    item["put"]["requestBody"] = {"$ref": "#/components/requestBodies/Folder"}
    item["get"]["responses"]["200"] = {"$ref": "#/components/responses/Folder"}
    document["paths"]["/folder"] = {"$ref": "#/components/x-paths/~1folder"}
    assert found_in(document, service) == {}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "#/components/schemas/Gone",
            'the document refers to "#/components/schemas/Gone", which does not exist in the document',
        ),
        ("other.json#/Folder", '"other.json#/Folder" in another document; bundle both documents into one'),
        (SCHEMAS + "Loop", f'reference "{SCHEMAS}Loop" refers to itself'),
    ],
)
def test_a_reference_that_cannot_be_followed(service: Service, reference: str, message: str) -> None:
    document = small()
    document["components"]["schemas"]["Loop"] = {"$ref": SCHEMAS + "Loop"}
    document["paths"]["/user"] = get("getUser", {"$ref": reference})
    with pytest.raises(RunError) as error:
        found_in(document, service)
    assert message in str(error.value)


def test_yaml_keys_and_words_are_what_json_would_have(tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(
        "openapi: 3.0.1\n"
        "paths:\n"
        "  /things:\n"
        "    get:\n"
        "      operationId: getThings\n"
        "      parameters:\n"
        "        - {name: on, in: query, schema: {type: string, enum: [yes, no, 2026-01-01, off]}}\n"
        "      responses: {200: {content: {application/json: {schema: {type: array, items: {}}}}}}\n",
        "utf-8",
    )
    facts = published_facts(read_document(str(path)))["getThings"]
    assert facts["parameters"]["on"]["enum"] == ["yes", "no", "2026-01-01", "off"]
    assert facts["result"] == {"type": "array", "items": {}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("openapi: 3.0.1\nopenapi: 3.0.1\n", 'line 2: the key "openapi"'),
        ("a: [\n", "line 2: "),
        ("<html></html>", "not an OpenAPI 3 document, but text"),
        ("swagger: '2.0'\npaths: {}\n", "not an OpenAPI 3 document"),
        ('{"openapi": "3.0.1", "paths": {}', "not JSON"),
    ],
)
def test_what_is_no_document(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "document"
    path.write_text(content, "utf-8")
    with pytest.raises(RunError) as error:
        read_document(str(path))
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


PAGE = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("after", "pageSize")]


def test_a_list_that_no_pager_fits_is_not_drafted_in_silence(service: Service) -> None:
    members = {"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "string"}}}}
    document = small()
    document["paths"]["/rows"] = get("getRows", members, parameters=PAGE)
    found = draft(document, "getRows", service)
    doubt = (
        "The operation has the parameters after, pageSize, but no pager of ninjaone fits it: "
        "the result may be only the first page."
    )
    assert found.doubts == (doubt,)
    assert found.text.startswith(f"# TODO {doubt}\nname: get_rows\n")
    assert "paging:" not in found.text


def test_a_body_that_cannot_be_declared_is_not_left_out_in_silence(service: Service) -> None:
    document = small()
    document["paths"]["/folder"]["put"]["requestBody"] = {
        "content": {"text/csv": {"schema": {"type": "string"}}}
    }
    assert draft(document, "putFolder", service).doubts == (
        "The body of the request is text/csv, which requires a handler.",
    )


def test_a_list_that_is_paged_now_contradicts_an_action_without_a_pager(
    known: KnownApi, catalog: Catalog, service: Service
) -> None:
    document = built(known)
    document["paths"]["/v2/policies"]["get"]["parameters"] += PAGE
    found = find_drift(document, known, [catalog.action("list_policies")], service)
    assert found.actions == ["list_policies: the operation returns a paged list; add `paging: after`"]


def test_a_required_body_contradicts_an_action_that_may_send_none(
    known: KnownApi, catalog: Catalog, service: Service
) -> None:
    document = built(known)
    action = catalog.action("reboot_device")
    document["paths"][action.path]["post"]["requestBody"]["required"] = True
    assert find_drift(document, known, [action], service).actions == []  # it always sends its members
    document["paths"]["/v2/device/{id}/maintenance"]["delete"]["requestBody"] = {
        "required": True,
        "content": {},
    }
    found = find_drift(document, known, [catalog.action("cancel_maintenance")], service)
    assert found.actions == ["cancel_maintenance: the document requires a body"]
