"""HaloPSA's declarations and the bodies of their examples agree with the vendor's document.

The document has types that are no JSON Schema, no operationIds and no responses; it is repaired first. Where
it is not available, the facts in `schemas/halopsa/operations.json` are checked in its place.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.authoring.drift import find_drift
from connector.authoring.openapi_names import known_api
from connector.authoring.openapi_repair import repaired
from connector.authoring.published_check import check_published, operation_of
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from tests.conftest import SHARED
from tests.contract.make_operations import operations_text, target
from tests.kept_catalog import CATALOG

NAMES = CATALOG.names_of("halopsa")
DOCUMENT = SHARED / "halo" / "halo-openapi.json"
BODIES = [
    pytest.param(sends, id=f"{name}-{number}")
    for name in NAMES
    for number, example in enumerate(CATALOG.action(name).examples)
    for sends in example.sends
    if "body" in sends
]
FACTS = known_api("halopsa").operations


@pytest.fixture(scope="module")
def halopsa(catalog: Catalog) -> Service:
    return catalog.service("halopsa")


@pytest.fixture(scope="module")
def document(halopsa: Service) -> Any:
    """Return the vendor's document, repaired."""
    if not DOCUMENT.exists():
        pytest.skip("the published document is not available")
    return repaired(json.loads(DOCUMENT.read_text("utf-8")), halopsa)


@pytest.mark.parametrize("name", NAMES)
def test_declaration(catalog: Catalog, halopsa: Service, name: str) -> None:
    assert check_published(catalog.action(name), halopsa, FACTS) == []


def test_what_the_document_lacks(catalog: Catalog) -> None:
    assert [name for name in NAMES if not catalog.action(name).published] == [
        "halopsa.delete_webhook",
        "halopsa.get_instance_info",
        "halopsa.get_me",
        "halopsa.list_categories",
    ]


def test_the_facts_are_those_of_the_document(document: Any) -> None:
    published = json.loads(DOCUMENT.read_text("utf-8"))
    assert target("halopsa").read_text("utf-8") == operations_text(published, "halopsa")


def test_there_is_no_drift_and_a_change_is_found(catalog: Catalog, halopsa: Service, document: Any) -> None:
    actions = list(catalog.actions("halopsa"))
    published = json.loads(DOCUMENT.read_text("utf-8"))
    assert not find_drift(published, known_api("halopsa"), actions, halopsa)
    # What an instance's own document has beyond it is not of the catalog.
    published["paths"]["/Invoice"] = {"get": {"responses": {"200": {"description": "Success"}}}}
    assert not find_drift(published, known_api("halopsa"), actions, halopsa)
    published["paths"]["/Tickets"]["get"]["parameters"] = []
    del published["paths"]["/Client/{id}"]["get"]
    found = find_drift(published, known_api("halopsa"), actions, halopsa)
    assert found.removed == ["getClientById (GET /api/Client/{id})"]
    changed = {change.where: change.now for change in found.changed["getTickets"]}
    assert changed["parameters.client_id"] is None
    assert any("halopsa.list_tickets: client_id" in problem for problem in found.actions)


@pytest.mark.parametrize(
    ("name", "given", "changes", "message"),
    [
        ("create_ticket", "summary", {"target": ("subject",)}, "the document has no body.subject"),
        (
            "list_assets",
            "client_id",
            {"schema": {"type": "string"}},
            "the type is string, but integer in the",
        ),
        ("list_assets", "client_id", {"target": ("client",)}, "the document has no query.client"),
        (
            "create_site",
            "client_id",
            {"deviates": ""},
            "the type is integer, but null, number in the document",
        ),
        ("get_integration_settings", "module_id", {"published": True}, "the document has no query."),
    ],
)
def test_a_wrong_input_is_found(
    catalog: Catalog, halopsa: Service, name: str, given: str, changes: Any, message: str
) -> None:
    action = catalog.action(f"halopsa.{name}")
    wrong = replace(action, inputs={**action.inputs, given: replace(action.inputs[given], **changes)})
    (found,) = check_published(wrong, halopsa, FACTS)
    assert message in found


def strict(schema: Any) -> Any:
    """Return a schema of the facts in which an object has its published members only."""
    if not isinstance(schema, dict):
        return schema
    closed = {**schema, **({"items": strict(schema["items"])} if "items" in schema else {})}
    if "properties" in schema:
        members = {name: strict(member) for name, member in schema["properties"].items()}
        closed |= {"properties": members, "additionalProperties": False}
    return closed


def errors(schema: Any, body: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(body)]


def body_of_facts(sends: Any) -> Any:
    return strict(FACTS[str(operation_of(FACTS, sends["method"], sends["path"]))]["body"]["application/json"])


def body_of_document(document: Any, sends: Any) -> Any:
    """Return the published schema of a body, in which `nullable` is JSON Schema's null."""
    content = document["paths"][sends["path"]][sends["method"].lower()]["requestBody"]["content"]
    components = {"components": document["components"]}
    text = json.dumps({**content["application/json"]["schema"], **components})
    return json.loads(text, object_hook=nullable)


def nullable(node: Any) -> Any:
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        return {**node, "type": [node["type"], "null"]}
    return node


@pytest.mark.parametrize("sends", BODIES)
def test_a_body_of_an_example_is_as_published(sends: Any) -> None:
    assert errors(body_of_facts(sends), sends["body"]) == []


@pytest.mark.parametrize("sends", BODIES)
def test_a_body_of_an_example_is_valid_under_the_document(document: Any, sends: Any) -> None:
    assert errors(body_of_document(document, sends), sends["body"]) == []


WRONG = [
    ([{"subject": "x"}], "'subject' was unexpected"),
    ([{"client_id": "11"}], "'11' is not of type 'integer'"),
    ([{"customfields": [{"id": 1, "valu": "x"}]}], "'valu' was unexpected"),
    ({"summary": "x"}, "is not of type 'array'"),
]


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_a_wrong_body_is_found(body: Any, message: str) -> None:
    sends = {"method": "POST", "path": "/api/Tickets", "body": body}
    assert message in errors(body_of_facts(sends), body)[0]


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_a_wrong_body_is_found_with_the_document(document: Any, body: Any, message: str) -> None:
    sends = {"method": "POST", "path": "/api/Tickets", "body": body}
    assert message in errors(body_of_document(document, sends), body)[0]
