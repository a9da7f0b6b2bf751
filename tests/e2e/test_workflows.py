"""The jobs under `examples/`, run against the sandbox; what they did is read back through the API."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.connections.connection import make_connection
from connector.runs.job_file import load_jobs
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.runs.summary import Summary
from connector.sandbox.ninjaone.data.seed import EPOCH
from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.e2e.conftest import Call
from tests.fakes import write_lines

EXAMPLES = ROOT / "examples"
JOBS = sorted(EXAMPLES.rglob("*.yaml"))

Workflow = Callable[..., "dict[str, Summary]"]


@pytest.fixture
def workflow(catalog: Catalog, sandbox: Sandbox, tmp_path: Path) -> Workflow:
    """Run a job of the examples, and return each step's summary. It is the moment at which the seed ends."""

    def run(name: str, now: float = EPOCH, **given: Any) -> dict[str, Summary]:
        given = {"output": str(tmp_path / "out"), "delay_ms": 0, **given}
        steps = prepare_all(load_jobs(EXAMPLES / f"{name}.yaml", given), catalog, now=now)
        connection = make_connection(steps[0].service, sandbox.connection, "the sandbox")
        ended = {}
        for step, summary in run_all(steps, connection=connection):
            assert summary is not None
            ended[step.job.step] = summary
        return ended

    return run


@pytest.fixture
def read(call: Call) -> Callable[..., Any]:
    """Ask the API, and return the result."""

    def read(action: str, **values: Any) -> Any:
        envelope = call(action, **values)
        assert not envelope.has_error, envelope.error
        return envelope.result

    return read


def results(folder: Path, step: str) -> list[Any]:
    lines = (folder / f"out/{step}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["result"] for line in lines]


def table(folder: Path, step: str) -> list[dict[str, str]]:
    with (folder / f"out/{step}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def all_succeeded(ended: dict[str, Summary]) -> bool:
    return all(s.failed == 0 and s.left_out.get("failed", 0) == 0 for s in ended.values())


# --- all of them


def test_there_are_the_twelve_workflows() -> None:
    assert [str(path.relative_to(EXAMPLES)) for path in JOBS] == [
        "halopsa/asset-field.yaml",
        "halopsa/clients-and-sites.yaml",
        "halopsa/close-with-note.yaml",
        "halopsa/tickets-from-csv.yaml",
        "organizations/audit-organizations.yaml",
        "organizations/bulk-tag-update.yaml",
        "organizations/onboard-client.yaml",
        "organizations/organizations-from-csv.yaml",
        "tickets/act-on-ticket.yaml",
        "tickets/create-ticket-from-alert.yaml",
        "tickets/escalate-tickets.yaml",
        "tickets/resolve-ticket.yaml",
    ]


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_an_example_is_what_the_schema_says_and_the_readme_tells_of_it(path: Path) -> None:
    validator(schema("job.schema.json")).validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert str(path.relative_to(EXAMPLES)) in readme


def test_the_readme_links_only_to_what_is_there() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([^)]+)\)", readme):
        assert (EXAMPLES / name).exists(), name


# --- tickets


