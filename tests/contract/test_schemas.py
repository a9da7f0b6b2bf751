"""Schemas of resources: well formed, complete, and current if the published document is available."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.authoring.openapi_schemas import resource_schemas
from connector.common.package_data import references, schema
from tests.authoring.documents import inlined
from tests.conftest import SHARED
from tests.contract.make_schemas import BY_HAND, FOLDER, OTHERS, schema_texts

SCHEMAS = "#/components/schemas/"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem not in OTHERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_well_formed(name: str) -> None:
    found = schema(f"ninjaone/{name}.json")
    Draft202012Validator.check_schema(found)
    assert (found["$id"], found["title"]) == (f"ninjaone/{name}.json", name)
    assert {reference.removesuffix(".json") for reference in references(found)} <= set(NAMES)
    assert "description" not in [key for key, value in found.items() if isinstance(value, str)]


def test_every_resource_of_a_response_has_a_schema() -> None:
    facts = schema("ninjaone/operations.json")["operations"]
    answered = set(references([known["result"] for known in facts.values()]))
    assert len(answered) > 90
    assert answered <= set(NAMES)
    assert BY_HAND.keys() <= set(NAMES)


def test_the_schemas_agree_with_the_published_document() -> None:
    document = SHARED / "api" / "ninjaone-openapi.json"
    if not document.exists():
        pytest.skip("the published document is not available")
    published = json.loads(document.read_text("utf-8"))
    due = schema_texts(published)
    assert sorted(due) == NAMES
    assert schema_texts(inlined(published)) == due
    assert [name for name in NAMES if (FOLDER / f"{name}.json").read_text("utf-8") != due[name]] == []


def document(**schemas: Any) -> Any:
    """Return a document whose only operation returns a list of things."""
    content = {"application/json": {"schema": {"type": "array", "items": {"$ref": SCHEMAS + "Thing"}}}}
    paths = {"/things": {"get": {"operationId": "getThings", "responses": {"200": {"content": content}}}}}
    return {"paths": paths, "components": {"schemas": schemas}}


def test_a_resource_and_what_is_in_it() -> None:
    thing = {
        "type": "object",
        "description": "Prose.",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer", "format": "int32", "description": "Prose.", "example": 5},
            "kind": {"type": "string", "enum": ["A", "B"], "nullable": True},
            "value": {"type": "object"},
            "parts": {"type": "array", "items": {"$ref": SCHEMAS + "Part"}, "uniqueItems": True},
            "data": {"type": "object", "additionalProperties": {"type": "object"}},
        },
    }
    part = {
        "allOf": [{"$ref": SCHEMAS + "Base"}, {"type": "object", "properties": {"n": {"type": "number"}}}]
    }
    made = resource_schemas(document(Thing=thing, Part=part, Base={"type": "string"}, Other={}), "service")
    assert list(made) == ["Base", "Part", "Thing"]
    assert made["Part"]["allOf"] == [
        {"$ref": "Base.json"},
        {"type": "object", "properties": {"n": {"type": "number"}}},
    ]
    assert made["Thing"] == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "service/Thing.json",
        "title": "Thing",
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer", "format": "int32"},
            "kind": {"type": ["string", "null"], "x-enum": ["A", "B"]},
            "value": {"x-type": "object"},
            "parts": {"type": "array", "items": {"$ref": "Part.json"}, "uniqueItems": True},
            "data": {"type": "object", "additionalProperties": {"x-type": "object"}},
        },
    }
