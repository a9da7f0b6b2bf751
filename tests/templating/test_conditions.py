"""Texts that mean false, and texts that are no numbers, do not lead to a wrong value."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RowError
from connector.templating.templates import Scope, compile_template

ROW = {
    "no": "FALSE",
    "zero": "0",
    "some": "x",
    "off": False,
    "empty": "",
    "comma": "1,5",
    "items": ["no", ""],
}


def value_of(template: str) -> Any:
    return compile_template(template, {})(Scope(ROW, {}))


@pytest.mark.parametrize(
    "template",
    [
        "{% if no %}a{% endif %}",
        "{% if off %}a{% elif zero %}b{% endif %}",
        "{{ 'a' if no else 'b' }}",
        "{{ 'a' if no | trim else 'b' }}",
        "{{ not no }}",
        "{{ no and 'a' }}",
        "{{ 'a' if some and no else 'b' }}",
        "{{ 'a' if off or not zero else 'b' }}",
        "{{ 'a' if row['no'] else 'b' }}",
        "{{ no | ternary('a', 'b') }}",
        "{% for item in items if item %}a{% endfor %}",
    ],
)
def test_a_text_that_means_false_is_no_condition(template: str) -> None:
    with pytest.raises(
        RowError, match=r'the text "(FALSE|0|no)" is true as a condition; use the filter bool'
    ):
        value_of(template)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ 'a' if some else 'b' }}", "a"),
        ("{{ 'a' if empty else 'b' }}", "b"),
        ("{{ 'a' if off else 'b' }}", "b"),
        ("{{ 'a' if no | bool else 'b' }}", "b"),
        ("{{ 'a' if no != '' else 'b' }}", "a"),
        ("{{ 'a' if no is defined and zero == '0' else 'b' }}", "a"),
        ("{{ no or 'a' }}", "FALSE"),
        ("{{ some and no }}", "FALSE"),
        ("{{ missing | default(no) }}", "FALSE"),
        ("{{ 'a' if 'no' else 'b' }}", "a"),
    ],
)
def test_other_conditions(template: str, value: Any) -> None:
    assert value_of(template) == value


@pytest.mark.parametrize("text", ["1,5", "1.234,5", "abc", "nan", "inf", "1_000", "0x1f", "5 GB"])
@pytest.mark.parametrize("filter", ["int", "float"])
def test_a_text_that_is_no_number(text: str, filter: str) -> None:
    with pytest.raises(RowError, match=rf'"{text}" is not a number; {filter}.0. returns 0 in this case'):
        value_of(f"{{{{ '{text}' | {filter} }}}}")
    assert value_of(f"{{{{ '{text}' | {filter}(7) }}}}") == 7


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ ' 12 ' | int }}", 12),
        ("{{ '-12.9' | int }}", -12),
        ("{{ 12.9 | int }}", 12),
        ("{{ true | int }}", 1),
        ("{{ '1f' | int(base=16) }}", 31),
        ("{{ '0x1f' | int(base=16) }}", 31),
        ("{{ '1e3' | float }}", 1000.0),
        ("{{ '.5' | float }}", 0.5),
        ("{{ empty | int }}", ""),
        ("{{ empty | float }}", ""),
        ("{{ empty | int(3) }}", 3),
        ("{{ '12345678901234567890' | int }}", 12345678901234567890),
    ],
)
def test_numbers(template: str, value: Any) -> None:
    found = value_of(template)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("template", ["{{ items | int }}", "{{ {} | float }}", "{{ ('9' * 400) | float }}"])
def test_values_that_are_no_numbers(template: str) -> None:
    with pytest.raises(RowError):
        value_of(template)
