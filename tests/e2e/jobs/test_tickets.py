"""Tickets in bulk, with comments, and for alerts that are reset afterwards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.e2e.jobs.conftest import WriteJob, changes, once, sent, step

pytestmark = pytest.mark.in_process


def test_tickets_and_their_comments_from_a_table(
    ninjaone: Ninjaone, write_job: WriteJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A client's name is wrong, and the response to a comment is lost: each is made once."""
    (tmp_path / "tickets.csv").write_text(
        "Client,Device,Subject,Priority,Note\n"
        "Alder Dental,SRV-0001,Disk full,High,Ordered a disk\n"
        "Alder Dental,,New starter,low,Account made\n"
        "Cedar,LAP-0007,Slow,Medium,Cleaned up\n"
    )
    ticket = {
        **{"client_id": "{{ Client }}", "device_id": "{{ Device }}", "ticket_form_id": 1},
        **{"subject": "{{ Subject }}", "priority": "{{ Priority }}", "status": "Open"},
    }
    note = {"ticket_id": "{{ ticket.id }}", "public": "no", "body": "{{ Note }}"}
    write_job(
        input="tickets.csv",
        output="out",
        steps=[
            step("ticket", "create_ticket", ticket),
            step("note", "add_ticket_comment", note, of="ticket"),
        ],
    )
    before = set(sandbox.state.tickets)
    # Names of organizations, statuses and devices, then two tickets.
    sandbox.set_faults(queue=[None] * 5 + ["reset_after"])
    assert ninjaone("run", "job.yaml").returncode == 1
    written = ninjaone("failed", "out", "-o", "fix.csv", "--code", "not_found")
    assert "fix.csv: 1 row. Correct them" in written.stderr
    fix = (tmp_path / "fix.csv").read_text().replace("Cedar,", "Cedar School,", 1)
    (tmp_path / "fix.csv").write_text(fix)
    done = ninjaone("rerun", "out", "--input", "fix.csv")
    assert "1 to check first" in done.stderr

    made = [one for id, one in sandbox.state.tickets.items() if id not in before]
    found = [(one["clientId"], one.get("nodeId"), one["subject"], one["priority"]) for one in made]
    assert found == [(1, 1, "Disk full", "HIGH"), (1, None, "New starter", "LOW"), (3, 7, "Slow", "MEDIUM")]
    notes = [
        [e["body"] for e in sandbox.state.ticket_logs[one["id"]] if e["type"] == "COMMENT"] for one in made
    ]
    assert notes == [["Ordered a disk"], ["Account made"], ["Cleaned up"]]
    assert Counter(r["path"] for r in sent(sandbox)) == {
        "/v2/ticketing/ticket": 3,
        **{f"/v2/ticketing/ticket/{one['id']}/comment": 1 for one in made},
    }


def test_alerts_become_tickets_and_are_reset(
    ninjaone: Ninjaone, write_job: WriteJob, sandbox: Sandbox
) -> None:
    """An alert stays if it is not known whether it has a ticket, and nobody makes a second one."""
    ticket = {"device_id": "{{ alert.deviceId }}", "subject": "{{ alert.message }}"}
    ticket = {**ticket, "ticket_form_id": 1, "status": "New"}
    write_job(
        output="out",
        steps=[
            step("alert", "list_alerts", rows="each"),
            step("ticket", "create_ticket", ticket, of="alert", only="{{ alert.severity == 'MAJOR' }}"),
            step("reset", "reset_alert", {"alert_uid": "{{ alert.uid }}"}, of="ticket"),
        ],
    )
    alerts = {alert["deviceId"]: uid for uid, alert in sandbox.state.alerts.items()}
    # Alerts, statuses, the first device.
    sandbox.set_faults(queue=[None, None, None, "reset_after"])
    done = ninjaone("run", "job.yaml", "--yes", "--max-rows", "5")
    assert done.returncode == 1, done.stderr
    assert "1 failed row to check first" in done.stderr
    ninjaone("rerun", "out", "--yes")
    assert [r["body"]["nodeId"] for r in sent(sandbox) if r["method"] == "POST"] == [1, 13]
    resets = Counter({name: n for name, n in changes(sandbox).items() if name.startswith("DELETE")})
    assert resets == once([f"DELETE /v2/alert/{alerts[13]}"])
    assert set(alerts.values()) - sandbox.state.alerts.keys() == {alerts[13]}
