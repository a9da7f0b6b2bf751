"""`--with-names`: names beside the ids of results; each list is read once per run."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import load_service
from connector.common.package_data import actions_folder, schemas_folder
from connector.invocation.result_names import ResultNames, name_members
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process

RUN = ("run", "get_device", "-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ id }}",
       "--delay-ms", "0", "--with-names", "organization,location")  # fmt: skip
LIST = ("call", "list_devices", "-c", "connection.yaml", "--results", "--with-names")


@pytest.fixture(autouse=True)
def inputs(connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n{"id": 999}\n{"id": 2}\n')


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def names_of(ninjaone: Ninjaone, action: str) -> dict[int, str]:
    return {
        item["id"]: item["name"] for item in lines(ninjaone("call", action, *LIST[2:4], "--results").stdout)
    }


@pytest.mark.parametrize("rows", [("--concurrency", "1"), ("--concurrency", "3"), ("--rows", "each")])
def test_names_stand_after_their_ids(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, rows: tuple[str, ...]
) -> None:
    organizations, locations = (names_of(ninjaone, f"list_{kind}s") for kind in ("organization", "location"))
    before = len(sandbox.log.requests())
    assert ninjaone(*RUN, *rows, "--results", "-o", "out.csv").returncode == 1
    with (tmp_path / "out.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    columns = list(found[0])
    assert columns[columns.index("organizationId") + 1] == "organizationName"
    assert columns[columns.index("locationId") + 1] == "locationName"
    for device in found:
        assert device["organizationName"] == organizations[int(device["organizationId"])]
        assert device["locationName"] == locations[int(device["locationId"])]
    paths = [request["path"] for request in sandbox.log.requests()][before:]
    assert sorted(paths) == [
        "/v2/device/1",
        "/v2/device/2",
        "/v2/device/999",
        "/v2/locations",
        "/v2/organizations",
    ]


def test_the_items_of_a_list_and_a_call(ninjaone: Ninjaone) -> None:
    found = lines(ninjaone(*LIST, "organization").stdout)
    assert len(found) > 5
    assert all(device["organizationName"] and "locationName" not in device for device in found)


def test_members_without_a_record_and_members_that_exist() -> None:
    names = ResultNames({"organizationId": ("organizationName", {1: "Acme"})})
    assert names.added([{"organizationId": 1, "a": 2}, {"organizationId": 9}, {"b": 1}, 5]) == [
        {"organizationId": 1, "organizationName": "Acme", "a": 2},
        {"organizationId": 9, "organizationName": None},
        {"b": 1},
        5,
    ]
    several = ResultNames({"deviceIds": ("deviceNames", {1: "a"})})
    assert several.added({"deviceIds": [1, 2]}) == {"deviceIds": [1, 2], "deviceNames": ["a", None]}
    own = {"organizationName": "as it was", "organizationId": 1}
    assert names.added(own) == own
    assert list(names.added({"organizationId": None, "a": 1})) == ["organizationId", "organizationName", "a"]


@pytest.mark.parametrize("kinds", ["policy,device_role", "policy, Device Role", "policy,node_role"])
def test_each_id_of_a_kind(ninjaone: Ninjaone, kinds: str) -> None:
    policies, roles = (names_of(ninjaone, f"list_{kind}") for kind in ("policies", "node_roles"))
    (device,) = lines(ninjaone("call", "get_device", "device_id=1", *LIST[2:], kinds).stdout)
    assert device["rolePolicyName"] == policies[device["rolePolicyId"]]
    assert device["nodeRoleName"] == roles[device["nodeRoleId"]]
    detailed = ("call", "list_organizations_detailed", *LIST[2:], kinds)
    assigned = [one for organization in lines(ninjaone(*detailed).stdout) for one in organization["policies"]]
    assert assigned
    for one in assigned:
        assert one["policyName"] == policies[one["policyId"]]
        assert one["nodeRoleName"] == roles[one["nodeRoleId"]]


OTHER_IDS = {
    *("activityId", "categoryId", "contentId", "documentId", "documentTemplateId", "driveId", "fieldId"),
    *("invoiceId", "jobId", "jobUid", "lastActivityId", "lastCursorId", "lastNodeActivityId", "naturalId"),
    *("parentFolderId", "parentTabId", "psaTicketId", "publisherId", "quarantineId", "releaseId"),
    *("seriesUid", "sourceConfigUid", "sourceJobId", "threatId", "ticketLogEntryId", "ticketTemplateId"),
    *("uiElementUid", "vendorId", "eventIds"),
    *("statusId", "parentId"),  # of statuses, which have their names themselves
    *("entityId", "relEntityId", "licenseeId", "appUserContactId"),  # the kind is in another member
}
"""The members of results that are ids of records without names, or of a kind that varies."""


def test_every_id_in_results_belongs_to_a_kind() -> None:
    named = load_service(actions_folder() / "ninjaone" / "service.yaml").named.values()
    known = {member for kind in named for member in name_members(kind)}
    text = "".join(path.read_text() for path in (schemas_folder() / "ninjaone").glob("[A-Z]*.json"))
    ids = set(re.findall(r'^ +"(\w+(?:Id|Uid)s?)": \{$', text, re.MULTILINE))
    assert len(ids) > 60
    assert ids - known == OTHER_IDS


def test_a_list_that_may_not_be_read_fails_the_rows(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    refusal = {"fault": "answer", "status": 403, "body": {"resultCode": "FORBIDDEN"}}
    sandbox.set_faults(queue=[refusal])
    assert ninjaone(*RUN, "-o", "out.jsonl").returncode == 1
    failed = lines((tmp_path / "out.jsonl").read_text())
    assert {envelope["meta"]["code"] for envelope in failed} == {"forbidden"}
    assert "the names of the kind organization (with_names) cannot be read: " in failed[0]["error"]
    assert len(sandbox.log.requests()) == 1


def test_a_kind_that_has_no_names(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    done = ninjaone(*RUN[:-1], "organisation", "-o", "out.jsonl")
    assert (done.returncode, 'did you mean "organization"?' in done.stderr) == (2, True)
    assert sandbox.log.requests() == []


def test_a_job_has_the_key_as_a_list(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "action: get_device\nconnection: connection.yaml\ninput: rows.jsonl\ndelay_ms: 0\n"
        "templates: {device_id: '{{ id }}'}\nwith_names: [organization]\noutput: out.jsonl\n"
    )
    assert ninjaone("run", "job.yaml", "--on-error", "stop").returncode == 3
    changed = ninjaone("run", "job.yaml", "--with-names", "location", "--resume")
    assert (changed.returncode, "settings" in changed.stderr) == (2, True)
    assert ninjaone("run", "job.yaml", "--resume").returncode == 1
    first = lines((tmp_path / "out.jsonl").read_text())[0]["result"]
    assert first["organizationName"]
