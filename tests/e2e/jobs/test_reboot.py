"""The servers of a client are restarted; a wrong filter is stopped three times before anything is sent."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.terminal import on_terminal
from tests.e2e.jobs.conftest import WriteJob, changes, once, sent, step

pytestmark = pytest.mark.in_process

EVERY = "filter=org = 4"
"""A filter that lacks the class of the devices."""
RESTART = {"device_id": "{{ device.id }}", "mode": "NORMAL", "reason": "Monthly"}


@pytest.fixture(autouse=True)
def job(write_job: WriteJob) -> None:
    write_job(
        output="out",
        vars={"filter": "org = 4 AND class = WINDOWS_SERVER"},
        steps=[
            step("device", "list_devices", {"filter": "{{ filter }}"}, rows="each"),
            step("restarted", "reboot_device", RESTART, of="device", wait="1m"),
        ],
    )


def test_a_wrong_filter_is_stopped_and_the_right_one_restarts_each_server_once(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    planned = ninjaone("plan", "job.yaml", "--var", EVERY)
    assert planned.returncode == 0, planned.stderr
    names = "LNX-0005, DSK-0006, SRV-0011, LAP-0013, MAC-0014, UBU-0019, SRV-0021"
    assert f"restarted (reboot_device) on 7 devices: {names}\n" in planned.stdout
    done = ninjaone("run", "job.yaml", "--yes", "--expect-rows", "2", "--var", EVERY)
    assert done.returncode == 2, done.stderr
    assert 'step "restarted": got 7 rows, expected 2. No row was run' in done.stderr

    # The list of the wrong filter is not used with the right one.
    done = ninjaone("run", "job.yaml", "--yes", "--resume")
    assert done.returncode == 2, done.stderr
    assert 'step "device" is finished, but differs from the run in its settings' in done.stderr
    assert not sent(sandbox)

    done = ninjaone("run", "job.yaml", "--yes", "--restart", "--expect-rows", "2")
    assert done.returncode == 0, done.stderr
    assert changes(sandbox) == once(f"POST /v2/device/{id}/reboot/NORMAL" for id in (11, 21))
    lines = (tmp_path / "out/restarted.jsonl").read_text().splitlines()
    assert [json.loads(line)["meta"]["outcome"]["state"] for line in lines] == ["completed"] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_person_is_asked_with_the_names(sandbox: Sandbox, tmp_path: Path) -> None:
    question = "reboot_device on 2 devices: SRV-0011, SRV-0021. Continue? [y/N]: "
    exit_code, screen = on_terminal(("run", "job.yaml"), [(question, "n")], tmp_path)
    assert exit_code == 3, screen
    assert not sent(sandbox)
    exit_code, screen = on_terminal(("run", "job.yaml", "--resume"), [(question, "y")], tmp_path)
    assert exit_code == 0, screen
    assert changes(sandbox) == once(f"POST /v2/device/{id}/reboot/NORMAL" for id in (11, 21))
