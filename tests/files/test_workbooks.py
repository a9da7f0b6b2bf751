"""Rows from Excel workbooks."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connector.errors import RunError
from connector.files.read_options import ReadOptions
from connector.files.readers import RowSource
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.files.reading import data, outline, read

READ = (
    "-c",
    "connection.yaml",
    "-t",
    "device_id={{ Id }}",
    "--delay-ms",
    "0",
    "-i",
    "a.xlsx",
    "-o",
    "out.jsonl",
)


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    """Write a workbook of sheets with these rows."""
    book = openpyxl.Workbook()
    del book["Sheet"]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def with_options(path: Path, **options: str) -> list[dict[str, Any]]:
    return [row.data for row in RowSource(str(path), options=ReadOptions(**options)).rows()]


def refused(path: Path, **options: str) -> str:
    with pytest.raises(RunError) as caught:
        with_options(path, **options)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (7, 7),
        (0, 0),
        (-3.0, -3),
        (1.5, 1.5),
        (0.1, 0.1),
        (1e300, 1e300),
        (9_007_199_254_740_991, 9_007_199_254_740_991),
        (True, True),
        (False, False),
        ("007", "007"),
        (" ü\n", " ü\n"),
        (None, ""),
        (date(2026, 12, 1), "2026-12-01"),
        (datetime(2026, 12, 1), "2026-12-01"),
        (datetime(2026, 12, 1, 6, 5, 4), "2026-12-01T06:05:04"),
        (datetime(2026, 12, 1, 6, 0, 0, 250_000), "2026-12-01T06:00:00.250"),
        (time(6, 30), "06:30:00"),
        (timedelta(seconds=1.5), "0:00:01.500"),
        (timedelta(hours=-2), "-2:00:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
    ],
)
def test_a_cell_has_the_value_that_was_written(tmp_path: Path, cell: Any, value: Any) -> None:
    [row] = data(workbook(tmp_path / "a.xlsx", A=[["x", "y"], [cell, 1]]))
    assert (row, type(row["x"])) == ({"x": value, "y": 1}, type(value))


def changed(path: Path, before: str, after: str) -> Path:
    """Replace a text in the XML of all parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert any(before in text for text in parts.values())
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text.replace(before, after))
    return path


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("0.30000000000000004", 0.3),  # as Excel stores =0.1+0.2
        ("3.3000000000000003", 3.3),
        ("1.1000000000000001E-3", 0.0011),
        ("1234567890123456", 1234567890123456),  # not by Excel, whose numbers have 15 digits
        ("5E-324", 5e-324),
    ],
)
def test_a_number_has_the_digits_that_excel_shows(tmp_path: Path, stored: str, value: Any) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x"], [4711]])
    assert data(changed(path, "<v>4711</v>", f"<v>{stored}</v>")) == [{"x": value}]


@pytest.mark.parametrize("stored", ["1234567890123450", "8.9445385230112302E+18", "8.94453852301123E+19"])
def test_a_number_that_excel_has_rounded_is_an_error_of_its_row(tmp_path: Path, stored: str) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x"], [4711], [5]])
    rows = read(changed(path, "<v>4711</v>", f"<v>{stored}</v>"))
    assert 'the column "x" has a number with more than 15 digits, which Excel rounds' in rows[0].error
    assert rows[1].data == {"x": 5}


@pytest.mark.parametrize(
    ("stored", "value"),
    [("a_x000D_b", "a\rb"), ("_x005F_x000D_", "_x000D_"), ("_xD83D_ x_y", "_xD83D_ x_y"), ("A_x0042_", "AB")],
)
def test_escaped_characters(tmp_path: Path, stored: str, value: str) -> None:
    assert data(workbook(tmp_path / "a.xlsx", A=[["x"], [stored]])) == [{"x": value}]


@pytest.mark.parametrize(
    ("cells", "refused_cells"), [("B2:B3", "B2:B3"), ("A3:B3", "A3:B3"), ("B1:B2", "B1:B2")]
)
def test_merged_cells_are_one_fault(tmp_path: Path, cells: str, refused_cells: str) -> None:
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, 2], [3, 4]):
        book.active.append(row)
    book.active.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    assert f"merged cells ({refused_cells}); unmerge them" in refused(tmp_path / "a.xlsx")


def test_a_merged_cell_of_the_header_alone_is_no_fault(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, 2]):
        book.active.append(row)
    book.active.merge_cells("B1:C1")
    book.save(tmp_path / "a.xlsx")
    assert data(tmp_path / "a.xlsx") == [{"a": 1, "b": 2}]


