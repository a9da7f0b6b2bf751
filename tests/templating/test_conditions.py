"""Texts that mean false, and texts that are no numbers, do not lead to a wrong value."""

from __future__ import annotations

import re
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


NUMBERS = {
    "five": "5",
    "ten": "10",
    "nine": "9",
    "date": "2026-12-01",
    "code": "007",
    "yes": "Yes",
    "list": ["10", "9"],
}


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ five == 5 }}", 'the text "5" is compared with a number'),
        ("{{ 5.0 != five }}", 'the text "5" is compared with a number'),
        ("{{ code == 7 }}", 'the text "007" is compared with a number'),
        ("{{ five in [4, 5] }}", 'the text "5" is compared with a number'),
        ("{{ 'a' if five is eq(5) else 'b' }}", 'the text "5" is compared with a number'),
        ("{{ [five] | select('equalto', 5) | list }}", 'the text "5" is compared with a number'),
        ("{{ yes == true }}", 'the text "Yes" is compared with a boolean; use the filter bool'),
        ("{{ ten > nine }}", '"10" and "9" are compared as texts; use the filter int or float'),
        ("{{ '1' < nine <= ten }}", '"9" and "10" are compared as texts'),
        ("{{ ten is gt(nine) }}", '"10" and "9" are compared as texts'),
        ("{{ [ten, nine] | max }}", "the numbers in the list are texts"),
        ("{{ list | sort | first }}", "the numbers in the list are texts"),
        ("{% if five == 5 %}a{% endif %}", 'the text "5" is compared with a number'),
    ],
)
def test_a_comparison_that_would_be_wrong(template: str, said: str) -> None:
    with pytest.raises(RowError, match=re.escape(said)):
        compile_template(template, {})(Scope(NUMBERS, {}))


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ five == 6 }}", False),
        ("{{ five == '5' }}", True),
        ("{{ five | int == 5 }}", True),
        ("{{ five in ['5', 6] }}", True),
        ("{{ 'x' in 'xyz' }}", True),
        ("{{ five not in [6] }}", True),
        ("{{ yes == 'Yes' }}", True),
        ("{{ yes == false }}", False),
        ("{{ nine > five }}", True),
        ("{{ date > '2026-11-30' }}", True),
        ("{{ code < '010' }}", True),
        ("{{ 1 < 2 < 3 }}", True),
        ("{{ 1 < 3 < 2 }}", False),
        ("{{ list | map('int') | max }}", 10),
        ("{{ ['b', 'a'] | sort | first }}", "a"),
        ("{{ [date, '2026-11-30'] | min }}", "2026-11-30"),
        ("{{ [{'a': '10'}, {'a': '9'}] | map(attribute='a') | list }}", ["10", "9"]),
        ("{{ none == 5 }}", False),
    ],
)
def test_other_comparisons(template: str, value: Any) -> None:
    assert compile_template(template, {})(Scope(NUMBERS, {})) == value


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
