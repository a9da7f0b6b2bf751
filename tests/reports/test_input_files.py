"""Files as spreadsheets, PowerShell and other tools write them (rows 4, 8, 15, 23 and 25 of the reports).

Each kind has the reported member and others found beside it. What is read has the right value in the request;
what cannot be read is one fault before the run.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.conftest import Ninjaone

RENAME = ("preview", "update_device", "-t", "device_id={{ Id }}", "-t", "display_name={{ Name }}", "--json")
ONE = [("/v2/device/3", "srv-é")]
TWO = [*ONE, ("/v2/device/4", "b")]


def sent(ninjaone: Ninjaone, *arguments: object) -> list[tuple[str, str]]:
    """The path and the name of each device that a preview shows."""
    done = ninjaone(*RENAME, *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    shown: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    return [("/v2" + row["url"].partition("/v2")[2], row["body"]["displayName"]) for row in shown]


def fault(ninjaone: Ninjaone, *arguments: object) -> str:
    """The one fault of a command that runs nothing."""
    done = ninjaone(*RENAME, *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout
    assert done.stderr.count("\n") == 1
    return done.stderr


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> str:
    (folder / name).write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return name


# --- delimiters: row 23 ------------------------------------------------------------------------------------


def test_the_reported_semicolons(ninjaone: Ninjaone) -> None:
    assert sent(ninjaone, "-i", "semicolon.csv") == [("/v2/device/3", "srv-a")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "Id;Name\r\n3;srv-é\r\n"),
        ("a.csv", "Id\tName\n3\tsrv-é\n"),
        ("a.csv", "Id|Name\n3|srv-é\n"),
        ("a.tsv", "Id\tName\n3\tsrv-é\n"),
        ("a.tab", "Id\tName\n3\tsrv-é\n"),
        ("a.txt", "Id;Name\n3;srv-é\n"),
        ("a.csv", '"Id";"Name, full; or short";"Name"\n3;x;srv-é\n'),
        ("a.csv", "Id;Name\r3;srv-é\r"),
        ("a.csv", "sep=;\r\nId;Name\r\n3;srv-é\r\n"),
        ("a.csv", '"sep=|"\r\nId|Name\r\n3|srv-é\r\n'),
        ("a.csv", '#TYPE System.Management.Automation.PSCustomObject\r\n"Id","Name"\r\n"3","srv-é"\r\n'),
        ("a.csv", "Id;Name;;\r\n3;srv-é;;\r\n;;;\r\n"[:-5]),
        ("a.csv", "Id,Name,,\n3,srv-é\n"),
        ("a.csv", "Id,Name\n3,srv-é,,,\n"),
        ("a.csv", " Id , Name\n3,srv-é\n"),
        ("a.csv", '\ufeff"Id","Name"\n3,srv-é\n'),
        ("a.csv", '\ufeff\ufeff"Id","Name"\n3,srv-é\n'),
        ("a.csv", '"\ufeffId","Name"\n3,srv-é\n'),
        ("a.csv", '\n\nId;"Na\nme";Name\n3;"x;\ny";srv-é\n'),
    ],
)
def test_members_that_are_read(ninjaone: Ninjaone, tmp_path: Path, name: str, content: str) -> None:
    assert sent(ninjaone, "-i", write(tmp_path, name, content)) == ONE


@pytest.mark.parametrize("delimiter", ["^", "semicolon", ";", "tab", "\\t", "\t", "pipe", "space"])
def test_a_delimiter_can_be_given(ninjaone: Ninjaone, tmp_path: Path, delimiter: str) -> None:
    mark = {"semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " "}.get(delimiter, delimiter)
    name = write(tmp_path, "a.csv", f"Id{mark}Name\n3{mark}srv-é\n")
    assert sent(ninjaone, "-i", name, "--delimiter", delimiter) == ONE


def test_standard_input_is_csv_by_its_delimiter(ninjaone: Ninjaone) -> None:
    done = ninjaone(*RENAME, "-i", "-", stdin="Id;Name\n3;srv\n")
    assert json.loads(done.stdout)["body"] == {"displayName": "srv"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Id;Name|Site\n3;a|b\n", "the header has semicolons and pipes"),
        ("Id;Name, full\n3;srv\n4;b\n", 'With --delimiter ";" all rows fit'),
        ("Devices of Alder\nId,Name\n3,a\n", "Remove lines before the header"),
        ("Id,Name\n3\n4\n", "the header has 2 columns (Id,Name), the first row 1 value"),
        ("Id,Name, Id\n3,a,4\n", 'the header has the column "Id" twice'),
        ("Id,,Name\n3,x,a\n", "column 2 has no name in the header"),
        (";;;;\n;;;;\n", "column 1 has no name in the header"),
        ('Id,Name\n"3","a \\"b\\" c"\n', "A quote inside a quoted value is written twice"),
        ('[{"Id": 3, "Name": "a"}]', "JSON, not CSV; use --input-format json"),
        ("<html><body>Sign in</body></html>", "HTML or XML"),
    ],
)  # fmt: skip
def test_what_is_ambiguous_is_one_fault(ninjaone: Ninjaone, tmp_path: Path, content: str, said: str) -> None:
    assert said in fault(ninjaone, "-i", write(tmp_path, "a.csv", content))


@pytest.mark.parametrize("content", ["", "\n", "Id;Name\n", "\ufeff", "Id;Name;;\n\n"])
def test_files_without_rows_have_none(ninjaone: Ninjaone, tmp_path: Path, content: str) -> None:
    assert sent(ninjaone, "-i", write(tmp_path, "a.csv", content)) == []


# --- encodings: row 25 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["utf16-export-csv.csv", "utf16-excel-text.txt"])
def test_the_reported_utf_16(ninjaone: Ninjaone, name: str) -> None:
    assert sent(ninjaone, "-i", name) == ONE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", '"Id","Name"\r\n"3","srv-é"\r\n'),
        ("a.json", '[{"Id": 3, "Name": "srv-é"}]'),
        ("a.json", '{\r\n  "Id": 3,\r\n  "Name": "srv-é"\r\n}\r\n'),
        ("a.jsonl", '{"Id": 3, "Name": "srv-é"}\r\n'),
        ("a.txt", "Id;Name\r\n3;srv-é\r\n"),
    ],
)
def test_a_byte_order_mark_says_the_encoding(
    ninjaone: Ninjaone, tmp_path: Path, name: str, content: str, encoding: str
) -> None:
    assert sent(ninjaone, "-i", write(tmp_path, name, "\ufeff" + content, encoding)) == ONE


@pytest.mark.parametrize(
    "name", ["cp1252", "latin-1", "cp850", "utf-16-le", "utf_16", "utf-32-be", "mac_roman"]
)
def test_an_encoding_can_be_given(ninjaone: Ninjaone, tmp_path: Path, name: str) -> None:
    file = write(tmp_path, "a.csv", "Id;Name\r\n3;srv-é\r\n", name)
    assert sent(ninjaone, "-i", file, "--encoding", name) == ONE


@pytest.mark.parametrize(
    ("encoding", "text", "said"),
    [
        ("cp1252", "Id,Name\n3,srv-é\n", "line 2: byte 0xE9 is not UTF-8; it is probably Windows-1252"),
        ("cp850", "Id,Name\n3,srv-é\n", "--encoding cp850"),
        ("cp1251", "Id,Name\n3,Бухгалтерия\n", "cp1251 (Cyrillic)"),
        ("shift_jis", "Id,Name\n3,\u7d4c\u7406\u90e8\n", "shift_jis (Japanese)"),
        ("utf-16-le", "Id,Name\n3,srv-é\n", "without a byte order mark; use --encoding utf-16-le"),
        ("utf-16-be", "Id,Name\n3,srv-é\n", "--encoding utf-16-be"),
        ("utf-32-le", "Id,Name\n3,srv-é\n", "--encoding utf-32-le"),
    ],
)  # fmt: skip
def test_a_likely_encoding_is_named(
    ninjaone: Ninjaone, tmp_path: Path, encoding: str, text: str, said: str
) -> None:
    assert said in fault(ninjaone, "-i", write(tmp_path, "a.csv", text, encoding))
    assert said in fault(ninjaone, "-i", write(tmp_path, "a.csv", text, encoding), "--delimiter", ",")


def test_json_in_another_encoding_is_one_fault(ninjaone: Ninjaone, tmp_path: Path) -> None:
    for text in ('[{"Id": 3, "Name": "Büro"}]', '{"Id": 3, "Name": "Büro"}\n', '{\n"Id": 3, "Name": "Büro"}'):
        name = write(tmp_path, "a.json", text, "cp1252")
        assert "use --encoding cp1252" in fault(ninjaone, "-i", name)
        assert sent(ninjaone, "-i", name, "--encoding", "cp1252") == [("/v2/device/3", "Büro")]


def test_one_bad_byte_in_utf_8_names_its_line(ninjaone: Ninjaone, tmp_path: Path) -> None:
    name = write(tmp_path, "a.csv", "Id,Name\n3,éééé\n4,ü".encode() + b"\xff\n")
    assert "line 3: byte 0xFF is not UTF-8, but other lines are" in fault(ninjaone, "-i", name)
    done = ninjaone(*RENAME, "-i", name, "--encoding", "utf-8")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, first["body"]) == (1, {"displayName": "éééé"})
    assert 'line 3: a byte that is not UTF-8, in the column "Name"' in second["error"]


def test_a_byte_that_an_encoding_lacks_costs_its_row(ninjaone: Ninjaone, tmp_path: Path) -> None:
    name = write(tmp_path, "a.csv", b"Id,Name\n3,a\n4,\x81\n")
    done = ninjaone(*RENAME, "-i", name, "--encoding", "cp1252")
    assert done.returncode == 1
    assert "a byte that is not cp1252" in json.loads(done.stdout.splitlines()[1])["error"]


def test_a_nul_costs_its_row(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone(*RENAME, "-i", write(tmp_path, "a.csv", "Id,Name\n3,a\n4,a\0b\n"))
    assert done.returncode == 1
    assert "NUL" in json.loads(done.stdout.splitlines()[1])["error"]


def test_an_unknown_option_is_a_fault(ninjaone: Ninjaone) -> None:
    given = ("-i", "semicolon.csv")
    assert 'unknown encoding "ebcdic"' in fault(ninjaone, *given, "--encoding", "ebcdic")
    assert 'unknown encoding "hex"' in fault(ninjaone, *given, "--encoding", "hex")
    assert '"ab" is not a delimiter' in fault(ninjaone, *given, "--delimiter", "ab")
    assert "--records is an option of JSON files" in fault(ninjaone, *given, "--records", "x")
    assert "--sheet is an option of Excel files" in fault(ninjaone, *given, "--sheet", "x")
    said = fault(ninjaone, "-i", "ps-value-count.json", "--delimiter", ";")
    assert "--delimiter is an option of CSV files, and the input is JSON" in said


# --- JSON: row 8 -------------------------------------------------------------------------------------------


def test_the_reported_object_asks_for_its_records(ninjaone: Ninjaone) -> None:
    said = fault(ninjaone, "-i", "ps-value-count.json")
    assert 'one object with the records in "value"; use --records value to read them as rows' in said
    assert sent(ninjaone, "-i", "ps-value-count.json", "--records", "value") == [
        ("/v2/device/3", "a"),
        ("/v2/device/4", "b"),
    ]


ROWS = [{"Id": 3, "Name": "srv-é"}, {"Id": 4, "Name": "b"}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("member", ["value", "results", "data", "devices", "items", "Items"])
@pytest.mark.parametrize("after", [0, 20_000])
def test_objects_with_a_list_of_records(
    ninjaone: Ninjaone, tmp_path: Path, member: str, indent: int | None, after: int
) -> None:
    whole = {"cursor": {"name": "x", "value": [1, {}]}, member: [*ROWS, *[{"x": 1}] * after], "Count": 2}
    name = write(tmp_path, "a.json", json.dumps(whole, indent=indent))
    assert f"use --records {member} to read them as rows" in fault(ninjaone, "-i", name)
    if not after:
        assert sent(ninjaone, "-i", name, "--records", member) == TWO


def test_records_deeper_in_an_object(ninjaone: Ninjaone, tmp_path: Path) -> None:
    name = write(tmp_path, "a.json", json.dumps({"a": [1], "data": {"n": None, "list": ROWS}}))
    assert sent(ninjaone, "-i", name, "--records", "data.list") == TWO
    assert 'no member "rows" for --records data.rows; "data" has n, list' in fault(
        ninjaone, "-i", name, "--records", "data.rows"
    )
    assert '"a" is not a JSON object' in fault(ninjaone, "-i", name, "--records", "a.b")
    assert '"data.n" is not a list of records' in fault(ninjaone, "-i", name, "--records", "data.n")


def test_an_object_that_is_a_row_itself(ninjaone: Ninjaone, tmp_path: Path) -> None:
    row = {**ROWS[0], "devices": [{"a": 1}]}
    name = write(tmp_path, "a.json", json.dumps(row, indent=2))
    assert "--records . if the object itself is the row" in fault(ninjaone, "-i", name)
    assert sent(ninjaone, "-i", name, "--records", ".") == ONE
    assert sent(ninjaone, "-i", write(tmp_path, "a.jsonl", json.dumps(row) + "\n")) == ONE


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a"])
def test_objects_over_several_lines_are_rows(ninjaone: Ninjaone, tmp_path: Path, name: str) -> None:
    texts = [json.dumps(row, indent=2) for row in ROWS]
    assert sent(ninjaone, "-i", write(tmp_path, name, texts[0])) == ONE
    assert sent(ninjaone, "-i", write(tmp_path, name, "\n".join(texts))) == TWO
    assert json.loads(ninjaone(*RENAME, "-i", "-", stdin=texts[1]).stdout)["body"] == {"displayName": "b"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{\n "Id": 3,\n "Name": a\n}', "line 3: not JSON (Expecting value"),
        ('{\n "Id": 3,\n "Name": "a"\n', "not JSON (Expecting ',' delimiter"),
        ("Id,Name\n3,a\n", "line 1: not JSON"),
        ("{'Id': 3}\n{'Id': 4}\n", "line 1: not JSON (Expecting property name"),
    ],
)
def test_json_that_is_not_valid_is_one_fault(
    ninjaone: Ninjaone, tmp_path: Path, content: str, said: str
) -> None:
    assert said in fault(ninjaone, "-i", write(tmp_path, "a.json", content))


# --- what is no text: row 15 -------------------------------------------------------------------------------


def test_the_reported_sheet_is_read_as_a_workbook(ninjaone: Ninjaone, tmp_path: Path) -> None:
    """The file was the .xlsx itself, with the rows of ticket-import.csv."""
    book = openpyxl.Workbook()
    with (tmp_path / "ticket-import.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            book.active.append([int(cell) if cell.isdigit() else cell for cell in row])  # type: ignore[union-attr]
    book.save(tmp_path / "tickets.xlsx")
    templates = ("-t", "device_id={{ TicketID }}", "-t", "display_name={{ Status }} {{ Priority }}", "--json")
    shown = [
        [
            json.loads(line)
            for line in ninjaone("preview", "update_device", "-i", name, *templates).stdout.splitlines()
        ]
        for name in ("tickets.xlsx", "ticket-import.csv")
    ]
    assert [row["body"]["displayName"] for row in shown[0]] == [
        "Open High",
        "In Progress Critical",
        "Resolved Low",
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl"])
def test_a_workbook_under_another_name_is_said_to_be_one(
    ninjaone: Ninjaone, tmp_path: Path, suffix: str
) -> None:
    openpyxl.Workbook().save(tmp_path / f"a.{suffix}")
    assert "an Excel workbook; read it with --input-format xlsx" in fault(ninjaone, "-i", f"a.{suffix}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Excel workbook (.xls)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "by a password"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text", "OpenDocument"),
        (b"PK\x03\x04" + bytes(26) + b"rows.csv", "a ZIP archive"),
        (b"BZh91AY&SY", "compressed with bzip2"),
        (b"\xfd7zXZ\x00\x00", "compressed with xz"),
        (b"%PDF-1.7\n", "a PDF file"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a"])
def test_other_files_are_named(
    ninjaone: Ninjaone, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    assert said in fault(ninjaone, "-i", write(tmp_path, name, content))


# --- output that is not UTF-8: row 4 -----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp932", "cp936", "cp949", "iso8859_15", "latin-1", "cp437", "ascii"])
def test_a_preview_is_escaped_for_any_encoding(
    ninjaone: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    import io
    import sys

    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    done = ninjaone("preview", "get_device", "-i", "once.jsonl", "-t", "device_id=3")
    assert done.returncode == 0, done.stderr
    shown = written.getvalue().decode(encoding)
    assert "  authorization: Bearer \\u2022\\u2022\\u2022\n" in shown.replace("\r\n", "\n")
