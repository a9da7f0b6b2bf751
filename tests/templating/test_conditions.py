"""Texts that mean false, and texts that are no numbers, do not lead to a wrong value."""

from __future__ import annotations

import re
from typing import Any

import pytest

from connector.common import json_text
from connector.errors import RowError
from connector.templating.scope import Scope
from connector.templating.templates import compile_template

ROW = {
    "no": "FALSE",
    "zero": "0",
    "some": "x",
    "off": False,
    "empty": "",
    "comma": "1,5",
    "items": ["no", ""],
    "spelled": json_text.loads("9007199254740993.0"),
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
        "{{ items | select | list }}",
        "{{ items | reject | list }}",
        "{{ [{'a': no}] | selectattr('a') | list }}",
        "{{ [{'a': [no]}] | rejectattr('a.0') | list }}",
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
        ("{{ ['x', '', false, 0] | select | list }}", ["x"]),
        ("{{ items | select('eq', '') | list }}", [""]),
        ("{{ [{'a': 'x'}, {'a': ''}] | rejectattr('a') | list }}", [{"a": ""}]),
    ],
)
def test_other_conditions(template: str, value: Any) -> None:
    assert value_of(template) == value


SPELLED = json_text.loads("1.50")
assert isinstance(SPELLED, json_text.SpelledFloat)
SORTED = "in another order; use "
NUMBERS = {
    "five": "5",
    "ten": "10",
    "nine": "9",
    "date": "2026-12-01",
    "code": "007",
    "yes": "Yes",
    "list": ["10", "9"],
    "mixed": ["b", "10", "", "9", "a"],
    "rows": [{"n": "10", "of": "a"}, {"n": "9", "of": "a"}, {"n": "1", "of": "b"}],
    "fine": [{"n": "10", "of": "a"}, {"n": "9", "of": "b"}, {"n": "x", "of": "c"}],
    "names": {"10": "a", "9": "b"},
    "half": SPELLED,
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
        ("{{ half == '1.5' }}", 'the text "1.5" is compared with a number'),
        ("{{ 5 in [6, '5.0'] }}", 'the text "5.0" is compared with a number'),
        ("{{ 5.0 not in ['5'] }}", 'the text "5" is compared with a number'),
        ("{{ 5 in {'5': 1} }}", 'the text "5" is compared with a number'),
        ("{{ five in range(9) }}", 'the text "5" is compared with a number'),
        ("{{ true in ['yes'] }}", 'the text "yes" is compared with a boolean'),
        ("{{ '1' in [true] }}", 'the text "1" is compared with a boolean'),
        ("{{ '0' == false }}", 'the text "0" is compared with a boolean'),
        ("{{ 'a' if yes is true else 'b' }}", 'the text "Yes" is compared with a boolean'),
        ("{{ 'off' is false }}", 'the text "off" is compared with a boolean'),
        ("{{ yes is sameas true }}", 'the text "Yes" is compared with a boolean'),
        ("{{ [yes] | select('true') | list }}", 'the text "Yes" is compared with a boolean'),
        ("{{ [ten, nine] | max }}", "the numbers in the list are texts"),
        ("{{ list | sort | first }}", "the numbers in the list are texts"),
        (
            "{{ mixed | sort | first }}",
            "the numbers in the list are texts, which sort " + SORTED + "map('int')",
        ),
        ("{{ mixed | min }}", "the numbers in the list are texts"),
        ("{{ rows | sort(attribute='n') | first }}", 'the numbers in "n" are texts, which sort ' + SORTED),
        ("{{ rows | sort(false, false, 'of,n') | first }}", 'the numbers in "of,n" are texts'),
        ("{{ rows | max(attribute='n') }}", 'the numbers in "n" are texts'),
        ("{{ rows | groupby('n') | first }}", 'the numbers in "n" are texts, which sort ' + SORTED),
        ("{{ names | dictsort | first }}", "the numbers in the keys are texts, which sort " + SORTED),
        ("{{ {'a': ten, 'b': nine} | dictsort(by='value') }}", "the numbers in the values are texts"),
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
        ("{{ 'yes' in [1, 2] }}", False),
        ("{{ 'no' in [0, 2] }}", False),
        ("{{ '2' in [true] }}", False),
        ("{{ true in ['no', 1] }}", True),
        ("{{ five in {'5': 1} }}", True),
        ("{{ yes is false }}", False),
        ("{{ true is true and 1 is not true }}", True),
        ("{{ mixed | reject('in', list) | sort | list }}", ["", "a", "b"]),
        ("{{ ['9', 'x', '5'] | max }}", "x"),
        ("{{ fine | sort(attribute='of,n') | map(attribute='of') | join }}", "abc"),
        ("{{ rows | groupby('of') | map(attribute='grouper') | join }}", "ab"),
        ("{{ names | dictsort(by='value') | map('first') | list }}", ["10", "9"]),
        (
            "{{ rows | json_query('sort_by(@, &to_number(n))') | map(attribute='n') | list }}",
            ["1", "9", "10"],
        ),
        ("{{ names | dict2items | json_query('sort_by(@, &to_number(key))[0].value') }}", "b"),
        ("{{ rows | json_query('[].{n: to_number(n)}') | groupby('n') | map('first') | list }}", [1, 9, 10]),
    ],
)
def test_other_comparisons(template: str, value: Any) -> None:
    assert compile_template(template, {})(Scope(NUMBERS, {})) == value


@pytest.mark.parametrize("text", ["1,5", "1.234,5", "abc", "nan", "inf", "1_000", "0x1f", "5 GB", "1e400"])
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
        ("{{ '1E+11' | int }}", 100_000_000_000),
        ("{{ '9007199254740993.0' | int }}", 9007199254740993),
        ("{{ '-90071992547409930e-1' | int }}", -9007199254740993),
        ("{{ spelled | int }}", 9007199254740993),
        ("{{ '9007199254740993.0' > '9007199254740992' }}", True),
        ("{{ '9007199254740993.5' | int }}", 9007199254740993),
        ("{{ '0.0' | int }}", 0),
        ("{{ '0E99999999999999999999' | int }}", 0),
        ("{{ '1e-99999999999999999999' | float }}", 0.0),
        ("{{ '0E99999999999999999999' > '1' }}", False),
        ("{{ '2.5e-3' | int }}", 0),
    ],
)
def test_numbers(template: str, value: Any) -> None:
    found = value_of(template)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("template", ["{{ items | int }}", "{{ {} | float }}", "{{ ('9' * 400) | float }}"])
def test_values_that_are_no_numbers(template: str) -> None:
    with pytest.raises(RowError):
        value_of(template)
