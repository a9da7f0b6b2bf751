"""Tags, unmanaged and staged devices, groups, jobs, search, roles, tabs, billing, licenses, the webhook."""

from __future__ import annotations

import pytest

PLACE = {"name": "Monitor 7", "orgId": 1, "locationId": 1, "roleId": 301}


def tags_of(account, device):
    return account.get(f"/v2/device/{device}")["tags"]


def test_tags_on_devices(account):
    account.sandbox.reset()
    account.do("PUT", "/v2/tag/device/1", {"tagIds": [3, 4]})
    assert tags_of(account, 1) == ["loaner", "retired"]
    account.do("POST", "/v2/tag/device", {"assetIds": [1, 2], "tagIdsToAdd": [5], "tagIdsToRemove": [3]})
    assert tags_of(account, 1) == ["retired", "to check"]
    assert [device["id"] for device in account.get("/v2/devices", df="tagId in (5)")] == [1, 2]
    counts = {tag["id"]: tag["targetsCount"] for tag in account.get("/v2/tag")["tags"]}
    assert (counts[4], counts[5]) == (1, 2)
    account.do("PUT", "/v2/tag/5", {"name": "checked"})
    assert tags_of(account, 1) == ["retired", "checked"]
    account.do("DELETE", "/v2/tag/5")
    assert tags_of(account, 1) == ["retired"]
    account.fails("PUT", "/v2/tag/device/1", 404, json={"tagIds": [5]})
    account.fails("POST", "/v2/tag/delete", 404, json=[4, 5])
    account.do("POST", "/v2/tag/delete", [4])
    assert tags_of(account, 1) == []


def test_merging_tags(account):
    account.sandbox.reset()
    account.do("PUT", "/v2/tag/device/1", {"tagIds": [7]})
    account.do("PUT", "/v2/tag/device/2", {"tagIds": [8]})
    merge = {"tagIds": [7, 8], "mergeMethod": "MERGE_INTO_NEW_TAG", "name": "terminal"}
    made = account.do("POST", "/v2/tag/merge", merge)
    assert tags_of(account, 1) == tags_of(account, 2) == ["terminal"]
    kept = {tag["id"] for tag in account.get("/v2/tag")["tags"]}
    assert made["id"] in kept
    assert not {7, 8} & kept
    merge = {"tagIds": [9, made["id"]], "mergeMethod": "MERGE_INTO_EXISTING_TAG", "mergeIntoTagId": 9}
    account.do("POST", "/v2/tag/merge", merge)
    assert tags_of(account, 1) == ["field"]
    for wrong in ({}, {"tagIds": [1]}, {"tagIds": [1], "mergeMethod": "MERGE_INTO_EXISTING_TAG"}):
        account.fails("POST", "/v2/tag/merge", 400, json=wrong)
    account.fails("POST", "/v2/tag", 409, json={"name": "LEASED"})
    account.fails("POST", "/v2/tag", 400, json={"name": " "})
    account.fails("POST", "/v2/tag", 400, json={"name": "x" * 41})


def test_unmanaged_devices(account):
    account.sandbox.reset()
    fields = {"serialNumber": "M-1", "assetId": "0417", "assetPurchaseDate": 1_772_323_200}
    body = {**PLACE, "assetFields": fields, "warrantyEndDate": 1_867_017_600}
    number = account.do("POST", "/v2/itam/unmanaged-device", body)["nodeId"]
    device = account.get(f"/v2/device/{number}")
    assert (device["displayName"], device["nodeClass"]) == ("Monitor 7", "UNMANAGED_DEVICE")
    assert device["references"]["warranty"] == {"endDate": 1_867_017_600}
    assert account.get(f"/v2/device/{number}/custom-fields")["itamAssetSerialNumber"] == "M-1"
    assert account.get("/v2/devices")[-1]["id"] == number
    assert number not in [row["deviceId"] for row in account.get("/v2/queries/disks")["results"]]
    assert account.get(f"/v2/device/{number}/disks") == []
    path = f"/v2/itam/unmanaged-device/{number}"
    response = account.send("PUT", path, json={"name": "Monitor 8", "orgId": 2, "locationId": 3})
    assert (response.status_code, response.content) == (202, b"")
    changed = account.get(f"/v2/device/{number}")
    assert (changed["displayName"], changed["organizationId"]) == ("Monitor 8", 2)
    account.do("POST", f"{path}/decommission")
    assert account.get(f"/v2/device/{number}")["approvalStatus"] == "DECOMMISSIONED"
    account.do("DELETE", path)
    assert account.fails("DELETE", path, 404)["resultCode"] == "unmanaged_device_not_found"
    account.fails("GET", f"/v2/device/{number}", 404)
    account.fails("DELETE", "/v2/itam/unmanaged-device/1", 404)
    account.fails("POST", "/v2/itam/unmanaged-device", 404, json={**PLACE, "locationId": 99})


