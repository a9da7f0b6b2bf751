"""One JSON Schema of an action's inputs, for every host and document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.catalog.catalog import Catalog
from connector.catalog.input_schema import input_schema
from connector.errors import RunError


def keys(schema: Any) -> Iterator[str]:
    """Yield every key of a schema and of the schemas in it."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            yield name
            if name == "properties":
                for member in value.values():
                    yield from keys(member)
            elif name == "items":
                yield from keys(value)


def test_every_action_has_a_schema_of_its_inputs(catalog: Catalog) -> None:
    for action in catalog.actions():
        for names in (False, True):
            schema = input_schema(action, names=names)
            Draft202012Validator.check_schema(schema)
            assert list(schema["properties"]) == list(action.inputs)
            assert "delay_ms" not in schema["properties"]
            assert (schema["type"], schema["additionalProperties"]) == ("object", False)
            assert set(schema["required"]) <= set(action.required)
            for name, given in schema["properties"].items():
                assert not {"as", "named", "to"} & set(keys(given))
                assert given["title"] == action.inputs[name].title
                assert not (names and action.inputs[name].slots and given.get("type") == "integer")


def test_an_id_is_an_integer_or_a_name(catalog: Catalog) -> None:
    ids = catalog.describe("update_device")["properties"]
    assert (ids["device_id"]["type"], ids["device_id"]["minimum"]) == ("integer", 1)
    assert ids["policy_id"]["type"] == ["integer", "null"]
    named = catalog.describe("update_device", names=True)["properties"]
    said = {"title": "Device ID", "description": "An id or a unique name.", "type": "string"}
    assert named["device_id"] == said
    assert named["policy_id"]["type"] == ["string", "null"]
    assert named["display_name"] == ids["display_name"]
    roles = ("add_role_members", "user_ids")
    inside = [catalog.describe(roles[0], names=n)["properties"][roles[1]]["items"] for n in (False, True)]
    assert [items["type"] for items in inside] == ["integer", "string"]


def test_what_has_a_default_is_not_required_and_says_it(catalog: Catalog) -> None:
    schema = catalog.describe("create_ticket", names=True)
    assert "status" not in schema["required"]
    assert schema["properties"]["status"]["default"] == "1000"


def test_the_conditions_across_inputs_are_part_of_it(catalog: Catalog) -> None:
    validator = Draft202012Validator(catalog.describe("run_script"))
    given = {"device_id": 1, "type": "SCRIPT", "script_id": 5}
    assert validator.is_valid(given)
    assert not validator.is_valid({"device_id": 1, "type": "SCRIPT"})
    assert not validator.is_valid({**given, "delay_ms": 0})


def test_an_unknown_action_has_none(catalog: Catalog) -> None:
    with pytest.raises(RunError, match='did you mean "get_device"'):
        catalog.describe("get_devic")
