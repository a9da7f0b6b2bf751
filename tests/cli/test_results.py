"""`--results`: the results without envelopes, and where the failed rows are."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process

ROWS = '{"id": 1, "site": "Leeds"}\n{"id": 999, "site": "York"}\n{"id": 3, "site": "Hull"}\n'
RUN = ("run", "get_device", "-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ id }}",
       "--delay-ms", "0", "--results")  # fmt: skip
LIST = ("run", "list_organizations", "-c", "connection.yaml", "-i", "one.jsonl", "--results")
ERROR = "row 2: not_found: GET /v2/device/999: 404"


@pytest.fixture(autouse=True)
def inputs(connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS)
    (tmp_path / "one.jsonl").write_text("{}\n{}\n")


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_one_result_a_line_and_failed_rows_on_standard_error(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone(*RUN, "-o", "out.jsonl")
    assert done.returncode == 1
    found = lines((tmp_path / "out.jsonl").read_text())
    assert [device["id"] for device in found] == [1, 3]
    assert "has_error" not in found[0]
    reported = done.stderr.splitlines()
    assert reported[0].startswith("row 2: not_found: ")
    assert "results: out.jsonl" in reported
    assert "rerun" not in done.stderr
    assert ninjaone(*RUN, "-o", "-").stdout == (tmp_path / "out.jsonl").read_text()
    done = ninjaone(*RUN, "-o", "-", "--json")
    assert json.loads(done.stderr.splitlines()[0])["code"] == "not_found"


@pytest.mark.parametrize("rows", ["one", "each"])
def test_a_list_is_an_item_a_line(ninjaone: Ninjaone, tmp_path: Path, rows: str) -> None:
    for output in ("out.jsonl", "out.json", "out.csv", "out.xlsx"):
        done = ninjaone(*LIST, "--rows", rows, "-o", output)
        assert done.returncode == 0, done.stderr
    found = lines((tmp_path / "out.jsonl").read_text())
    names = [organization["name"] for organization in found]
    assert len(names) > 2
    assert names[: len(names) // 2] == names[len(names) // 2 :]
    assert json.loads((tmp_path / "out.json").read_text()) == found
    columns = table(tmp_path / "out.csv")
    assert list(columns[0]) == list(found[0])
    assert [row["name"] for row in columns] == names
    header, *values = openpyxl.load_workbook(tmp_path / "out.xlsx").active.values
    assert [dict(zip(header, row, strict=True))["name"] for row in values] == names


def test_rows_beside_results(ninjaone: Ninjaone, tmp_path: Path) -> None:
    assert ninjaone(*RUN, "--keep-row", "-o", "out.csv").returncode == 1
    found = table(tmp_path / "out.csv")
    assert [(row["input.id"], row["site"], row["id"]) for row in found] == [
        ("1", "Leeds", "1"),
        ("3", "Hull", "3"),
    ]
    done = ninjaone(*RUN, "--keep-row", "-o", "-")
    assert [(line["input"]["site"], line["result"]["id"]) for line in lines(done.stdout)] == [
        ("Leeds", 1),
        ("Hull", 3),
    ]


def test_nothing_for_results_of_null_and_empty_lists(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"filter": "org = 999"}\n')
    for rows in ("one", "each"):
        done = ninjaone("run", "list_devices", *LIST[2:], "--rows", rows, "-o", "-")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    update = ("run", "update_device", *RUN[2:], "-t", "display_name=SRV", "-o", "-")
    done = ninjaone(*update)
    assert (done.returncode, done.stdout) == (1, "")
    done = ninjaone(*update, "--keep-row")
    assert lines(done.stdout)[0] == {"input": {"id": 1, "site": "Leeds"}, "result": None}


def test_failed_rows_in_a_file_can_be_rerun(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone(*RUN, "-o", "out.csv", "--errors", "errors.jsonl")
    assert done.returncode == 1
    assert not done.stderr.startswith("row 2")
    assert "failed rows: errors.jsonl" in done.stderr
    assert "ninjaone failed errors.jsonl -o FILE, then ninjaone rerun errors.jsonl" in done.stderr
    [failed] = lines((tmp_path / "errors.jsonl").read_text())
    assert (failed["row"], failed["has_error"], failed["meta"]["code"]) == (2, True, "not_found")
    assert ninjaone("failed", "errors.jsonl", "-o", "fix.jsonl").returncode == 0
    (tmp_path / "fix.jsonl").write_text((tmp_path / "fix.jsonl").read_text().replace("999", "2"))
    done = ninjaone("rerun", "errors.jsonl", "--input", "fix.jsonl")
    assert done.returncode == 0, done.stderr
    [again] = lines((tmp_path / "errors.rerun.jsonl").read_text())
    assert (again["row"], again["result"]["id"]) == (2, 2)
    done = ninjaone("rerun", "out.csv")
    assert done.returncode == 2
    assert "use its file of failed rows: " in done.stderr
    assert ninjaone("rerun", "errors.jsonl").returncode == 0  # nothing is left


def test_the_file_of_failed_rows_follows_its_extension_and_is_kept(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    assert ninjaone(*RUN, "-o", "-", "--errors", "errors.csv").returncode == 1
    [failed] = table(tmp_path / "errors.csv")
    assert (failed["row"], failed["has_error"]) == ("2", "true")
    before = len(sandbox.log.requests())
    for arguments in (("-o", "out.csv", "--errors", "errors.csv"), ("-o", "x.csv", "--errors", "x.csv")):
        done = ninjaone(*RUN, *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert len(sandbox.log.requests()) == before
    run = (*RUN, "-o", "out.csv", "--errors", "errors.csv")
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n')
    assert ninjaone(*run, "--restart").returncode == 0
    assert table(tmp_path / "errors.csv") == []


def test_a_stopped_run_keeps_all_and_is_resumed(ninjaone: Ninjaone, tmp_path: Path) -> None:
    run = (*RUN, "-o", "out.csv", "--errors", "errors.json")
    assert ninjaone(*run, "--on-error", "stop").returncode == 3
    assert (tmp_path / "out.csv.run").is_dir()
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "errors.json").exists()
    changed = ninjaone(*RUN[:-1], "-o", "out.csv", "--resume")
    assert (changed.returncode, "settings" in changed.stderr) == (2, True)
    assert ninjaone(*run, "--resume").returncode == 1
    assert [row["id"] for row in table(tmp_path / "out.csv")] == ["1", "3"]
    assert [failed["row"] for failed in json.loads((tmp_path / "errors.json").read_text())] == [2]


def test_a_job_has_the_keys_and_a_step_that_is_followed_has_envelopes(
    ninjaone: Ninjaone, tmp_path: Path
) -> None:
    step = {
        "name": "read", "action": "get_device", "connection": "connection.yaml", "input": "rows.jsonl",
        "delay_ms": 0, "templates": {"device_id": "{{ id }}"}, "results": True, "errors": "failed.jsonl",
    }  # fmt: skip
    (tmp_path / "job.yaml").write_text(json.dumps({"output": "out", "steps": [step]}))
    done = ninjaone("run", "job.yaml", "--summary", "summary.json")
    assert done.returncode == 1, done.stderr
    assert [device["id"] for device in lines((tmp_path / "out/read.jsonl").read_text())] == [1, 3]
    assert len(lines((tmp_path / "failed.jsonl").read_text())) == 1
    [run] = json.loads((tmp_path / "summary.json").read_text())["runs"]
    assert run["errors"].endswith("failed.jsonl")
    then = {"name": "next", "action": "get_device_link", "input": {"step": "read"}, "match_fields": True}
    (tmp_path / "job.yaml").write_text(json.dumps({"output": "out", "steps": [step, then]}))
    done = ninjaone("run", "job.yaml")
    assert (done.returncode, "with the envelopes" in done.stderr) == (2, True)


def test_errors_requires_results(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    done = ninjaone(*RUN[:-1], "-o", "out.csv", "--errors", "errors.csv")
    assert (done.returncode, "--errors requires --results" in done.stderr) == (2, True)
    assert sandbox.log.requests() == []


# --- call --------------------------------------------------------------------------------------------------


def test_the_result_of_a_call(ninjaone: Ninjaone, tmp_path: Path) -> None:
    call = ("call", "get_device", "-c", "connection.yaml")
    done = ninjaone(*call, "device_id=1", "--results")
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, 1)
    done = ninjaone(*call, "device_id=999", "--results")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ninjaone: not_found: ")
    done = ninjaone("call", "list_organizations", "-c", "connection.yaml", "--results")
    names = [organization["name"] for organization in lines(done.stdout)]
    done = ninjaone("call", "list_organizations", "-c", "connection.yaml", "--output-format", "csv")
    assert [row["name"] for row in csv.DictReader(done.stdout.splitlines())] == names
    done = ninjaone("call", "list_organizations", "-c", "connection.yaml", "--output-format", "table")
    assert len(done.stdout.splitlines()) >= len(names) + 1
    done = ninjaone(*call, "device_id=1", "--output-format", "json")
    assert [envelope["result"]["id"] for envelope in json.loads(done.stdout)] == [1]
