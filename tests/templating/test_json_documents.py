"""Templates of lists and objects are JSON documents, with templates in their places."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RunError
from connector.templating.scope import takes_json
from connector.templating.templates import json_source
from tests.templating.rendering import ARRAY, ARRAYS, OBJECT, refusal, render

# --- JSON documents ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        # inside a text: text, escaped
        ('["{{ a }}", "ALERTS"]', {"a": "x"}, ["x", "ALERTS"]),
        ('["{{ a }}", "ALERTS"]', {"a": '", "y'}, ['", "y', "ALERTS"]),
        ('["{{ a }}"]', {"a": [1, 2]}, ["[1, 2]"]),
        ('["{{ a }}"]', {"a": None}, [None]),
        ('["<{{ a }}|{{ a }}>"]', {"a": "\\\n\t"}, ["<\\\n\t|\\\n\t>"]),
        ('["\\"{{ a }}\\\\"]', {"a": "x"}, ['"x\\']),
        # outside: values
        ("[{{ a }}]", {"a": "1, 2"}, [1, 2]),
        ("[{{ a }}]", {"a": '"x", {"y": 1}'}, ["x", {"y": 1}]),
        ("[1, {{ a }}]", {"a": [2, 3]}, [1, 2, 3]),
        ("[1, {{ a }}]", {"a": []}, [1]),
        ("[1, {{ a }}]", {"a": ""}, [1]),
        ("[{{ a }}]", {"a": None}, [None]),
        ("[{{ a }}]", {"a": True}, [True]),
        ("[{{ a }}]", {"a": {"b": 1}}, [{"b": 1}]),
        ("[{{ a }}]", {"a": [[1], [2]]}, [[[1], [2]]]),
        ("[[{{ a }}], 3]", {"a": [1, 2]}, [[1, 2], 3]),
        ("[{{ a }}, {{ a }}]", {"a": 1}, [1, 1]),
        ("[{{ a }}{{ a }}]", {"a": 1}, [11]),
        ("[1{{ a }}]", {"a": 2}, [12]),
        ("  {{ a }}  ", {"a": "[1]"}, [1]),
        ("  {{ a }}  ", {"a": [1]}, [1]),
        ("  {{ a }}  ", {"a": " "}, ""),
        ("", {}, ""),
        ("  ", {}, ""),
        ("[]", {}, []),
        # our marks in the author's own text
        ('["\ue0000\ue001", {{ a }}]', {"a": 1}, ["\ue0000\ue001", 1]),
        ('["\\ue0000\\uE002", {{ a }}]', {"a": 1}, ["\ue0000\ue002", 1]),
        ('["{{ a }}"]', {"a": "\ue0000\ue002"}, ["\ue0000\ue002"]),
    ],
)
def test_an_array_template_is_a_json_document(source: str, row: dict[str, Any], value: Any) -> None:
    assert render(source, row, ARRAY) == value


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        ('{"a": {{ v }}}', {"v": "x"}, None),
        ('{"a": "{{ v }}"}', {"v": 'x"y'}, {"a": 'x"y'}),
        ('{"a": {{ v }}}', {"v": '"x"'}, {"a": "x"}),
        ('{"a": {{ v }}}', {"v": [1, 2]}, {"a": [1, 2]}),
        ('{"a": {{ v }}}', {"v": None}, {"a": None}),
        ('{"a": [0, {{ v }}]}', {"v": [1, 2]}, {"a": [0, 1, 2]}),
        ('{"{{ v }}": 1}', {"v": 'k"'}, {'k"': 1}),
        ('{"x{{ v }}": {{ v }}}', {"v": 2}, {"x2": 2}),
        ('{"{{ v }}-{{ w }}": ["<{{ w }}{{ v }}>"]}', {"v": 1, "w": 2}, {"1-2": ["<21>"]}),
        ("{ {{ v }}: 1}", {"v": '"k"'}, {"k": 1}),
        ('{ {{ v }} : "{{ v }}"}', {"v": '"k"'}, {"k": '"k"'}),
        ("{{ v }}", {"v": {"a": [1]}}, {"a": [1]}),
    ],
)
def test_an_object_template_is_a_json_document(source: str, row: dict[str, Any], value: Any) -> None:
    if value is None:
        assert "invalid JSON" in refusal(source, row, OBJECT)
    else:
        assert render(source, row, OBJECT) == value


def test_a_list_inside_an_object_is_spliced_in_as_its_own_schema_says() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"items": {"type": "array"}}, "b": {"items": {"type": "integer"}}},
    }
    assert render('{"a": [{{ v }}], "b": [{{ v }}]}', {"v": [1, 2]}, schema) == {"a": [[1, 2]], "b": [1, 2]}


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        ("[{{ a }}, {{ b }}]", {"a": [1, 2], "b": [3]}, [[1, 2], [3]]),
        ("[{{ a }}]", {"a": []}, [[]]),
    ],
)
def test_a_list_is_one_item_where_the_items_are_arrays(source: str, row: dict[str, Any], value: Any) -> None:
    assert render(source, row, ARRAYS) == value


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        ("[{% for i in l %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}]", {"l": [1, 2]}, "[1,2]"),
        ("{% if l %}{{ l }}{% endif %}", {"l": []}, ""),
        ("{% if l %}{{ l }}{% endif %}", {"l": ["a"]}, '["a"]'),
    ],
)
def test_a_template_with_statements_renders_to_text(source: str, row: dict[str, Any], value: str) -> None:
    assert render(source, row, ARRAY) == value


def test_broken_json_at_run_shows_what_was_rendered_and_shortens_it() -> None:
    assert refusal("[{{ a }}]", {"a": "ALERTS"}, ARRAY).endswith("text needs quotes around it: [ALERTS]")
    message = refusal("[{{ a }}]", {"a": '"' + "x" * 5000}, ARRAY)
    assert "invalid JSON" in message
    assert "… (5003 characters)" in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array"}, True),
        ({"type": "object"}, True),
        ({"type": ["array", "object"]}, True),
        ({"type": ["array", "null"]}, True),
        ({"type": "string"}, False),
        ({"type": ["array", "string"]}, False),
        ({"type": "null"}, False),
        ({"type": ["null"]}, False),
        ({}, False),
    ],
)
def test_only_arrays_and_objects_take_json_documents(schema: dict[str, Any], expected: bool) -> None:
    assert takes_json(schema) is expected


# --- JSON values in place of a template's text -------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "row", "result"),
    [
        ({"a": '{{ row["x y"] | default("q") }} "z"'}, {"x y": 'p"'}, {"a": 'p" "z"'}),
        (["ALERTS", "{{ a }}"], {"a": '"'}, ["ALERTS", '"']),
        ({"k": [1, None, True, 1.5]}, {}, {"k": [1, None, True, 1.5]}),
        ({"{{ a }}": "b\n\\"}, {"a": "n"}, {"n": "b\n\\"}),
        (['{% raw %}{{ "a" }}{% endraw %}'], {}, ['{{ "a" }}']),
        ({1: 2}, {}, {"1": 2}),
        ([], {}, []),
    ],
)
def test_a_json_value_with_templates_in_its_texts(value: Any, row: dict[str, Any], result: Any) -> None:
    assert render(json_source(value), row, ARRAY) == result


@pytest.mark.parametrize("value", [{"a": "{{ 'x"}, [b"x"], [float("nan")], {"a": {1, 2}}])
def test_a_value_that_cannot_be_a_template_is_a_fault_of_the_run(value: Any) -> None:
    with pytest.raises(RunError, match="template"):
        json_source(value)


def test_a_value_that_contains_itself_is_a_fault_of_the_run() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RunError, match="template"):
        json_source(value)