def test_staged_devices(account):
    account.sandbox.reset()
    owner = account.get("/v2/users")[0]["uid"]
    body = {**PLACE, "roleId": 202, "itamAssetId": "LT-1", "assignedUserUid": owner}
    number = account.do("POST", "/v2/staged-device", body)["nodeId"]
    device = account.get(f"/v2/device/{number}")
    assert (device["approvalStatus"], device["nodeClass"]) == ("STAGED", "WINDOWS_WORKSTATION")
    assert device["assignedOwnerUid"] == owner
    assert number not in [entry["id"] for entry in account.get("/v2/devices")]
    assert number in [entry["id"] for entry in account.get("/v2/devices", df="status = STAGED")]


def test_decommissioning(account):
    account.sandbox.reset()
    account.do("POST", "/v2/device/2/decommission")
    assert 2 not in [entry["id"] for entry in account.get("/v2/devices")]
    assert account.get("/v2/device/2")["approvalStatus"] == "DECOMMISSIONED"


def test_groups(account):
    account.sandbox.reset()
    for group in account.get("/v2/groups"):
        members = account.get(f"/v2/group/{group['id']}/device-ids")
        assert group["deviceCount"] == len(members) > 0
        assert [entry["id"] for entry in account.get("/v2/devices", df=f"group {group['id']}")] == members
    account.fails("GET", "/v2/group/9/device-ids", 404)


def test_jobs(account):
    account.sandbox.reset()
    jobs = account.get("/v2/jobs")
    assert [job["deviceId"] for job in jobs] == [2, 7, 12, 17, 22]
    assert account.get("/v2/device/7/jobs") == jobs[1:2]
    assert account.get("/v2/device/1/jobs") == []
    assert {job["jobType"] for job in account.get("/v2/jobs", jobType="ACTION")} == {"ACTION"}
    assert account.get("/v2/jobs", df="id = 2") == jobs[:1]


def test_search(account):
    account.sandbox.reset()
    found = account.get("/v2/devices/search", q="srv-")
    assert found["query"] == "srv-"
    assert {device["matchAttr"] for device in found["devices"]} == {"systemName"}
    assert len(account.get("/v2/devices/search", q="srv-", limit=2)["devices"]) == 2
    assert account.get("/v2/devices/search", q="nothing")["devices"] == []


@pytest.mark.parametrize(("part", "code"), [("os", "PATCH"), ("software", "SOFTWARE_PATCH")])
def test_patching(account, part, code):
    account.sandbox.reset()
    account.do("POST", f"/v2/device/1/patch/{part}/apply")
    account.do("POST", f"/v2/device/1/patch/{part}/scan")
    codes = [entry["statusCode"] for entry in account.activities(1)[:4]]
    assert codes == [
        f"{code}_MANAGEMENT_{name}"
        for name in ("SCAN_COMPLETED", "SCAN_STARTED", "APPLY_PATCH_COMPLETED", "APPLY_PATCH_STARTED")
    ]


def test_patching_where_it_does_not_apply(account):
    body = account.fails("POST", "/v2/device/5/patch/software/scan", 400)
    assert body["errorMessage"] == "not applicable"


