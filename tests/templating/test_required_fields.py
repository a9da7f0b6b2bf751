"""The fields that a template requires of every row."""

from __future__ import annotations

import pytest

from connector.errors import InputError
from connector.templating.environment import environment
from connector.templating.required_fields import required_fields
from connector.templating.scope import Scope
from connector.templating.templates import compile_template

REQUIRED = [
    ("{{ a }}", "a"),
    ("{{ a }}-{{ b }}-{{ a }}", "a b"),
    ("{{ row.a }} {{ row['a b'] }}", "a,a b"),
    ("{{ row.a.b }}", "a"),
    ("{{ a[0] }}", "a"),
    ("{{ a['b'] }}", "a"),
    ("{{ a[1:2] }}", "a"),
    ("{{ a | upper | trim }}", "a"),
    ("{{ a.strip() }}", "a"),
    ("{{ a + b }} {{ c ~ [d] }} {{ not e }}", "a b c d e"),
    ("{{ -a }}", "a"),
    ("{{ 2 ** a }}", "a"),
    ("{{ [a, {'k': b}] }}", "a b"),
    ("{{ [a, b] | join('-') }}", "a b"),
    ('{"x": {{ a }}, "y": "{{ b }}"}', "a b"),
    ("{{ a == b }} {{ c < 3 < d }}", "a b c"),
    ("{{ a in ['x'] }} {{ 'x' in b }} {{ c not in ('x', 'y') }}", "a b c"),
    ("{{ a is none }} {{ b is match('x') }}", "a b"),
    ("{{ a or b }} {{ c and d }}", "a c"),
    ("{{ 'x' if a else 'y' }}", "a"),
    ("{{ b if a else b | upper }}", "a b"),
    ("{{ self }}", "self"),
    ("{% if a %}{{ b }}{{ c }}{% elif d %}{{ b }}{% else %}{{ b }}{% endif %}", "a b"),
    ("{% for x in a %}{{ b }}{% endfor %}", "a"),
    ("{% set x = a | trim %}{{ x }}", "a"),
    ("{% set x %}{{ a }}{% endset %}", "a"),
    ("{% with x = 1 %}{{ a }}{{ x }}{% endwith %}", "a"),
]
NOT_REQUIRED = [
    "text",
    "{# {{ a }} #}",
    "{% raw %}{{ a }}{% endraw %}",
    "{{ a | default('') }}",
    "{{ a | d }}",
    "{{ a | default(omit) }}",
    "{{ omit }}",
    "{{ range(3) | list }}",
    "{{ row }}",
    "{{ row.get('a') }}",
    "{{ row.get('a', '') | upper }}",
    "{{ row.items() }}",
    "{{ a is defined }}",
    "{{ 'x' if a is not defined else 'y' }}",
    "{{ a if b is defined else 'c' }}",
    "{{ a if b is defined }}",
    "{{ 'x' or a }}",
    "{{ a is defined and a }}",
    "{{ a in [] }}",
    "{{ 1 < 0 < a }}",
    "{{ [a] == [] }}",
    "{{ [a, 'x'] | length }}",
    "{% if a is defined %}{{ a }}{% endif %}",
    "{% for x in [] %}{{ a }}{% endfor %}",
    "{% for x in [] if a %}{{ a }}{% endfor %}",
    "{% for x in [1] %}{{ x }}{{ loop.index }}{% endfor %}",
    "{% set x = a %}y",
    "{% set x = 1 %}{{ x }}",
    "{% set row = {'a': 1} %}{{ row.a }}",
    "{% macro m(p) %}{{ a }}{{ p }}{% endmacro %}y",
    "{% macro m(p) %}{{ p }}{% endmacro %}{{ m(1) }}",
    "{% with x = a %}y{% endwith %}",
]
DOUBTFUL = [
    "{{ a | default(b) | upper }}",
    "{{ a.b | default('') }}",
    "{{ [a, 'x'] | first }}",
    "{{ 'x' | replace('x', a) }}",
    "{{ range(a) | list }}",
    "{{ 'abc'[a] }}",
]
"""Templates that render no row without fields, which the analysis leaves to the rows."""


def names(expected: str) -> list[str]:
    return expected.split("," if "," in expected else None)


@pytest.mark.parametrize(("source", "expected"), REQUIRED)
def test_required(source: str, expected: str) -> None:
    assert required_fields(source) == names(expected)


@pytest.mark.parametrize(("source", "expected"), REQUIRED)
def test_no_row_without_a_required_field_can_be_rendered(source: str, expected: str) -> None:
    full = dict.fromkeys("abcdefg", "1") | {"a b": "1", "self": "1"}
    template = compile_template(source, {"type": "object"} if source.startswith('{"') else {})
    for name in names(expected):
        with pytest.raises(InputError, match=f'no (field|member) "{name}"'):
            template(Scope({field: value for field, value in full.items() if field != name}))


@pytest.mark.parametrize("source", NOT_REQUIRED + DOUBTFUL)
def test_not_required(source: str) -> None:
    assert required_fields(source) == []


@pytest.mark.parametrize("source", NOT_REQUIRED)
def test_a_row_without_fields_can_be_rendered(source: str) -> None:
    compile_template(source, {})(Scope({}))


ARGUMENTS = {
    "replace": "('a', 'b')",
    "regex_replace": "('a', 'b')",
    "attr": "('a')",
    "batch": "(2)",
    "slice": "(2)",
    "map": "('upper')",
}
WITH_NAME = ("groupby", "selectattr", "rejectattr", "split", "regex_search", "regex_findall", "json_query")
ARGUMENTS |= dict.fromkeys(WITH_NAME, "('a')")
ARGUMENTS |= {"ternary": "(1, 2)", "combine": "({})", "add_time": "(days=1)", "format_datetime": "('%Y')"}
FILTERS = sorted(name for name in environment.filters if not name.startswith("#"))


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_requires_its_value_or_is_known_not_to(name: str) -> None:
    source = f"{{% set x = a | {name}{ARGUMENTS.get(name, '')} %}}"
    template = compile_template(source, {})
    if required_fields(source):
        with pytest.raises(InputError, match='no field "a"'):
            template(Scope({}))
    else:
        template(Scope({}))


@pytest.mark.parametrize("name", sorted(filter(str.isidentifier, environment.tests)))
def test_a_test_requires_its_value_or_is_known_not_to(name: str) -> None:
    source = f"{{{{ a is {name} }}}}"
    if required_fields(source):
        with pytest.raises(InputError):
            compile_template(source, {})(Scope({}))
    else:
        compile_template(source, {})(Scope({}))
