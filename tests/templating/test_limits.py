"""No template runs for long or fills the memory, whatever it says and whatever is in its row.

Each of these would take minutes or gigabytes without its bound. A test that hangs or is killed has failed.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.errors import RowError, RunError
from connector.templating import limits, templates
from connector.templating.scope import Scope
from connector.templating.templates import compile_template, compile_together, read

ROW: dict[str, Any] = {
    "n": 10**9,
    "i": 7,
    "text": "x" * 1000,
    "long": "x" * (1 << 20),
    "longest": "\u00e9" * (9 << 20),
    "words": "a " * (4 << 20),
    "lines": "\n" * (9 << 20),
    "tags": "<>" * (1 << 19),
    "digits": "9" * 10**6,
    "broken": "%(" * 10**6,
    "list": [1, 2, 3],
    "items": list(range(200_000)),
    "object": {"a": 1},
}
MAX_SECONDS = 30
"""Of CPU time, for one template: on an idle machine none takes four."""

LONG_TEXT, LONG_LIST, STEPS = "a text of more than", "a list of more than", "more than 10,000,000 steps"
BITS, WIDTH, DIGITS = "more than 4,096 bits", "pads a text", "reads a number from"
SLOW, RANGE, PARTS = (
    "for this filter a text can have at most",
    "a range can have at most",
    "it splits a list into",
)

OPERATORS = [
    ("{{ text * n }}", LONG_TEXT),
    ("{{ n * text }}", LONG_TEXT),
    ("{{ list * n }}", LONG_LIST),
    ("{{ n ** n }}", BITS),
    ("{{ (2 ** 4000) ** i }}", BITS),
    ("{{ (2 ** 4000) * (2 ** 4000 + i) }}", BITS),
    (
        "{% set s = namespace(t='ab') %}{% for _ in range(99) %}{% set s.t = s.t + s.t %}{% endfor %}",
        LONG_TEXT,
    ),
    (
        "{% set s = namespace(t='ab') %}{% for _ in range(99) %}{% set s.t = s.t ~ s.t %}{% endfor %}",
        LONG_TEXT,
    ),
    (
        "{% set s = namespace(t=[1]) %}{% for _ in range(99) %}{% set s.t = s.t + s.t %}{% endfor %}",
        LONG_LIST,
    ),
    ("{% for a in range(99999) %}{% set x = long[1:] %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% if long == long ~ '' %}{% endif %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% if 'y' in long %}{% endif %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% if a in items %}{% endif %}{% endfor %}", STEPS),
]
FORMATS = [
    ("{{ '%1000000000d' % i }}", WIDTH),
    ("{{ '%.1000000000f' % 1.5 }}", WIDTH),
    ("{{ '%0000000000000000000010000000d' % i }}", WIDTH),
    ("{{ '%*d' % (n, 1) }}", 'formats with "*"'),
    ("{{ '%.*f' % (n, 1) }}", 'formats with "*"'),
    ("{{ '%(a)1000000000d' % object }}", WIDTH),
    ("{{ '%(a(b))1000000000d' % object }}", 'a name that has a "("'),
    ("{{ '%l%(a %1000000000d' % i }}", WIDTH),
    ("{{ broken % object }}", "incomplete format key"),
    ("{{ '%s%s' | format(longest, longest) }}", LONG_TEXT),
    ("{{ ('%9999d' * 9999) % (1, 2) }}", LONG_TEXT),
    ("{{ '{:1000000000}'.format(i) }}", WIDTH),
    ("{{ '{:\uff11\uff10\uff10\uff10\uff10\uff10\uff10\uff10}'.format(i) }}", WIDTH),
    ("{{ '{:{}}'.format(i, n) }}", WIDTH),
    ("{{ '{a:1000000000}'.format_map(object) }}", WIDTH),
    ("{{ ('{:9999}' * 99999).format(*items) }}", LONG_TEXT),
    ("{% for a in range(99999) %}{% set x = '{}'.format(*items) %}{% endfor %}", STEPS),
]
METHODS = [
    ("{{ text.center(n) }}", WIDTH),
    ("{{ text.ljust(n) }}", WIDTH),
    ("{{ text.rjust(n, 'y') }}", WIDTH),
    ("{{ text.zfill(n) }}", WIDTH),
    ("{{ '\t'.expandtabs(n) }}", WIDTH),
    ("{{ ('\t' * 9999).expandtabs(9999) }}", LONG_TEXT),
    ("{{ long.replace('x', text) }}", LONG_TEXT),
    ("{{ long.replace('', text) }}", LONG_TEXT),
    ("{{ text.join(items | map('string')) }}", LONG_TEXT),
    ("{{ long.translate(''.maketrans({'x': text})) }}", LONG_TEXT),
    ("{{ words.split() | length }}", LONG_LIST),
    ("{{ words.rsplit(' ') | length }}", LONG_LIST),
    ("{{ lines.splitlines() | length }}", LONG_LIST),
    ("{% for a in range(99999) %}{% set x = long.upper() %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% set x = items.index(199999) %}{% endfor %}", STEPS),
]
FILTERS = [
    ("{{ text | center(n) }}", WIDTH),
    ("{{ text | indent(n) }}", WIDTH),
    ("{{ lines | indent(text, true, true) }}", LONG_TEXT),
    ("{{ long | replace('x', text) }}", LONG_TEXT),
    ("{{ items | join(text) }}", LONG_TEXT),
    ("{{ text | wordwrap(1, wrapstring=long) }}", LONG_TEXT),
    ("{{ longest | wordwrap(1) }}", SLOW),
    ("{{ longest | urlize }}", SLOW),
    ("{{ ('http://a.b ' * 5000) | urlize(rel=long) }}", LONG_TEXT),
    ("{{ tags | striptags }}", SLOW),
    ("{{ list | batch(n, 'y') }}", PARTS),
    ("{{ list | slice(n) | list }}", PARTS),
    ("{{ 1.5 | round(n) }}", "rounds to more"),
    ("{{ i | round(-n) }}", "rounds to more"),
    ("{{ 1.5 | round(n, 'ceil') }}", "rounds to more"),
    ("{{ digits | int }}", DIGITS),
    ("{{ digits | float }}", DIGITS),
    ("{{ digits | round }}", DIGITS),
    ("{{ digits | filesizeformat }}", DIGITS),
    ("{{ longest | list | length }}", LONG_LIST),
    ("{{ longest | map('upper') | list }}", LONG_LIST),
    ("{{ longest | title }}", STEPS),
    ("{{ longest | urlencode }}", STEPS),
    ("{{ items | map('center', 9999) | list }}", STEPS),
    ("{{ items | select('in', items) | list }}", STEPS),
    ("{{ ([items] * 99) | sum(start=[]) }}", STEPS),
    ("{{ ([0] * 999999) | map('string') | list }}", STEPS),
    ("{% for a in range(99999) %}{% set x = items | sort %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% set x = items | list %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% set x = longest | tojson %}{% endfor %}", STEPS),
]
LOOPS = [
    ("{{ range(10 ** 9) }}", RANGE),
    ("{{ range(10, -1000000, -1) }}", RANGE),
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", STEPS),
    ("{% for a in range(99999) %}{% for b in range(99999) if a < 0 %}{% endfor %}{% endfor %}", STEPS),
    ("{% for a in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}", "nested too deeply"),
    ("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(99) }}", STEPS),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested too deeply"),
    (
        "{% macro m() %}{{ caller() }}{% endmacro %}"
        "{% for a in range(99999) %}{% call m() %}{{ a }}{{ text }}{% endcall %}{% endfor %}",
        STEPS,
    ),
    (
        "{% set s = namespace(t=1) %}{% for _ in range(99999) %}{% set s.t = [s.t] %}{% endfor %}{{ s.t }}",
        "deeply",
    ),
]
OUTPUTS = [
    ("{% for a in range(9999) %}{{ long }}{% endfor %}", LONG_TEXT),
    ("{% for a in range(9999) %}{{ items }}{% endfor %}", STEPS),
    ("{% set x %}{% for a in range(9999) %}{{ long }}{% endfor %}{% endset %}", LONG_TEXT),
    ("{% filter upper %}{% for a in range(9999) %}{{ long }}{% endfor %}{% endfilter %}", LONG_TEXT),
    ("{% macro m() %}{% for a in range(9999) %}{{ long }}{% endfor %}{% endmacro %}{{ m() }}", LONG_TEXT),
    ("{{ [long] * 99 }}", LONG_TEXT),
    ("{{ [[long] * 999] * 999 }}", STEPS),
    ("{{ long }}" * 99, LONG_TEXT),
    ("{% if true %}" + "{{ long }}" * 99 + "{% endif %}", LONG_TEXT),
]
# A value that holds itself forty times over, at no cost: 2 ** 40 members for whoever goes over them.
BILLION = "{% set s = namespace(v=(1,)) %}{% for _ in range(40) %}{% set s.v = (s.v, s.v) %}{% endfor %}"
BILLIONS = [
    ("{{ s.v }}", STEPS),
    ("{{ s.v ~ '' }}", STEPS),
    ("{{ s.v == (s.v,) }}", STEPS),
    ("{{ s.v < (s.v,) }}", STEPS),
    ("{{ s.v in object }}", STEPS),
    ("{{ s.v is eq((s.v,)) }}", STEPS),
    ("{{ object[s.v] }}", "a member's name"),
    ("{{ object.get(s.v) }}", STEPS),
    ("{{ {s.v: 1} }}", "member names"),
    ("{{ dict([(s.v, 1)]) }}", STEPS),
    ("{{ namespace([(s.v, 1)]) }}", STEPS),
    ("{{ [s.v, s.v] | unique }}", STEPS),
    ("{{ [s.v, s.v] | sort }}", STEPS),
    ("{{ [s.v, s.v] | join }}", STEPS),
    ("{{ list | map(attribute=s.v) }}", STEPS),
    ("{{ [s.v].index((s.v,)) }}", STEPS),
    ("{{ '%s' % [s.v] }}", STEPS),
    ("{{ '{}'.format(s.v) }}", STEPS),
    ("{{ '{!r}'.format(s.v) }}", STEPS),
    ("{% for a in list %}{{ loop.changed(s.v) }}{% endfor %}", STEPS),
]
TOO_FAR = [
    *OPERATORS,
    *FORMATS,
    *METHODS,
    *FILTERS,
    *LOOPS,
    *OUTPUTS,
    *((BILLION + source, said) for source, said in BILLIONS),
]


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < MAX_SECONDS


@pytest.fixture
def fewer_steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let templates take a twentieth of their steps, and so of the time; all of them with --all."""

    def begin(steps: int = limits.MAX_STEPS // 20) -> None:
        limits.begin(steps)

    def fewer() -> None:
        if not request.config.getoption("--all"):
            monkeypatch.setattr(templates, "begin", begin)

    return fewer


@pytest.mark.parametrize(("source", "message"), TOO_FAR)
def test_a_template_that_goes_too_far_ends_in_an_error_that_says_so(
    source: str, message: str, fewer_steps: Callable[[], None]
) -> None:
    if message == STEPS and (source, message) not in LOOPS:
        fewer_steps()
    with pytest.raises((RowError, RunError)) as caught:
        compile_template(source, {})(Scope(ROW))
    assert getattr(caught.value, "code", "template_error") == "template_error"
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400
    # The next row has all its steps.
    assert compile_template("{% for a in range(9) %}{{ a }}{% endfor %}", {})(Scope({})) == "012345678"


@pytest.mark.parametrize("schema", [{"type": "array"}, {"type": "object"}])
def test_a_document_in_which_one_text_stands_many_times_is_bounded(schema: Any) -> None:
    members = ", ".join(f'"{i}": "a {{{{ long }}}}{{{{ long }}}}"' for i in range(20))
    template = compile_template(
        f"{{{members}}}" if schema["type"] == "object" else f"[{{{members}}}]", schema
    )
    with pytest.raises(RowError, match=LONG_TEXT):
        template(Scope(ROW))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 'a' * 10 ** 10 }}", LONG_TEXT),
        ("{{ 1 + 10 ** 9999 }}", BITS),
        ("{{ 'a' if x else [0] * 10 ** 10 }}", LONG_LIST),
        ("{{ '%1000000000d' % 1 }}", WIDTH),
        ("{{ 'a' | center(10 ** 9) }}", WIDTH),
        ("{{ 1.5 | round(10 ** 9) }}", "rounds to more"),
        ("{% if x %}{{ 'a' * 10 ** 10 }}{% endif %}", LONG_TEXT),
        ("{{ " + "9" * 5000 + " }}", "too deeply nested or too large"),
        ("{{ a }}" * 100_000, "a template can have at most 262,144 characters"),
        ("{% if a %}" * 500 + "{% endif %}" * 500, "too deeply nested"),
        ("{{ " + "a + " * 5000 + "a }}", "too deeply nested"),
        ("{{ " + "[" * 5000 + "]" * 5000 + " }}", "too deeply nested"),
        ("{{ " + "-" * 5000 + "1 }}", "too deeply nested"),
        ("{{ a " + "| upper" * 5000 + " }}", "too deeply nested"),
    ],
)
def test_what_goes_too_far_whatever_the_row_is_a_fault_of_the_run(source: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        compile_template(source, {})
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.slow
def test_the_largest_template_that_is_taken_is_compiled_in_time() -> None:
    expressions = limits.MAX_SOURCE_LENGTH // len("{{ a }}")
    assert compile_template("{{ a }}" * expressions, {})(Scope({"a": "x"})) == "x" * expressions


@pytest.mark.slow
def test_constants_do_not_fill_the_compiled_code() -> None:
    constant = "{{ 'a' | center(9999) }}"
    tracemalloc.start()
    try:
        compile_template(constant * 2000, {})
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("source", "length"),
    [
        ("{{ longest }}", 9 << 20),
        ("{{ longest | trim | upper | replace('a', 'b') }}", 9 << 20),
        ("{% for a in range(99999) %}{{ a % 10 }}{% endfor %}", 99999),
        ("{% for a in range(300) %}{% for b in range(300) %}x{% endfor %}{% endfor %}", 90_000),
        ("{{ items | map('string') | map('length') | sum }}", None),
        ("{{ words.split(' ', 3) | length }}", None),
        ("{{ items | sort | join(', ') }}", 1_488_888),
        ("{{ long.replace('x', 'yz') }}", 2 << 20),
        ("{{ '%5d %s' % (i, text) }}", 1006),
        ("{{ '{:>5} {a[a]}'.format(i, a=object) }}", 7),
        (
            "{% for o in [object] * 5000 %}{{ loop.index }} {{ o.a }} {{ 'odd' if o.a == 1 }}{% endfor %}",
            None,
        ),
        ("{{ 2 ** 1000 > 10 ** 300 }}", None),
        ("{{ 'ab' * 1000 }}", 2000),
    ],
)
def test_honest_templates_have_room(source: str, length: int | None) -> None:
    value = compile_template(source, {})(Scope(ROW))
    assert length is None or len(value) == length


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ '{value} {name} {cost} {function}'.format(value=1, name=2, cost=3, function=4) }}", "1 2 3 4"),
        ("{{ '{pattern} {getitem}'.format_map({'pattern': 1, 'getitem': 2}) }}", "1 2"),
        ("{{ '%(value)s %(pattern)s' | format(value=1, pattern=2) }}", "1 2"),
        ("{{ dict(value=1, function=2) }}", {"value": 1, "function": 2}),
        ("{{ 'a,b,c'.split(sep=',', maxsplit=1) }}", ["a", "b,c"]),
        ("{{ 'a b c'.rsplit(maxsplit=1) }}", ["a b", "c"]),
        ("{{ 'a\nb'.splitlines(keepends=true) }}", ["a\n", "b"]),
        ("{{ 'a\tb'.expandtabs(tabsize=2) }}", "a b"),
        ("{{ [1, 2, 3] | batch(linecount=2, fill_with=0) }}", [[1, 2], [3, 0]]),
        ("{{ [1, 2, 3] | slice(slices=2) }}", [[1, 2], [3]]),
        ("{{ 'aXbX' | replace(old='X', new='-', count=1) }}", "a-bX"),
        ("{{ [{'v': 1}, {'v': true}] | join(d=';', attribute='v') }}", "1;true"),
        ("{{ [{'v': 1}, {'v': 2}] | sum(attribute='v', start=10) }}", 13),
        ("{{ 'a' | center(width=3) }}", " a "),
        ("{{ 'a\nb' | indent(width=1, first=true) }}", " a\n b"),
        ("{{ 'ab cd' | wordwrap(width=2, wrapstring='|') }}", "ab|cd"),
        ("{{ 1.25 | round(precision=1, method='floor') }}", 1.2),
        ("{{ 'x' | int(default=3, base=10) }}", 3),
        ("{{ 'abcdefgh' | truncate(length=4, killwords=true, end='.', leeway=0) }}", "abc."),
        ("{{ [{'v': 2}, {'v': 1}] | sort(reverse=false, attribute='v') | map(attribute='v') }}", [1, 2]),
        ("{{ [{'v': 2}] | groupby(attribute='v') }}", [[2, [{"v": 2}]]]),
        ("{% for g, of in [{'v': 2}] | groupby('v') %}{{ g }}{{ of[0].v }}{% endfor %}", "22"),
        ("{% for g in [{'v': 2}] | groupby('v') %}{{ g.grouper }}{{ g.list }}{% endfor %}", '2[{"v": 2}]'),
        ("{{ {'b': 1, 'a': 2} | dictsort(by='key') }}", [["a", 2], ["b", 1]]),
        ("{{ {'a': 1} | items }}", [["a", 1]]),
        ("{{ [3, 1] | reverse }}", [1, 3]),
        ("{{ 'abc' | reverse }}", "cba"),
        ("{{ ['a', 'A'] | unique(case_sensitive=true) }}", ["a", "A"]),
        ("{{ '<a>' | e }}{{ '<a>' | safe }}", "&lt;a&gt;<a>"),
        ("{{ '<b>a</b>' | striptags }}", "a"),
        ("{{ 'see http://a.b' | urlize(rel='x', target='_y') }}", None),
        ("{{ {'a': 1} | urlencode }} {{ {'a': '<'} | xmlattr }} {{ 1000 | filesizeformat }}", None),
        (
            "{{ -5 | abs }} {{ '5' | float }} {{ 'a b' | wordcount }} {{ 'a b' | title }} {{ [1, 2] | max }}",
            None,
        ),
        ("{{ [1, 2, 3] | select('gt', 1) }} {{ [1, 2] | reject('odd') }} {{ [1] | random }}", None),
        ("{{ 'abc'.translate({97: 'x'}) }}{{ 'a'.translate(''.maketrans('a', 'b')) }}", "xbcb"),
        (
            "{% for x in [1, 2] %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x) }}{{ loop.last }}{% endfor %}",
            None,
        ),
    ],
)
def test_what_there_is_still_works_with_arguments_by_name(source: str, value: Any) -> None:
    found = compile_template(source, {})(Scope({}))
    assert value is None or found == value