def test_node_roles(account):
    account.sandbox.reset()
    expected = [
        {"name": "Signage", "nodeRoleParentId": 201},
        {"name": "Outdoors", "nodeRoleParentName": "Signage"},
    ]
    assert account.do("POST", "/v2/noderole", expected) == expected
    roles = {role["name"]: role for role in account.get("/v2/noderole/list")}
    assert roles["Outdoors"]["nodeRoleParentId"] == roles["Signage"]["id"]
    assert roles["Outdoors"]["nodeClass"] == "WINDOWS_WORKSTATION"
    number = roles["Outdoors"]["id"]
    account.do("PATCH", "/v2/noderole", [{"id": number, "name": "Outside"}])
    assert "Outside" in [role["name"] for role in account.get("/v2/roles")]
    account.do("POST", "/v2/noderole/delete", {"ids": [number]})
    account.fails("POST", "/v2/noderole/delete", 404, json={"ids": [number]})
    body = account.fails("POST", "/v2/noderole/delete", 400, json={"ids": [201]})
    assert body["resultCode"] == "node_role_is_built_in"
    account.fails("POST", "/v2/noderole", 400, json=[{"name": "Kiosk"}])


def test_policies(account):
    account.sandbox.reset()
    child = account.do("POST", "/v2/policies?mode=CHILD", {"name": "Child", "parentPolicyId": 51})
    copy = account.do("POST", "/v2/policies?mode=COPY&templatePolicyId=53", {"name": "Copy"})
    assert (child["nodeClass"], copy["nodeClass"]) == ("WINDOWS_WORKSTATION", "MAC")
    assert account.get("/v2/policies")[-2:] == [child, copy]
    for query, body in (("", {"name": "x"}), ("mode=CHILD", {"name": "x"}), ("mode=COPY", {"name": "x"})):
        account.fails("POST", f"/v2/policies?{query}", 400, json=body)


def test_tabs(account):
    account.sandbox.reset()
    summary = "/v2/tab/summary/role/101"
    made = account.do("POST", "/v2/tab", {"name": "Power", "entityType": "NODE_ROLE", "entityId": 101})
    assert [tab["name"] for tab in account.get(summary)] == ["Hardware", "Power"]
    order = [{"tabId": made["id"], "position": 1}, {"tabId": 1, "position": 2}]
    account.do("PATCH", "/v2/tab/role/101/order", order)
    assert [tab["name"] for tab in account.get(summary)] == ["Power", "Hardware"]
    account.do("PATCH", "/v2/tab/role/101/visibility", [{"tabId": 1, "hidden": True}])
    assert [tab["hidden"] for tab in account.get(summary)] == [False, True]
    account.do("PATCH", "/v2/tab/role/101/visibility", [{"tabId": 1, "hidden": False}])
    assert [tab["hidden"] for tab in account.get(summary)] == [False, False]
    item = {"itemType": "UI_ELEMENT", "uiElementType": "TITLE", "uiElementValue": "Feed"}
    account.do("PATCH", f"/v2/tab/{made['id']}", {"items": [item]})
    assert account.get(f"/v2/tab/{made['id']}")["items"][0]["uiElementValue"] == "Feed"
    account.do("PATCH", f"/v2/tab/{made['id']}", {"roleId": 101, "items": [item, item]})
    assert len(account.get(f"/v2/tab/{made['id']}")["items"]) == 1
    assert len(account.get(f"/v2/tab/{made['id']}/role/101")["items"]) == 3
    account.fails("PATCH", "/v2/tab/role/101/order", 404, json=[{"tabId": 99, "position": 1}])
    account.fails("POST", "/v2/tab", 400, json={"name": "x", "entityType": "NODE_ROLE"})
    assert [tab["name"] for tab in account.get("/v2/tab/summary/organization")] == ["Contract", "Old notes"]


