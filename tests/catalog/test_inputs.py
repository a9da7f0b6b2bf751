"""Inputs: text is converted by the declared type only, and errors say what is allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.catalog.filter_grammar import FilterGrammar
from connector.catalog.inputs import Input
from connector.common.absent import ABSENT
from connector.errors import RowError
from tests.catalog.reading import an_input, read, refusal
from tests.examples import examples


@pytest.mark.parametrize(
    ("types", "given", "value"),
    [
        ("string", "007", "007"),
        ("string", " 7 ", " 7 "),
        ("string", "true", "true"),
        ("string", 7, "7"),
        ("string", 12.0, "12.0"),
        ("string", True, "true"),
        ("integer", "007", 7),
        ("integer", " 12 ", 12),
        ("integer", "12.0", 12),
        ("integer", "+5", 5),
        ("integer", "-5", -5),
        ("integer", "-0", 0),
        ("integer", 12.0, 12),
        ("integer", 12, 12),
        ("integer", "9" * 30, int("9" * 30)),
        ("number", "1.5", 1.5),
        ("number", ".5", 0.5),
        ("number", "1e3", 1000.0),
        ("number", "007", 7),
        ("number", 3, 3),
        ("number", 2.5, 2.5),
        ("boolean", True, True),
        ("boolean", "true", True),
        ("boolean", "Yes", True),
        ("boolean", " 1 ", True),
        ("boolean", 1, True),
        ("boolean", "FALSE", False),
        ("boolean", "no", False),
        ("boolean", "0", False),
        ("boolean", 0, False),
        ("array", "[1, 2]", [1, 2]),
        ("array", [1], [1]),
        ("object", '{"a": 1}', {"a": 1}),
        ("object", {}, {}),
        ("null", None, None),
        ("null", "null", None),
        (["integer", "null"], None, None),
        (["integer", "null"], "5", 5),
        (["integer", "null"], "null", None),
        (["string", "null"], "null", "null"),
        (["array", "object"], "[1]", [1]),
        (["array", "object"], '{"a": 1}', {"a": 1}),
        (["object", "array"], [1], [1]),
        (["integer", "string"], "5", "5"),
        (["integer", "boolean"], "yes", True),
        (["number", "integer"], "5", 5),
    ],
)
def test_each_type_takes_what_can_be_meant_for_it(types: Any, given: Any, value: Any) -> None:
    found = read({"type": types}, given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", ["007", "true", "[1]", 1, 1.5, True, [1], {"a": None}])
def test_without_a_type_a_value_stays_what_it_is(value: Any) -> None:
    assert read({}, value) == value
    assert type(read({}, value)) is type(value)


@pytest.mark.parametrize(
    ("types", "given", "message"),
    [
        ("string", [1], "text is expected, not an array"),
        ("string", {"a": 1}, "text is expected, not an object"),
        ("integer", "12.5", 'an integer is expected, not the text "12.5"'),
        ("integer", 12.5, "an integer is expected, not a number (12.5)"),
        ("integer", True, "an integer is expected, not a boolean"),
        ("integer", "1_000", "an integer"),
        ("integer", "1,000", "an integer"),
        ("integer", "0x10", "an integer"),
        ("integer", "1e3", "an integer"),
        ("integer", "12.", "an integer"),
        ("integer", "\uff11\uff12", "an integer"),
        ("integer", "\u0663", "an integer"),
        ("integer", "\u00b2", "an integer"),
        ("integer", "9" * 500, "an integer"),
        ("integer", [], "not an array"),
        ("number", "NaN", "a number is expected"),
        ("number", "Infinity", "a number"),
        ("number", "-inf", "a number"),
        ("number", "1e999", "a number"),
        ("number", "\u0661.\u0665", "a number"),
        ("number", True, "a number"),
        ("number", float("nan"), "a number"),
        ("number", float("inf"), "a number"),
        ("integer", float("inf"), "an integer"),
        ("boolean", "maybe", "true or false is expected"),
        ("boolean", "2", "true or false"),
        ("boolean", 2, "true or false"),
        ("boolean", 1.0, "true or false"),
        ("array", "a, b", "not JSON (Expecting value at character 1): a, b"),
        ("array", "{}", "an array is expected"),
        ("array", "[NaN]", "NaN is not JSON"),
        ("array", 5, "an array is expected, not an integer (5)"),
        ("object", "[]", "an object is expected"),
        ("object", "{", "not JSON"),
        ("null", "nil", "null is expected"),
        (["integer", "null"], "x", "an integer or null is expected"),
        (["array", "object"], "5", "an array or an object is expected"),
    ],
)
def test_what_no_type_can_take_is_refused_with_what_is_expected(types: Any, given: Any, message: str) -> None:
    assert message in refusal({"type": types}, given)


def test_a_long_value_is_shortened_in_the_message() -> None:
    assert len(refusal({"type": "integer"}, "x" * 10_000)) < 250
    assert len(refusal({"type": "array"}, "x" * 10_000)) < 500


@pytest.mark.parametrize("value", ["", "  ", "\n\t", None, ABSENT])
@pytest.mark.parametrize("types", ["string", "integer", "array", "boolean"])
def test_nothing_gives_nothing(types: str, value: Any) -> None:
    assert read({"type": types}, value) is ABSENT


def test_null_is_a_value_only_where_the_api_takes_it() -> None:
    assert read({"type": ["string", "null"]}, None) is None
    assert read({"type": ["string", "null"], "format": "date-time"}, None, "iso") is None
    assert read({"type": ["string", "null"]}, "") is ABSENT
    assert read({}, None) is ABSENT
    assert an_input({"type": ["string", "null"]}).nullable
    assert not an_input({"type": "string"}).nullable


def test_absent_is_false_and_says_what_it_is() -> None:
    assert not ABSENT
    assert repr(ABSENT) == "ABSENT"


def test_empty_text_can_be_asked_for_where_text_is_taken() -> None:
    assert an_input({"type": "string"}).read_empty() == ""
    assert an_input({"type": ["string", "null"]}).read_empty() == ""
    for schema in (
        {"type": "integer"},
        {},
        {"type": "string", "minLength": 1},
        {"type": "string", "enum": ["a"]},
    ):
        with pytest.raises(RowError, match=r"^it: ") as caught:
            an_input(schema).read_empty()
        assert caught.value.code == "input_invalid"


# --- members and items -------------------------------------------------------------------------------------

NESTED = {
    "type": "object",
    "properties": {
        "ids": {"type": "array", "items": {"type": "integer"}},
        "on": {"type": "boolean"},
        "inner": {"type": "object", "properties": {"n": {"type": ["number", "null"]}}},
        "any": True,
    },
}


def test_members_and_items_are_typed_alike() -> None:
    given = {"ids": ["1", 2.0], "on": "yes", "inner": {"n": "1.5", "x": "1"}, "any": "1", "more": "1"}
    value = {"ids": [1, 2], "on": True, "inner": {"n": 1.5, "x": "1"}, "any": "1", "more": "1"}
    assert read(NESTED, given) == value
    assert read(NESTED, json.dumps(given)) == value
    assert given["on"] == "yes"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ids": [1, "x"]}, 'it: at .ids: at [1]: an integer is expected, not the text "x"'),
        ({"ids": [None]}, "it: at .ids: at [0]: an integer is expected, not null"),
        ({"ids": [""]}, "at .ids: at [0]: an integer"),
        ({"inner": {"n": "x"}}, "at .inner: at .n: a number or null"),
        ({"on": "x"}, "at .on: true or false"),
    ],
)
def test_a_wrong_member_is_named_by_its_place(given: Any, message: str) -> None:
    assert message in refusal(NESTED, given)


# --- what JSON Schema checks -------------------------------------------------------------------------------

UUID = {"type": "string", "format": "uuid"}


@pytest.mark.parametrize(
    ("schema", "given", "message"),
    [
        (
            {"type": "string", "enum": ["ALERTS", "TASKS"]},
            "alert",
            'it: the text "alert" is not one of ALERTS, TASKS',
        ),
        ({"type": "string", "enum": ["A", "B"]}, "C", 'the text "C" is not one of A, B'),
        ({"type": "integer", "enum": [1, 2]}, "3", "an integer (3) is not one of 1, 2"),
        ({"type": "integer", "enum": [1, 2]}, "x", "one of 1, 2 is expected"),
        (
            {"type": "array", "items": {"enum": ["A", "B"]}},
            ["A", "b"],
            'it[1]: the text "b" is not one of A, B (did you mean "B"?)',
        ),
        ({"type": "integer", "minimum": 1}, "0", "it: 0 is less than 1, its minimum"),
        ({"type": "integer", "maximum": 10}, 11, "it: 11 is more than 10, its maximum"),
        (UUID, "not-a-uuid", 'the text "not-a-uuid" is not a uuid'),
        (UUID, "123e4567e89b12d3a456426614174000", "is not a uuid"),
        ({"type": "string", "format": "date"}, "2024-02-30", "is not a date"),
        ({"type": "string", "format": "ipv4"}, "1.2.3", "is not a ipv4"),
        ({"type": "string", "maxLength": 2}, "abc", "too long"),
        ({"type": "string", "pattern": "^a"}, "b", "does not match"),
        ({"type": "array", "minItems": 1}, [], "it"),
        ({"type": "object", "required": ["a"]}, {}, "'a' is a required property"),
        (
            {"type": "object", "properties": {"a": {"type": "object", "properties": {"n": {"minimum": 1}}}}},
            {"a": {"n": 0}},
            "it.a.n: 0 is less than 1",
        ),
    ],
)
def test_a_broken_rule_is_explained_with_its_place(schema: dict[str, Any], given: Any, message: str) -> None:
    assert message in refusal(schema, given)


@pytest.mark.parametrize(
    ("schema", "given", "value"),
    [
        ({"type": "string", "enum": ["A", "B"]}, "A", "A"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "5", 5),
        (UUID, "123E4567-e89b-12d3-a456-426614174000", "123E4567-e89b-12d3-a456-426614174000"),
        ({"type": "string", "format": "date-time"}, "whenever", "whenever"),
    ],
)
def test_what_keeps_the_rules_passes(schema: dict[str, Any], given: Any, value: Any) -> None:
    assert read(schema, given) == value


@pytest.mark.parametrize(
    ("schema", "taken", "not_taken"),
    [
        ({"type": "integer", "minimum": 1}, [1, 7], [0, "1", 1.0, True, None]),
        ({"type": "string"}, ["x", " x "], ["", "  ", 1, None]),
        ({"type": ["integer", "string", "null"]}, [1, "x", None], ["", " ", 1.5]),
        ({"type": "boolean"}, [True, False], [1, "yes"]),
        ({"type": "number"}, [1], [True, float("inf"), "1"]),
        ({"type": "object"}, [{}, {"a": "1"}], [[], "{}"]),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, [], [{"a": "1"}]),
        ({"type": "array", "items": {"type": "integer"}}, [], [["1"]]),
        ({"type": "string", "enum": ["A"]}, ["A"], ["a"]),
        ({}, [], ["x", None]),
    ],
)
def test_what_is_taken_as_it_is_would_be_read_as_it_is(
    schema: Any, taken: list[Any], not_taken: list[Any]
) -> None:
    it = an_input(schema)
    assert [it.takes(value) for value in taken + not_taken] == [True] * len(taken) + [False] * len(not_taken)
    assert all(it.read(value) is value for value in taken)


def test_what_has_a_unit_or_a_grammar_is_always_read() -> None:
    assert not an_input({"type": "string"}, "iso").takes("2026-12-01T06:00:00Z")
    grammar = FilterGrammar("filter", ("a=[0-9]",), "", "a=1")
    assert not Input(name="it", title="It", schema={"type": "string"}, grammar=grammar).takes("a=x")


@pytest.mark.parametrize("schema", [{"type": "integer", "minimum": 1}, UUID, {"enum": ["a"]}, {}])
def test_what_passes_needs_no_validator(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Input, "_validator")
    given = {"integer": 1, "string": "123e4567-e89b-12d3-a456-426614174000"}.get(schema.get("type", ""), "a")
    assert read(schema, given) == given


def test_a_schema_that_is_not_compiled_is_checked_all_the_same() -> None:
    schema = {"type": "integer", "multipleOf": 5}
    assert read(schema, "10") == 10
    assert "11 is not a multiple of 5" in refusal(schema, "11")


# --- any text ----------------------------------------------------------------------------------------------

PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
some_text = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"\A[-+0-9.eE_ ]{1,12}\Z"),
    st.sampled_from(["true", "[1]", "{}", "null", "NaN", "1e999", "[[[", '{"a": 1}', "9" * 5000, "[" * 5000]),
    st.integers().map(str),
    st.floats().map(str),
)


@examples(300)
@example("integer", "9" * 4301)
@given(st.sampled_from(sorted(PYTHON)), some_text)
def test_any_text_gives_a_value_of_the_declared_type_or_a_row_error(name: str, text: str) -> None:
    try:
        value = read({"type": name}, text)
    except RowError:
        return
    if value is not ABSENT:
        assert isinstance(value, PYTHON[name])
        assert isinstance(value, bool) is (name == "boolean")
        json.dumps(value, allow_nan=False)
    if name == "string" and text.strip():
        assert value == text


@pytest.mark.parametrize("value", ["B\udcfcro", "\ud83d", " \udfff"])
def test_text_with_a_lone_surrogate_is_refused_wherever_it_is(value: str) -> None:
    text, array, thing = {"type": "string"}, {"type": "array"}, {"type": "object"}
    nested = {"type": "array", "items": {"type": "object", "properties": {"name": text}}}
    for schema, holder in (
        (text, value),
        (array, ["a", [value]]),
        (thing, {"a": value}),
        (thing, {value: 1}),
        (nested, [{"name": value}]),
        (nested, json.dumps([{"name": value}])),
        ({}, value),
    ):
        assert "is not Unicode text" in refusal(schema, holder)
        assert not an_input(schema).takes(holder)
