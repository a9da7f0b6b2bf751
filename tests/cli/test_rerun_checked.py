"""`ninjaone rerun --checked`: rows that may have taken effect are sent again only after a check."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from pathlib import Path

import pytest

from connector.catalog.json_schema import validator
from connector.cli.rerun_checked import find_checked
from connector.common.package_data import schema
from connector.errors import RunError
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED, created, rows_of
from tests.cli.test_run import envelopes
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

LOST = "reset"
"""A fault after which it is not known that the request had no effect."""
JOB = """\
action: create_organization
connection: connection.yaml
input: rows.jsonl
output: out.jsonl
delay_ms: 0
templates: {name: "Client {{ n }}"}
"""
STEPS = """\
connection: connection.yaml
input: rows.jsonl
output: out
delay_ms: 0
steps:
  - {name: made, action: create_organization, templates: {name: "Client {{ n }}"}}
  - {name: seen, action: get_organization, input: {step: made}, templates: {organization_id: "{{ made.id }}"}}
"""


@pytest.fixture
def night(connection_file: Path, sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path) -> Path:
    """A folder with the output of six writes: row 2 was refused, and of rows 3, 4 and 6 nobody knows."""
    write_lines(tmp_path / "rows.jsonl", [{"n": n, "serial": f"S-{n}"} for n in range(1, 7)])
    (tmp_path / "job.yaml").write_text(JOB)
    sandbox.set_faults(queue=[None, REFUSED, LOST, LOST, None, LOST])
    assert ninjaone("run", "job.yaml").returncode == 1
    sandbox.set_faults(queue=[])
    sandbox.log.clear("requests")
    return tmp_path


def test_checked_rows_are_sent_again_with_those_that_can_be_retried(
    ninjaone: Ninjaone, night: Path, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=[None, None, REFUSED])
    done = ninjaone("rerun", "out.jsonl", "--checked", "3-4")
    assert done.returncode == 1, done.stderr
    assert (
        "out.jsonl: 3 rows to run again, 2 of them checked; 1 to check first (1 outcome_unknown), not run\n"
    ) in done.stderr
    assert created(sandbox) == ["Client 2", "Client 3", "Client 4"]
    assert rows_of(night / "out.rerun.jsonl") == {2: None, 3: None, 4: "conflict"}
    is_valid = validator(schema("envelope.schema.json")).validate
    for envelope in envelopes(night / "out.rerun.jsonl"):
        is_valid(envelope)
        assert envelope["meta"].get("checked") == (True if envelope["row"] > 2 else None)
    # Row 4 is no longer in doubt, because its outcome after the check is known.
    later = ninjaone("rerun", "out.jsonl", "--json")
    plan = json.loads(later.stderr.splitlines()[0])
    assert (plan["rows"], plan["succeeded"], plan["in_doubt"]) == (1, 2, {"outcome_unknown": 1})
    assert created(sandbox)[3:] == ["Client 4"]
    for rows, problem in (("3", "row 3"), ("4", "row 4")):
        refused = ninjaone("rerun", "out.jsonl", "--checked", rows)
        assert refused.returncode == 2
        assert (
            f"--checked: {problem} is not a row to check first; the rows to check first are 6"
            in refused.stderr
        )
    last = ninjaone("rerun", "out.jsonl", "--checked", "6")
    assert last.returncode == 0, last.stderr
    assert created(sandbox)[4:] == ["Client 6"]


@pytest.mark.slow
def test_a_checked_row_whose_outcome_is_unknown_again_is_checked_again(
    ninjaone: Ninjaone, night: Path, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=[None, LOST])
    assert ninjaone("rerun", "out.jsonl", "--checked", "6").returncode == 1
    sandbox.set_faults(queue=[])
    assert created(sandbox) == ["Client 2", "Client 6"]
    for of in ("out.jsonl", "out.rerun.jsonl"):
        assert "no rows to rerun" in ninjaone("rerun", of).stderr
    assert len(created(sandbox)) == 2
    assert ninjaone("rerun", "out.jsonl", "--checked", "3,4,6").returncode == 0
    assert created(sandbox)[2:] == ["Client 3", "Client 4", "Client 6"]


def test_rows_are_named_by_a_column(ninjaone: Ninjaone, night: Path, sandbox: Sandbox) -> None:
    key = ("rerun", "out.jsonl", "--key", "serial")
    refused = ninjaone(*key, "--checked", "S-9")
    assert '--checked: no failed row has "S-9" in the column serial' in refused.stderr
    refused = ninjaone(*key, "--checked", "S-6,S-2")
    assert (
        "--checked: row 2 is not a row to check first; the rows to check first are 3, 4, 6" in refused.stderr
    )
    assert not created(sandbox)
    assert ninjaone(*key, "--checked", "S-6, S-3").returncode == 1
    assert created(sandbox) == ["Client 2", "Client 3", "Client 6"]


def test_the_rows_of_a_file(ninjaone: Ninjaone, night: Path, sandbox: Sandbox) -> None:
    assert ninjaone("failed", "out.jsonl", "--code", "outcome_unknown", "-o", "check.csv").returncode == 0
    header, *lines = (night / "check.csv").read_text().splitlines(keepends=True)
    (night / "check.csv").write_text(header + lines[0] + lines[2].replace(",6,", ",66,"))
    done = ninjaone("rerun", "out.jsonl", "--input", "check.csv", "--checked", "3")
    assert "check.csv: 1 row skipped" in done.stderr
    assert created(sandbox) == ["Client 3"]
    done = ninjaone("rerun", "out.jsonl", "--input", "check.csv", "--checked", "all")
    assert done.returncode == 1
    assert created(sandbox)[1:] == ["Client 66"]
    assert "1 to check first" in done.stderr  # row 4 is not in the file


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("all", "--checked all requires --input FILE"),
        ("5", "row 5 is not a row to check first; the rows to check first are 3, 4, 6"),
        ("3-999999999999", "row 5 is not a row to check first"),
        ("99", "row 99 is not a row to check first"),
        ("0", '"0" is not a row number; use numbers such as 7,9-12'),
        ("4-3", '"4-3" is not a row number'),
        ("S-3", '"S-3" is not a row number'),
        (" , ", "no row is named"),
        ("", "no row is named"),
    ],
)
def test_other_rows_are_refused(rows: str, problem: str) -> None:
    options = Namespace(checked=rows, corrected=None, key=None, of=Path("out.jsonl"))
    with pytest.raises(RunError, match=re.escape(problem)):
        find_checked(options, dict.fromkeys((3, 4, 6), "outcome_unknown"), {})
    with pytest.raises(RunError, match=r"requires --input|no row|not a row number|has no such rows"):
        find_checked(options, {}, {})


@pytest.mark.slow
def test_a_job_with_steps(
    connection_file: Path, sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, 4)])
    (tmp_path / "job.yaml").write_text(STEPS)
    sandbox.set_faults(queue=[LOST, None, LOST])
    assert ninjaone("run", "job.yaml").returncode == 1
    sandbox.set_faults(queue=[])
    sandbox.log.clear("requests")
    for rows in ("1", ""):
        refused = ninjaone("rerun", "out", "--checked", rows)
        assert refused.returncode == 2
        assert "for a job with steps, use `--checked all` with --input FILE" in refused.stderr
    written = ninjaone("failed", "out", "--code", "outcome_unknown", "-o", "check.jsonl")
    assert written.stderr.endswith("ninjaone rerun out --input check.jsonl --checked all\n")
    first, _ = (tmp_path / "check.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "check.jsonl").write_text(first)
    sandbox.set_faults(queue=[LOST])
    done = ninjaone("rerun", "out", "--input", "check.jsonl", "--checked", "all")
    assert "1 row of made to run again, 1 of them checked; 1 to check first" in done.stderr
    assert rows_of(tmp_path / "out/rerun/made.jsonl") == {1: "outcome_unknown"}
    skipped = ninjaone("rerun", "out", "--input", "check.jsonl")
    assert "out: no rows to rerun; 2 to check first" in skipped.stderr
    done = ninjaone("rerun", "out", "--input", "check.jsonl", "--checked", "all")
    assert created(sandbox) == ["Client 1", "Client 1"]
    assert rows_of(tmp_path / "out/rerun-2/made.jsonl") == {1: None}
    assert [e["meta"]["code"] for e in envelopes(tmp_path / "out/rerun-2/seen.jsonl")] == [None]
