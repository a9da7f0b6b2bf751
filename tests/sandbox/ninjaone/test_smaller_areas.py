"""Installers, users and roles, policies, vulnerability scan groups."""

from __future__ import annotations

import pytest

INSTALLER = {"organizationId": 1, "locationId": 1, "installerType": "WINDOWS_MSI"}
UPLOAD = "/v2/vulnerability/scan-groups/301/upload"
CSV = "device,cve\nSRV-0001,CVE-2020-0001\nSRV-0008,CVE-2020-0002\n"


@pytest.mark.parametrize("role", [{}, {"nodeRoleId": "auto"}, {"nodeRoleId": ""}, {"nodeRoleId": "201"}])
def test_generate_installer(api, role):
    link = api.do("POST", "/v2/organization/generate-installer", {**INSTALLER, "content": role})
    assert link["url"].startswith("https://downloads.example.com/installer/agent-1-1.msi?token=")


def test_installer_by_get(api):
    link = api.get("/v2/organization/1/location/1/installer/LINUX_ARM64_DEB")
    assert "agent-1-1.arm64.deb" in link["url"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"organizationId": 99}, 404),
        ({"locationId": 99}, 404),
        ({"installerType": "MSI"}, 400),
        ({"content": {"nodeRoleId": 201}}, 400),
        ({"content": {"nodeRoleId": "none"}}, 400),
        ({"content": {"nodeRoleId": "999"}}, 404),
    ],
)
def test_installer_refusals(api, changes, status):
    api.fails("POST", "/v2/organization/generate-installer", status, json=INSTALLER | changes)


def test_users(api):
    users = api.get("/v2/users")
    assert [user["userType"] for user in users] == ["TECHNICIAN"] * 4 + ["END_USER"] * 4
    assert api.get("/v2/users", userType="END_USER") == users[4:]
    assert "roles" not in users[0]
    assert api.get("/v2/users", includeRoles="true")[0]["roles"] == ["Administrators"]
    assert len({user["email"] for user in users}) == 8


def test_user_roles(api):
    assert [role["name"] for role in api.get("/v2/user/roles")] == [
        "Administrators",
        "Service Desk",
        "Portal Users",
    ]
    assert [role["id"] for role in api.get("/v2/user/roles", roleType="END_USER")] == [3]


def test_role_members(api):
    changed = api.do("PATCH", "/v2/user/role/1/add-members", [2, 3, 2])
    assert [entry["id"] for entry in changed["members"]] == [1, 2, 3]
    assert api.get("/v2/user/roles")[0] == changed
    assert api.get("/v2/users", includeRoles="true")[1]["roles"] == ["Service Desk", "Administrators"]
    changed = api.do("PATCH", "/v2/user/role/1/remove-members", [2, 4])
    assert [entry["id"] for entry in changed["members"]] == [1, 3]
    assert api.get("/v2/users", includeRoles="true")[1]["roles"] == ["Service Desk"]


def test_role_members_body_is_a_bare_array_of_any_media_type(api):
    response = api.send(
        "PATCH", "/v2/user/role/1/add-members", data="[2]", headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 200
    api.fails("PATCH", "/v2/user/role/1/add-members", 400, json={"members": [2]})
    api.fails("PATCH", "/v2/user/role/1/add-members", 400, json=["2"])


def test_roles_and_policies_fit_together(api):
    classes = {role["nodeClass"] for role in api.get("/v2/roles")}
    classes.remove("UNMANAGED_DEVICE")  # which has no policies
    assert classes == {policy["nodeClass"] for policy in api.get("/v2/policies")}


def test_scan_groups(api):
    groups = api.get("/v2/vulnerability/scan-groups")
    assert [group["id"] for group in groups] == [301, 302, 303]
    assert api.get("/v2/vulnerability/scan-groups/302") == groups[1]


def test_upload(api):
    response = api.send("POST", UPLOAD, files={"csv": ("new.csv", CSV, "text/csv")})
    assert response.status_code == 200
    assert response.json()["status"] == "IN_PROGRESS"
    group = api.get("/v2/vulnerability/scan-groups/301")
    assert (group["status"], group["recordsProcessed"], group["fileName"]) == ("COMPLETE", 2, "new.csv")


def test_upload_without_the_columns_fails_later(api):
    api.send("POST", UPLOAD, files={"csv": ("new.csv", "a,b\n1,2\n", "text/csv")})
    assert api.get("/v2/vulnerability/scan-groups/301")["status"] == "FAILED"


def test_upload_refusals(api):
    good = {"csv": ("new.csv", CSV, "text/csv")}
    api.fails("POST", UPLOAD.replace("301", "9"), 404, files=good)
    api.fails("POST", UPLOAD, 415, files={"csv": ("new.csv", CSV, "application/json")})
    api.fails("POST", UPLOAD, 415, json={"csv": CSV})
    body = api.fails("POST", UPLOAD, 400, files={"file": ("new.csv", CSV, "text/csv")})
    assert body["errorMessage"]["params"]["field"] == "csv"
    assert api.get("/v2/vulnerability/scan-groups/301")["fileName"] == "findings.csv"


@pytest.mark.parametrize("header", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_broken_multipart(api, header):
    response = api.send("POST", UPLOAD, data="nonsense", headers={"Content-Type": header})
    assert response.status_code == 400