def test_billing(account):
    account.sandbox.reset()
    body = account.fails("POST", "/v2/billing/invoices", 400, json={"name": "x"})
    assert body == {"errorCode": "agreement_is_required", "message": "An agreement is required"}
    body = account.fails("POST", "/v2/billing/invoices", 404, json={"agreementId": 99})
    assert body["errorCode"] == "agreement_not_found"
    account.do("POST", "/v2/billing/invoices/approve", {"invoiceIds": [1, 2]})
    account.do("POST", "/v2/billing/invoices/archive", {"invoiceIds": [2]})
    first, second = (account.get(f"/v2/billing/invoices/{number}") for number in (1, 2))
    assert (first["status"], first["archived"]) == ("APPROVED", False)
    assert (second["status"], second["archived"]) == ("APPROVED", True)
    account.do("POST", "/v2/billing/invoices/unarchive", {"invoiceIds": [2]})
    assert account.get("/v2/billing/invoices/2")["archived"] is False
    body = account.fails("POST", "/v2/billing/invoices/approve", 404, json={"invoiceIds": [1, 99]})
    assert body["errorCode"] == "invoice_not_found"
    account.fails("POST", "/v2/billing/invoices/approve", 400, json={})
    response = account.send("POST", "/v2/billing/invoices/export", json={"invoiceIds": [1]})
    assert response.headers["Content-Disposition"] == 'attachment; filename="invoices.csv"'
    assert response.text == "id,status\n1,APPROVED\n"
    for verb, active in (("deactivate", False), ("activate", True)):
        account.do("PATCH", f"/v2/billing/products/1/{verb}")
        assert account.get("/v2/billing/products/1")["active"] is active
    assert account.do("PATCH", "/v2/billing/agreements/1/deactivate")["active"] is False


def test_ticket_products(account):
    account.sandbox.reset()
    path = "/v2/billing/ticket-products"
    before = account.get(f"{path}/ticket/1001")
    made = account.do("POST", f"{path}/catalog", {"ticketId": 1001, "productId": 1, "quantity": 2})
    account.do("POST", f"{path}/adhoc", {"ticketId": 1001, "name": "Courier"})
    account.do("PUT", f"{path}/{made['id']}", {"quantity": 3})
    found = account.get(f"{path}/ticket/1001")
    assert len(found) == len(before) + 2
    assert found[-2]["quantity"] == 3
    account.do("POST", f"{path}/delete", {"ticketProductIds": [made["id"]]})
    assert len(account.get(f"{path}/ticket/1001")) == len(before) + 1
    account.fails("POST", f"{path}/catalog", 404, json={"productId": 99})
    account.fails("POST", f"{path}/adhoc", 404, json={"ticketId": 1})


def test_license_upsert(account):
    account.sandbox.reset()
    body = {
        "name": "CAD",
        "type": "PER_DEVICE",
        "quantity": 5,
        "publisherName": "Example Software",
        "vendorName": "Example Reseller",
        "scope": {"organizationNames": [account.get("/v2/organizations")[0]["name"]]},
        "licenseesToAssign": ["LAP-0007", "LAP-0003"],
    }
    made = account.do("POST", "/v2/software-license/upsert", body)
    assert made["scope"]["organizationIds"] == [1]
    assert made["publisher"]["name"] == "Example Software"
    again = account.do(
        "POST", "/v2/software-license/upsert", {**body, "quantity": 6, "licenseesToRemove": ["LAP-0003"]}
    )
    assert (again["id"], again["quantity"]) == (made["id"], 6)
    people = account.get(f"/v2/software-license/{made['id']}/assignments")
    assert [person["licenseeName"] for person in people] == ["LAP-0007"]
    account.fails(
        "POST", "/v2/software-license/upsert", 404, json={**body, "scope": {"organizationNames": ["x"]}}
    )


def test_asset_relationships(account):
    account.sandbox.reset()
    ends = {"entityType": "NODE", "entityId": 3, "relEntityType": "NODE", "relEntityId": 7}
    made = account.do("POST", "/v2/itam/asset-relationship", ends)
    found = account.get("/v2/itam/asset-relationship/NODE/3/relations")
    assert made in found
    account.do("DELETE", "/v2/itam/asset-relationship")
    assert made not in account.get("/v2/itam/asset-relationship/relations")


