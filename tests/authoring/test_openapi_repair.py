"""Documents that break the rules of OpenAPI are read like others: their types, names, paths and responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.authoring.openapi_facts import published_facts, unwrapped
from connector.authoring.openapi_repair import repaired
from connector.catalog.service import Service


def document(*parameters: Any, path: str = "/Client", **operation: Any) -> dict[str, Any]:
    """Return a document with one GET, which has parameters of these types."""
    listed = [{"name": f"p{n}", "in": "query", "schema": s} for n, s in enumerate(parameters)]
    get = {"parameters": listed, "responses": {"200": {"description": "Success"}}, **operation}
    return {"openapi": "3.0.1", "paths": {path: {"get": get}}}


def types(found: Any) -> list[Any]:
    (item,) = found["paths"].values()
    return [parameter["schema"] for parameter in item["get"]["parameters"]]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("int", {"type": "integer"}),
        ("bool", {"type": "boolean"}),
        ("Boolean", {"type": "Boolean"}),
        ("double", {"type": "number"}),
        ("List<int>", {"type": "array", "items": {"type": "integer"}}),
        ("string[]", {"type": "array", "items": {"type": "string"}}),
        ("List<List<double>>", {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
        ("Guid", {"type": "string", "format": "uuid"}),
        ("DateTime", {"type": "string", "format": "date-time"}),
        ("Device_List", {}),
        ("integer", {"type": "integer"}),
    ],
)
def test_types(service: Service, name: str, schema: Any) -> None:
    expected = {} if schema == {"type": "Boolean"} else schema
    (found,) = types(repaired(document({"type": name, "description": "d"}), service))
    assert found == {"description": "d", **expected}
    Draft202012Validator.check_schema(found)


def test_a_member_called_type_and_values_stay(service: Service) -> None:
    schema = {
        "type": "object",
        "properties": {"type": {"type": "int"}, "properties": {"type": "bool"}},
        "example": {"type": "int"},
        "enum": [{"type": "int"}],
    }
    (found,) = types(repaired(document(schema), service))
    assert found == {
        **schema,
        "properties": {"type": {"type": "integer"}, "properties": {"type": "boolean"}},
    }


def test_a_correct_document_stays_the_same(service: Service) -> None:
    correct = document({"type": "string", "nullable": True}, operationId="getThings")
    assert repaired(correct, service) == correct


def names(found: Any) -> Iterator[tuple[str, str]]:
    for path, item in found["paths"].items():
        for operation in item.values():
            yield path, operation["operationId"]


def test_operations_get_names_and_full_paths(service: Service) -> None:
    item = {"get": {"responses": {}}}
    paths = {
        "/Client": {**item, "post": {"responses": {}}},
        "/Client/{id}": item,
        "/api/Agent/me": item,
        "/Agent/me": item,
        "/X": {"get": {"operationId": "getClient", "responses": {}}},
    }
    found = repaired({"openapi": "3.0.1", "paths": paths}, service._replace(document_prefix="/api"))
    assert list(names(found)) == [
        ("/api/Client", "getClient2"),
        ("/api/Client", "postClient"),
        ("/api/Client/{id}", "getClientById"),
        ("/api/Agent/me", "getAgentMe"),
        ("/api/X", "getClient"),
    ]


def test_responses_that_are_not_described_are_unknown(service: Service) -> None:
    silent = document(operationId="a")
    assert published_facts(repaired(silent, service))["a"]["result"] == "none"
    unknown = service._replace(document_responses=False)
    assert published_facts(repaired(silent, unknown))["a"]["result"] == {}
    assert silent == document(operationId="a")


def test_one_body_of_four_names_and_of_an_array(service: Service) -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "int"}}}}
    names = ("application/json-patch+json", "application/json", "text/json", "application/*+json")
    body = {"content": {name: {"schema": schema} for name in names}}
    post = {"operationId": "postClient", "requestBody": body, "responses": {"200": {}}}
    found = published_facts(repaired({"openapi": "3.0.1", "paths": {"/C": {"post": post}}}, service))
    item = {"type": "object", "properties": {"id": {"type": "integer"}}}
    assert found["postClient"]["body"] == {"application/json": {"type": "array", "items": item}}
    assert unwrapped(found["postClient"], "array")["body"] == {"application/json": item}
    assert unwrapped(found["postClient"], "") == found["postClient"]
    other = {**body["content"], "text/json": {"schema": {"type": "string"}}}
    post["requestBody"] = {"content": other}
    found = published_facts(repaired({"openapi": "3.0.1", "paths": {"/C": {"post": post}}}, service))
    assert sorted(found["postClient"]["body"]) == ["application/json", "text/json"]
