"""JSON and CSV: every envelope, every field, nothing lost."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connector.files import conversion
from connector.files.conversion import convert
from connector.files.envelope import Envelope
from connector.files.output_formats import Format, OutputForm
from tests.examples import examples
from tests.files.outputs import META, envelope


def converted(format: Format, *envelopes: Envelope) -> str:
    """Return the converted envelopes; they are the same if only the first one gives the columns at first."""
    partial = io.BytesIO(b"".join(e.line() for e in envelopes))
    file, rewritten = io.BytesIO(), io.BytesIO()
    convert(partial, OutputForm(format), file)
    with mock.patch.object(conversion, "_FIRST", 1):
        convert(partial, OutputForm(format), rewritten, may_rewrite=True)
    assert rewritten.getvalue() == file.getvalue()
    return file.getvalue().decode("utf-8")


def cells(*envelopes: Envelope) -> list[list[str]]:
    text = converted("csv", *envelopes).replace("\0", "\u2400")  # Python 3.10 cannot read NUL
    return list(csv.reader(io.StringIO(text, newline="")))


def test_json_is_an_array_with_an_envelope_a_line() -> None:
    text = converted("json", envelope(1, {"a": "ü"}), envelope(2, None, "no"))
    assert len(text.splitlines()) == 4
    assert json.loads(text) == [envelope(1, {"a": "ü"}).as_json(), envelope(2, None, "no").as_json()]


def test_columns_stand_in_the_order_in_which_fields_appear() -> None:
    found = cells(
        envelope(1, {"b": 1, "a": "x"}),
        envelope(2, None, "went, wrong"),
        envelope(3, {"c": True, "a": None, "b": 1.5}),
        envelope(3, {}),
    )
    assert found == [
        ["row", "has_error", "error", "b", "a", "c"],
        ["1", "false", "", "1", "x", ""],
        ["2", "true", "went, wrong", "", "", ""],
        ["3", "false", "", "1.5", "", "true"],
        ["3", "false", "", "", "", ""],
    ]


def test_what_is_nested_stands_in_its_cell_as_json() -> None:
    [header, first, second] = cells(envelope(1, {"a": {"b": [1, "ü"]}, "c": []}), envelope(2, [1, 2]))
    assert header == ["row", "has_error", "error", "a", "c", "result"]
    assert first[3:] == ['{"b": [1, "ü"]}', "[]", ""]
    assert second[3:] == ["", "", "[1, 2]"]


def test_a_field_that_is_called_like_one_of_ours_keeps_its_value() -> None:
    result = {"row": "r", "result.row": "s", "error": "e", "input": "i", "has_error": "h", "result": "x"}
    [header, first] = cells(envelope(1, result))
    assert len(set(header)) == len(header) == 9
    assert dict(zip(header, first, strict=True)) == {
        "row": "1",
        "has_error": "false",
        "error": "",
        "result.result.row": "r",
        "result.row": "s",
        "result.error": "e",
        "input": "i",
        "result.has_error": "h",
        "result": "x",
    }


def test_a_kept_row_is_beside_the_result() -> None:
    kept = Envelope(1, None, {"a": 1, "n": 2}, META, {"m": "ü", "n": 1.5, "row": [7]})
    assert cells(kept, envelope(2, {"input.n": 3})) == [
        ["row", "has_error", "error", "m", "input.input.n", "input.row", "a", "n", "input.n"],
        ["1", "false", "", "ü", "1.5", "[7]", "1", "2", ""],
        ["2", "false", "", "", "", "", "", "", "3"],
    ]


def test_an_empty_list_is_no_row_of_a_table() -> None:
    empty, items = envelope(1, None, item=1, last=True), envelope(2, {"a": 1}, item=1, last=True)
    assert cells(empty) == [["row", "has_error", "error"]]
    assert cells(empty, items, envelope(3, None)) == [
        ["row", "has_error", "error", "a"],
        ["2", "false", "", "1"],
        ["3", "false", "", ""],
    ]
    assert len(json.loads(converted("json", empty, items))) == 2


def test_cells_with_quotes_line_breaks_and_broken_characters() -> None:
    [_, first] = cells(envelope(1, {"a": 'x "y",\r\nz', "b": "\ud800ü", "c": ["\udfff"]}))
    assert first[3:] == ['x "y",\r\nz', "\\ud800ü", '["\\udfff"]']
    assert "\\ud800" in converted("json", envelope(1, "\ud800"))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=6,
)


@examples(100)
@given(st.lists(json_values, max_size=4))
def test_any_result_is_one_line_one_item_and_one_record(results: list[Any]) -> None:
    envelopes = [envelope(number, result) for number, result in enumerate(results, 1)]
    assert [json.loads(e.line())["result"] for e in envelopes] == results
    assert [e["result"] for e in json.loads(converted("json", *envelopes))] == results
    header, *records = cells(*envelopes)
    assert [record[0] for record in records] == [str(number) for number in range(1, len(results) + 1)]
    assert len(set(header)) == len(header)
