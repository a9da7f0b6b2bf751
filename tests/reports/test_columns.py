"""Templates that name a column which the header of a table lacks: one fault before the run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process
RENAME = ("update_device", "-t", "device_id={{ Id }}", "-t", "display_name={{ Naem }}")
FAULT = (
    'ninjaone: {file}: the header has no column "Naem" (did you mean "Name"?), used by the template of '
    "display_name. Its columns: Id, Name\n"
)


def workbook(path: Path, rows: Sequence[Sequence[object]] = (["Id", "Name"], [3, "x"])) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """The same table as files of all kinds."""
    (tmp_path / "comma.csv").write_text("Id,Name\n3,x\n")
    (tmp_path / "semicolon.csv").write_text("\ufeffId;Name\r\n3;x\r\n", encoding="utf-8")
    (tmp_path / "utf16.csv").write_text("Id\tName\n3\tx\n", encoding="utf-16")
    (tmp_path / "tab.tsv").write_text("Id\tName\n3\tx\n")
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(b"Id,Name\n3,x\n"))
    (tmp_path / "invalid-row.csv").write_text("Id,Name\n3\n3,x\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "part-0.csv").write_text("Id,Name\n")
    (tmp_path / "folder" / "part-1.csv").write_text("Id,Name\n3,x\n")
    workbook(tmp_path / "book.xlsx")
    (tmp_path / "header.csv").write_text("Id,Name\n")
    (tmp_path / "only-invalid-rows.csv").write_text("Id,Name\n" + '3,"x"y\n' * 30 + "3,x\n")
    workbook(tmp_path / "header.xlsx", [["Id", "Name"]])
    return tmp_path


FILES = ["comma.csv", "semicolon.csv", "utf16.csv", "tab.tsv", "packed.csv.gz", "invalid-row.csv", "folder"]


FILES += ["book.xlsx", "header.csv", "only-invalid-rows.csv", "header.xlsx"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("command", ["preview", "run"])
def test_one_fault_with_the_nearest_name(ninjaone: Ninjaone, tables: Path, command: str, file: str) -> None:
    done = ninjaone(command, *RENAME, "-i", file)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", FAULT.format(file=file))


def test_nothing_is_sent_or_written(
    ninjaone: Ninjaone, connection_file: Path, tables: Path, sandbox: Sandbox
) -> None:
    done = ninjaone("run", *RENAME, "-c", connection_file, "-i", "comma.csv", "-o", "out.jsonl")
    assert done.returncode == 2
    assert not (tables / "out.jsonl").exists()
    assert list(sandbox.log.requests()) == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ row.name }}", '"name" (did you mean "Name"?)'),
        ("{{ serial_number }}", """(did you mean "Serial Number", written as row['Serial Number']?)"""),
        ("{{ zzzz }}", '"zzzz", used by the template of display_name'),
        ("{{ id }}{{ nam }}", '"Id"?), used by the template of display_name; no column "nam" ('),
    ],
)  # fmt: skip
def test_the_column_that_is_meant(ninjaone: Ninjaone, tmp_path: Path, template: str, said: str) -> None:
    (tmp_path / "a.csv").write_text("Id,Name,Serial Number\n3,x,7\n")
    done = ninjaone(
        "preview", "update_device", "-t", "device_id=3", "-t", f"display_name={template}", "-i", "a.csv"
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_a_column_of_several_templates(ninjaone: Ninjaone, tables: Path) -> None:
    done = ninjaone("preview", *RENAME, "-t", "user_data={{ {'a': Naem} }}", "-i", "comma.csv")
    assert "used by the templates of display_name, user_data" in done.stderr


@pytest.mark.parametrize(
    "template",
    [
        "x{{ Naem | default('') }}",
        "{{ Naem if Naem is defined else 'x' }}",
        "x{{ row.get('Naem', '') }}",
        "{{ now }}",
    ],
)
def test_a_column_that_can_be_missing(ninjaone: Ninjaone, tables: Path, template: str) -> None:
    done = ninjaone(
        "preview",
        "update_device",
        "-t",
        "device_id={{ Id }}",
        "-t",
        f"display_name={template}",
        "-i",
        "comma.csv",
    )
    assert done.returncode == 0, done.stderr


def test_a_column_of_one_of_several_files_is_an_error_of_rows(ninjaone: Ninjaone, tables: Path) -> None:
    (tables / "folder" / "part-2.csv").write_text("Id,Naem\n4,y\n")
    done = ninjaone("preview", *RENAME, "-i", "folder", "--json")
    assert done.returncode == 1
    assert ["error" in json.loads(line) for line in done.stdout.splitlines()] == [True, False]


@pytest.mark.parametrize("file", ["rows.jsonl", "rows.json"])
def test_json_has_no_header(ninjaone: Ninjaone, tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text('[{"Id": 3}]' if file == "rows.json" else '{"Id": 3}\n')
    assert ninjaone("preview", *RENAME, "-i", file).returncode == 1


def test_standard_input_is_not_looked_at(ninjaone: Ninjaone) -> None:
    done = ninjaone("preview", *RENAME, "-i", "-", "--input-format", "csv", stdin="Id,Name\n3,x\n")
    assert (done.returncode, "row 1: ERROR" in done.stdout) == (1, True)


def test_a_header_with_commas_and_semicolons(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Id;Name,Site\n3;x,y\n")
    done = ninjaone("preview", *RENAME, "-i", "a.csv")
    assert done.stderr.endswith(
        'Its columns: Id;Name, Site. If semicolons separate the columns, use --delimiter ";"\n'
    )


def test_an_empty_file_has_no_rows(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")  # as Export-Csv writes no rows
    assert ninjaone("preview", *RENAME, "-i", "a.csv").returncode == 0


def test_an_empty_sheet(ninjaone: Ninjaone, tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [])
    done = ninjaone("preview", *RENAME, "-i", "a.xlsx")
    assert done.returncode == 2
    assert done.stderr == 'ninjaone: a.xlsx: the sheet is empty; the templates use the columns "Id", "Naem"\n'


@pytest.mark.parametrize(("file", "label"), [("a.csv", "2"), ("a.xlsx", "B")])
def test_a_column_without_a_name(ninjaone: Ninjaone, tmp_path: Path, file: str, label: str) -> None:
    workbook(tmp_path / "a.xlsx", [["Id", None, "Name"], [1, 2, 3]])
    (tmp_path / "a.csv").write_text("Id, ,Name\n1,2,3\n")
    done = ninjaone("preview", *RENAME, "-i", file)
    assert done.returncode == 2
    assert f"column {label} has no name in the header" in done.stderr


JOB = """\
connection: connection.yaml
output: out
steps:
  - name: read
    action: get_device
    input: comma.csv
    templates: {{device_id: "{{{{ Id }}}}"}}
  - name: renamed
    action: update_device
    input: {input}
    templates: {{device_id: "{{{{ Id }}}}", display_name: "{{{{ Naem }}}}"}}
