"""`ninjaone failed` and `ninjaone rerun --input`: correct failed rows, and run only these."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from connector.client.retries import TRIES
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED, created, rows_of
from tests.cli.test_run import envelopes

pytestmark = pytest.mark.in_process

JOB = """\
action: create_organization
connection: connection.yaml
input: rows.csv
output: out.jsonl
delay_ms: 0
templates: {name: "{{ name }}"}
"""


@pytest.fixture
def onboarding(connection_file: Path, sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path) -> Path:
    """A folder with the output of five writes: rows 2 and 4 were refused, of row 5 the response was lost."""
    names = ["Acme", "Globex", "Initech", "Hooli", "Umbrella"]
    lines = [f"{number},{name}" for number, name in enumerate(names, start=10)]
    (tmp_path / "rows.csv").write_text("id,name\n" + "\n".join(lines) + "\n")
    (tmp_path / "job.yaml").write_text(JOB)
    sandbox.set_faults(queue=[None, REFUSED, None, REFUSED, "reset_after"])
    assert ninjaone("run", "job.yaml").returncode == 1
    sandbox.set_faults(queue=[])
    return tmp_path


def correct(folder: Path, **names: str) -> None:
    """Replace names in fix.csv as a spreadsheet would: other order of rows and columns."""
    with (folder / "fix.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "id", "name", "error"]
    assert all(row["error"] for row in rows)
    for row in rows:
        row["name"] = names.get(row["name"], row["name"])
    with (folder / "fix.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["name", "error", "row", "id"])
        writer.writeheader()
        writer.writerows(reversed(rows))


def test_corrected_rows_run_in_place_of_the_failed_ones(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    written = ninjaone("failed", "out.jsonl", "--output", "fix.csv", "--code", "conflict")
    assert written.returncode == 0, written.stderr
    assert "fix.csv: 2 rows. Correct them, then: ninjaone rerun out.jsonl --input fix.csv" in written.stderr
    correct(onboarding, Globex="Globex Ltd")
    (onboarding / "rows.csv").write_text("changed\n")
    changed = ninjaone("rerun", "out.jsonl")
    assert changed.returncode == 2
    assert "ninjaone rerun OUT --input FILE" in changed.stderr
    before = len(created(sandbox))
    sandbox.set_faults(queue=[None, REFUSED])
    done = ninjaone("rerun", "out.jsonl", "--input", "fix.csv")
    assert done.returncode == 1
    assert "ninjaone failed out.jsonl -o FILE, then ninjaone rerun out.jsonl --input FILE" in done.stderr
    assert created(sandbox)[before:] == ["Globex Ltd", "Hooli"]
    assert rows_of(onboarding / "out.rerun.jsonl") == {2: None, 4: "conflict"}

    plain = ninjaone("rerun", "out.jsonl")
    assert plain.returncode == 2
    assert "use that file: ninjaone rerun out.jsonl --input " in plain.stderr
    again = ninjaone("rerun", "out.jsonl", "--input", "fix.csv")
    assert again.returncode == 1, again.stderr
    assert "fix.csv: 1 row skipped: only failed rows that can be retried are run" in again.stderr
    assert rows_of(onboarding / "out.rerun-2.jsonl") == {4: None}
    assert set(Counter(created(sandbox, executed=True)).values()) == {1}


def test_corrected_rows_can_be_in_a_workbook(ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox) -> None:
    written = ninjaone("failed", "out.jsonl", "--output", "fix.xlsx", "--code", "conflict")
    assert written.returncode == 0, written.stderr
    done = ninjaone("rerun", "out.jsonl", "--input", "fix.xlsx")
    assert done.returncode == 1, done.stderr
    assert rows_of(onboarding / "out.rerun.jsonl") == {2: None, 4: None}
    refused = ninjaone("failed", "out.jsonl", "--output-format", "xlsx")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a workbook cannot be printed; use --output FILE" in refused.stderr


@pytest.mark.parametrize("text", ["x" * 40_000, "a\x07b", "a\r\nb"])
def test_a_workbook_is_not_written_if_it_would_change_a_text(
    connection_file: Path, ninjaone: Ninjaone, tmp_path: Path, text: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps({"name": "", "note": text}) + "\n")
    (tmp_path / "job.yaml").write_text(JOB.replace("csv", "jsonl"))
    assert ninjaone("run", "job.yaml").returncode == 1
    done = ninjaone("failed", "out.jsonl", "--output", "fix.xlsx")
    assert done.returncode == 2
    assert 'row 1: a workbook cannot keep the text of "note"; use a name that ends in .csv' in done.stderr
    assert not (tmp_path / "fix.xlsx").exists()


def test_corrected_rows_as_excel_writes_them_to_csv(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    assert ninjaone("failed", "out.jsonl", "-o", "fix.csv").returncode == 0
    text = (onboarding / "fix.csv").read_text().replace("Globex", "Glöbex").replace(",", ";")
    (onboarding / "fix.csv").write_text(text, encoding="cp1252")
    before = len(created(sandbox))
    rerun = ("rerun", "out.jsonl", "--input", "fix.csv")
    refused = ninjaone(*rerun)
    assert refused.returncode == 2
    assert "use --encoding cp1252" in refused.stderr
    reading = ("--encoding", "cp1252", "--delimiter", ";")
    assert "--encoding requires --input FILE" in ninjaone("rerun", "out.jsonl", *reading[:2]).stderr
    sandbox.set_faults(queue=[None, REFUSED])
    assert ninjaone(*rerun, *reading).returncode == 1
    assert created(sandbox)[before:] == ["Glöbex", "Hooli"]
    again = ninjaone("rerun", "out.jsonl")
    assert again.stderr.endswith("/fix.csv --delimiter ';' --encoding cp1252\n")


def test_rows_in_doubt_are_written_and_sent_again_only_after_a_check(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    printed = ninjaone("failed", "out.jsonl", "--code", "outcome_unknown", "--output-format", "jsonl")
    assert printed.returncode == 0, printed.stderr
    (row,) = map(json.loads, printed.stdout.splitlines())
    assert (row["row"], row["name"]) == (5, "Umbrella")
    assert "may have taken effect" in row["error"]
    assert printed.stderr == (
        "1 row to check first (1 outcome_unknown): may have taken effect. Check each of them, remove those "
        "that did from the file, and send the others again: ninjaone rerun out.jsonl --input FILE --checked "
        "all\n"
    )
    (onboarding / "fix.jsonl").write_text(printed.stdout)
    before = len(created(sandbox))
    rerun = ("rerun", "out.jsonl", "--input", "fix.jsonl")
    assert ninjaone(*rerun).returncode == 1
    assert len(created(sandbox)) == before
    done = ninjaone(*rerun, "--checked", "all")
    assert "out.jsonl: 1 row to run again, 1 of them checked\n" in done.stderr
    assert "to check first" not in done.stderr
    assert created(sandbox)[before:] == ["Umbrella"]
    (envelope,) = envelopes(onboarding / "out.rerun.jsonl")
    assert (envelope["row"], envelope["meta"]["checked"]) == (5, True)


def test_rows_in_doubt_are_not_among_those_to_correct(ninjaone: Ninjaone, onboarding: Path) -> None:
    printed = ninjaone("failed", "out.jsonl")
    assert [row["row"] for row in csv.DictReader(printed.stdout.splitlines())] == ["2", "4"]
    assert printed.stderr == (
        "1 row to check first (1 outcome_unknown) not included, because to send them again could repeat "
        "their effect: ninjaone failed out.jsonl --code outcome_unknown\n"
    )
    written = ninjaone(
        "failed", "out.jsonl", "job.yaml", "-o", "fix.csv", "--code", "outcome_unknown,conflict"
    )
    assert len((onboarding / "fix.csv").read_text().splitlines()) == 4
    assert "Correct them, then: ninjaone rerun out.jsonl job.yaml --input fix.csv" in written.stderr
    assert written.stderr.endswith(
        "others again: ninjaone rerun out.jsonl job.yaml --input fix.csv --checked all\n"
    )


def test_a_rerun_of_some_rows_names_the_others(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    (onboarding / "fix.csv").write_text("row,name\n2,Globex Ltd\n")
    done = ninjaone("rerun", "out.jsonl", "--input", "fix.csv")
    assert done.returncode == 1, done.stderr
    left = "out.jsonl: 1 failed row left that can be retried or corrected: ninjaone rerun out.jsonl\n"
    assert done.stderr.endswith(left)
    assert "1 row, 1 succeeded, 0 failed" in done.stderr


def test_a_row_that_was_done_in_part_continues(
    connection_file: Path, ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("name\nAcme\n")
    (tmp_path / "job.yaml").write_text(f'{JOB.rstrip()[:-1]}, fields: {{siteCode: "A1"}}}}\n')
    sandbox.set_faults(queue=[None, None, REFUSED])
    assert ninjaone("run", "job.yaml").returncode == 1
    assert rows_of(tmp_path / "out.jsonl") == {1: "partial"}
    before = len(sandbox.log.requests())
    sandbox.set_faults(queue=[None, REFUSED])
    assert ninjaone("rerun", "out.jsonl").returncode == 1
    sandbox.set_faults(queue=[])
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path / "out.rerun-2.jsonl") == {1: None}
    sent = [r["method"] for r in sandbox.log.requests()[before:] if r["method"] != "GET"]
    assert sent == ["PATCH", "PATCH"]


def test_rows_are_matched_by_a_key(ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox) -> None:
    (onboarding / "fix.csv").write_text("id,name\n13,Hooli Inc\n10,Acme\n")
    done = ninjaone("rerun", "out.jsonl", "--input", "fix.csv", "--key", "id")
    assert done.returncode == 1, done.stderr
    assert rows_of(onboarding / "out.rerun.jsonl") == {4: None}
    assert created(sandbox)[-1] == "Hooli Inc"
    assert created(sandbox).count("Acme") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\nHooli\n", '"row" is not the number of a row'),
        ("row,name\n4,A\n4,B\n", "two rows replace row 4"),
        ("row,name\n6,A\n", "row 6 does not exist in the run, which had 5"),
    ],
)
def test_rows_that_cannot_be_matched_are_refused(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox, text: str, says: str
) -> None:
    before = len(created(sandbox))
    (onboarding / "fix.csv").write_text(text)
    done = ninjaone("rerun", "out.jsonl", "--input", "fix.csv")
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert len(created(sandbox)) == before


def test_the_output_of_corrected_rows_has_no_input_of_its_own(
    ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox
) -> None:
    """Its row numbers are those of the first input, and not those of the file with corrected rows."""
    ninjaone("failed", "out.jsonl", "--output", "fix.csv")
    sandbox.set_faults(queue=[REFUSED, REFUSED])
    assert ninjaone("rerun", "out.jsonl", "--input", "fix.csv").returncode == 1
    before = len(created(sandbox))
    for command in ("rerun", "failed"):
        done = ninjaone(command, "out.rerun.jsonl")
        assert done.returncode == 2
        assert "use the output of the first run" in done.stderr
    assert len(created(sandbox)) == before


def test_transient_failures_are_retried_alone(
    connection_file: Path,
    sandbox: Sandbox,
    ninjaone: Ninjaone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connector.client.client.backoff_s", lambda *_: 0.0)
    (tmp_path / "rows.csv").write_text("name\nAcme\nGlobex\nInitech\n")
    (tmp_path / "job.yaml").write_text(JOB)
    sandbox.set_faults(queue=[None, *["429_bare"] * TRIES["throttled"], REFUSED])
    done = ninjaone("run", "job.yaml")
    codes = rows_of(tmp_path / "out.jsonl")
    assert codes == {1: None, 2: "rate_limited", 3: "conflict"}, done.stderr
    transient = {e["row"]: e["meta"].get("transient") for e in envelopes(tmp_path / "out.jsonl")}
    assert transient == {1: None, 2: True, 3: None}
    assert "1 failed row to retry as is: ninjaone rerun out.jsonl --transient" in done.stderr
    sandbox.set_faults(queue=[])
    assert ninjaone("rerun", "out.jsonl", "--transient").returncode == 1
    assert rows_of(tmp_path / "out.rerun.jsonl") == {2: None}
    assert Counter(created(sandbox, executed=True)) == {"Acme": 1, "Globex": 1}
