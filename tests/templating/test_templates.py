"""Templates: typed by their value, and data never becomes code or structure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from jinja2 import UndefinedError

from connector.errors import RowError
from connector.templating.scope import Scope, constant
from connector.templating.templates import compile_template, compile_together, read
from connector.templating.values import to_json
from tests.loopback import PATIENCE_S
from tests.templating.rendering import ANY, ARRAY, OBJECT, TEXT, refusal, render

# --- only the author's text is a template ------------------------------------------------------------------


CODE = '{{ 7 * 7 }}{% set a = 1 %}{# x #}"\\'


@pytest.mark.parametrize(
    ("source", "schema", "value"),
    [
        ("{{ v }}", ANY, CODE),
        ("a {{ v }}", TEXT, "a " + CODE),
        ("{{ v ~ v }}", TEXT, CODE + CODE),
        ("{{ [v] | join }}", TEXT, CODE),
        ('["{{ v }}"]', ARRAY, [CODE]),
        ('{"{{ v }}": "{{ v }}"}', OBJECT, {CODE: CODE}),
        ("[{{ [v] }}]", ARRAY, [CODE]),
        ("{{ row.v }}", ANY, CODE),
    ],
)
def test_data_that_looks_like_a_template_stays_text(source: str, schema: Any, value: Any) -> None:
    assert render(source, {"v": CODE}, schema) == value


# --- values and text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -7, 1.5, "", "007", " x ", [], [1, [None]], {}, {"a": {"b": [1]}}]
)
@pytest.mark.parametrize("source", ["{{ v }}", "{{v}}", "{{ row.v }}", "{# c #}{{ v }}", "{{ v }}\n"])
def test_exactly_one_expression_keeps_its_type(source: str, value: Any) -> None:
    found = render(source, {"v": value})
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (1.5, "1.5"),
        ("x", "x"),
        ([1, "ü", None], '[1, "ü", null]'),
        ({"a": True}, '{"a": true}'),
    ],
)
@pytest.mark.parametrize(
    "source",
    ["<{{ v }}>", "{{ '<' ~ v ~ '>' }}", "{{ ['<', v, '>'] | join }}", "{{ '<' ~ (v | string) ~ '>' }}"],
)
def test_text_prints_values_as_json(source: str, value: Any, printed: str) -> None:
    assert render(source, {"v": value}) == f"<{printed}>"


def test_tojson_writes_plain_json() -> None:
    assert render("{{ v | tojson }}", {"v": {"a": "<'&\">"}}) == '{"a": "<\'&\\">"}'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ range }}", "not JSON"),
        ("{{ {1: 2} }}", "member names are text, not an integer"),
        ("{% for x in {range: 1}.a %}{% endfor %}", "member names are text, not a function"),
        ("{% macro m() %}{% endmacro %}{{ {m: 1}.a }}", "member names are text, not a function"),
        ("{{ {none: 1, true: 2, 1.5: 3}.a }}", 'has no member "a"'),
        ("{{ range }}!", "a function cannot be used as a value; call it with ()"),
        ("{{ 10 ** n }}", "more than 4,096 bits"),
        ("{{ [n * 1e308] }}", "too large"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ v + 1 }}", "unsupported operand"),
        ("{{ v['a'].upper }}", 'text has no member "upper"'),
    ],
)
def test_a_value_that_is_no_json_is_an_error_of_the_row(source: str, message: str) -> None:
    assert message in refusal(source, {"v": {"a": "x"}, "n": 5000})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ l | map('upper') }}", ["A"]),
        ("{{ 'a' | e }}", "a"),
        ("{{ dict(a=1) }}", {"a": 1}),
        ("{{ {'a': 'x'}.items() | list }}", [["a", "x"]]),
    ],
)
def test_what_jinja_makes_becomes_plain_json(source: str, value: Any) -> None:
    found = render(source, {"l": ["a"]})
    assert found == value
    assert type(found) is type(value)


def test_to_json_copies_what_it_is_given() -> None:
    inner = [1]
    copy = to_json({"a": inner})
    copy["a"].append(2)
    assert inner == [1]


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("items", "keys", "values", "get", "pop", "update", "copy", "format", "join", "count"),
        *("range", "dict", "namespace", "lipsum", "cycler", "joiner"),
        *("row", "self", "loop", "super", "context", "environment", "caller", "resolve", "missing"),
        *("concat", "undefined", "name", "blocks", "l_0_a", "t_1", "str", "int", "_x", "ünïcode"),
    ],
)
def test_a_field_of_any_name_is_the_field(name: str) -> None:
    assert render(f"{{{{ {name} }}}}", {name: 5}) == 5
    assert render(f"a{{{{ {name} }}}}", {name: 5}) == "a5"
    assert render(f"[{{{{ {name} }}}}]", {name: 5}, ARRAY) == [5]
    assert render(f"{{{{ a.{name} }}}}", {"a": {name: 5}}) == 5
    assert render(f"{{{{ a['{name}'] }}}}", {"a": {name: 5}}) == 5
    assert "has no" in refusal(f"{{{{ a.{name} }}}}", {"a": {}})
    assert "has no" in refusal(f"{{% if a.{name} %}}x{{% endif %}}", {"a": {}})


def test_names_that_are_no_identifiers_are_reached_through_row() -> None:
    row = {"display name": "PC", "a-b": {"c.d": 1}, "": 2}
    assert render("{{ row['display name'] }}/{{ row['a-b']['c.d'] }}/{{ row[''] }}", row) == "PC/1/2"
    assert render("{{ row }}", row) == row


def test_methods_can_be_called_whatever_the_fields_are_called() -> None:
    source = "{% for name, value in v.items() %}{{ name }}={{ value }};{% endfor %}"
    assert render(source, {"v": {"items": 1, "keys": 2}}) == "items=1;keys=2;"


def test_loop_variables_and_namespaces_work() -> None:
    source = (
        "{% set n = namespace(x=0) %}{% for i in l %}{% set n.x = n.x + i %}{{ loop.index }}"
        "{% if not loop.last %},{% endif %}{% endfor %}={{ n.x }}"
    )
    assert render(source, {"l": [4, 5]}) == "1,2=9"


def test_nothing_leaks_from_one_template_into_another() -> None:
    scope = Scope({"a": 1})
    assert compile_template("{% set leaked = a %}{% set a = 9 %}{{ leaked }}", ANY)(scope) == "1"
    with pytest.raises(RowError, match='no field "leaked"'):
        compile_template("{{ leaked }}", ANY)(scope)
    assert compile_template("{{ a }}", ANY)(scope) == 1
    assert scope.fields == {"a": 1}


def test_one_template_serves_many_rows() -> None:
    template = compile_template('{"a": [{{ v }}]}', OBJECT)
    assert [template(Scope({"v": n})) for n in (1, [2, 3], "4")] == [{"a": [1]}, {"a": [2, 3]}, {"a": [4]}]


def test_nothing_leaks_between_templates_that_are_compiled_together() -> None:
    sources = ["{% set leaked = a %}{% set a = 9 %}{{ leaked }}", "{{ a }}", "{{ a }}%s %{{ values }}"]
    together = compile_together(
        [*(read(source, ANY) for source in sources), constant(None), read("100%", ANY)]
    )
    assert together(Scope({"a": 1, "values": 2})) == ["1", 1, "1%s %2", None, "100%"]
    with pytest.raises(UndefinedError):
        compile_together([read(sources[0], ANY), read("{{ leaked }}", ANY)])(Scope({"a": 1}))


def test_nothing_leaks_from_one_row_into_the_next() -> None:
    together = compile_together([read("{{ values }}", ANY)])
    assert together(Scope({"values": [1]})) == [[1]]
    with pytest.raises(UndefinedError):
        together(Scope({}))
    assert together(Scope({"values": "x"})) == ["x"]


def test_a_row_on_another_thread_does_not_get_into_the_one_that_is_rendered() -> None:
    together = compile_together([read("{{ a }}", ANY), read("{{ b }}", ANY)])
    reached, go_on = Event(), Event()

    class Waiting(Scope):
        def get(self, name: str, default: Any = None) -> Any:
            reached.set()
            assert go_on.wait(PATIENCE_S)
            return super().get(name, default)

    with ThreadPoolExecutor(1) as thread:
        rendered = thread.submit(together, Waiting({"a": 1, "b": 2}))
        assert reached.wait(PATIENCE_S)
        assert together(Scope({"a": 3, "b": 4})) == [3, 4]
        go_on.set()
        assert rendered.result() == [1, 2]


def test_of_two_faults_in_a_template_the_first_is_told() -> None:
    assert 'no field "a"' in refusal("{{ a }} {{ 1 // 0 }}", {})
    assert 'no field "a"' in refusal("[{{ a }}, {{ 'x' }}]", {}, ARRAY)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1779999399.5, "2026-05-28T20:16:39.500Z"),
        (1779999399, "2026-05-28T20:16:39Z"),
        (1779999399000, "2026-05-28T20:16:39Z"),
        ("2026-05-28T20:16:39+02:00", "2026-05-28T18:16:39Z"),
    ],
)
def test_iso_writes_a_time_for_people(value: Any, written: str) -> None:
    assert render("{{ v | iso }}", {"v": value}) == written


def test_iso_refuses_what_is_no_time() -> None:
    assert 'the template fails: "soon" is not a time' in refusal("{{ v | iso }}", {"v": "soon"})
    assert 'no field "w"' in refusal("{{ w | iso }}", {"v": 1})
