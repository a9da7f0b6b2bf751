"""JSON as `msgspec` (the extra `fast`) reads and writes it: as without it, or it is left to `json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.common import json_text
from connector.common.json_text import Json, SpelledFloat
from tests.examples import examples
from tests.fuzz.target import damaged

pytest.importorskip("msgspec.json")

NUMBERS = st.one_of(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?\Z"),
    st.sampled_from(
        ["-0", "-0.0", "1e400", "-1e400", "1e-400", "01", "1.", ".5", "+1", "NaN", "Infinity", "-Infinity"]
    ),
    st.sampled_from(["18446744073709551616", "-9223372036854775809", "9007199254740993.0", "1" * 5000]),
)
TEXTS = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from([r'"\ud800"', r'"\ud83d\ude00"', r'"\ude00\ud83d"', '"\ud800"', r'"\x"', '"\t"', '"a']),
)
NAMES = st.sampled_from(['"a"', '"b"', '""', r'"\u0061"', r'"\udfff"', "a", "1"])
SPACES = st.sampled_from(["", "", " ", "\n", "\t", "\r\n", "\x0c", "\xa0", "\ufeff"])
JSON = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null", "nul", ""])),
    lambda inner: st.one_of(
        st.tuples(SPACES, st.lists(inner, max_size=4)).map(lambda a: f"[{a[0]}{','.join(a[1])}]"),
        st.tuples(SPACES, st.lists(st.tuples(NAMES, SPACES, inner), max_size=4)).map(
            lambda a: "{" + a[0] + ",".join(f"{n}:{s}{v}" for n, s, v in a[1]) + "}"
        ),
    ),
    max_leaves=8,
)
DOCUMENTS = st.one_of(
    st.tuples(SPACES, JSON, SPACES).map("".join),
    damaged([b'{"id": 1, "created": 1700000000.50, "tags": ["a", null], "user": {"n": "\xc3\xa9"}}']).map(
        lambda data: data.decode("utf-8", "surrogateescape")
    ),
)


@pytest.fixture(autouse=True)
def all_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of any length are read with `msgspec`. The tests' own `monkeypatch` undoes what both have set."""
    monkeypatch.setattr(json_text, "_LARGE", 0)


def without(work: Callable[[], Any]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_compiled", lambda: None)
        return work()


def outcome(text: str) -> object:
    try:
        return exact(json_text.loads(text))
    except ValueError as error:
        return error.args


def exact(value: Json) -> object:
    """The value with its types, the order of its members, and the spelling of its numbers."""
    if isinstance(value, dict):
        return [(name, exact(member)) for name, member in value.items()]
    if isinstance(value, list):
        return ["list", *map(exact, value)]
    spelling = value.spelling if isinstance(value, SpelledFloat) else ""
    return type(value).__name__, repr(value), spelling


@examples()
@given(DOCUMENTS)
def test_a_text_is_the_same_value_or_the_same_error(text: str) -> None:
    assert outcome(text) == without(lambda: outcome(text))


@examples()
@given(DOCUMENTS)
def test_a_plain_value_is_the_same_without_spellings(text: str) -> None:
    assert plain_outcome(text, json_text.loads_plain) == plain_outcome(text, json_text.loads)


def plain_outcome(text: str, loads: Callable[[str], Json]) -> object:
    try:
        return repr(loads(text))
    except ValueError as error:
        return error.args


@pytest.mark.parametrize(
    "text", ["1e999", "[-1e999]", "1" * 320 + ".5", '{"a": 1} x', "[NaN]", '["\\ud800"]']
)
def test_plain_values_have_the_same_errors(text: str) -> None:
    assert plain_outcome(text, json_text.loads_plain) == plain_outcome(text, json_text.loads)


@pytest.mark.parametrize("depth", [900, 5000, 100_000])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
def test_a_deep_value_is_the_same_or_the_same_error(depth: int, start: str, end: str) -> None:
    text = start * depth + "1" + end * depth
    found, wanted = outcome_kind(text), without(lambda: outcome_kind(text))
    assert found == wanted


def outcome_kind(text: str) -> object:
    try:
        return type(json_text.loads(text))
    except ValueError as error:
        return error.args


@examples()
@given(st.lists(DOCUMENTS, max_size=4))
def test_what_was_parsed_is_written_as_one_line_that_reads_as_the_same(texts: list[str]) -> None:
    values = []
    for text in texts:
        try:
            values.append(json_text.loads(text))
        except ValueError:
            continue
    written = json_text.dump_parsed(values)
    assert [json.loads(line.decode()) for line in written] == values
    assert not any(b"\n" in line or b"\r" in line for line in written)
    expected = [json.loads(line) for line in without(lambda: json_text.dump_parsed(values))]
    assert [exact(json.loads(line)) for line in written] == [exact(value) for value in expected]


def test_it_is_used() -> None:
    assert json_text.dump_parsed([1e22, json_text.loads("1.10")]) == [b"1e22", b"1.1"]
    assert without(lambda: json_text.dump_parsed([1e22])) == [b"1e+22"]


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    assert json_text.dump_parsed([1, "\ud800"]) == [b"1", rb'"\ud800"']


def test_small_texts_do_not_import_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_LARGE", 1 << 15)
    monkeypatch.setattr(json_text, "_compiled", lambda: pytest.fail("imported"))
    monkeypatch.delitem(sys.modules, "msgspec.json", raising=False)
    assert json_text.loads("[1]") == [1]
    assert json_text.dump_parsed([1]) == [b"1"]
