"""Any template over any row results in a JSON value or an error of the row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import RowError, RunError
from connector.templating.scope import Render, Scope
from connector.templating.templates import compile_template, compile_together, read
from tests.examples import examples
from tests.templating.rendering import ANY, ARRAY, ARRAYS, OBJECT, TEXT, refusal, render


def outcome(template: Render, row: dict[str, Any]) -> Any:
    """The value, or the RowError; anything else fails the test."""
    try:
        return template(Scope(row))
    except RowError as error:
        return error


texts = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(categories=("Cs", "Cc", "Po")), max_size=6),
    st.sampled_from(["{{ a }}", '"', "\\", '", "x', "\ue000", "\ue0000\ue002", "__class__", "007", "null"]),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(texts, v, max_size=4), max_leaves=12
)
names = st.one_of(st.sampled_from(["a", "b", "v", "row", "self", "items", "loop", "values", "range"]), texts)
rows = st.dictionaries(names, values, max_size=5)
POOL = [
    "{{ v }}",
    "{{ a }} and {{ b }}",
    "{{ a ~ b }}",
    "{{ row }}",
    "{{ row['a b'] }}",
    "{{ a.b.c }}",
    "{{ a[0] }}",
    "{{ a | upper }}",
    "{{ a | join(',') }}",
    "{{ a | sort }}",
    "{{ a | map(attribute='b') | list }}",
    "{{ a | selectattr('b') | list }}",
    "{{ a | dictsort }}",
    "{{ a | tojson }}",
    "{{ a + b }}",
    "{{ a * 3 }}",
    "{{ a % b }}",
    "{{ a < b }}",
    "{{ a in b }}",
    "{{ a if b else v }}",
    "{{ a is none }}",
    "{{ v | default(a) }}",
    "{{ items }}{{ loop }}{{ self }}",
    "{% for x in a %}{{ x }}{{ loop.index }},{% endfor %}",
    "{% for k, x in a.items() %}{{ k }}{% endfor %}",
    "{% set a = b %}{{ a }}",
    "[{{ a }}, {{ b }}]",
    '["{{ a }}", {{ b }}]',
    '{"{{ a }}": {{ b }}}',
    "{ {{ a }}: 1 }",
    '[{"x": [{{ a }}], "y": "{{ b }}"}]',
    "[{% for x in a %}{{ x }},{% endfor %}1]",
    " {{ a }} ",
]
SCHEMAS: list[dict[str, Any]] = [ANY, TEXT, ARRAY, OBJECT, ARRAYS, {"type": ["array", "null"]}]
COMPILED = [(source, compile_template(source, schema)) for source in POOL for schema in SCHEMAS]
READ = [read(source, schema) for source in POOL for schema in SCHEMAS]
GROUPS = [range(start, len(READ), 67) for start in range(67)]
TOGETHER = [(group, compile_together([READ[number] for number in group])) for group in GROUPS]


@examples(400)
@given(rows, st.sampled_from(COMPILED))
def test_any_row_gives_a_json_value_or_a_row_error(row: dict[str, Any], template: Any) -> None:
    found = outcome(template[1], row)
    if isinstance(found, RowError):
        assert found.code == "template_error"
        assert str(found)
    else:
        json.dumps(found, allow_nan=False)


@examples(400)
@given(rows, st.sampled_from(TOGETHER))
def test_templates_give_together_what_they_give_alone(row: dict[str, Any], together: Any) -> None:
    group, render_all = together
    alone = [outcome(COMPILED[number][1], row) for number in group]
    if any(isinstance(found, RowError) for found in alone):
        with pytest.raises(Exception):  # noqa: B017, PT011 - of any kind: the reason is told alone
            render_all(Scope(row))
    else:
        assert render_all(Scope(row)) == alone


@examples(200)
@example("\ue0000\ue002")
@example(["\ud800"])
@given(values)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    for source in ("{{ v }}", "{{ row.v }}", "{{ row['v'] }}"):
        assert render(source, {"v": value}) == value


@examples(200)
@given(values)
def test_a_quoted_expression_is_always_exactly_one_member(value: Any) -> None:
    found = render('["{{ v }}"]', {"v": value}, ARRAY)
    assert len(found) == 1
    assert isinstance(found[0], str) or value is None
    if value is None or isinstance(value, str):
        assert found == [value]
    nested = render('{"a": "{{ v }}", "b": ["{{ v }}"]}', {"v": value}, OBJECT)
    assert nested == {"a": found[0], "b": found}


@examples(100)
@given(st.text(max_size=40))
def test_any_text_at_all_compiles_or_is_a_fault_of_the_run(source: str) -> None:
    for schema in (ANY, ARRAY):
        try:
            template = compile_template(source, schema)
        except RunError:
            continue
        outcome(template, {})


@pytest.mark.parametrize("source", ["{{ v }}", "a {{ v }}", '["{{ v }}"]', "{{ v | tojson }}"])
def test_a_row_that_is_nested_without_end_is_a_row_error(source: str) -> None:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    assert "nested too deeply" in refusal(source, {"v": value})
