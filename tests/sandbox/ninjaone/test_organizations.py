"""Organizations, locations, policy assignments, custom fields."""

from __future__ import annotations


def test_paging(api):
    everything = api.get("/v2/organizations")
    assert [entry["id"] for entry in everything] == [1, 2, 3, 4]
    first = api.get("/v2/organizations", pageSize=3)
    second = api.get("/v2/organizations", pageSize=3, after=first[-1]["id"])
    assert first + second == everything
    assert api.get("/v2/organizations", pageSize=3, after=4) == []
    assert api.get("/v2/organizations", after=0) == everything


def test_detailed_list(api):
    detailed = api.get("/v2/organizations-detailed", pageSize=2)
    assert detailed[0] == api.get("/v2/organization/1")
    assert detailed[0]["locations"] == api.get("/v2/organization/1/locations")
    assert {"nodeRoleId": 101, "policyId": 52} in detailed[0]["policies"]
    assert detailed[0]["settings"]["backup"]["enabled"] is True


def test_create(api):
    made = api.do(
        "POST",
        "/v2/organizations",
        {
            "name": "Example Foods",
            "description": "Two shops",
            "userData": {"crm": "7"},
            "nodeApprovalMode": "REJECT",
            "tags": ["ignored"],
            "locations": [{"name": "Shop", "address": "1 Road", "tags": ["x"]}, {"name": "Store"}],
            "policies": [{"nodeRoleId": 201, "policyId": 61}],
        },
    )
    assert made["id"] == 5
    assert made["name"] == "Example Foods"
    assert made["nodeApprovalMode"] == "REJECT"
    assert made["userData"] == {"crm": "7"}
    assert [place["name"] for place in made["locations"]] == ["Shop", "Store"]
    assert made["locations"][0] == {"id": made["locations"][0]["id"], "name": "Shop", "address": "1 Road"}
    assert {"nodeRoleId": 201, "policyId": 61} in made["policies"]
    assert {"nodeRoleId": 101, "policyId": 52} in made["policies"]
    assert "tags" not in made
    assert api.get("/v2/organization/5") == made
    assert api.get("/v2/organizations", after=4)[0]["name"] == "Example Foods"
    newest = api.get("/v2/activities")["activities"][0]
    assert (newest["activityType"], newest["statusCode"]) == ("SYSTEM", "CLIENT_CREATED")


def test_create_with_little(api):
    made = api.do("POST", "/v2/organizations", {"name": "Plain"})
    assert made["nodeApprovalMode"] == "AUTOMATIC"
    assert [place["name"] for place in made["locations"]] == ["Main Office"]


def test_template(api):
    api.do("PUT", "/v2/organization/1/policies", [{"nodeRoleId": 202, "policyId": 61}])
    made = api.do("POST", "/v2/organizations?templateOrganizationId=1", {"name": "Copy"})
    template = api.get("/v2/organization/1")
    assert made["policies"] == template["policies"]
    assert made["settings"] == template["settings"]
    api.do("PUT", "/v2/organization/5/policies", [{"nodeRoleId": 202, "policyId": 51}])
    assert api.get("/v2/organization/1") == template


def test_names_are_unique(api):
    api.do("POST", "/v2/organizations", {"name": "Twice"})
    assert (
        api.fails("POST", "/v2/organizations", 409, json={"name": "twice"})["resultCode"]
        == "organization_name_already_exists"
    )
    api.fails("PATCH", "/v2/organization/1", 409, json={"name": "Twice"})
    api.do("PATCH", "/v2/organization/5", {"name": "Twice", "description": "same name, same organization"})


def test_update_changes_only_what_is_given(api):
    before = api.get("/v2/organization/2")
    assert api.do("PATCH", "/v2/organization/2", {"description": "New", "name": None}) is None
    assert api.get("/v2/organization/2") == before | {"description": "New"}


def test_policies_reach_the_devices(api):
    role = api.get("/v2/device/1")["nodeRoleId"]
    organization = api.get("/v2/device/1")["organizationId"]
    path = f"/v2/organization/{organization}/policies"
    affected = api.do("PUT", path, [{"nodeRoleId": role, "policyId": 61}])
    assert 1 in affected
    assert all(api.get(f"/v2/device/{number}")["rolePolicyId"] == 61 for number in affected)
    assert api.do("PUT", path, [{"nodeRoleId": role, "policyId": 61}]) == []


def test_locations(api):
    made = api.do("POST", "/v2/organization/1/locations", {"name": "Annex", "description": "Back"})
    assert api.get("/v2/organization/1/locations")[-1] == made
    changed = api.do(
        "PATCH", f"/v2/organization/1/locations/{made['id']}", {"address": "2 Road", "tags": ["x"]}
    )
    assert changed == made | {"address": "2 Road"}
    assert api.get("/v2/locations")[-1] == changed | {"organizationId": 1}


def test_location_paging(api):
    everything = api.get("/v2/locations")
    walked, after = [], 0
    while page := api.get("/v2/locations", pageSize=2, after=after):
        walked += page
        after = page[-1]["id"]
    assert walked == everything


def test_custom_fields(api):
    assert api.get("/v2/organization/1/custom-fields") == {}
    api.do("PATCH", "/v2/organization/1/custom-fields", {"tier": "gold", "seats": 12, "gone": None})
    assert api.get("/v2/organization/1/custom-fields") == {"tier": "gold", "seats": 12}
    api.do("PATCH", "/v2/organization/1/custom-fields", {"tier": None, "note": {"html": "<p>x</p>"}})
    assert api.get("/v2/organization/1/custom-fields") == {"seats": 12, "note": {"html": "<p>x</p>"}}
    assert api.get("/v2/organization/2/custom-fields") == {}


def test_location_custom_fields_inherit_on_request(api):
    location = api.get("/v2/organization/1/locations")[0]["id"]
    path = f"/v2/organization/1/location/{location}/custom-fields"
    api.do("PATCH", "/v2/organization/1/custom-fields", {"tier": "gold", "floor": 1})
    api.do("PATCH", path, {"floor": 3})
    assert api.get(path) == {"floor": 3}
    assert api.get(path, withInheritance="true") == {"tier": "gold", "floor": 3}