def test_people_leave_no_trace(account):
    account.sandbox.reset()
    owner = account.get("/v2/user/technician/2")
    account.do("POST", f"/v2/device/1/owner/{owner['uid']}")
    assert account.get("/v2/user/technician/2")["assignedDeviceIds"] == [1]
    account.do("DELETE", "/v2/user/technician/2")
    assert "assignedOwnerUid" not in account.get("/v2/device/1")
    assert 2 not in [member["id"] for role in account.get("/v2/user/roles") for member in role["members"]]
    account.fails("DELETE", "/v2/user/technician/5", 404)
    account.do("PATCH", "/v2/user/end-user/5/device-access", {"deviceIds": [1, 2]})
    assert account.get("/v2/user/end-user/5")["accessibleDeviceIds"] == [1, 2]
    account.do("PATCH", "/v2/user/end-user/5/custom-fields", {"desk": "3-114"})
    assert account.get("/v2/user/end-user/5/custom-fields") == {"desk": "3-114"}
    assert account.do("PATCH", "/v2/user/role/3/permissions/organizations", {"a": 1}) == {"roleId": 3, "a": 1}
    users = account.get("/v2/organization/1/end-users", includeRoles="true")
    assert users[0]["roles"] == ["Portal Users"]
    contacts = account.get("/v2/ticketing/contact/contacts")
    assert len(contacts) == len(account.get("/v2/contacts"))


def test_webhook(account):
    account.sandbox.reset()
    body = {"url": "https://hooks.example.com/x", "activities": {"CONDITION": ["*"]}, "organizationIds": [1]}
    account.do("PUT", "/v2/webhook", body)
    assert account.sandbox.state.webhook == body
    account.fails("PUT", "/v2/webhook", 400, json={**body, "url": "hooks"})
    account.fails("PUT", "/v2/webhook", 400, json={**body, "activities": {"TRIGGERED": []}})
    account.fails("PUT", "/v2/webhook", 404, json={**body, "organizationIds": [99]})
    account.do("DELETE", "/v2/webhook")
    assert account.sandbox.state.webhook is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"environment": "00000000-0000-4000-a000-000000000000"}, 400),
        ({"environment": "Test"}, 400),
        ({"serviceWindows": "x"}, 400),
        ({"lastCheck": "2026-05-01"}, 400),
        ({"spare": "yes"}, 400),
        ({"rackUnit": "7"}, 400),
        ({"rack": 7}, 400),
        ({"accountNotes": "text"}, 400),
        ({"lastCheck": 1_780_000_000_000, "spare": True, "rackUnit": 7, "rack": None}, 204),
        ({"noDefinition": [1]}, 204),
    ],
)
def test_field_values_agree_with_their_definitions(account, fields, status):
    account.sandbox.reset()
    assert account.send("PATCH", "/v2/device/1/custom-fields", json=fields).status_code == status
    assert (account.get("/v2/device/1/custom-fields") == {}) == (status == 400)


def test_definitions(account):
    account.sandbox.reset()
    body = {"label": "Plan", "fieldName": "plan", "type": "DROPDOWN", "content": {"values": [{"name": "A"}]}}
    made = account.do("POST", "/v2/custom-fields", body)
    option = made["content"]["values"][0]["id"]
    account.do("PATCH", "/v2/device/1/custom-fields", {"plan": option})
    assert made["name"] in [entry["name"] for entry in account.get("/v2/device-custom-fields", scopes="node")]
    assert account.get("/v2/device-custom-fields", scopes="location,organization")
    account.fails("POST", "/v2/custom-fields", 400, json=body)
    account.fails("PUT", "/v2/custom-fields/field-name/plan", 400, json={"type": "TEXT"})
    both = {"customFields": [{"label": "B", "fieldName": "b"}, {"label": "C", "fieldName": "plan"}]}
    account.fails("POST", "/v2/custom-fields/bulk", 400, json=both)
    account.fails("GET", "/v2/custom-fields/field-name/b", 404)
    account.fails("DELETE", "/v2/custom-fields/bulk?fieldNames=plan,nothing", 404)
    assert account.do("DELETE", "/v2/custom-fields/bulk?fieldNames=plan,rack") == ["plan", "rack"]
    assert account.get("/v2/device/1/custom-fields") == {}
