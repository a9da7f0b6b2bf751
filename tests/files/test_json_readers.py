"""Rows from JSON Lines and JSON arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.examples import examples
from tests.files.reading import data, outline, write

# --- JSON Lines --------------------------------------------------------------------------------------------


def test_a_broken_line_costs_its_own_row_only(tmp_path: Path) -> None:
    lines = [
        b'{"n": 1}',
        b"",
        b'{"n": 2',
        b"  \t\r",
        b"[3]",
        b'"four"',
        b"null",
        b'{"n": NaN}',
        b'{"n": 1e999}',
        b'{"n": "\xff"}',
        b"\x00\x00",
        b"[" * 100_000,
        b"{" + b"x" * 10_000,
        b'{"n": 5}\r',
        b'{"n": 6}',
    ]
    found = outline(write(tmp_path, b"\n".join(lines), "rows.jsonl"))
    assert [row for row in found if isinstance(row, dict)] == [{"n": 1}, {"n": 5}, {"n": 6}]
    for row, (line, message) in zip(
        found[1:-2],
        [
            (3, "not JSON (Expecting ',' delimiter at character 8): {\"n\": 2"),
            (5, "a row must be a JSON object, not an array"),
            (6, "a row must be a JSON object, not text"),
            (7, "a row must be a JSON object, not null"),
            (8, "NaN is not JSON"),
            (9, "too large for a number"),
            (10, "a byte that is not UTF-8, at position 8 of the line"),
            (11, "not JSON"),
            (12, "nested too deeply"),
            (13, "… (10001 characters)"),
        ],
        strict=True,
    ):
        assert row.startswith(f", line {line}: ")
        assert message in row
        assert len(row) < 250


def test_lone_surrogates_and_odd_keys_are_kept(tmp_path: Path) -> None:
    assert data(write(tmp_path, '{"": "\\ud800", "a b": {"c": null}}\n')) == [
        {"": "\ud800", "a b": {"c": None}}
    ]


# --- JSON arrays -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "rows", "message"),
    [
        ('[{"n": 1}, {"n": 2}', 2, "invalid after item 2 and the rest cannot be read: a comma or the end"),
        ('[{"n": 1}, {"n": 2}, ', 2, "invalid after item 2"),
        ('[{"n": 1}, {"n": 2', 1, "invalid after item 1"),
        ('[{"n": 1}, {"n": "x', 1, "invalid after item 1 and the rest cannot be read: Unterminated string"),
        ('[{"n": 1} {"n": 2}]', 1, "a comma or the end of the array is missing"),
        ('[{"n": 1},, {"n": 2}]', 1, "invalid after item 1"),
        ('[{"n": 1},]', 1, "invalid after item 1"),
        ('[{"n": 1}, {x}, {"n": 3}]', 1, "invalid after item 1"),
        ("[,]", 0, "invalid after item 0"),
        ("[", 0, "invalid after item 0"),
        ('[{"n": 1}] x', 1, "unexpected text after the end of the array: x"),
        ('[{"n": 1}]' + " " * 200_000 + "x", 1, "unexpected text after the end of the array: x"),
        ('[{"n": 1}][{"n": 2}]', 1, 'unexpected text after the end of the array: [{"n": 2}]'),
        ('[{"n": 1}, ' + "[" * 100_000, 1, "nested too deeply"),
    ],
)
def test_an_array_that_breaks_ends_in_one_broken_row(
    tmp_path: Path, content: str, rows: int, message: str
) -> None:
    *good, last = outline(write(tmp_path, content))
    assert good == [{"n": n} for n in range(1, rows + 1)]
    assert message in last


def test_an_item_whose_end_can_be_found_costs_its_own_row_only(tmp_path: Path) -> None:
    content = b'[{"n": 1}, {"n": NaN}, 3, [4], {"n": "\xff"}, {"n": -1e999}, {"n": -Infinity}, {"n": 8}]'
    found = outline(write(tmp_path, content))
    assert [row for row in found if isinstance(row, dict)] == [{"n": 1}, {"n": 8}]
    for row, message in zip(
        found[1:-1],
        [
            ", item 2: not JSON (NaN is not JSON)",
            ", item 3: a row must be a JSON object, not an integer",
            ", item 4: a row must be a JSON object, not an array",
            ", item 5: a byte that is not UTF-8",
            ", item 6: not JSON (-1e999 is too large for a number)",
            ", item 7: not JSON (-Infinity is not JSON)",
        ],
        strict=True,
    ):
        assert row.startswith(message)


@pytest.mark.parametrize("size", [65_530, 65_536, 65_550, 131_072, 700_000])
def test_items_larger_than_what_is_read_at_once(tmp_path: Path, size: int) -> None:
    rows = [{"n": 0}, {"x": "y" * size}, {"x": ["ü" * size, size]}, {"n": 1}]
    assert data(write(tmp_path, json.dumps(rows, ensure_ascii=False))) == rows
    assert data(write(tmp_path, json.dumps(rows, indent=1))) == rows


@pytest.mark.parametrize("before", range(65_500, 65_560, 3))
def test_an_array_may_be_cut_anywhere_by_what_is_read_at_once(tmp_path: Path, before: int) -> None:
    rest = [{"k\u00fc": [True, None, -1.5e-7, "\\u00e4\u20ac\U0001f600"]}, {}, {"n": 12345678901234567890}]
    padding = "[" + " " * (before - 1)
    text = padding + json.dumps(rest)[1:-1] + " , " + json.dumps(rest, ensure_ascii=False)[1:]
    assert data(write(tmp_path, text)) == rest + rest


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=6,
)
spaces = st.text(" \t\r\n", max_size=5) | st.integers(65_500, 65_540).map(" ".__mul__)


@examples(100)
@example([{"a": "]"}, {"b": "[,{"}], ["", " "] * 4, True)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), json_values, max_size=4), max_size=6),
    st.lists(spaces, min_size=8, max_size=8),
    st.booleans(),
)
def test_any_array_reads_back_with_any_white_space(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], gaps: list[str], ascii: bool
) -> None:
    parts = [gap + json.dumps(row, ensure_ascii=ascii) for gap, row in zip(gaps, rows, strict=False)]
    text = gaps[6] + "[" + (gaps[7] + ",").join(parts) + gaps[7] + "]" + gaps[6]
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert data(path) == rows
