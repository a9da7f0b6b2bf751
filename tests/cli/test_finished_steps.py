"""A job is resumed with the settings of its finished steps, whose results its next steps use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connector.common import user_folders
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.e2e.jobs.conftest import sent

pytestmark = pytest.mark.in_process

JOB = """\
connection: connection.yaml
input: rows.csv
output: out
delay_ms: 0
max_rows: 1
steps:
  - {name: found, action: get_device, templates: {device_id: "{{ id }}"}}
  - name: renamed
    action: update_device
    input: {step: found}
    templates: {device_id: "{{ found.id }}", display_name: "PC {{ id }}"}
"""


@pytest.fixture
def stopped(connection_file: Path, ninjaone: Ninjaone, tmp_path: Path) -> Path:
    """A folder with a job that was stopped after its reads, because it has more rows than allowed."""
    (tmp_path / "rows.csv").write_text("id\n1\n2\n")
    (tmp_path / "job.yaml").write_text(JOB)
    assert ninjaone("run", "job.yaml").returncode == 2
    return tmp_path


@pytest.mark.parametrize(
    ("file", "before", "after", "differs"),
    [
        ("job.yaml", '"{{ id }}"', '"{{ id | int + 1 }}"', "templates"),
        ("job.yaml", "max_rows", "timezone: Europe/Berlin\nmax_rows", "settings"),
        ("job.yaml", "get_device,", "list_device_disks,", "action"),
        ("rows.csv", "2", "3", "input"),
        ("connection.yaml", "127.0.0.1", "localhost", "connection"),
    ],
)
def test_finished_steps_have_the_same_settings(
    ninjaone: Ninjaone, stopped: Path, sandbox: Sandbox, file: str, before: str, after: str, differs: str
) -> None:
    path = stopped / file
    path.write_text(path.read_text().replace(before, after))
    done = ninjaone("run", "job.yaml", "--resume", "--max-rows", "2")
    assert done.returncode == 2, done.stderr
    assert (
        f'step "found" is finished, but differs from the run in its {differs}: use --resume with the same '
        "settings, or --restart to run all steps again"
    ) in done.stderr
    assert not sent(sandbox)


def test_a_restart_is_not_advised_over_a_step_that_has_sent_changes(
    ninjaone: Ninjaone, stopped: Path, sandbox: Sandbox
) -> None:
    resume = ("run", "job.yaml", "--resume", "--max-errors", "0")
    sandbox.set_faults(queue=[{"fault": "answer", "status": 404, "body": {}}])
    assert ninjaone(*resume, "--max-rows", "2").returncode == 3  # in the middle of the step `renamed`
    fewer = ninjaone(*resume, "--max-rows", "1")
    assert fewer.returncode == 2
    assert "--restart" not in fewer.stderr
    (stopped / "job.yaml").write_text(JOB.replace('"{{ id }}"', '"{{ id | int + 1 }}"'))
    changed = ninjaone(*resume, "--max-rows", "2")
    assert changed.returncode == 2
    assert "differs from the run in its templates: use --resume with the same settings\n" in changed.stderr
    assert len(sent(sandbox)) == 1


def test_the_next_steps_can_have_other_settings(ninjaone: Ninjaone, stopped: Path, sandbox: Sandbox) -> None:
    (stopped / "job.yaml").write_text(JOB.replace("PC {{ id }}", "Desk {{ id }}"))
    done = ninjaone("run", "job.yaml", "--resume", "--max-rows", "2")
    assert done.returncode == 0, done.stderr
    assert [r["body"]["displayName"] for r in sent(sandbox)] == ["Desk 1", "Desk 2"]


def test_without_records_a_job_is_resumed(ninjaone: Ninjaone, stopped: Path, sandbox: Sandbox) -> None:
    shutil.rmtree(user_folders.records_folder())
    assert ninjaone("run", "job.yaml", "--resume", "--max-rows", "2").returncode == 0
    assert len(sent(sandbox)) == 2
