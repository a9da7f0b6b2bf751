"""The compiled checks agree with `jsonschema` on every schema in the catalog's inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.json_schema import compile_check, read_pattern, validator
from tests.examples import examples
from tests.kept_catalog import CATALOG

UUID = "123e4567-e89b-12d3-a456-426614174000"
TEXTS = [
    "",
    "a",
    "é",
    "auto",
    "12",
    "12\n",
    "\u0663",
    "all",
    "node,all",
    UUID,
    UUID + "\n",
    "2024-02-29",
    "2024-2-9",
]
PLAIN = [
    None,
    True,
    False,
    *range(-2, 6),
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    1e300,
    0.0,
    1.0,
    1.5,
    -0.5,
    *TEXTS,
]
HOLDERS = [
    [],
    ["a"],
    ["a", "a"],
    [1, 1.0],
    [1, True],
    [0, False],
    [{"a": 1}, {"a": True}],
    {},
    {"a": 1.0},
    {"b": "x"},
]
anything = st.recursive(
    st.sampled_from(PLAIN),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "type"]), v, max_size=3),
    max_leaves=4,
)


def near(schema: Any) -> st.SearchStrategy[Any]:
    """Values that have a good chance to pass a schema, and to miss it narrowly."""
    if not isinstance(schema, dict):
        return anything
    kinds = [anything, *map(st.just, schema.get("examples", []))]
    if "enum" in schema:
        kinds += [st.sampled_from(schema["enum"])] * 3
    if "const" in schema:
        kinds.append(st.just(schema["const"]))
    if "minimum" in schema:
        kinds.append(st.sampled_from([schema["minimum"] + n for n in (-1, -0.5, 0, 1, 2**31)]))
    if "maxLength" in schema:
        kinds.append(st.sampled_from([schema["maxLength"] + n for n in (-1, 0, 1)]).map("x".__mul__))
    if "items" in schema:
        item = near(schema["items"])
        kinds += [st.lists(item, max_size=4), item.map(lambda value: [value] * 2)]
    members = {name: near(member) for name, member in schema.get("properties", {}).items()}
    needed = {name: members.pop(name, anything) for name in schema.get("required", ())}
    if members or needed:
        kinds += [st.fixed_dictionaries(needed, optional=members)] * 2
    for each in (*schema.get("anyOf", ()), *(schema[k] for k in ("if", "then") if k in schema)):
        kinds.append(near(each))
    return st.one_of(kinds)


def catalogue_schemas() -> Iterator[Any]:
    for action in CATALOG.actions():
        yield from (given.schema for given in action.inputs.values())
        for rule in action.rules:
            names = {name: given.schema for name, given in action.inputs.items()}
            yield {"properties": names, **rule}


SCHEMAS = [json.loads(text) for text in sorted({json.dumps(schema) for schema in catalogue_schemas()})]
MORE = [
    True,
    False,
    {},
    {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
    {"type": "number", "maximum": 1.5},
    {"enum": [1, "a", None, [1], {"a": 1}]},
    {"enum": [True, 0]},
    {"const": {"a": [1, False]}},
    {"uniqueItems": True},
    {"uniqueItems": False, "minItems": 1, "maxItems": 2},
    {"minLength": 1, "maxLength": 2},
    {"required": ["a", "b"]},
    {"minProperties": 1, "additionalProperties": {"type": "integer"}},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"properties": {"a": False, "b": True}, "required": ["b"]},
    {"if": {"type": "integer"}, "then": {"minimum": 3}, "else": {"type": "string"}},
    {"if": {"type": "integer"}},
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "boolean"}}]},
    {"pattern": "^\\d+$"},
    {"pattern": "[$]|\\$"},
    {"format": "uuid"},
    {"format": "date"},
    {"format": "date-time"},
    {"format": "int32"},
    {"type": "number", "format": "int64"},
]
CHECKS = [(schema, compile_check(schema), validator(schema), near(schema)) for schema in SCHEMAS + MORE]


def test_every_schema_of_the_catalogue_is_compiled() -> None:
    assert [schema for schema, check, _, _ in CHECKS if check is None] == []


@pytest.mark.parametrize("value", PLAIN + HOLDERS, ids=repr)
def test_every_compiled_schema_agrees_with_jsonschema_on_a_plain_value(value: Any) -> None:
    wrong = [
        schema
        for schema, check, slow, _ in CHECKS
        if check is None or check(value) is not slow.is_valid(value)
    ]
    assert wrong == []


@examples(2000)
@given(st.data())
def test_what_is_compiled_agrees_with_jsonschema(data: st.DataObject) -> None:
    schema, check, slow, values = data.draw(st.sampled_from(CHECKS))
    value = data.draw(values)
    assert check is not None
    assert check(value) is slow.is_valid(value), schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 5},
        {"not": {"type": "integer"}},
        {"type": "string", "format": "ipv4"},
        {"type": "thing"},
        {"pattern": "("},
        {"$ref": "other"},
        {"properties": {"a": {"items": {"propertyNames": {}}}}},
        {"if": {"not": {}}},
        5,
    ],
)
def test_what_cannot_be_compiled_is_left_to_jsonschema(schema: Any) -> None:
    assert compile_check(schema) is None


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"pattern": "^\\d+$"}, "12", "12\n"),
        ({"pattern": "^\\d+$"}, "12", "\u0661\u0662"),
        ({"pattern": "^(auto|[0-9]+)$"}, "auto", "auto\n"),
        ({"pattern": "^[$]\\$$"}, "$$", "$"),
        ({"pattern": "a$|^b"}, "bc", "a\n"),
        ({"format": "uuid"}, UUID, UUID.replace("-", "")),
        ({"format": "uuid"}, UUID.upper(), UUID[:-1] + "_"),
        ({"format": "uuid"}, UUID, UUID + "\n"),
        ({"format": "date"}, "2024-02-29", "2023-02-29"),
        ({"format": "date"}, "2024-02-29", "20240229"),
        ({"format": "date"}, "2024-02-29", "2024-02-29\n"),
        ({"format": "ipv4"}, "1.2.3.4", "1.2.3"),
        ({"uniqueItems": True}, [1, True, 0, False], [[1], [1.0]]),
    ],
)
def test_patterns_and_formats_are_read_strictly(schema: Any, good: Any, bad: Any) -> None:
    assert validator(schema).is_valid(good)
    assert not validator(schema).is_valid(bad)
    check = compile_check(schema)
    assert check is None or (check(good), check(bad)) == (True, False)


def test_a_pattern_that_is_not_met_is_quoted_as_it_is_declared() -> None:
    [error] = validator({"pattern": "^a$"}).iter_errors("b")
    assert error.message == "'b' does not match '^a$'"
    assert read_pattern("^a$").pattern == r"^a\Z"
