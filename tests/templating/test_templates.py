"""Templates: strict everywhere, typed by their value, and data never becomes code or structure."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from connector.errors import RowError, RunFault
from connector.templating.templates import (
    Render,
    Scope,
    compile_template,
    compile_together,
    constant,
    json_source,
    read,
    takes_json,
)
from connector.templating.values import to_json

ANY: dict[str, Any] = {}
TEXT = {"type": "string"}
ARRAY = {"type": "array"}
OBJECT = {"type": "object"}
ARRAYS = {"type": "array", "items": {"type": "array"}}


def render(source: str, row: dict[str, Any], schema: dict[str, Any] = ANY) -> Any:
    return compile_template(source, schema)(Scope(row))


def outcome(template: Render, row: dict[str, Any]) -> Any:
    """The value, or the RowError; anything else fails the test."""
    try:
        return template(Scope(row))
    except RowError as error:
        return error


def refusal(source: str, row: dict[str, Any], schema: dict[str, Any] = ANY) -> str:
    template = compile_template(source, schema)
    with pytest.raises(RowError) as caught:
        template(Scope(row))
    assert caught.value.code == "template_error"
    return str(caught.value)


# --- strictness --------------------------------------------------------------------------------------------


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
    ("source", "row", "said"),
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
def test_the_message_says_what_would_have_been_there(source: str, row: dict[str, Any], said: str) -> None:
    message = refusal(source, row)
    assert said in message
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
        (None, "null"),
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
    ("source", "said"),
    [
        ("{{ range }}", "no JSON"),
        ("{{ {1: 2} }}", "member names are text, not an integer"),
        ("{{ range }}!", "a function is no data"),
        ("{{ 10 ** n }}", "more than 4,096 bits"),
        ("{{ [n * 1e308] }}", "too large"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ v + 1 }}", "unsupported operand"),
        ("{{ v['a'].upper }}", 'text has no member "upper"'),
    ],
)
def test_a_value_that_is_no_json_is_an_error_of_the_row(source: str, said: str) -> None:
    assert said in refusal(source, {"v": {"a": "x"}, "n": 5000})


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
        def __getitem__(self, name: str) -> Any:
            reached.set()
            assert go_on.wait(20)
            return super().__getitem__(name)

    with ThreadPoolExecutor(1) as thread:
        rendered = thread.submit(together, Waiting({"a": 1, "b": 2}))
        assert reached.wait(20)
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


# --- the sandbox -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ v.__class__ }}",
        "{{ v['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ''.__class__() }}",
        "{{ '{0.__class__}'.format(v) }}",
        "{{ ('{a.__class__}' | string).format_map({'a': v}) }}",
        "{{ range.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ v.update({'b': 1}) }}",
        "{{ v.pop('a') }}",
        "{{ v.clear() }}",
        "{{ row.setdefault('x', 1) }}",
        "{{ l.append(1) }}",
        "{{ l.sort() }}",
        "{% set v.a = 2 %}",
        "{{ range(10000000) }}",
        "{{ ''['upper'] }}",
        "{{ ''.join.__self__ }}",
        "{{ ''.encode() }}",
        "{{ (5).to_bytes(9, 'big') }}",
        "{{ '{0.upper}'.format('x') }}",
        "{{ '{0[__class__]}'.format(v) }}",
        "{{ '{0.__init__.__globals__}'.format(range) }}",
        "{{ '%s' % range }}",
        "{{ '{!r}'.format([dict]) }}",
        "{{ dict.__base__ }}",
        "{{ dict.mro() }}",
        "{{ dict.fromkeys(l) }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ namespace().__class__ }}",
        "{{ namespace()['__class__'] }}",
        "{{ namespace()._Namespace__attrs }}",
        "{{ l | map(attribute='__class__') | list }}",
        "{{ l | map('attr', '__class__') | list }}",
        "{{ l | groupby('__class__') }}",
        "{{ l | sort(attribute='__class__') }}",
        "{{ l | sum(attribute='__class__') }}",
        "{{ l | join(attribute='__class__') }}",
        "{{ l | selectattr('__class__') | list | length == 2 or missing }}",
        "{{ (l | map('upper')).gi_frame }}",
        "{{ v.items().__class__ }}",
        "{{ ('<' | e).__html__() }}",
        "{{ ('<' | e).unescape() }}",
        "{{ (1 if false).__class__ }}",
        "{% for x in l %}{{ loop.__init__ }}{% endfor %}",
        "{% for x in l %}{{ loop._iterator }}{% endfor %}",
        "{% for x in l %}{{ loop['_iterator'] }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m._environment }}",
        "{% macro m() %}{% endmacro %}{{ m.__call__() }}",
        "{% call(x) m() %}{% endcall %}",
        "{{ cycler }}",
        "{{ joiner }}",
        "{{ lipsum }}",
        "{{ environment }}",
        "{{ context }}",
        "{{ __builtins__ }}",
        "{{ caller }}",
    ],
)
def test_templates_reach_no_internals_and_change_no_data(source: str) -> None:
    row = {"v": {"a": 1}, "l": [2, 1]}
    assert refusal(source, row)
    assert row == {"v": {"a": 1}, "l": [2, 1]}


# --- compiling ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "schema", "said"),
    [
        ("{{ a", ANY, "line 1"),
        ("\n{% if %}", ANY, "line 2"),
        ("{% if a %}", ANY, "line 1"),
        ("{{ a | uper }}", ANY, 'no filter "uper" (did you mean "upper"?)'),
        ("{{ 1 if a else (b | uper) }}", ANY, 'no filter "uper"'),
        ("{% if a %}{{ b | uper }}{% endif %}", ANY, 'no filter "uper"'),
        ("{% filter uper %}x{% endfilter %}", ANY, 'no filter "uper"'),
        ("{{ a is strng }}", ANY, 'no test "strng" (did you mean "string"?)'),
        ("{% if a %}{{ b is strng }}{% endif %}", ANY, 'no test "strng"'),
        ("{% include 'x' %}", ANY, "no other templates"),
        ("{% import 'x' as y %}", ANY, "no other templates"),
        ("{% from 'x' import y %}", ANY, "no other templates"),
        ("{% extends 'x' %}", ANY, "no other templates"),
        ("{% block x %}{% endblock %}", ANY, "no other templates"),
        ("{% autoescape true %}{% endautoescape %}", ANY, "nothing is escaped"),
        ("{{ a | attr('b') }}", ANY, 'no filter "attr"'),
        ("{% nonsense %}", ANY, "nonsense"),
        ("{{ 10 ** 5000 }}", ANY, "more than 4,096 bits"),
        ("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", ANY, "too deeply nested"),
        ("{{ a" + ".b" * 200 + " }}", ANY, "too deeply nested"),
        ("[1, 2", ARRAY, "not JSON"),
        ("ALERTS", ARRAY, "not JSON"),
        ('{"a": NaN}', OBJECT, "not JSON"),
        ("{'a': 1}", OBJECT, "not JSON"),
    ],
)
def test_what_cannot_work_is_a_fault_of_the_run(source: str, schema: Any, said: str) -> None:
    with pytest.raises(RunFault) as caught:
        compile_template(source, schema)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 500


# --- JSON documents ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        # inside a text: text, escaped
        ('["{{ a }}", "ALERTS"]', {"a": "x"}, ["x", "ALERTS"]),
        ('["{{ a }}", "ALERTS"]', {"a": '", "y'}, ['", "y', "ALERTS"]),
        ('["{{ a }}"]', {"a": [1, 2]}, ["[1, 2]"]),
        ('["{{ a }}"]', {"a": None}, ["null"]),
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
        assert "broken JSON" in refusal(source, row, OBJECT)
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
    assert "broken JSON" in message
    assert "… (5003 characters)" in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("schema", "wanted"),
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
def test_only_arrays_and_objects_take_json_documents(schema: dict[str, Any], wanted: bool) -> None:
    assert takes_json(schema) is wanted


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
    with pytest.raises(RunFault, match="template"):
        json_source(value)


def test_a_value_that_contains_itself_is_a_fault_of_the_run() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RunFault, match="template"):
        json_source(value)


# --- any row -----------------------------------------------------------------------------------------------

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


@settings(max_examples=400, deadline=None)
@given(rows, st.sampled_from(COMPILED))
def test_any_row_gives_a_json_value_or_a_row_error(row: dict[str, Any], template: Any) -> None:
    found = outcome(template[1], row)
    if isinstance(found, RowError):
        assert found.code == "template_error"
        assert str(found)
    else:
        json.dumps(found, allow_nan=False)


@settings(max_examples=400, deadline=None)
@given(rows, st.sampled_from(TOGETHER))
def test_templates_give_together_what_they_give_alone(row: dict[str, Any], together: Any) -> None:
    group, render_all = together
    alone = [outcome(COMPILED[number][1], row) for number in group]
    if any(isinstance(found, RowError) for found in alone):
        with pytest.raises(Exception):  # noqa: B017, PT011 - of any kind: the reason is told alone
            render_all(Scope(row))
    else:
        assert render_all(Scope(row)) == alone


@settings(max_examples=200, deadline=None)
@example("\ue0000\ue002")
@example(["\ud800"])
@given(values)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    for source in ("{{ v }}", "{{ row.v }}", "{{ row['v'] }}"):
        assert render(source, {"v": value}) == value


@settings(max_examples=200, deadline=None)
@given(values)
def test_a_quoted_expression_is_always_exactly_one_member(value: Any) -> None:
    found = render('["{{ v }}"]', {"v": value}, ARRAY)
    assert len(found) == 1
    assert isinstance(found[0], str)
    if isinstance(value, str):
        assert found == [value]
    nested = render('{"a": "{{ v }}", "b": ["{{ v }}"]}', {"v": value}, OBJECT)
    assert nested == {"a": found[0], "b": found}


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_at_all_compiles_or_is_a_fault_of_the_run(source: str) -> None:
    for schema in (ANY, ARRAY):
        try:
            template = compile_template(source, schema)
        except RunFault:
            continue
        outcome(template, {})


@pytest.mark.parametrize("source", ["{{ v }}", "a {{ v }}", '["{{ v }}"]', "{{ v | tojson }}"])
def test_a_row_that_is_nested_without_end_is_a_row_error(source: str) -> None:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    assert "nested too deeply" in refusal(source, {"v": value})