"""


@pytest.mark.parametrize("command", ["preview", "run"])
def test_a_step_is_named(ninjaone: Ninjaone, connection_file: Path, tables: Path, command: str) -> None:
    (tables / "job.yaml").write_text(JOB.format(input="semicolon.csv"))
    done = ninjaone(command, "job.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('ninjaone: step "renamed": semicolon.csv: the header has no column "Naem"')


def test_a_step_after_another_is_not_checked(ninjaone: Ninjaone, connection_file: Path, tables: Path) -> None:
    (tables / "job.yaml").write_text(JOB.format(input="{step: read}"))
    done = ninjaone("run", "job.yaml", "--yes")
    assert done.returncode == 1, done.stderr


def test_the_template_of_the_connection(ninjaone: Ninjaone, connection_file: Path, tables: Path) -> None:
    options = ("-c", "{{ tenant }}", "--allow-connections", connection_file)
    done = ninjaone("run", "get_device", "-t", "device_id={{ Id }}", *options, "-i", "comma.csv")
    assert done.returncode == 2
    assert 'no column "tenant", used by the template of connection' in done.stderr


def test_a_resumed_run_is_not_checked(ninjaone: Ninjaone, connection_file: Path, tables: Path) -> None:
    done = ninjaone("run", *RENAME, "-c", connection_file, "-i", "comma.csv", "-o", "out.jsonl", "--resume")
    assert done.returncode == 2
    assert "the header" not in done.stderr
    assert "resume" in done.stderr