def test_what_the_row_holds_passes_however_long_it_is() -> None:
    row = {"a": ["x" * (6 << 20)] * 2, "b": "y" * (11 << 20)}
    assert compile_template("{{ a }}", {})(Scope(row)) == row["a"]
    assert compile_template("{{ b }}", {})(Scope(row)) == row["b"]
    assert compile_template("{{ row.a }}", {"type": "array"})(Scope(row)) == row["a"]
    with pytest.raises(RowError, match=LONG_TEXT):
        compile_template("<{{ b }}>", {})(Scope(row))
    with pytest.raises(RowError, match=LONG_TEXT):
        compile_together([read("<{{ b }}>", {})])(Scope(row))


@pytest.mark.parametrize("number", [-1, 0, -(10**9)])
def test_less_than_nothing_gives_no_steps_back(number: int) -> None:
    source = (
        "{% for a in range(99999) %}{% set x = list * i %}{% set y = text * i %}"
        "{% for b in range(99) %}{% endfor %}{% endfor %}"
    )
    with pytest.raises(RowError, match=STEPS):
        compile_template(source, {})(Scope({**ROW, "i": number}))


def test_each_thread_has_steps_of_its_own() -> None:
    from concurrent.futures import ThreadPoolExecutor

    template = compile_template("{% for a in range(99999) %}{{ a % 10 }}{% endfor %}", {})
    with ThreadPoolExecutor(4) as threads:
        assert {len(text) for text in threads.map(template, [Scope({})] * 12)} == {99999}
