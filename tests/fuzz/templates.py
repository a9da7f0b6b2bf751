"""Templates over rows: compiling may raise RunError, rendering RowError; no row is changed."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import strategies as st

from connector.common import json_text
from connector.errors import RowError, RunError
from connector.templating.environment import environment
from connector.templating.methods import _METHODS
from connector.templating.scope import Scope
from connector.templating.templates import compile_together, read
from tests.fuzz.target import JSON, Target, refused

NAMES = [
    "a",
    "b",
    "text",
    "n",
    "list",
    "object",
    "row",
    "loop",
    "range",
    "dict",
    "namespace",
    "missing",
    "ns",
    "m",
    "x",
]
FILTERS = sorted(name for name in environment.filters if name.isidentifier())
TESTS = sorted(name for name in environment.tests if name.isidentifier())
METHODS = sorted({name for _, methods in _METHODS for name in methods})
ODD = [
    "__class__",
    "__init__",
    "__globals__",
    "_iterator",
    "mro",
    "gi_frame",
    "format",
    "encode",
    "to_bytes",
    "items",
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
WORDS = [
    "'%s'",
    "'%9999d'",
    "'{}'",
    "'{0.__class__}'",
    "'{:9999}'",
    "'a,b'",
    "''",
    "'\\t'",
    "'\u00e9'",
    "'%(a)s'",
]
NUMBERS = ["0", "1", "-1", "7", "10**3", "9999", "10**9", "1.5", "1e308"]

atoms = st.one_of(*map(st.sampled_from, (NAMES, WORDS, NUMBERS)), st.just("none"), st.just("true"))


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(inner, max_size=3).map(", ".join)
    names = st.sampled_from(METHODS + ODD)
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("{}|{}({})".format, inner, st.sampled_from(FILTERS), arguments),
        st.builds("({} is {}({}))".format, inner, st.sampled_from(TESTS), arguments),
        st.builds("{}.{}({})".format, inner, names, arguments),
        st.builds("{}.{}".format, inner, names),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("{}({})".format, inner, arguments),
        st.builds("{}(*{}, **{})".format, inner, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}]".format, arguments),
        st.builds("({},)".format, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
    )


expressions = st.recursive(atoms, _grown, max_leaves=10)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% for x in {} %}}{}{{% endfor %}}".format, expressions, inner),
        st.builds(
            "{{% for x in {} if {} recursive %}}{}{{{{ loop(x) }}}}{{% endfor %}}".format,
            expressions,
            expressions,
            inner,
        ),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, expressions, inner),
        st.builds("{{% set a = {} %}}{}".format, expressions, inner),
        st.builds(
            "{{% set ns = namespace(v={}) %}}"
            "{{% for x in range(99) %}}{{% set ns.v = {} %}}{{% endfor %}}{}".format,
            expressions,
            expressions.map(lambda e: re.sub(r"\bn\b", "ns.v", e)),
            inner,
        ),
        st.builds("{{% set a %}}{}{{% endset %}}{}".format, inner, inner),
        st.builds("{{% filter {} %}}{}{{% endfilter %}}".format, st.sampled_from(FILTERS), inner),
        st.builds("{{% macro m(x) %}}{}{{% endmacro %}}{{{{ m({}) }}}}".format, inner, expressions),
        st.builds("{{% call m({}) %}}{}{{% endcall %}}".format, expressions, inner),
        st.builds("{{% with a = {} %}}{}{{% endwith %}}".format, expressions, inner),
    )


pieces = st.one_of(
    expressions.map("{{{{ {} }}}}".format),
    st.text(max_size=10),
    st.sampled_from(['"', "[", "]", "{", "}", ", "]),
)
sources = st.one_of(
    st.lists(pieces, max_size=4).map("".join),
    st.recursive(pieces, _nested, max_leaves=6),
    st.text(st.sampled_from("{}%#-+|~()[]'\"., abn19=*\n"), max_size=40).map(lambda s: "{{" + s),
)
rows = st.fixed_dictionaries(
    {
        "a": JSON,
        "b": JSON,
        "text": st.sampled_from(["", "x", "x" * 70_000, "<a b>" * 2000, "a,b\n" * 999, "%s{}" * 50]),
        "n": st.sampled_from([0, 3, 10**9, -5, 2**4000]),
        "list": st.sampled_from(
            [[], [3, 1, 2], [["a"], ["b"]], list(range(500)), [{"a": n} for n in range(300)]]
        ),
        "object": st.dictionaries(st.text(max_size=4), JSON, max_size=3),
    }
)
SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "string"},
    {"type": "array"},
    {"type": "object"},
    {"type": "integer"},
]
INSIDES = re.compile(r"<(class|function|built-in|bound)| at 0x[0-9a-f]{6}")


def check(given: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    """Parse, compile and render, alone and together with another template."""
    source, schema, row = given
    before = json.dumps(row)
    try:
        template = read(source, schema)
        render = template.compile()
        together = compile_together([read("{{ text }}", {}), template])
    except RunError:
        return
    outcome: Any
    try:
        outcome = render(Scope(row))
        json_text.dumps(outcome)
    except RowError as error:
        refused(error)
        outcome = error
    printed = str(outcome)
    assert not INSIDES.search(printed) or INSIDES.search(source + before), printed
    assert json.dumps(row) == before
    if not isinstance(outcome, RowError) and "random" not in source:
        assert together(Scope(row)) == [row["text"], outcome]


TARGET = Target("templates", st.tuples(sources, st.sampled_from(SCHEMAS), rows), check)
