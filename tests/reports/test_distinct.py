"""Row 22: a table of locations with their organizations, of which several rows name the same one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_log import killed_run
from tests.fakes import write_lines

JOB = "orgs-locations.yaml"
ORGANIZATIONS = ("POST", "/v2/organizations")


@pytest.fixture(autouse=True)
def job(connection_file: Path, ninjaone: Ninjaone, tmp_path: Path) -> Path:
    """The reported job, with `distinct` in its first step."""
    path = tmp_path / JOB
    data = yaml.safe_load(path.read_text())
    data["steps"][0]["distinct"] = "{{ Organization_Name }}"
    path.write_text(yaml.safe_dump({**data, "delay_ms": 0}, sort_keys=False))
    return path


def single(folder: Path, *names: Any, **more: Any) -> None:
    """Write a job of one run that creates organizations by name, once each."""
    write_lines(folder / "rows.jsonl", [{"org": name} for name in names])
    run = {"action": "create_organization", "connection": "connection.yaml", "delay_ms": 0}
    files = {"input": "rows.jsonl", "output": "out.jsonl"}
    job = {**run, **files, "templates": {"name": "{{ org }}"}, "distinct": "{{ org }}", **more}
    (folder / "single.yaml").write_text(yaml.safe_dump(job))


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def made(sandbox: Sandbox) -> list[str]:
    """The names of the organizations that were requested."""
    return [r["body"]["name"] for r in sandbox.log.requests() if (r["method"], r["path"]) == ORGANIZATIONS]


def test_the_reported_table_makes_an_organization_once_with_all_its_sites(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    done = ninjaone("run", JOB)
    assert done.returncode == 0, done.stderr
    assert "org (create_organization): 3 rows, 3 succeeded, 0 failed" in done.stderr
    assert "  1 row has the result of an earlier row, by `distinct: {{ Organization_Name }}`" in done.stderr
    assert made(sandbox) == ["H5 Testing", "H5 Other"]
    first, same, other = lines(tmp_path / "out/org.jsonl")
    assert same == {**first, "row": 2, "input": same["input"], "meta": same["meta"]}
    assert same["input"]["Location_Name"] == "Loc 2"
    assert same["meta"] == {**first["meta"], "attempts": 0, "same_as": 1}
    assert "same_as" not in first["meta"]
    assert [e["result"]["name"] for e in lines(tmp_path / "out/loc.jsonl")] == ["Loc 1", "Loc 2", "Loc 5"]
    for organization, names in ((first, ["Loc 1", "Loc 2"]), (other, ["Loc 5"])):
        listed = f"organization_id={organization['result']['id']}"
        found = ninjaone("call", "list_organization_locations", listed, "-c", "connection.yaml")
        assert [site["name"] for site in json.loads(found.stdout)["result"]] == ["Main Office", *names]


def test_without_it_the_second_row_is_refused(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    job.write_text(job.read_text().replace("distinct:", "# distinct:"))
    assert ninjaone("run", JOB).returncode == 1
    assert [e["has_error"] for e in lines(tmp_path / "out/org.jsonl")] == [False, True, False]


def test_preview_says_which_rows_get_the_result_of_another(ninjaone: Ninjaone) -> None:
    done = ninjaone("preview", JOB)
    assert done.returncode == 0
    assert "row 2: gets the result of row 1 (distinct)\n" in done.stdout
    shown = [json.loads(line) for line in ninjaone("preview", JOB, "--json").stdout.splitlines()]
    assert [row.get("same_as") for row in shown] == [None, 1, None, None]


def test_the_rows_of_a_failed_first_row_fail_with_its_reason(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[{"fault": "answer", "status": 400, "body": {"resultCode": "no_room"}}])
    done = ninjaone("run", JOB)
    assert done.returncode == 1
    first, same, other = lines(tmp_path / "out/org.jsonl")
    assert "no_room" in first["error"]
    assert same["error"] == f"row 1, which has the same value of distinct, failed: {first['error']}"
    assert same["meta"] == {**first["meta"], "attempts": 0, "same_as": 1}
    assert not other["has_error"]
    assert made(sandbox) == ["H5 Testing", "H5 Other"]
    assert '  2 rows skipped: failed in the step "org"' in done.stderr
    # A rerun of the failed rows sends the first one alone, too.
    done = ninjaone("rerun", "out/org.jsonl")
    assert done.returncode == 0, done.stderr
    assert made(sandbox) == ["H5 Testing", "H5 Other", "H5 Testing"]
    again = lines(tmp_path / "out/org.rerun.jsonl")
    assert [(e["row"], e["result"]["name"]) for e in again] == [(1, "H5 Testing"), (2, "H5 Testing")]


def test_nothing_is_sent_twice_after_a_kill(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    single(tmp_path, "A", "B", "A", "B", "C")
    killed_run(sandbox, tmp_path, 2, "single.yaml")
    assert made(sandbox) == ["A", "B"]
    done = ninjaone("run", "single.yaml", "--resume")
    assert done.returncode == 1, done.stderr
    assert made(sandbox) == ["A", "B", "C"]
    outcome = [
        (e["result"] and e["result"]["name"], e["meta"]["code"]) for e in lines(tmp_path / "out.jsonl")
    ]
    lost = (None, "outcome_unknown")
    assert outcome == [("A", None), lost, ("A", None), lost, ("C", None)]
    assert "2 failed rows to check first (2 outcome_unknown)" in done.stderr


def test_nothing_is_sent_twice_after_a_kill_of_rows_in_parallel(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Rows that wait for a first row in progress are not run in its place when the run is resumed."""
    names = ["A", "B", "A", "B", "C", "A", "B", "C"]
    single(tmp_path, *names, concurrency=3)
    killed_run(sandbox, tmp_path, 2, "single.yaml")
    done = ninjaone("run", "single.yaml", "--resume")
    assert done.returncode == 1, done.stderr
    assert sorted(made(sandbox)) == ["A", "B", "C"]
    codes: dict[str, set[str | None]] = {}
    for name, envelope in zip(names, lines(tmp_path / "out.jsonl"), strict=True):
        codes.setdefault(name, set()).add(envelope["meta"]["code"])
    assert all(len(found) == 1 for found in codes.values())
    assert {"outcome_unknown"} in codes.values()


