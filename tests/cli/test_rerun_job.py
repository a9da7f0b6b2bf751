"""`ninjaone rerun` and `ninjaone failed` of a job with steps."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from connector.common import user_folders
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED, rows_of
from tests.cli.test_run import envelopes

pytestmark = pytest.mark.in_process

JOB = """\
connection: connection.yaml
input: rows.csv
output: out
delay_ms: 0
steps:
  - name: organization
    action: create_organization
    templates: {name: "{{ client }}"}
  - name: site
    action: create_location
    input: {step: organization, only: "{{ has_site }}"}
    templates: {organization_id: "{{ organization.id }}", name: "{{ client }} {{ town }}"}
  - name: check
    action: get_organization
    input: {step: site}
    templates: {organization_id: "{{ organization.id }}"}
"""
ROWS = ["Acme", "Globex", "Initech", "Hooli", "Umbrella"]


@pytest.fixture
def onboarding(connection_file: Path, sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path) -> Path:
    """A folder with a finished job: organization 2, site 3 and check 4 failed; of site 5 nobody knows."""
    lines = [f"{name},Town of {name},{name != 'Acme'}" for name in ROWS]
    (tmp_path / "rows.csv").write_text("client,town,has_site\n" + "\n".join(lines) + "\n")
    (tmp_path / "job.yaml").write_text(JOB)
    organizations = [None, REFUSED, None, None, None]
    sites = [REFUSED, None, "reset_after"]
    sandbox.set_faults(queue=[*organizations, *sites, REFUSED])
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert "to fix first: ninjaone failed out -o FILE, then ninjaone rerun out --input FILE" in done.stderr
    sandbox.set_faults(queue=[])
    return tmp_path


def made(sandbox: Sandbox, *, executed: bool = True) -> list[str]:
    """The names of all that the sandbox made, or was asked to make."""
    posts = [r for r in sandbox.log.requests() if r["method"] == "POST" and "name" in (r["body"] or {})]
    return [r["body"]["name"] for r in posts if r["executed"] or not executed]


def codes(folder: Path, *steps: str) -> list[list[str | None]]:
    return [list(rows_of(folder / f"{step}.jsonl").values()) for step in steps]


STEPS = ("organization", "site", "check")


def test_failed_rows_go_through_all_steps_that_follow(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    assert codes(onboarding / "out", *STEPS) == [
        [None, "conflict", None, None, None],
        ["conflict", None, "outcome_unknown"],
        ["conflict"],
    ]
    before = len(made(sandbox, executed=False))
    done = ninjaone("rerun", "out")
    assert done.returncode == 1, done.stderr
    assert "out: 1 row of organization, 1 row of site, 1 row of check to run again; 1 to check" in done.stderr
    assert made(sandbox, executed=False)[before:] == [
        "Globex",
        "Initech Town of Initech",
        "Globex Town of Globex",
    ]
    assert codes(onboarding / "out/rerun", *STEPS) == [[None], [None, None], [None, None, None]]
    checked = [e["result"]["name"] for e in envelopes(onboarding / "out/rerun/check.jsonl")]
    assert checked == ["Hooli", "Initech", "Globex"]

    again = ninjaone("rerun", "job.yaml")
    assert again.returncode == 1, again.stderr
    assert "out: no rows to rerun; 1 to check first" in again.stderr
    assert set(Counter(made(sandbox)).values()) == {1}
    assert not (onboarding / "out/rerun-2").exists()


@pytest.mark.parametrize("named", ["out", "job.yaml"])
def test_rows_that_fail_again_are_run_again(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox, named: str
) -> None:
    sandbox.set_faults(queue=[None, REFUSED, REFUSED])
    assert ninjaone("rerun", named).returncode == 1
    assert codes(onboarding / "out/rerun", *STEPS) == [[None], ["conflict", "conflict"], [None]]
    sandbox.set_faults(queue=[None, REFUSED])
    assert ninjaone("rerun", named).returncode == 1
    assert codes(onboarding / "out/rerun-2", *STEPS) == [[], [None, "conflict"], [None]]
    sandbox.set_faults(queue=[])
    assert ninjaone("rerun", named).returncode == 1
    assert codes(onboarding / "out/rerun-3", *STEPS) == [[], [None], [None]]
    assert sorted(made(sandbox)) == sorted(
        [*ROWS, *(f"{name} Town of {name}" for name in ROWS if name != "Acme")]
    )


def test_a_rerun_that_stops_is_resumed(ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[REFUSED])
    stopped = ninjaone("rerun", "out", "--on-error", "stop")
    assert stopped.returncode == 3, stopped.stderr
    refused = ninjaone("rerun", "out")
    assert refused.returncode == 2
    assert (
        "this rerun is unfinished; use --resume to continue it: ninjaone rerun out --resume" in refused.stderr
    )
    assert ninjaone("rerun", "out", "--restart").returncode == 2
    assert ninjaone("failed", "out").returncode == 2
    resumed = ninjaone("rerun", "out", "--resume")
    assert resumed.returncode == 1, resumed.stderr
    assert codes(onboarding / "out/rerun", *STEPS) == [["conflict"], [None], [None, None]]
    assert ninjaone("rerun", "out").returncode == 1
    assert codes(onboarding / "out/rerun-2", *STEPS) == [[None], [None], [None]]
    assert set(Counter(made(sandbox)).values()) == {1}


def test_corrected_rows_of_any_step(ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox) -> None:
    written = ninjaone("failed", "out", "-o", "fix.csv", "--code", "conflict")
    assert written.returncode == 0, written.stderr
    assert "fix.csv: 3 rows. Correct them, then: ninjaone rerun out --input fix.csv" in written.stderr
    with (onboarding / "fix.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["client"]) for row in rows] == [
        ("organization", "Globex"),
        ("site", "Initech"),
        ("check", "Hooli"),
    ]
    assert list(rows[0]) == ["row", "step", "input_row", "client", "town", "has_site", "error"]
    with (onboarding / "rows.csv").open() as file:
        inputs = {str(number): row["client"] for number, row in enumerate(csv.DictReader(file), start=1)}
    assert all(inputs[row["input_row"]] == row["client"] for row in rows)
    rows[0]["client"], rows[1]["town"] = "Globex Ltd", "Leeds"
    with (onboarding / "fix.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[:2])
    (onboarding / "rows.csv").write_text("changed\n")
    before = len(made(sandbox))
    sandbox.set_faults(queue=[REFUSED])
    done = ninjaone("rerun", "out", "--input", "fix.csv")
    assert done.returncode == 1, done.stderr
    assert made(sandbox)[before:] == ["Initech Leeds"]

    sandbox.set_faults(queue=[])
    assert ninjaone("rerun", "out").returncode == 1
    assert made(sandbox)[before + 1 :] == ["Globex Ltd", "Globex Ltd Town of Globex"]
    assert codes(onboarding / "out/rerun-2", *STEPS) == [[None], [None], [None, None]]
    clients = {
        step: [inputs[str(e["meta"].get("input_row", e["row"]))] for e in envelopes(path)]
        for step in STEPS
        if (path := onboarding / f"out/rerun-2/{step}.jsonl")
    }
    assert clients == {"organization": ["Globex"], "site": ["Globex"], "check": ["Hooli", "Globex"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("row,step,client\n2,organisation,A\n", 'no step "organisation" (did you mean "organization"?)'),
        ("row,client\n2,A\n2,B\n", "two rows replace row 2 of organization"),
        ("row,client,site\n2,A,B\n", '"site" is the name of a step'),
        ("client\nA\n", '"row" is not the number of a row'),
    ],
)
def test_corrected_rows_that_cannot_be_matched(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox, text: str, says: str
) -> None:
    before = len(made(sandbox, executed=False))
    (onboarding / "fix.csv").write_text(text)
    done = ninjaone("rerun", "out", "--input", "fix.csv")
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert len(made(sandbox, executed=False)) == before


def test_rows_of_a_step_that_was_rerun_alone_go_on(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    alone = ninjaone("rerun", "out/organization.jsonl")
    assert alone.returncode == 0, alone.stderr
    before = len(made(sandbox))
    done = ninjaone("rerun", "out")
    assert done.returncode == 1, done.stderr
    assert made(sandbox)[before:] == ["Initech Town of Initech", "Globex Town of Globex"]
    assert ninjaone("rerun", "out").returncode == 1
    assert "no rows to rerun" in ninjaone("rerun", "out/organization.jsonl").stderr
    assert set(Counter(made(sandbox)).values()) == {1}


def test_without_records_the_job_file_is_named(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=[REFUSED])
    assert ninjaone("rerun", "out").returncode == 1
    sandbox.set_faults(queue=[])
    shutil.rmtree(user_folders.records_folder())
    unknown = ninjaone("rerun", "out")
    assert unknown.returncode == 2
    assert "add the job file to the command" in unknown.stderr
    done = ninjaone("rerun", "out", "job.yaml", "--json")
    assert done.returncode == 1, done.stderr
    plan = json.loads(done.stderr.splitlines()[0])
    assert plan["rows"] == {"organization": 1, "site": 0, "check": 0}
    assert set(Counter(made(sandbox)).values()) == {1}


def test_an_output_of_a_rerun_is_not_rerun_alone(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=[REFUSED])
    assert ninjaone("rerun", "out").returncode == 1
    before = len(made(sandbox, executed=False))
    done = ninjaone("rerun", "out/rerun/organization.jsonl")
    assert done.returncode == 2
    assert "use the folder of the job" in done.stderr
    assert len(made(sandbox, executed=False)) == before


def test_an_unfinished_job_is_not_rerun(ninjaone: Ninjaone, onboarding: Path) -> None:
    (onboarding / "out/check.jsonl").unlink()
    done = ninjaone("rerun", "out")
    assert done.returncode == 2
    assert 'the step "check" is not finished' in done.stderr


def test_a_job_that_starts_again_has_no_reruns(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    assert ninjaone("rerun", "out").returncode == 1
    sandbox.set_faults(queue=[REFUSED])
    assert ninjaone("run", "job.yaml", "--restart").returncode == 1
    sandbox.set_faults(queue=[])
    done = ninjaone("rerun", "out")
    assert "5 rows of organization to run again" in done.stderr, done.stderr
    assert (onboarding / "out/rerun-2/organization.jsonl").is_file()


def test_a_finished_job_that_is_resumed_names_the_rerun(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    done = ninjaone("run", "job.yaml", "--resume")
    assert done.returncode == 2
    failed = "1 row of organization, 2 rows of site, 1 row of check failed: use `rerun out`"
    assert f"all steps are finished, nothing to resume, but {failed}" in done.stderr
    assert "--restart" not in done.stderr  # which would create everything a second time
    sandbox.set_faults(queue=[REFUSED])
    assert ninjaone("rerun", "out", "--on-error", "stop").returncode == 3
    assert "`rerun out --resume` continues it" in ninjaone("run", "job.yaml", "--resume").stderr


def test_a_step_whose_output_is_a_table_gets_the_rows_of_earlier_steps(
    connection_file: Path, ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its own failed rows are not known, which is said."""
    (tmp_path / "rows.csv").write_text("client,town,has_site\nAcme,Leeds,True\nGlobex,York,True\n")
    (tmp_path / "job.yaml").write_text(JOB + "    output_format: csv\n")
    sandbox.set_faults(queue=[REFUSED])
    assert ninjaone("run", "job.yaml").returncode == 1
    for command in (("failed", "out", "-o", "fix.csv"), ("rerun", "out")):
        done = ninjaone(*command)
        assert done.returncode == 0, done.stderr
        assert 'step "check": which of its rows failed is not known' in done.stderr
    assert codes(tmp_path / "out/rerun", *STEPS) == [[None], [None], [None]]
