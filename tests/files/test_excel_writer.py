"""Workbooks that are written: every value as it was, or as a text that says what it was."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connector.common.json_text import loads
from connector.files import excel_writer
from connector.files.conversion import convert
from connector.files.envelope import Envelope
from connector.files.output_formats import OutputForm
from connector.files.readers import RowSource
from tests.files.outputs import envelope


def workbook(*envelopes: Envelope) -> io.BytesIO:
    file = io.BytesIO()
    convert(io.BytesIO(b"".join(e.line() for e in envelopes)), OutputForm("xlsx"), file)
    return file


def cells(*envelopes: Envelope) -> list[list[Any]]:
    book = openpyxl.load_workbook(workbook(*envelopes))
    return [list(row) for row in book["Results"].iter_rows(values_only=True)]


def one(value: Any) -> tuple[Any, str]:
    """A value's cell and its type."""
    cell = openpyxl.load_workbook(workbook(envelope(1, {"a": value})))["Results"]["D2"]
    return cell.value, cell.data_type


def test_rows_with_a_header_that_stays() -> None:
    found = cells(envelope(1, {"b": 1, "a": "x"}), envelope(2, None, "no"), envelope(3, {"c": [1, "ü"]}))
    assert found == [
        ["row", "has_error", "error", "b", "a", "c"],
        [1, False, None, 1, "x", None],
        [2, True, "no", None, None, None],
        [3, False, None, None, None, '[1, "ü"]'],
    ]
    assert openpyxl.load_workbook(workbook())["Results"].freeze_panes == "A2"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, (0, "n")),
        (-2.5, (-2.5, "n")),
        (loads("1.10"), (1.1, "n")),
        (True, (True, "b")),
        (999_999_999_999_999, (999_999_999_999_999, "n")),
        (2**53 + 1, ("9007199254740993", "s")),
        ("007", ("007", "s")),
        ("=1+1", ("=1+1", "s")),
        ("#N/A", ("#N/A", "s")),
        ("2026-12-01", ("2026-12-01", "s")),
        (" a\r\nb ", (" a\nb ", "s")),
        ("a\0b\x1f", ("a\ufffdb\ufffd", "s")),
        ("_x0041_", ("_x005F_x0041_", "s")),
        ("\ud800", ("\\ud800", "s")),
        ({"a": None}, ('{"a": null}', "s")),
        ("x" * 32_767, ("x" * 32_767, "s")),
    ],
)
def test_values(value: Any, expected: tuple[Any, str], caplog: pytest.LogCaptureFixture) -> None:
    assert one(value) == expected
    assert caplog.records == []


@pytest.mark.parametrize("text", ["x" * 32_768, "\U0001f600" * 16_384, "_x0041_" * 4_000])
def test_a_text_that_is_too_long_for_a_cell_is_shortened_and_reported(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        value, _ = one(text)
    assert value.endswith(f"… ({len(text)} characters)")
    assert len(value) < 32_767
    assert [record.getMessage()[:16] for record in caplog.records] == ["1 text shortened"]


def test_further_rows_are_on_further_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_writer, "MAX_ROWS", 3)
    book = openpyxl.load_workbook(workbook(*(envelope(n, {"a": n}) for n in range(1, 6))))
    assert book.sheetnames == ["Results", "Results 2", "Results 3"]
    assert [[row[0] for row in sheet.values] for sheet in book] == [["row", 1, 2], ["row", 3, 4], ["row", 5]]


def test_a_table_with_too_many_columns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_writer, "MAX_COLUMNS", 4)
    cells(envelope(1, {"a": 1}))
    with pytest.raises(OSError, match="5 columns"):
        cells(envelope(1, {"a": 1, "b": 1}))


def test_what_is_written_can_be_read_as_input(tmp_path: Path) -> None:
    (tmp_path / "out.xlsx").write_bytes(workbook(envelope(1, {"id": 5, "name": "=x", "n": 1.5})).getvalue())
    [row] = RowSource(str(tmp_path / "out.xlsx")).rows()
    assert row.data == {"row": 1, "has_error": False, "error": "", "id": 5, "name": "=x", "n": 1.5}
