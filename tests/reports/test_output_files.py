"""Output files as other programs and people read them (row 32 of the reports; issue 18, section 2)."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connector.files.readers import RowSource
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

BOM = b"\xef\xbb\xbf"
LIST = ("run", "list_organizations", "-c", "connection.yaml", "--rows", "each", "-i", "one.jsonl")
EMPTY = ("run", "list_devices", "-c", "connection.yaml", "--rows", "each", "-i", "none.jsonl")
STOP = ("run", "get_device", "-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ id }}")


@pytest.fixture(autouse=True)
def inputs(connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text("{}\n")
    (tmp_path / "none.jsonl").write_text('{"filter": "org = 999"}\n')
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n{"id": "é"}\n{"id": 3}\n')


def test_the_reported_csv_begins_with_a_mark_if_asked(ninjaone: Ninjaone, tmp_path: Path) -> None:
    assert ninjaone(*LIST, "-o", "plain.csv").returncode == 0
    assert ninjaone(*LIST, "-o", "orgs.csv", "--bom").returncode == 0
    plain = (tmp_path / "plain.csv").read_bytes()
    assert plain.startswith(b"row,has_error,error,")
    assert (tmp_path / "orgs.csv").read_bytes() == BOM + plain
    with (tmp_path / "orgs.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) > 1


def test_standard_output_begins_with_a_mark(ninjaone: Ninjaone) -> None:
    done = ninjaone(*LIST, "-o", "-", "--output-format", "csv", "--bom")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\ufeffrow,")
    assert done.stdout.count("\ufeff") == 1


def test_a_job_and_its_steps_have_the_key(ninjaone: Ninjaone, tmp_path: Path) -> None:
    single = {
        "action": "get_device", "connection": "connection.yaml", "input": "rows.jsonl", "delay_ms": 0,
        "templates": {"device_id": "{{ id }}"}, "bom": True, "output_format": "csv",
    }  # fmt: skip
    (tmp_path / "job.yaml").write_text(json.dumps({**single, "output": "a.csv"}))
    (tmp_path / "steps.yaml").write_text(json.dumps({"steps": [{**single, "name": "s"}], "output": "out"}))
    assert ninjaone("run", "job.yaml").returncode == 1
    assert ninjaone("run", "steps.yaml").returncode == 1
    for name in ("a.csv", "out/s.csv"):
        assert (tmp_path / name).read_bytes().startswith(BOM + b"row,"), name


def test_a_resumed_run_writes_the_mark_once(ninjaone: Ninjaone, tmp_path: Path) -> None:
    run = (*STOP, "--delay-ms", "0", "-o", "out.csv", "--bom")
    assert ninjaone(*run, "--on-error", "stop").returncode == 3
    assert not (tmp_path / "out.csv").exists()
    refused = ninjaone(*run[:-1], "--resume")
    assert (refused.returncode, "differs" in refused.stderr) == (2, True)
    assert ninjaone(*run, "--resume").returncode == 1
    written = (tmp_path / "out.csv").read_bytes()
    assert written.startswith(BOM)
    assert written.count(BOM) == 1
    assert [row["row"] for row in csv.DictReader(written.decode("utf-8-sig").splitlines())] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "output", [("out.jsonl",), ("out.json",), ("-",), ("a.csv", "--output-format", "json")]
)
def test_other_formats_have_no_mark(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, output: tuple[str, ...]
) -> None:
    done = ninjaone(*LIST, "--bom", "-o", *output)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--bom is an option of CSV output" in done.stderr
    assert sandbox.log.requests() == []
    assert not (tmp_path / output[0]).exists()


def sheet(path: Path) -> list[dict[str, Any]]:
    header, *rows = openpyxl.load_workbook(path).active.values
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.in_process
def test_a_workbook_by_its_extension_and_as_standard_output(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone(*LIST, "-o", "orgs.xlsx")
    assert done.returncode == 0, done.stderr
    found = sheet(tmp_path / "orgs.xlsx")
    assert [row["has_error"] for row in found] == [False] * len(found)
    assert ninjaone(*LIST, "-o", "orgs.json").returncode == 0
    expected = [envelope["result"] for envelope in json.loads((tmp_path / "orgs.json").read_text())]
    assert [(row["id"], row["name"]) for row in found] == [(org["id"], org["name"]) for org in expected]


def test_a_workbook_in_a_pipe(tmp_path: Path) -> None:
    command = f"{sys.executable} -m connector {' '.join(LIST)} -o - --output-format xlsx | cat > piped.xlsx"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(sheet(tmp_path / "piped.xlsx")) > 1


@pytest.mark.in_process
def test_a_workbook_without_the_extra_is_one_fault_before_the_run(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    for output in (("out.xlsx",), ("-", "--output-format", "xlsx")):
        done = ninjaone(*LIST, "-o", *output)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "pip install 'ninjaone-connector[excel]'" in done.stderr
    assert sandbox.log.requests() == []
    assert not list(tmp_path.glob("out*"))


@pytest.mark.in_process
@pytest.mark.parametrize("output", ["out.xlsx", "out.json", "out.csv"])
def test_a_run_that_stopped_is_resumed_in_its_format(ninjaone: Ninjaone, tmp_path: Path, output: str) -> None:
    run = (*STOP, "--delay-ms", "0", "-o", output)
    assert ninjaone(*run, "--on-error", "stop").returncode == 3
    assert not (tmp_path / output).exists()
    partial = (tmp_path / f"{output}.run/envelopes.jsonl").read_text()
    assert [json.loads(line)["row"] for line in partial.splitlines()] == [1, 2]
    assert ninjaone(*run, "--resume").returncode == 1
    found = RowSource(str(tmp_path / output)).rows()
    assert [(str(row.data["row"]), str(row.data["has_error"]).lower()) for row in found] == [
        ("1", "false"), ("2", "true"), ("3", "false"),
    ]  # fmt: skip


@pytest.mark.in_process
def test_a_table_is_for_people(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone(*LIST, "-o", "-", "--output-format", "table", COLUMNS="60")
    assert done.returncode == 0, done.stderr
    header, *rows = [line for line in done.stdout.splitlines() if " more column" not in line]
    assert header.split()[:3] == ["row", "name", "description"] or header.split()[:2] == ["row", "id"]
    assert all(len(line) <= 60 for line in [header, *rows])
    assert len(rows) > 1
    done = ninjaone(*STOP, "-o", "-", "--output-format", "table", COLUMNS="60")
    assert "  2  device_id: " in done.stdout


@pytest.mark.in_process
@pytest.mark.parametrize("output", ["none.csv", "none.xlsx"])
def test_an_empty_list_is_no_line(ninjaone: Ninjaone, tmp_path: Path, output: str) -> None:
    done = ninjaone(*EMPTY, "-o", output)
    assert done.returncode == 0, done.stderr
    assert list(RowSource(str(tmp_path / output)).rows()) == []


@pytest.mark.in_process
def test_kept_rows_are_columns(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,site\n1,Leeds\n999,York\n")
    run = (*STOP[:5], "rows.csv", *STOP[6:], "--keep-row", "--delay-ms", "0", "-o", "out.csv")
    assert ninjaone(*run).returncode == 1
    with (tmp_path / "out.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["input.id"], first["site"], first["id"]) == ("1", "Leeds", "1")
    assert (second["input.id"], second["site"], second["id"]) == ("999", "York", "")
