"""A missing variable is an error wherever it is used, unless the template provides for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.templating.rendering import ARRAY, OBJECT, refusal, render


@pytest.mark.parametrize(
    "source",
    [
        "{{ devise }}",
        "a {{ devise }}",
        "{{ devise ~ 'x' }}",
        "a {{ 'x' ~ devise }}",
        "{{ devise | upper }}",
        "{{ devise | list }}",
        "{{ devise | length }}",
        "{{ devise | tojson }}",
        "{{ devise | string }}",
        "{{ devise | int }}",
        "{{ devise | first }}",
        "{{ devise | map('upper') | list }}",
        "{{ ['a'] | join(devise) }}",
        "{{ ['a', devise] | join }}",
        "{{ devise is none }}",
        "{{ devise is string }}",
        "{{ devise is mapping }}",
        "{{ devise == 1 }}",
        "{{ 1 == devise }}",
        "{{ 1 in [devise] }}",
        "{{ not devise }}",
        "{{ devise or 'x' }}",
        "{{ device and devise }}",
        "{{ 1 if devise else 2 }}",
        "{{ 2 if not device else devise }}",
        "{{ [devise] }}",
        "{{ {'a': devise} }}",
        "{{ devise.name }}",
        "{{ devise['name'] }}",
        "{{ devise + 1 }}",
        "{{ row.devise }}",
        "{{ row['devise'] }}",
        "{% if devise %}a{% endif %}",
        "{% for x in devise %}a{% endfor %}",
        "{% set x = devise %}{{ x }}",
    ],
)
def test_a_missing_variable_is_an_error_wherever_it_is_used(source: str) -> None:
    assert '"devise"' in refusal(source, {"device": "PC"})


@pytest.mark.parametrize(
    ("source", "schema"),
    [
        ("[{{ devise }}]", ARRAY),
        ('["{{ devise }}"]', ARRAY),
        ('{"a": {{ devise }}}', OBJECT),
        ('{"a": "x {{ devise }}"}', OBJECT),
        ('{"{{ devise }}": 1}', OBJECT),
        ("[{% if devise %}1{% endif %}]", ARRAY),
        ("{{ devise }}", ARRAY),
    ],
)
def test_a_missing_variable_is_an_error_inside_json_documents(source: str, schema: Any) -> None:
    message = refusal(source, {"device": 1, "name": 2})
    assert message == (
        'the row has no field "devise" (did you mean "device"?); the row\'s fields: device, name'
    )


@pytest.mark.parametrize(
    ("source", "row", "output"),
    [
        ("{{ a }}", {}, 'the row has no field "a"; the row\'s fields: none'),
        ("{{ b.nmae }}", {"b": {"name": 1}}, 'an object has no member "nmae" (did you mean "name"?)'),
        ("{{ b['x y'] }}", {"b": {}}, 'an object has no member "x y"; an object\'s members: none'),
        ("{{ b.c.d }}", {"b": {"c": None}}, 'null has no member "d"'),
        ("{{ b[3] }}", {"b": [1]}, 'an array has no member "3"'),
        ("{{ b.x }}", {"b": "text"}, 'text has no member "x"'),
        ("{{ c }}", {f"f{n}": n for n in range(30)}, "f19, … (30 in all)"),
        ("{{ b }}", {"row": {"inner": 1}}, "the row's fields: row"),
        ("{{ a[b] }}", {"a": None, "b": "x" * 9000}, 'x… (9000 characters)"'),
        ("{{ b }}", {"x" * 9000: 1}, "x… (9000 characters)"),
    ],
)
def test_the_message_says_what_would_have_been_there(source: str, row: dict[str, Any], output: str) -> None:
    message = refusal(source, row)
    assert output in message
    assert len(message) < 500


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        ("{{ a | default('x') }}", {}, "x"),
        ("{{ a.b | default(5) }}", {"a": {}}, 5),
        ("{{ a | d('x', true) }}", {"a": ""}, "x"),
        ("{{ a is defined }}", {}, False),
        ("{{ a is undefined }}", {}, True),
        ("{{ a.b is defined }}", {"a": {"b": None}}, True),
        ("{{ 'x' if a }}", {"a": False}, ""),
        ("({{ 'x' if a }})", {"a": False}, "()"),
    ],
)
def test_what_is_meant_for_missing_values_still_works(source: str, row: dict[str, Any], value: Any) -> None:
    assert render(source, row) == value
