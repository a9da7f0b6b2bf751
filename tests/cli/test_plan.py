"""`ninjaone plan`: the reads of a job run, its changes are shown, and nothing is changed or stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.common import user_folders
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

JOB = """\
connection: connection.yaml
input: rows.jsonl
output: out
delay_ms: 0
steps:
  - {name: found, action: get_device, templates: {device_id: '{{ device_id }}'}}
  - name: first
    action: reboot_device
    input: {step: found, only: '{{ device_id != 2 }}'}
    templates: {device_id: '{{ device_id }}', mode: NORMAL}
  - name: renamed
    action: update_device
    input: {step: first}
    templates: {device_id: '{{ device_id }}', display_name: 'PC {{ device_id }}'}
"""


@pytest.fixture
def job(connection_file: Path, tmp_path: Path) -> Path:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 2, 3)])
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path


def methods(sandbox: Sandbox) -> set[str]:
    return {request["method"] for request in sandbox.log.requests()}


@pytest.mark.parametrize("command", [("plan",), ("run", "--dry-run")])
def test_the_changes_are_shown_with_names(
    ninjaone: Ninjaone, job: Path, sandbox: Sandbox, command: tuple[str, ...]
) -> None:
    before = sorted(job.iterdir())
    done = ninjaone(*command, "job.yaml")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "first (reboot_device) on 2 devices: SRV-0001, LAP-0003"
    assert lines[1] == f"  row 1 (SRV-0001): POST {sandbox.base_url}/v2/device/1/reboot/NORMAL"
    assert lines[-1] == 'renamed (update_device): not planned; its rows are the results of the step "first"'
    assert "found (get_device): 3 rows, 3 succeeded, 0 failed" in done.stderr
    assert methods(sandbox) == {"GET"}
    assert sorted(job.iterdir()) == before
    assert not list(user_folders.records_folder().glob("*"))


def test_as_json(ninjaone: Ninjaone, job: Path) -> None:
    done = ninjaone("plan", "job.yaml", "--json")
    first, *rows, last = map(json.loads, done.stdout.splitlines())
    assert first == {
        "step": "first",
        "action": "reboot_device",
        "rows": 2,
        "names": ["SRV-0001", "LAP-0003"],
    }
    assert [(row["step"], row["name"], row["method"]) for row in rows] == [
        ("first", "SRV-0001", "POST"),
        ("first", "LAP-0003", "POST"),
    ]
    assert last == {"step": "renamed", "action": "update_device", "waits_for": "first"}


def test_names_that_cannot_be_read_are_replaced_by_ids(
    ninjaone: Ninjaone, job: Path, sandbox: Sandbox
) -> None:
    options = ("-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ device_id }}")
    sandbox.set_faults(queue=[{"fault": "answer", "status": 403, "body": "{}"}])
    done = ninjaone("plan", "reboot_device", *options, "-t", "mode=NORMAL")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("reboot_device on 3 devices: 1, 2, 3\n")
    assert done.stderr.count("the names of the records cannot be read: ") == 1


def test_the_expected_number_of_rows(ninjaone: Ninjaone, job: Path, sandbox: Sandbox) -> None:
    done = ninjaone("plan", "job.yaml", "--max-rows", "1")
    assert done.returncode == 2
    assert 'step "first": got 2 rows, expected at most 1' in done.stderr
    assert methods(sandbox) == {"GET"}
    assert "--resume" not in done.stderr


def test_failed_reads_and_rows(ninjaone: Ninjaone, job: Path, sandbox: Sandbox) -> None:
    write_lines(job / "rows.jsonl", [{"device_id": n} for n in (1, 999)])
    done = ninjaone("plan", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert "1 not_found, for example row 2" in done.stderr
    assert "rerun" not in done.stderr
    assert "reboot_device) on 1 device: SRV-0001" in done.stdout


def test_an_action_with_a_file(ninjaone: Ninjaone, job: Path, sandbox: Sandbox) -> None:
    options = ("-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ device_id }}")
    done = ninjaone("plan", "update_device", *options, "-t", "display_name=PC {{ device_id }}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("update_device on 3 devices: SRV-0001, DSK-0002, LAP-0003\n")
    assert methods(sandbox) <= {"GET"}


def test_new_records_have_the_name_of_their_input(ninjaone: Ninjaone, job: Path) -> None:
    options = ("-c", "connection.yaml", "-i", "rows.jsonl")
    done = ninjaone("plan", "create_organization", *options, "-t", "name=Client {{ device_id }}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "create_organization on 3 rows: Client 1, Client 2, Client 3"
    assert lines[1].startswith("  row 1 (Client 1): POST ")
    wrong = ninjaone("plan", "create_organization", *options, "-t", "name={{ nothing }}")
    assert wrong.returncode == 1
    assert wrong.stdout.splitlines()[1].startswith("  row 1: ERROR ")


def test_it_is_not_resumed(ninjaone: Ninjaone, job: Path) -> None:
    assert ninjaone("run", "job.yaml", "--dry-run", "--resume").returncode == 2
