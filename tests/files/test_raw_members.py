"""A CSV file is the same whether the members of results are parsed or remain JSON."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.common import json_text
from connector.common.json_text import Json
from connector.files import conversion
from connector.files.columns import Table
from connector.files.conversion import convert
from connector.files.csv_writer import write_csv
from connector.files.output_formats import OutputForm
from tests.examples import examples

raw_members = pytest.importorskip("connector.files.raw_members", exc_type=ImportError)

TEXTS = st.one_of(
    st.text(st.sampled_from('a,"\r\n \\/\t;|\0\x7fé\u2028\ud800'), max_size=4),
    st.sampled_from(["null", "-0", "[]", "{}", "|", "u0041", "1e5"]),
)
NUMBERS = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1e22, -0.0, 1.5, 10.0])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NESTED = st.recursive(
    st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, SCALARS, max_size=3),
    lambda inner: st.lists(inner | SCALARS, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
COLUMNS = st.sampled_from([SCALARS, NUMBERS, TEXTS, NESTED, SCALARS | NESTED, st.just("a"), st.just(None)])
NAMES = ["a", "b,", 'c"é', "row"]


@st.composite
def results(draw: st.DrawFn) -> list[Json]:
    """Results of which most have the same members."""
    columns = {name: draw(COLUMNS) for name in draw(st.permutations(NAMES))[: draw(st.integers(0, 4))]}
    found: list[Json] = []
    for _ in range(draw(st.integers(0, 6))):
        lacking = draw(st.sampled_from([None] * 5 + NAMES))
        found.append({name: draw(values) for name, values in columns.items() if name != lacking})
    return found + draw(st.sampled_from([[]] * 5 + [[None], [[1, "a"]], ["a"]]))


def lines_of(values: list[Json], kept: Json = None, *, compiled: bool = True) -> bytes:
    start = b'{"has_error":false,"error":null,"result":'
    end = (
        b"," + json_text.dump_bytes({"row": 1, "meta": {"item": 1}, **({"input": kept} if kept else {})})[1:]
    )
    written = json_text.dump_parsed(values) if compiled else map(json_text.dump_bytes, values)
    return b"".join(start + value + end + b"\n" for value in written)


FAILED = b'{"has_error":true,"error":"a, b","result":null,"row":2,"meta":{"code":"not_found"}}\n'
EMPTY = b'{"has_error":false,"error":null,"result":null,"row":3,"meta":{"item":0}}\n'


def as_csv(lines: bytes, *, raw: bool, results: bool = False) -> bytes:
    out = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_LARGE", 0 if raw else 1 << 40)
        write_csv(Table(io.BytesIO(lines), raw=raw, results=results), out)
    return out.getvalue()


@given(
    results(),
    st.sampled_from([None, {"a": "x"}, {"n": [1.5, "é"], "m": None}]),
    st.sampled_from([b""] * 3 + [FAILED, EMPTY]),
    st.booleans(),
    st.booleans(),
)
@examples()
def test_the_file_is_the_same(
    values: list[Json], kept: Json, other: bytes, compiled: bool, only_results: bool
) -> None:
    lines = lines_of(values[:1], kept) + other + lines_of(values[1:], kept, compiled=compiled)
    raw = as_csv(lines, raw=True, results=only_results)
    assert raw == as_csv(lines, raw=False, results=only_results)


@pytest.mark.parametrize(
    "column",
    [
        ["1.10", "-0", "1E5", "0.0", "-0.0", "null"],
        [r'"\u00e9"', r'"\/"', '"é"'],
        [r'"\ud800"', "[]"],
        [r'["\u00e9"]', '["é"]'],
        [r'{"\/":"\/"}', "[]"],
        ['["|"]', '["a","|",[1]]', "[]"],
        ['{"a":1}', '"|"', "[1]"],
        ['"a"', '"b,"', '"c"'],
        ['"a"', '["b"]', '"c"'],
        ['{"a":1e+22,"b":1e-05}', "[]"],
        ["true", "false", "null"],
        ['""', '""'],
    ],
)
def test_json_that_is_written_differently(column: list[str]) -> None:
    start = '{"has_error":false,"error":null,"result":{"a":'
    lines = "".join(f'{start}{value}}},"row":1,"meta":{{}}}}\n' for value in column).encode()
    assert as_csv(lines, raw=True) == as_csv(lines, raw=False)


def test_members_of_large_files_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_LARGE", 0)
    monkeypatch.setattr(raw_members, "parsed", lambda _: pytest.fail("parsed"))
    item = {
        "id": 1,
        "name": "a,b",
        "ok": True,
        "os": {"build": "1", "path": "C:\\"},
        "no": None,
    }
    partial = io.BytesIO(lines_of([item, item]))
    out = io.BytesIO()
    convert(partial, OutputForm("csv"), out, may_rewrite=True)
    line = b'1,false,,1,"a,b",true,"{""build"": ""1"", ""path"": ""C:\\\\""}",\r\n'
    assert out.getvalue().splitlines(keepends=True)[1:] == [line, line]


def test_a_failed_row_does_not_let_the_others_be_parsed() -> None:
    lines = lines_of([{"a": 1}]) + FAILED
    assert raw_members.read_raw_envelopes(lines) is not None
    assert raw_members.read_raw_envelopes(lines + EMPTY) is None


def test_results_with_the_members_of_the_table_are_tuples() -> None:
    lines = lines_of([{"b": 2, "a": 1}, {"b": 3}]) + FAILED
    first, second, failed = raw_members.read_raw_envelopes(lines, ("a", "b"))
    assert list(map(bytes, first["result"])) == [b"1", b"2"]
    assert second["result"][0] is None
    assert failed["result"] is None
    for names in (("a",), ("a", "b", 'c"'), ("a", "b", *(f"c{n}" for n in range(100)))):
        assert raw_members.read_raw_envelopes(lines, names)[0]["result"].keys() == {"a", "b"}
    assert raw_members.read_raw_envelopes(lines_of([[1]]), ("a", "b")) is None


def test_a_member_that_the_first_results_lack_is_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_LARGE", 0)
    monkeypatch.setattr(conversion, "_FIRST", 1)
    out = io.BytesIO()
    convert(io.BytesIO(lines_of([{"a": 1}, {"a": 2, "b": 3}])), OutputForm("csv"), out, may_rewrite=True)
    assert out.getvalue() == b"row,has_error,error,a,b\r\n1,false,,1,\r\n1,false,,2,3\r\n"


def test_members_of_small_files_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_members, "read_raw_envelopes", lambda *_: pytest.fail("not parsed"))
    assert list(Table(io.BytesIO(lines_of([{"a": 1}])), raw=True).rows()) == [[1, False, None, 1]]
