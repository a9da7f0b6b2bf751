"""The value `omit` leaves out an input, and members and items of JSON documents."""

from __future__ import annotations

from typing import Any

import pytest

from connector.common.absent import ABSENT
from connector.templating.scope import Scope
from connector.templating.templates import compile_together, read
from tests.templating.rendering import ARRAY, OBJECT, TEXT


@pytest.mark.parametrize(
    ("template", "schema", "value"),
    [
        ("{{ x | default(omit) }}", TEXT, ABSENT),
        ("a{{ x | default(omit) }}", TEXT, "a"),
        ('{"a": {{ x | default(omit) }}, "b": 1}', OBJECT, {"b": 1}),
        ('{"a": "{{ x | default(omit) }}", "b": ""}', OBJECT, {"b": ""}),
        ('["{{ x | default(omit) }}", {{ x | default(omit) }}, 2]', ARRAY, [2]),
        ("{{ {'a': x | default(omit), 'b': 1} }}", OBJECT, {"b": 1}),
        ('{"a": "{{ y | default(omit) }}"}', OBJECT, {"a": ""}),
    ],
)
def test_it_leaves_out(template: str, schema: dict[str, Any], value: Any) -> None:
    parsed = read(template, schema)
    scope = Scope({"y": ""})
    assert compile_together([parsed])(scope) == [value]
    assert parsed.compile()(scope) == value
