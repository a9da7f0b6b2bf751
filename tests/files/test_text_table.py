"""Tables for a terminal: aligned, not wider than it, and without control characters."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.files.conversion import convert
from connector.files.envelope import Envelope
from connector.files.output_formats import OutputForm
from connector.files.text_table import _width
from tests.examples import examples
from tests.files.outputs import envelope


def table(*envelopes: Envelope, width: int = 120) -> list[str]:
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as context:
        context.setenv("COLUMNS", str(width))
        convert(io.BytesIO(b"".join(e.line() for e in envelopes)), OutputForm("table"), file)
    return file.getvalue().decode().splitlines()


def test_columns_are_aligned_and_empty_ones_omitted() -> None:
    assert table(
        envelope(1, {"id": 7, "name": "SRV-1", "notes": None, "on": True}),
        envelope(12, {"id": 123, "name": "東京", "notes": "", "on": False}),
    ) == [
        "row   id  name   on",
        "  1    7  SRV-1  true",
        " 12  123  東京   false",
    ]


def test_errors_have_a_column_where_there_are_some() -> None:
    assert table(envelope(1, {"id": 7}), envelope(2, None, "no device")) == [
        "row  error      id",
        "  1              7",
        "  2  no device",
    ]


def test_nothing_is_written_for_no_rows() -> None:
    assert table() == []


def test_long_texts_are_shortened_first_and_then_columns_omitted() -> None:
    row = envelope(1, {"id": 7, "text": "x" * 50, "other": "y" * 30})
    assert table(row, width=40) == [
        "row  id  text             other",
        "  1   7  xxxxxxxxxxxx...  yyyyyyyyyyy...",
    ]
    assert table(row, width=30) == [
        "row  id  text",
        "  1   7  xxxxxxxxxxxxxxxxxx...",
        "1 more column: other",
    ]


def test_characters_that_control_a_terminal_are_escaped() -> None:
    assert table(envelope(1, {"a\x1b": "\x1b[2Jb\nc\u202e\u9b31"})) == [
        "row  a\\x1b",
        "  1  \\x1b[2Jb\\nc\\u202e鬱",
    ]


@examples(60)
@given(st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=40) | st.integers()), max_size=5))
def test_no_line_is_wider_than_the_terminal(results: list[dict[str, Any]]) -> None:
    lines = table(*(envelope(number, result) for number, result in enumerate(results, 1)), width=30)
    assert all(_width(line) <= 30 for line in lines if " more column" not in line)
    assert len(lines) in (0, len(results) + 1, len(results) + 2)
