"""Output files as other programs read them (row 32 of the reports)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

BOM = b"\xef\xbb\xbf"
LIST = ("run", "list_organizations", "-c", "connection.yaml", "--rows", "each", "-i", "one.jsonl")
STOP = ("run", "get_device", "-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ id }}")


@pytest.fixture(autouse=True)
def inputs(connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text("{}\n")
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