def test_create_ticket_from_alert(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    alerts = {alert["deviceId"]: alert for alert in read("list_alerts")}
    ended = workflow("tickets/create-ticket-from-alert")
    assert all_succeeded(ended)
    tickets = [read("get_ticket", ticket_id=made["id"]) for made in results(tmp_path, "ticket")]
    assert len(tickets) > 2
    technicians = {user["id"]: user for user in read("list_technicians")}
    for ticket in tickets:
        alert, device = alerts[ticket["nodeId"]], read("get_device", device_id=ticket["nodeId"])
        assert ticket["clientId"] == device["organizationId"]
        assert ticket["locationId"] == device["locationId"]
        assert ticket["subject"] == f"{device['displayName']}: {alert['message']}"
        assert ticket["status"]["name"] == "OPEN"
        assert (ticket["severity"], ticket["priority"]) in {
            ("MAJOR", "HIGH"), ("MODERATE", "MEDIUM"), ("MINOR", "LOW")
        }  # fmt: skip
        assert ticket["severity"] == alert["severity"]
        assert set(ticket["tags"]) == {"alert", alert["sourceType"].lower()}
        on_servers = device["nodeClass"] == "WINDOWS_SERVER"
        assert technicians[ticket["assignedAppUserId"]]["firstName"] == ("Blake" if on_servers else "Casey")
        (described,) = read("list_ticket_log_entries", ticket_id=ticket["id"], type="DESCRIPTION")
        organization = read("get_organization", organization_id=ticket["clientId"])
        assert described["publicEntry"] is False
        for text in (alert["message"], alert["uid"], organization["name"], device["displayName"]):
            assert text in described["body"]
        assert "Since: 2026-05-28T" in described["body"]


def test_alerts_from_before_the_last_run_make_no_tickets(
    workflow: Workflow, read: Any, tmp_path: Path
) -> None:
    known = len(read("list_alerts"))
    ended = workflow("tickets/create-ticket-from-alert", now=EPOCH + 48 * 3600)
    assert ended["device"].left_out["only"] == len(results(tmp_path, "alert")) <= known
    assert ended["ticket"].rows == 0


def test_an_alert_whose_technician_is_unknown_makes_no_ticket(
    workflow: Workflow, read: Any, tmp_path: Path
) -> None:
    rows = [{"devices": "class = WINDOWS_SERVER", "technician": "Nobody Known", "hours": 24}]
    before = len(read("run_ticket_board", board_id=2))
    ended = workflow(
        "tickets/create-ticket-from-alert", input=str(write_lines(tmp_path / "rows.jsonl", rows))
    )
    assert ended["ticket"].codes == {"not_found": ended["ticket"].rows}
    assert len(read("run_ticket_board", board_id=2)) == before


def test_resolve_ticket(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    ended = workflow("tickets/resolve-ticket")
    assert all_succeeded(ended)
    for line in (tmp_path / "out/started.jsonl").read_text().splitlines():
        assert "IN_PROGRESS" in json.loads(line)["meta"]["warnings"][0]
    for number, seconds in ((1001, 25 * 60), (1002, 15 * 60)):
        assert read("get_ticket", ticket_id=number)["status"]["name"] == "CLOSED"
        work, notes = read("list_ticket_log_entries", ticket_id=number, type="COMMENT")
        assert (work["publicEntry"], work["timeTracked"]) == (False, seconds)
        assert notes["publicEntry"] is True
        assert notes["body"].startswith("Resolved: ")


def test_a_ticket_that_is_not_there_goes_no_further(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    (tmp_path / "done.csv").write_text("ticket_id,work,minutes,resolution\n9999,a,1,b\n1003,c,2,d\n")
    ended = workflow("tickets/resolve-ticket", input=str(tmp_path / "done.csv"))
    assert [(s.rows, s.failed) for s in ended.values()] == [(2, 1), (1, 0), (1, 0), (1, 0), (1, 0)]
    assert ended["logged"].left_out["failed"] == 1
    assert read("get_ticket", ticket_id=1003)["status"]["name"] == "CLOSED"


HOURS = {"HIGH": 1, "MEDIUM": 4, "LOW": 24}


def overdue(tickets: list[Any], now: float) -> dict[int, Any]:
    """The tickets that the workflow is to escalate, by the document's own table."""
    return {
        ticket["id"]: ticket
        for ticket in tickets
        if ticket["status"]["name"] not in ("RESOLVED", "CLOSED")
        and now - ticket["createTime"] > HOURS.get(ticket["priority"], 1e9) * 3600
    }


def test_escalate_tickets(workflow: Workflow, read: Any) -> None:
    before = {n["id"]: read("get_ticket", ticket_id=n["id"]) for n in read("run_ticket_board", board_id=2)}
    due = overdue(list(before.values()), EPOCH)
    assert 0 < len(due) < len(before)
    ended = workflow("tickets/escalate-tickets")
    assert all_succeeded(ended)
    assert ended["escalated"].succeeded == len(due)
    for number, old in before.items():
        new = read("get_ticket", ticket_id=number)
        if number not in due:
            assert new == old
            continue
        assert new["priority"] == {"LOW": "MEDIUM", "MEDIUM": "HIGH", "HIGH": "HIGH"}[old["priority"]]
        assert new["assignedAppUserId"] == 1
        assert new["tags"] == [*old["tags"], "escalated"]
        assert new["ccList"]["emails"] == [*old["ccList"]["emails"], "service-manager@example.com"]
        assert new["subject"] == old["subject"]
        note, notified = read("list_ticket_log_entries", ticket_id=number, type="COMMENT")
        hours = round((EPOCH - old["createTime"]) / 3600, 1)
        assert note["body"] == (
            f"Escalated: open for {hours} hours, where {old['priority']} allows {HOURS[old['priority']]}. "
            f"Priority is now {new['priority']}."
        )
        assert (note["publicEntry"], notified["publicEntry"]) == (False, True)


def test_a_ticket_is_escalated_once(workflow: Workflow, tmp_path: Path) -> None:
    first = workflow("tickets/escalate-tickets")
    again = workflow("tickets/escalate-tickets", output=str(tmp_path / "again"))
    assert first["escalated"].succeeded > 0
    assert again["escalated"].rows == again["notified"].rows == 0


def test_act_on_ticket(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    """Of four tickets, one has no such script and one is closed; one device has an alert."""
    lines = [
        "1001,Report disk usage",
        "1007,Report disk usage",
        "1002,No such script",
        "1005,Report disk usage",
    ]
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(["ticket_id,script", *lines]) + "\n", encoding="utf-8")
    ended = workflow("tickets/act-on-ticket", input=str(rows))
    assert all_succeeded(ended)
    assert [ended[name].rows for name in ("ticket", "device", "run", "comment")] == [4, 3, 2, 2]
    (alert,) = read("list_device_alerts", device_id=1)
    for ticket_id, alerts in ((1001, alert["message"]), (1007, "none")):
        ticket = read("get_ticket", ticket_id=ticket_id)
        device = read("get_device", device_id=ticket["nodeId"])
        (note,) = read("list_ticket_log_entries", ticket_id=ticket_id, type="COMMENT")[-1:]
        assert note["publicEntry"] is False
        assert note["body"] == (
            f'Started the script "Report disk usage" on {device["displayName"]} (id {device["id"]}).\n'
            f"Active alerts of the device: {alerts}"
        )
        newest = read("list_device_activities", device_id=device["id"], limit=2)
        assert [(a["subject"], a["statusCode"]) for a in newest] == [
            ("Report disk usage", "COMPLETED"),
            ("Report disk usage", "STARTED"),
        ]


# --- organizations


def test_organizations_from_csv(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    ended = workflow("organizations/organizations-from-csv")
    assert all_succeeded(ended)
    assert ended["organization"].shared == 2
    hazel, _, _, juniper = (
        read("get_organization", organization_id=made["id"]) for made in results(tmp_path, "organization")
    )
    first = "Main Office"  # Each new organization has it.
    assert [site["name"] for site in hazel["locations"]] == [first, "Main Street", "Park Road", "Records"]
    assert [site["name"] for site in juniper["locations"]] == [first, "Head Office"]
    again = workflow("organizations/organizations-from-csv", output=str(tmp_path / "again"))
    assert all_succeeded(again)
    assert (again["organization"].existed, again["location"].existed) == (4, 4)


def test_onboard_client(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    ended = workflow("organizations/onboard-client")
    assert all_succeeded(ended)
    willow, larch = (
        read("get_organization", organization_id=made["id"]) for made in results(tmp_path, "organization")
    )
    assert (willow["name"], willow["nodeApprovalMode"]) == ("Willow Veterinary", "MANUAL")
    assert [(site["name"], site["address"]) for site in willow["locations"]] == [
        ("Surgery", "7 Willow Lane"),
        ("Stables", "1 Mill Road"),
    ]
    policies = {entry["nodeRoleId"]: entry["policyId"] for entry in willow["policies"]}
    assert (policies[101], policies[201]) == (52, 61)
    fields = read("get_organization_custom_fields", organization_id=willow["id"])
    plans = read("get_custom_field_definition", field_name="supportPlan")["content"]["values"]
    assert fields == {
        "contractNumber": "C-2207",
        "contractEnd": 1830211200000,
        "supportPlan": next(option["id"] for option in plans if option["name"] == "Gold"),
        "accountOwner": "Robin",
    }
    assert [site["name"] for site in larch["locations"]] == ["Shop"]
    assert read("get_organization_custom_fields", organization_id=larch["id"])["contractNumber"] == "C-2208"
    installers = [json.loads(line) for line in (tmp_path / "out/installer.jsonl").read_text().splitlines()]
    assert [(e["input"]["client"], e["input"]["location"]["name"]) for e in installers] == [
        ("Willow Veterinary", "Surgery"),
        ("Willow Veterinary", "Stables"),
        ("Larch Pharmacy", "Shop"),
    ]
    assert [e["result"]["url"].partition("?")[0].rpartition(".")[2] for e in installers] == [
        "msi",
        "msi",
        "pkg",
    ]


def test_a_client_of_that_name_is_not_made_again(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    row = {"client": "Alder Dental", "sites": [{"name": "x"}], "policies": [], "fields": {"a": "b"}}
    rows = write_lines(tmp_path / "rows.jsonl", [{**row, "agent": "MAC_PKG"}])
    before = len(read("list_organizations"))
    ended = workflow("organizations/onboard-client", input=str(rows))
    assert ended["organization"].codes == {"conflict": 1}
    assert [ended[name].rows for name in ("policies", "contract", "location", "installer")] == [0, 0, 0, 0]
    assert len(read("list_organizations")) == before


def test_audit_organizations(workflow: Workflow, read: Any, tmp_path: Path) -> None:
    read("update_organization_custom_fields", organization_id=2, fields={"accountOwner": "Robin"})
    ended = workflow("organizations/audit-organizations")
    assert all_succeeded(ended)
    organizations = table(tmp_path, "organizations")
    assert [line["name"] for line in organizations] == [o["name"] for o in read("list_organizations")]
    known = {policy["id"]: policy["name"] for policy in read("list_policies")}
    assert {int(line["id"]): line["name"] for line in table(tmp_path, "policies")} == known
    mapped = {entry["policyId"] for line in organizations for entry in json.loads(line["policies"])}
    assert mapped <= known.keys()
    fields = {line["entityId"]: json.loads(line["fields"]) for line in table(tmp_path, "custom_fields")}
    assert fields["2"] == {"accountOwner": "Robin"}
    locations = {(line["organizationId"], line["name"]) for line in table(tmp_path, "locations")}
    assert locations == {(str(p["organizationId"]), p["name"]) for p in read("list_locations")}


@pytest.mark.parametrize("tag", ["premium", "spare"])
def test_bulk_tag_update(workflow: Workflow, read: Any, tmp_path: Path, tag: str) -> None:
    """A tag that has to be made, and one that is there already."""
    rows = [{"organizations": ["Alder Dental", "Birch Logistics"], "tag": tag}]
    were = {device["id"]: device["tags"] for device in read("list_devices")}
    known = [entry["name"] for entry in read("list_tags")["tags"]]
    ended = workflow("organizations/bulk-tag-update", input=str(write_lines(tmp_path / "rows.jsonl", rows)))
    assert all_succeeded(ended)
    assert ended["created"].rows == (tag not in known)
    assert [e for e in results(tmp_path, "untagged") if e] == []
    names = {o["id"]: o["name"] for o in read("list_organizations")}
    for device in read("list_devices"):
        chosen = names[device["organizationId"]] in rows[0]["organizations"]
        expected = {*were[device["id"]], tag} if chosen else {*were[device["id"]]}
        assert set(device["tags"]) == expected
