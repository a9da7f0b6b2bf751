"""A client leaves: its devices are decommissioned, its users are deleted, and its description says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED
from tests.e2e.jobs.conftest import WriteJob, changes, once, sent, step

pytestmark = pytest.mark.in_process

CLIENT = {"organization_id": "{{ Client }}"}
DEVICES = (12, 15, 18, 22, 23)


def test_a_client_is_offboarded(
    ninjaone: Ninjaone, write_job: WriteJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "clients.csv").write_text("Client\nBirch Logistics\n")
    write_job(
        input="clients.csv",
        output="out",
        steps=[
            step("device", "list_organization_devices", CLIENT, rows="each"),
            step("retired", "decommission_device", {"device_id": "{{ device.id }}"}, of="device"),
            step("user", "list_organization_end_users", CLIENT, rows="each"),
            step("deleted", "delete_end_user", {"end_user_id": "{{ user.id }}"}, of="user"),
            step("ended", "update_organization", {**CLIENT, "description": "Ended in November"}),
        ],
    )
    planned = ninjaone("plan", "job.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "on 5 devices: DSK-0012, LNX-0015, SRV-0018, DSK-0022, LAP-0023" in planned.stdout
    refused = ninjaone("run", "job.yaml")
    assert refused.returncode == 2
    assert "This requires --yes" in refused.stderr
    assert not sent(sandbox)

    sandbox.set_faults(queue=[None] * 6 + [REFUSED])
    done = ninjaone("run", "job.yaml", "--yes", "--max-rows", "10")
    assert done.returncode == 1, done.stderr
    assert sandbox.state.device(23).status == "APPROVED"
    done = ninjaone("rerun", "out", "--yes")
    assert done.returncode == 0, done.stderr
    ended = [id for id in range(1, 26) if sandbox.state.device(id).status == "DECOMMISSIONED"]
    assert ended == list(DEVICES)
    assert 6 not in sandbox.state.users
    assert sandbox.state.organizations[2]["description"] == "Ended in November"
    assert changes(sandbox) == once(
        [
            *(f"POST /v2/device/{id}/decommission" for id in DEVICES),
            "DELETE /v2/user/end-user/6",
            "PATCH /v2/organization/2",
        ]
    )