@pytest.mark.parametrize("concurrency", [1, 8])
def test_rows_in_parallel_wait_for_the_first_one(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    names = [f"Client {n % 4}" for n in range(40)]
    single(tmp_path, *names, concurrency=concurrency)
    done = ninjaone("run", "single.yaml")
    assert done.returncode == 0, done.stderr
    assert sorted(made(sandbox)) == sorted(set(names))
    envelopes = lines(tmp_path / "out.jsonl")
    assert [e["result"]["name"] for e in envelopes] == names
    assert [e["meta"].get("same_as") for e in envelopes] == [None] * 4 + [n % 4 + 1 for n in range(4, 40)]


def test_values_that_are_equal_and_rows_without_one(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    single(tmp_path, "", 7, None, "7", " ", "7 ", templates={"name": "X {{ org }}"})
    ninjaone("run", "single.yaml")
    shared = [e["meta"].get("same_as") for e in lines(tmp_path / "out.jsonl")]
    assert shared == [None, None, None, 2, None, None]


def test_a_template_that_fails_fails_its_row_alone(ninjaone: Ninjaone, tmp_path: Path) -> None:
    single(tmp_path, "A", "A", distinct="{{ org ~ [1][n | default(5)] }}", keep_row=True)
    write_lines(tmp_path / "rows.jsonl", [{"org": "A", "n": 0}, {"org": "B"}, {"org": "A", "n": 0}])
    assert ninjaone("run", "single.yaml").returncode == 1
    first, failed, same = lines(tmp_path / "out.jsonl")
    assert failed["error"].startswith("distinct: ")
    assert (failed["meta"]["code"], failed["input"]) == ("template_error", {"org": "B"})
    assert (first["meta"].get("same_as"), same["meta"]["same_as"]) == (None, 1)


def test_each_connection_has_values_of_its_own(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    other = {**sandbox.connection, "client_id": "sandbox-other"}
    (tmp_path / "other.yaml").write_text("".join(f"{name}: {value}\n" for name, value in other.items()))
    single(tmp_path, connection="{{ at }}", allow_connections=["connection.yaml", "other.yaml"])
    rows = [{"org": "A", "at": at} for at in ("connection.yaml", "other.yaml", "connection.yaml")]
    write_lines(tmp_path / "rows.jsonl", rows)
    shown = [json.loads(line) for line in ninjaone("preview", "single.yaml", "--json").stdout.splitlines()]
    assert [row.get("same_as") for row in shown] == [None, None, 1]
    ninjaone("run", "single.yaml")
    assert [e["meta"].get("same_as") for e in lines(tmp_path / "out.jsonl")] == [None, None, 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rows": "each"}, "distinct: a list with `rows: each` cannot be shared by several rows"),
        ({"distinct": "{{ org"}, "distinct: template, line 1"),
        ({"distinct": "{{ [org] | random }}"}, "distinct: the filter random cannot be used here"),
        ({"distinct": 5}, "single.yaml, line 4: distinct: text is expected here"),
        (
            {"distinct": "{{ organization }}", "input": "orgs-locations.csv"},
            "used by the template of distinct",
        ),
    ],
)
def test_faults_before_the_run(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    single(tmp_path, "A", **change)
    done = ninjaone("run", "single.yaml")
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert sandbox.log.requests() == []


def test_a_resumed_run_requires_the_same_template(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    single(tmp_path, "A", "", "B", on_error="stop")
    assert ninjaone("run", "single.yaml").returncode == 3
    single(tmp_path, "A", "", "B", distinct="{{ org }}!")
    done = ninjaone("run", "single.yaml", "--resume")
    assert "differs from the unfinished one in its settings" in done.stderr


def test_a_check_of_the_first_row_does_not_count_for_another(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    single(tmp_path, "A", "A")
    sandbox.set_faults(
        queue=[{"fault": "answer", "status": 409, "body": {"resultCode": "conflict"}}, "reset"]
    )
    assert ninjaone("run", "single.yaml").returncode == 1
    write_lines(tmp_path / "first.jsonl", [{"row": 1, "org": "A"}])
    assert ninjaone("rerun", "out.jsonl", "--input", "first.jsonl").returncode == 1
    write_lines(tmp_path / "both.jsonl", [{"row": 1, "org": "A"}, {"row": 2, "org": "A"}])
    assert ninjaone("rerun", "out.jsonl", "--input", "both.jsonl", "--checked", "1").returncode == 0
    assert made(sandbox) == ["A", "A", "A"]
    first, same = (e["meta"] for e in lines(tmp_path / "out.rerun-2.jsonl"))
    assert (first["checked"], same["same_as"], "checked" in same) == (True, 1, False)