def test_a_formula_in_a_workbook_with_prefixes_has_its_stored_value(tmp_path: Path) -> None:
    """Some programs write `<x:f>`; without its formula, the cell would be empty."""
    path = workbook(tmp_path / "a.xlsx", A=[["x", "y"], [1, "=1+1"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    sheet = re.sub(r"<(/?)(\w)", r"<\1x:\2", sheet).replace("xmlns=", "xmlns:x=", 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**parts, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, text)
    assert "has no stored value" in read(path)[0].error


def test_a_strict_workbook_is_one_fault(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x"], [1]])
    schemas = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    changed(path, schemas, "http://purl.oclc.org/ooxml/spreadsheetml/main")
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    changed(path, relations, "http://purl.oclc.org/ooxml/officeDocument/relationships")
    assert "if its format is Strict Open XML, save it as Excel Workbook" in refused(path)


def test_cells_without_a_value_are_errors_of_their_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x", "y"], ["#N/A", 1], [2, "=A2*2"], [3, 4], ["#DIV/0!", 5]])
    assert outline(path) == [
        ', sheet "A", row 2: the column "x" has the error #N/A',
        ', sheet "A", row 3: the formula in the column "y" has no stored value; open the workbook in Excel '
        "and save it",
        {"x": 3, "y": 4},
        ', sheet "A", row 5: the column "x" has the error #DIV/0!',
    ]


def test_a_formula_has_its_stored_value(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x", "y"], [2, "=A2*2"], [3, "=A3*2"]])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet], count = re.subn(
        rb"(<f>A2\*2</f>)<v ?/>|(<f>A2\*2</f>)<v></v>", rb"\1\2<v>4</v>", parts[sheet]
    )
    assert count == 1
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    first, second = RowSource(str(path)).rows()
    assert first.data == {"x": 2, "y": 4}
    assert "no stored value" in second.error


def test_empty_columns_at_the_end_and_empty_rows_are_ignored(tmp_path: Path) -> None:
    rows = [["x", "y", None, "  "], [1, "a", None, " "], [None, None], [2], [3, "c", None, None, None]]
    assert data(workbook(tmp_path / "a.xlsx", A=rows)) == [
        {"x": 1, "y": "a"},
        {"x": 2, "y": ""},
        {"x": 3, "y": "c"},
    ]


def test_a_value_in_a_column_without_a_name_is_an_error(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x"], [1, None, "z"], [2, None]])
    assert outline(path) == [
        ', sheet "A", row 2: a value in column C, which has no name in the header',
        {"x": 2},
    ]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["x", None, "y"], "column B has no name in the header"),
        (["x", " x "], 'the header has the column "x" twice'),
        ([1, "1"], 'the header has the column "1" twice'),
    ],
)
def test_a_broken_header_is_a_fault_of_the_run(tmp_path: Path, header: list[Any], said: str) -> None:
    assert said in refused(workbook(tmp_path / "a.xlsx", A=[header, [1, 2, 3]]))


def test_of_two_sheets_one_must_be_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Servers=[["x"], [1]], Empty=[], Sites=[["x"], [2]])
    assert 'several sheets have rows; use --sheet NAME with one of "Servers", "Sites"' in refused(path)
    assert with_options(path, sheet="Sites") == with_options(path, sheet="3") == [{"x": 2}]
    assert with_options(path, sheet="Empty") == []
    assert 'no sheet "Site"; the workbook has "Servers", "Empty", "Sites"' in refused(path, sheet="Site")


def test_the_only_visible_sheet_with_cells_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Empty=[], Hidden=[["x"], [1]], Rows=[["x"], [2]])
    book = openpyxl.load_workbook(path)
    book["Hidden"].sheet_state = "hidden"
    book.save(path)
    assert data(path) == [{"x": 2}]
    assert with_options(path, sheet="Hidden") == [{"x": 1}]


def test_a_workbook_from_gzip_and_from_standard_input(tmp_path: Path) -> None:
    content = workbook(tmp_path / "a.xlsx", A=[["x"], [1], [2]]).read_bytes()
    packed = tmp_path / "b.xlsx.gz"
    packed.write_bytes(gzip.compress(content))
    assert data(packed) == [{"x": 1}, {"x": 2}]
    for format in ("xlsx", None):
        stdin = io.BufferedReader(io.BytesIO(content))
        assert [row.data for row in RowSource("-", format, stdin).rows()] == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_a_damaged_workbook_is_one_fault(tmp_path: Path, kept: float) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["x"], [1]])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "the workbook cannot be read" in refused(path)


def test_without_the_extra_one_fault_says_what_to_install(
    in_process: Ninjaone,
    connection_file: Path,
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workbook(tmp_path / "a.xlsx", A=[["Id"], [1]])
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    for command in (
        ("run", "get_device", *READ),
        ("preview", "get_device", *READ[2:4], "-i", "a.xlsx", "--json"),
    ):
        done = in_process(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "pip install 'ninjaone-connector[excel]'" in done.stderr
    assert sandbox.log.requests() == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_over_a_workbook_is_resumed(
    in_process: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    workbook(tmp_path / "a.xlsx", A=[["Id"], [1], [999], [3]], B=[["Id"], [1], [999], [4]])
    run = ("run", "get_device", *READ, "--sheet")
    assert in_process(*run, "A", "--on-error", "stop").returncode == 3
    assert in_process(*run, "B", "--resume").returncode == 2  # other rows
    done = in_process(*run, "A", "--resume")
    assert done.returncode == 1, done.stderr
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["row"], row["has_error"]) for row in written] == [(1, False), (2, True), (3, False)]
    assert written[2]["result"]["id"] == 3
    assert [r["path"] for r in sandbox.log.requests()] == [f"/v2/device/{n}" for n in (1, 999, 3)]
