"""Endpoints and schemas: complete, valid, and equal to those of the published document, if available."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connector.sandbox.ninjaone.api.operations import operations
from connector.sandbox.ninjaone.areas import router
from connector.sandbox.types import INTEGER
from tests.kept_catalog import CATALOG

from .bodies import QUERIES
from .minimal import path
from .results import SCHEMAS, schema_of

DOCUMENT = SCHEMAS.parent.parent / "shared" / "api" / "ninjaone-openapi.json"
SAMPLES = DOCUMENT.with_name("samples.json")
FILES = sorted((SCHEMAS / "ninjaone").glob("[A-Z]*.json"))

PUBLISHED = [entry for entry in router().endpoints if entry.operation in operations()]

needs_document = pytest.mark.skipif(not DOCUMENT.exists(), reason="the published document is not available")


@cache
def published():
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_schema_file(file: Path):
    text = file.read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"ninjaone/{file.name}"
    assert schema["title"] == file.stem
    assert text == json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert not re.search(r'"(description|enum|example)": ["\[]', text)
    for target in re.findall(r'"\$ref": "([^"]+)"', text):
        assert (file.parent / target).exists()


def test_operations_are_those_of_the_facts():
    assert sorted(endpoint.operation for endpoint in PUBLISHED) == sorted(operations())
    for endpoint in PUBLISHED:
        facts = operations()[endpoint.operation]
        assert (endpoint.method, endpoint.path) == (facts["method"], facts["path"])


def test_the_other_operations_are_those_of_actions_that_say_so():
    newer = [entry for entry in router().endpoints if entry.operation not in operations()]
    actions = [action for action in CATALOG.actions("ninjaone") if not action.published]
    assert len(newer) == 3
    assert sorted((entry.operation, entry.method, entry.path) for entry in newer) == sorted(
        (action.operation, action.method, action.path) for action in actions
    )


@pytest.mark.parametrize(
    "operation", [name for name, facts in operations().items() if facts["method"] == "GET"]
)
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_every_read_answers_by_its_schema(account, operation, prefix):
    response = account.send("GET", prefix + path(operation), params=QUERIES.get(operation))
    assert response.status_code == 200, response.text
    assert response.content


@needs_document
@pytest.mark.parametrize("endpoint", PUBLISHED, ids=lambda endpoint: endpoint.operation)
def test_endpoint_is_published(endpoint):
    operation = published()["paths"][endpoint.path][endpoint.method.lower()]
    assert operation["operationId"] == endpoint.operation
    parameters = {(entry["in"], entry["name"]): entry["schema"] for entry in operation.get("parameters", [])}
    assert {name for where, name in parameters if where == "query"} == set(endpoint.query)
    for (where, name), schema in parameters.items():
        kind = endpoint.path_types.get(name, INTEGER) if where == "path" else endpoint.query[name]
        if "$ref" in schema:
            schema = published()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if "enum" in schema:
            assert all(kind.accepts(value) for value in schema["enum"])
        assert kind.accepts({"integer": 50, "boolean": True}.get(schema["type"], _text(kind, schema)))


def _text(kind, schema):
    if "enum" in schema:
        return schema["enum"][0]
    return "00000000-0000-4000-a000-000000000000"


@needs_document
@pytest.mark.parametrize("endpoint", PUBLISHED, ids=lambda endpoint: endpoint.operation)
def test_body_is_published(endpoint):
    content = (
        published()["paths"][endpoint.path][endpoint.method.lower()].get("requestBody", {}).get("content", {})
    )
    assert (endpoint.body is not None or endpoint.media_type == "multipart/form-data") == bool(content)
    if content:
        assert endpoint.media_type in content


@needs_document
@pytest.mark.parametrize("endpoint", PUBLISHED, ids=lambda endpoint: endpoint.operation)
def test_typed_answers_have_their_schema(endpoint):
    operation = published()["paths"][endpoint.path][endpoint.method.lower()]
    answers = [
        (media_type, content.get("schema"))
        for response in operation["responses"].values()
        for media_type, content in response.get("content", {}).items()
    ]
    typed = next((schema for _, schema in answers if schema), None)
    schema = schema_of(endpoint.operation)
    assert (schema is None) == all(media_type == "*/*" and not schema for media_type, schema in answers)
    if typed is None:
        assert not schema
        return
    names = re.findall(r"#/components/schemas/(\w+)", json.dumps(typed))
    assert re.findall(r"ninjaone/(\w+)\.json", json.dumps(schema)) in (names, ["CustomFieldValues"])
    assert (typed.get("type") == "array") == (schema.get("type") == "array")


@needs_document
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_schema_has_the_published_facts(file: Path):
    schemas = published()["components"]["schemas"]
    if file.stem not in schemas:
        assert file.stem == "CustomFieldValues"
        return
    ours, theirs = json.loads(file.read_text(encoding="utf-8")), schemas[file.stem]
    assert set(ours.get("properties", {})) == set(theirs.get("properties", {}))
    assert ours.get("required") == theirs.get("required")
    for name, fact in theirs.get("properties", {}).items():
        assert ours["properties"][name].get("x-enum") == fact.get("enum")
        assert ours["properties"][name].get("format") == fact.get("format")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not available")
@pytest.mark.parametrize(
    ("key", "operation"),
    [
        ("organizations", "getOrganizations"),
        ("organizations_detailed", "getOrganizationsDetailed"),
        ("locations", "getLocations"),
        ("roles", "getNodeRoles_1"),
        ("policies", "getPolicies"),
        ("devices", "getDevices"),
        ("devices_expanded", "getDevices"),
        ("devices_detailed", "getDevicesDetailed"),
        ("device_get", "getDevice"),
        ("device_link", "getDeviceLink"),
        ("installer_link", "getInstaller"),
        ("alerts", "getAlerts"),
        ("activities", "getActivities"),
        ("device_activities", "getDeviceActivities"),
        ("windows_services", "getDeviceServices"),
        ("scripting_options", "requestScriptingOptions"),
        ("automation_scripts", "getAutomationScripts"),
        ("custom_field_values", "getNodeCustomFields"),
        ("users", "getUsers"),
        ("scan_groups", "fetchAllScanGroups"),
    ],
)
def test_samples_pass_the_schemas(key, operation):
    from referencing import Registry

    from .results import _retrieve

    sample = json.loads(SAMPLES.read_text(encoding="utf-8"))[key]
    Draft202012Validator(schema_of(operation), registry=Registry(retrieve=_retrieve)).validate(sample)
