"""Routes and schemas: complete, well formed, and in step with the published document where it is at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connector.sandbox.check import INTEGER
from connector.sandbox.routing import ROUTES

from .results import INTEGERS, LISTS, OBJECTS, SCHEMAS, schema_of

DOCUMENT = SCHEMAS.parent.parent / "shared" / "api" / "ninjaone-openapi.json"
SAMPLES = DOCUMENT.with_name("samples.json")
FILES = sorted((SCHEMAS / "ninjaone").glob("[A-Z]*.json"))

needs_document = pytest.mark.skipif(not DOCUMENT.exists(), reason="the published document is not at hand")


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


def test_every_resource_is_used():
    wanted, seen = {*LISTS.values(), *OBJECTS.values()}, set()
    while wanted - seen:
        name = (wanted - seen).pop()
        seen.add(name)
        wanted |= set(
            re.findall(r'"\$ref": "(\w+)\.json"', (SCHEMAS / "ninjaone" / f"{name}.json").read_text())
        )
    assert seen <= {file.stem for file in FILES}


PATH_VALUES = {
    "locationId": 1,
    "location_id": 1,
    "installer_type": "MAC_PKG",
    "ticketId": 1001,
    "scan-group-id": 301,
    "id": 1,
}


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.operation
)
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_every_read_answers_by_its_schema(api, route, prefix):
    path = re.sub(r"\{([^}]+)\}", lambda found: str(PATH_VALUES[found[1]]), route.path)
    assert api.get(prefix + path) is not None  # the client checks the schema


def test_operations_are_unique():
    operations = [route.operation for route in ROUTES]
    assert len(operations) == len(set(operations))
    assert {*LISTS, *OBJECTS, *INTEGERS} <= set(operations)


@needs_document
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_route_is_published(route):
    operation = published()["paths"][route.path][route.method.lower()]
    assert operation["operationId"] == route.operation
    parameters = {(entry["in"], entry["name"]): entry["schema"] for entry in operation.get("parameters", [])}
    assert set(route.query) <= {name for where, name in parameters if where == "query"}
    assert {name for where, name in parameters if where == "query"} <= set(route.query)
    for (where, name), schema in parameters.items():
        kind = route.path_types.get(name, INTEGER) if where == "path" else route.query[name]
        if "enum" in schema:
            assert all(kind.accepts(value) for value in schema["enum"])
        assert kind.accepts({"integer": 50, "boolean": True}.get(schema["type"], _text(kind, schema)))


def _text(kind, schema):
    if "enum" in schema:
        return schema["enum"][0]
    return "00000000-0000-4000-a000-000000000000"


@needs_document
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_typed_answers_have_their_schema(route):
    operation = published()["paths"][route.path][route.method.lower()]
    answers = [
        content.get("schema")
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
    ]
    typed = next((answer for answer in answers if answer), None)
    schema = schema_of(route.operation)
    assert (schema is None) == (typed is None)
    if typed is None:
        return
    names = re.findall(r"#/components/schemas/(\w+)", json.dumps(typed))
    assert re.findall(r"ninjaone/(\w+)\.json", json.dumps(schema)) in (names, ["CustomFieldValues"])
    assert (typed["type"] == "array" if "type" in typed else False) == (schema.get("type") == "array")


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


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not at hand")
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
