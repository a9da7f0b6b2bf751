"""Values of the declared types, also inside arrays and objects (`test_inputs` has them one by one)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.coercion import declared_types, typed_value
from connector.common.boolean_words import BOOLEAN_WORDS
from tests.examples import examples

PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["7", "[1]"]),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from("abc"), v, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("schema", [True, {}, {"title": "x"}, {"items": {"type": "integer"}}])
def test_without_a_type_a_value_stays_the_same_one(schema: Any) -> None:
    value = ["1"]
    assert declared_types(schema) == ()
    assert typed_value(schema, value) is value


def test_subclasses_of_a_type_are_of_that_type() -> None:
    class Text(str):
        __slots__ = ()

    assert typed_value({"type": "string"}, Text("x")) == "x"
    assert typed_value({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": Text("7")}) == {
        "a": 7
    }


@examples(200)
@given(st.lists(st.sampled_from(sorted(PYTHON)), min_size=1, max_size=3, unique=True), json_values)
def test_any_value_is_typed_or_refused(types: list[str], value: Any) -> None:
    schema = {"type": types, "items": {"type": "integer"}, "properties": {"a": {"type": "boolean"}}}
    try:
        typed = typed_value(schema, value)
    except ValueError:
        return
    assert any(isinstance(typed, PYTHON[name]) for name in types)
    if isinstance(typed, list):
        assert all(type(item) is int for item in typed)
    if isinstance(typed, dict):
        assert isinstance(typed.get("a", True), bool)


@pytest.mark.parametrize(("word", "value"), BOOLEAN_WORDS.items())
def test_the_words_for_true_and_false(word: str, value: bool) -> None:
    assert typed_value({"type": "boolean"}, f" {word.upper()} ") is value


def test_other_words_are_no_booleans() -> None:
    for word in ("", "y", "2", "oui"):
        with pytest.raises(ValueError, match="true or false is expected"):
            typed_value({"type": "boolean"}, word)
