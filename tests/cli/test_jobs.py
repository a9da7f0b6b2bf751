"""Jobs with steps on the command line: summaries, exit codes, resuming, previews."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import wait_until, write_lines
from tests.interruption import hold_from, interrupt, wait_for_requests

pytestmark = pytest.mark.in_process

JOB = """\
connection: connection.yaml
input: rows.jsonl
output: out
delay_ms: 0
steps:
  - name: renamed
    action: update_device
    templates: {device_id: "{{ device }}", display_name: "Kiosk {{ device }}"}
  - name: read
    action: get_device
    input: {step: renamed, only: "{{ device != 2 }}"}
    templates: {device_id: "{{ device }}"}
  - name: rebooted
    action: reboot_device
    input: {step: read}
    templates: {device_id: "{{ read.id }}", mode: NORMAL, reason: "{{ read.displayName }}"}
"""


@pytest.fixture
def job(connection_file: Path, tmp_path: Path) -> Path:
    """A job of three steps over three devices."""
    write_lines(tmp_path / "rows.jsonl", [{"device": n} for n in (1, 2, 3)])
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    return path


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sent(sandbox: Sandbox, method: str) -> list[str]:
    return [r["path"] for r in sandbox.log.requests() if r["method"] == method]


def test_every_step_has_its_summary(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    done = ninjaone("run", "--yes", job)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert outputs(tmp_path / "out") == ["read.jsonl", "rebooted.jsonl", "renamed.jsonl"]
    lines = [line for line in done.stderr.splitlines() if not line.startswith("envelopes: ")]
    assert [line.partition(", in ")[0] for line in lines] == [
        "renamed (update_device): 3 rows, 3 succeeded, 0 failed",
        "read (get_device): 2 rows, 2 succeeded, 0 failed",
        "  1 row skipped: not selected by `only: {{ device != 2 }}`",
        "rebooted (reboot_device): 2 rows, 2 accepted, 0 failed",
        "  accepted: NinjaOne has queued the work; it may not be done yet",
    ]


def test_summaries_as_json(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}])
    done = ninjaone("run", "--yes", job, "--json")
    assert done.returncode == 1, done.stderr
    steps = [json.loads(line) for line in done.stderr.splitlines()]
    assert [step["step"] for step in steps] == ["renamed", "read", "rebooted"]
    assert [step["rows"] for step in steps] == [2, 1, 1]
    assert [step.get("left_out") for step in steps] == [
        None,
        {"failed": 1, "only": 0},
        {"failed": 0, "only": 0},
    ]


def test_options_replace_what_the_file_says(
    ninjaone: Ninjaone, job: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    job.write_text(JOB.replace("connection.yaml", "nowhere.yaml"))
    write_lines(tmp_path / "tonight.jsonl", [{"device": 4}])
    done = ninjaone(
        "run",
        "--yes",
        job,
        "-c",
        "connection.yaml",
        "-i",
        "tonight.jsonl",
        "-o",
        "elsewhere/tonight",
        "--delay-ms",
        0,
    )
    assert done.returncode == 0, done.stderr
    assert outputs(tmp_path / "elsewhere/tonight") == ["read.jsonl", "rebooted.jsonl", "renamed.jsonl"]
    assert sent(sandbox, "PATCH") == ["/v2/device/4"]


def test_rows_from_standard_input(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    done = ninjaone("run", "--yes", job, "-i", "-", stdin='{"device": 5}\n')
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out/rebooted.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (("device_id: ", "devise_id: "), [], 'step "renamed": update_device has no input "devise_id"'),
        (("reboot_device", "reboot_devise"), [], 'step "rebooted": no action "reboot_devise"'),
        (("step: read}", "step: raed}"), [], "job.yaml, line 15: steps.2.input.step: no earlier step"),
        (("{{ device != 2 }}", "{{ device != }}"), [], 'step "read": only: template, line 1'),
        (("rows.jsonl", "none.jsonl"), [], "none.jsonl: no such file or folder"),
        (("", ""), ["-t", "device_id=1"], "the job has steps, and templates is a setting of each step"),
        (("", ""), ["--rows", "each"], "the job has steps, and rows is a setting of each step"),
        (("", ""), ["--resume"], "no unfinished job to resume"),
    ],
)
def test_a_fault_of_any_step_sends_nothing_and_writes_nothing(
    ninjaone: Ninjaone,
    job: Path,
    sandbox: Sandbox,
    tmp_path: Path,
    change: tuple[str, str],
    arguments: list[str],
    says: str,
) -> None:
    job.write_text(JOB.replace(*change) if change[0] else JOB)
    done = ninjaone("run", "--yes", job, *arguments)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert sandbox.log.requests() == []
    assert not (tmp_path / "out").exists()


def test_a_failed_row_exits_1_and_the_later_steps_go_on_without_it(
    ninjaone: Ninjaone, job: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}, {"device": 3}])
    done = ninjaone("run", "--yes", job)
    assert done.returncode == 1, done.stderr
    assert '  1 row skipped: failed in the step "renamed"' in done.stderr
    assert sent(sandbox, "POST") == ["/v2/device/1/reboot/NORMAL", "/v2/device/3/reboot/NORMAL"]


def test_a_step_that_stops_the_job_exits_3_and_resume_goes_on(
    ninjaone: Ninjaone, job: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    job.write_text(JOB.replace("  - name: read\n", "    on_error: stop\n  - name: read\n"))
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}])
    done = ninjaone("run", "--yes", job)
    assert done.returncode == 3, done.stderr
    assert "ninjaone: stopped: renamed (update_device): 1 row failed" in done.stderr
    assert outputs(tmp_path / "out") == ["renamed.jsonl"]
    again = ninjaone("run", "--yes", job)
    assert again.returncode == 2
    assert "already exists" in again.stderr
    resumed = ninjaone("run", "--yes", job, "--resume")
    assert resumed.returncode == 1, resumed.stderr  # the row that failed was left out
    assert "renamed (update_device): already finished" in resumed.stderr
    assert sent(sandbox, "POST") == ["/v2/device/1/reboot/NORMAL"]
    assert len(sent(sandbox, "PATCH")) == 2


def test_restart_begins_again(ninjaone: Ninjaone, job: Path, sandbox: Sandbox) -> None:
    assert ninjaone("run", "--yes", job).returncode == 0
    assert ninjaone("run", "--yes", job).returncode == 2
    assert ninjaone("run", "--yes", job, "--restart").returncode == 0
    assert len(sent(sandbox, "PATCH")) == 6


def test_ctrl_c_finishes_the_row_and_the_job_can_be_resumed(
    job: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": n} for n in range(3, 15)])
    command = [sys.executable, "-m", "connector", "run", "--yes", str(job)]
    hold_from(sandbox, 15)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    wait_for_requests(process, 15, sandbox)
    message = interrupt(process, sandbox)
    assert process.returncode == 130, message
    assert "--resume" in message
    assert outputs(tmp_path / "out") == ["read.jsonl.run", "renamed.jsonl"]
    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert sent(sandbox, "PATCH") == [f"/v2/device/{n}" for n in range(3, 15)]
    assert sent(sandbox, "POST") == [f"/v2/device/{n}/reboot/NORMAL" for n in range(3, 15)]


def test_a_killed_job_goes_on_and_sends_nothing_twice(job: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device": n} for n in range(3, 15)])
    command = [sys.executable, "-m", "connector", "run", "--yes", str(job), "--delay-ms", "20"]
    more: list[str] = []
    for requests in (5, 14, 28):
        process = subprocess.Popen([*command, *more], stderr=subprocess.DEVNULL, env=os.environ)
        wait_until(lambda: len(sandbox.log.requests()) >= requests)  # noqa: B023
        process.kill()
        process.wait()
        more = ["--resume"]
    done = subprocess.run([*command, *more], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert outputs(tmp_path / "out") == ["read.jsonl", "rebooted.jsonl", "renamed.jsonl"]
    envelopes = [json.loads(line) for line in (tmp_path / "out/rebooted.jsonl").read_text().splitlines()]
    assert [e["row"] for e in envelopes] == list(range(1, 13))
    reboots = sent(sandbox, "POST")
    assert len(reboots) == len(set(reboots))
    in_doubt = [e["row"] for e in envelopes if e["has_error"]]
    assert len(in_doubt) <= 1


def test_preview_shows_the_first_step_and_what_the_others_wait_for(
    ninjaone: Ninjaone, job: Path, sandbox: Sandbox
) -> None:
    done = ninjaone("preview", job)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# --- renamed (update_device)\n# device_id <- the template {{ device }}\n")
    assert f"row 3: PATCH {sandbox.base_url}/v2/device/3" in done.stdout
    end = done.stdout[done.stdout.index("# --- rebooted") :]
    assert "# reason <- the template {{ read.displayName }}" in end
    assert end.endswith('(its rows are the results of step "read")\n')
    assert sandbox.log.requests() == []

    lines = [json.loads(line) for line in ninjaone("preview", job, "--json").stdout.splitlines()]
    assert [(line["step"], line.get("row")) for line in lines[:3]] == [("renamed", n) for n in (1, 2, 3)]
    assert lines[3:] == [
        {"step": "read", "waits_for": "renamed"},
        {"step": "rebooted", "waits_for": "read"},
    ]
