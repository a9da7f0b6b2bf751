"""CSV is written as the module `csv` writes it."""

from __future__ import annotations

import csv
import io
import sys
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.common import json_text
from connector.files.columns import text_of
from connector.files.csv_writer import csv_lines
from tests.examples import examples

CHARACTERS = 'a,"\r\n \t;é\ud800\x85' + "\0" * (sys.version_info >= (3, 11))  # `csv` of 3.10 refuses NUL
TEXTS = st.text(st.sampled_from(CHARACTERS), max_size=5)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
SPELLED = st.sampled_from(["1.10", "1E5", "-0.0", "1e-7"]).map(json_text.spelled_float)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, SPELLED, TEXTS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=5)
COLUMNS = st.sampled_from([SCALARS, VALUES, NUMBERS, TEXTS, st.integers(), st.booleans(), st.none()])


@st.composite
def tables(draw: st.DrawFn) -> list[list[Any]]:
    columns = draw(st.lists(COLUMNS, max_size=4))
    return [[draw(column) for column in columns] for _ in range(draw(st.integers(0, 6)))]


@given(tables())
@examples(200)
def test_any_rows(rows: list[list[Any]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(map(text_of, row) for row in rows)
    with mock.patch.object(json_text, "_compiled", return_value=None):  # msgspec writes 1e16, not 1e+16
        assert csv_lines(rows).decode() == text.getvalue()


@pytest.mark.parametrize("is_compiled", [True, False])
def test_nested_values_are_the_same_with_and_without_a_compiled_library(
    monkeypatch: pytest.MonkeyPatch, is_compiled: bool
) -> None:
    pytest.importorskip("msgspec.json")
    if not is_compiled:
        monkeypatch.setattr(json_text, "_compiled", lambda: None)
    values = [{"a": [1, 2.5, None, True, {}], "é": '"\n,\u2028'}, [], {"b": -7}]
    for more in ([], ["\ud800"], [[2**70]]):
        assert json_text.dumps_parsed([*values, *more]) == list(map(json_text.dumps, [*values, *more]))


@pytest.mark.parametrize("character", ',"\r\n')
def test_a_character_alone_is_quoted(character: str) -> None:
    doubled = character.replace('"', '""')
    assert csv_lines([["a", f"b{character}"], ["c", "d"]]).decode() == f'a,"b{doubled}"\r\nc,d\r\n'
