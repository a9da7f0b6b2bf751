"""`--max-rows` and `--expect-rows`: a run with another number of rows stops before the first change."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

RUN = ("run", "update_device", "-c", "connection.yaml", "--delay-ms", "0")
ROWS = [{"device_id": n, "display_name": f"PC {n}"} for n in (1, 2, 3)]
JOB = """\
connection: connection.yaml
input: rows.jsonl
output: out
delay_ms: 0
expect_rows: 2
steps:
  - {name: found, action: get_device, match_fields: true}
  - name: renamed
    action: update_device
    input: {step: found, only: "{{ device_id != 2 }}"}
    match_fields: true
  - {name: again, action: get_device, match_fields: true}
"""


@pytest.fixture(autouse=True)
def rows(connection_file: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", ROWS)


def sent(sandbox: Sandbox, method: str) -> int:
    return len([r for r in sandbox.log.requests() if r["method"] == method])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--max-rows", "2"), "got 3 rows, expected at most 2"),
        (("--max-rows", "0"), "got 3 rows, expected at most 0"),
        (("--expect-rows", "4-10"), "got 3 rows, expected 4 to 10"),
        (("--expect-rows", "1-2"), "got 3 rows, expected 1 to 2"),
        (("--expect-rows", "4"), "got 3 rows, expected 4"),
        (("--expect-rows", "1-9", "--max-rows", "2"), "got 3 rows, expected 1 to 2"),
    ],
)
def test_another_number_of_rows_sends_nothing(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = ninjaone(*RUN, "-i", "rows.jsonl", "-o", "out.jsonl", *options)
    assert (done.returncode, done.stderr) == (2, f"ninjaone: {message}. No row was run\n")
    assert [*sandbox.log.requests(), *sandbox.log.signins()] == []
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("options", [("--max-rows", "3"), ("--expect-rows", "3"), ("--expect-rows", "1-3")])
def test_the_expected_number_of_rows_is_run(
    ninjaone: Ninjaone, sandbox: Sandbox, options: tuple[str, ...]
) -> None:
    assert ninjaone(*RUN, "-i", "rows.jsonl", "-o", "out.jsonl", *options).returncode == 0
    assert sent(sandbox, "PATCH") == 3


def test_rows_of_standard_input_are_counted_before_the_first_one_is_run(
    ninjaone: Ninjaone, sandbox: Sandbox
) -> None:
    text = "".join(f'{{"device_id": {n}, "display_name": "PC"}}\n' for n in (1, 2, 3))
    done = ninjaone(*RUN, "--max-rows", "1", stdin=text)
    assert done.returncode == 2
    assert "got at least 2 rows, expected at most 1" in done.stderr
    assert sent(sandbox, "PATCH") == 0
    done = ninjaone(*RUN, "--expect-rows", "3-5", stdin=text)
    assert done.returncode == 0, done.stderr
    assert sent(sandbox, "PATCH") == 3


def test_a_job_stops_after_its_read_steps_and_can_be_resumed(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    done = ninjaone("run", "job.yaml", "--expect-rows", "3")
    assert done.returncode == 2, done.stderr
    assert 'ninjaone: step "renamed": got 2 rows, expected 3. No row was run. The earlier' in done.stderr
    assert (sent(sandbox, "GET"), sent(sandbox, "PATCH")) == (3, 0)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["found.jsonl"]
    done = ninjaone("run", "job.yaml", "--resume")
    assert done.returncode == 0, done.stderr
    assert (sent(sandbox, "GET"), sent(sandbox, "PATCH")) == (6, 2)


def test_a_rerun_of_failed_rows_has_any_number_of_rows(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [*ROWS[:2], {**ROWS[0], "device_id": 999}])
    done = ninjaone(*RUN, "-i", "rows.jsonl", "-o", "out.jsonl", "--expect-rows", "3")
    assert done.returncode == 1, done.stderr
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 1, done.stderr
    assert "1 row, 0 succeeded, 1 failed" in done.stderr


@pytest.mark.parametrize("text", ["", "x", "20-10", "-5", "10-", "1-2-3"])
def test_a_range_that_is_none(ninjaone: Ninjaone, text: str) -> None:
    done = ninjaone(*RUN, f"--expect-rows={text}")
    assert done.returncode == 2
    assert "is not a number of rows; use a number such as 14, or a range such as 10-20" in done.stderr
