"""Templates reach no internals, change no data, and are refused where they cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RunError
from connector.templating.templates import compile_template
from tests.templating.rendering import ANY, ARRAY, OBJECT, refusal

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
    ("source", "schema", "message"),
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
        ("{% include 'x' %}", ANY, "include, import, extends and block"),
        ("{% import 'x' as y %}", ANY, "include, import, extends and block"),
        ("{% from 'x' import y %}", ANY, "include, import, extends and block"),
        ("{% extends 'x' %}", ANY, "include, import, extends and block"),
        ("{% block x %}{% endblock %}", ANY, "include, import, extends and block"),
        ("{% autoescape true %}{% endautoescape %}", ANY, "autoescape is not supported"),
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
def test_what_cannot_work_is_a_fault_of_the_run(source: str, schema: Any, message: str) -> None:
    with pytest.raises(RunError) as caught:
        compile_template(source, schema)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500
