"""What `catalog drift` finds between two documents, one change at a time."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from connector.authoring.drift import Change, Drift, differences, find_drift
from connector.authoring.openapi_facts import published_facts
from connector.authoring.openapi_names import KnownApi
from connector.authoring.openapi_schemas import resource_schemas
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service

THING: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "kind": {"type": "string", "enum": ["A", "B"]},
        "owner": {"type": "object", "properties": {"id": {"type": "integer", "format": "int32"}}},
    },
}
# One of its members has the name of a schema keyword.
LISTED = {"items": {"type": "array", "items": {"type": "string"}}}
BODY = {**THING, "properties": {**copy.deepcopy(THING["properties"]), **LISTED}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "paths": {
        "/things": {
            "post": {
                "operationId": "createThing",
                "parameters": [{"name": "notify", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {"content": {"application/json": {"schema": BODY}}},
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                    }
                },
            }
        },
    },
    "components": {"schemas": {"Thing": THING, "Other": {"type": "object"}}},
}


def drift(change: Any, service: Service) -> Drift:
    """Return the drift after `change` was applied to the document."""
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return find_drift(document, known(service), [], service)


def known(service: Service) -> KnownApi:
    return KnownApi(published_facts(DOCUMENT), resource_schemas(DOCUMENT, service.name))


def operation(document: Any) -> Any:
    return document["paths"]["/things"]["post"]


def body(document: Any) -> Any:
    return operation(document)["requestBody"]["content"]["application/json"]["schema"]


def answer(document: Any) -> Any:
    return operation(document)["responses"]["200"]["content"]["application/json"]


def new_parameter(document: Any) -> None:
    operation(document)["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}})


IN_BODY = "body.application/json"
CHANGES = [
    (new_parameter, "parameters.q: added"),
    (lambda d: operation(d)["parameters"].clear(), "parameters.notify: removed"),
    (
        lambda d: operation(d)["parameters"][0].update(required=True),
        "notify.required: changed from false to true",
    ),
    (
        lambda d: operation(d)["parameters"][0]["schema"].update(type="string"),
        "parameters.notify.type: changed from boolean to string",
    ),
    (
        lambda d: body(d)["properties"].update(size={"type": "integer"}),
        IN_BODY + '.size: added, {"type": "integer"}',
    ),
    (lambda d: body(d)["properties"].pop("kind"), IN_BODY + ".kind: removed"),
    (lambda d: body(d)["properties"]["kind"]["enum"].append("C"), IN_BODY + '.kind.enum: added, ["C"]'),
    (lambda d: body(d)["properties"]["kind"]["enum"].remove("A"), '.kind.enum: removed, was ["A"]'),
    (lambda d: body(d)["required"].append("kind"), IN_BODY + '.required: added, ["kind"]'),
    (lambda d: body(d).pop("required"), IN_BODY + '.required: removed, was ["name"]'),
    (
        lambda d: body(d)["properties"]["name"].update(maxLength=10),
        IN_BODY + ".name.maxLength: changed from 40 to 10",
    ),
    (
        lambda d: body(d)["properties"]["owner"]["properties"]["id"].update(format="int64"),
        IN_BODY + ".owner.id.format: changed from int32 to int64",
    ),
    (
        lambda d: body(d)["properties"]["items"]["items"].update(type="number"),
        IN_BODY + ".items.[].type: changed from string to number",
    ),
    (lambda d: body(d).pop("properties"), IN_BODY + ".properties: removed"),
    (lambda d: operation(d).pop("requestBody"), "body.application/json: removed"),
    (lambda d: answer(d).pop("schema"), 'result: changed from {"$ref": "Thing"} to {}'),
    (
        lambda d: operation(d)["responses"]["200"].pop("content"),
        'result: changed from {"$ref": "Thing"} to none',
    ),
    (
        lambda d: answer(d).update(schema={"$ref": "#/components/schemas/Other"}),
        'result: changed from {"$ref": "Thing"} to {"type": "object"}',
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_a_changed_operation(service: Service, change: Any, message: str) -> None:
    found = drift(change, service)
    assert found
    assert (found.added, found.removed, list(found.changed)) == ([], [], ["createThing"])
    (changed,) = map(str, found.changed["createThing"])
    assert message in changed


def test_nothing_changed_but_prose_and_order(service: Service) -> None:
    def change(document: Any) -> None:
        body(document)["description"] = "Other prose."
        body(document)["properties"]["kind"]["enum"].reverse()

    found = drift(change, service)
    assert found.missing == ["createThing (POST /things)"]
    assert found == Drift(missing=found.missing)


def test_an_operation_added_and_one_removed(service: Service) -> None:
    def change(document: Any) -> None:
        document["paths"]["/others"] = {"get": {"operationId": "getOthers", "responses": {}}}
        del document["paths"]["/things"]

    found = drift(change, service)
    assert (found.added, found.removed) == (["getOthers (GET /others)"], ["createThing (POST /things)"])
    assert found.changed == {}


def test_a_moved_operation(service: Service) -> None:
    def change(document: Any) -> None:
        document["paths"]["/items"] = document["paths"].pop("/things")

    assert drift(change, service).changed == {"createThing": [Change("path", "/things", "/items")]}


def test_a_changed_resource(service: Service) -> None:
    def change(document: Any) -> None:
        document["components"]["schemas"]["Thing"]["properties"]["size"] = {"type": "integer"}
        document["components"]["schemas"]["Thing"]["properties"]["kind"]["enum"].append("C")

    found = drift(change, service)
    assert found.changed == {}
    assert {str(change) for change in found.resources["Thing"]} == {
        'size: added, {"type": "integer"}',
        'kind.x-enum: added, ["C"]',
    }


def test_what_was_corrected_by_hand_is_no_drift(service: Service) -> None:
    resources = resource_schemas(DOCUMENT, service.name)
    ours = {**resources, "Thing": {**resources["Thing"], "required": [], "x-corrected": ["required"]}}
    corrected = KnownApi(published_facts(DOCUMENT), ours)
    assert find_drift(DOCUMENT, corrected, [], service).resources == {}
    ours["Thing"]["x-corrected"] = []
    assert list(find_drift(DOCUMENT, corrected, [], service).resources) == ["Thing"]


def test_a_declaration_that_the_document_contradicts(service: Service, catalog: Catalog) -> None:
    path = "/v2/device/{id}/maintenance"
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "format": "int32"}}
    text = {**number, "schema": {"type": "string"}}

    def document(parameter: Any) -> Any:
        cancel = {"operationId": "cancelDeviceMaintenance", "parameters": [parameter], "responses": {}}
        return {"openapi": "3.0.1", "paths": {path: {"delete": cancel}}}

    action = catalog.action("cancel_maintenance")
    before = KnownApi(published_facts(document(number)))
    found = find_drift(document(text), before, [action], service)
    assert found.actions == ["cancel_maintenance: device_id: the type is integer, but string in the document"]
    assert found.missing == []
    assert not find_drift(document(number), before, [action], service)


def test_true_and_1_differ() -> None:
    assert list(differences({"a": 1}, {"a": True})) == [Change("a", 1, True)]
    assert list(differences([{"a": [1, 2]}], [{"a": [1, 2]}])) == []


def test_an_action_that_is_newer_than_the_document_and_one_that_was(
    service: Service, catalog: Catalog
) -> None:
    action = catalog.action("get_system_custom_fields")
    operation = {"operationId": "getGlobalValues", "responses": {}}
    document = {"openapi": "3.0.1", "paths": {action.path: {"get": operation}}}
    assert not find_drift({"openapi": "3.0.1", "paths": {}}, KnownApi(), [action], service)
    found = find_drift(document, KnownApi(), [action], service)
    assert found.missing == []
    assert found.actions == [f"{action.name}: the document now has this request; remove `published: false`"]
