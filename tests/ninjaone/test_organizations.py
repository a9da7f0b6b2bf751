"""Organizations and locations: lookups, and the requests that follow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ninjaone.feeding import feed

DEFINITIONS = {
    "results": [
        {"name": "contractEnd", "type": "DATE", "definitionScope": ["ORGANIZATION"]},
        {"name": "floor", "type": "NUMERIC", "definitionScope": ["LOCATION"]},
    ]
}
GET = "GET /v2/custom-fields?pageSize=500"


def test_an_organization_and_its_fields() -> None:
    fed = feed(
        "create_organization", DEFINITIONS, {"id": 9}, None, name="New", fields={"contractEnd": "1970-01-02"}
    )
    assert fed.lines == [GET, "POST /v2/organizations", "PATCH /v2/organization/9/custom-fields"]
    assert fed.sent[1].body == {"name": "New"}
    assert fed.body == {"contractEnd": 86400000}
    assert fed.result == {"id": 9}


def test_a_location_and_its_fields() -> None:
    fed = feed(
        "create_location",
        [{"id": 3, "name": "Acme"}],
        DEFINITIONS,
        {"id": 9},
        None,
        organization_id="Acme",
        name="Attic",
        fields={"floor": "4"},
    )
    assert fed.lines == [
        "GET /v2/organizations?pageSize=1000",
        GET,
        "POST /v2/organization/3/locations",
        "PATCH /v2/organization/3/location/9/custom-fields",
    ]
    assert fed.body == {"floor": 4}


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("create_organization", {"name": "New"}),
        ("update_organization", {"organization_id": 1, "name": "New"}),
        ("create_location", {"organization_id": 1, "name": "New"}),
        ("update_location", {"organization_id": 1, "location_id": 2, "name": "New"}),
    ],
)
def test_a_wrong_field_is_an_error_before_any_write(action: str, values: Any) -> None:
    fed = feed(action, DEFINITIONS, **values, fields={"nothing": 1})
    assert "have no custom field nothing" in str(fed.error)
    assert fed.lines == [GET]


def test_an_update_sends_only_the_needed_requests() -> None:
    fed = feed(
        "update_organization",
        DEFINITIONS,
        [4],
        None,
        organization_id=1,
        policies={"nodeRoleId": 1, "policyId": 2},
        fields={"contractEnd": None},
    )
    assert fed.lines == [GET, "PUT /v2/organization/1/policies", "PATCH /v2/organization/1/custom-fields"]
    assert fed.sent[1].body == [{"nodeRoleId": 1, "policyId": 2}]
    assert fed.result == {"affectedDeviceIds": [4]}
    fed = feed("update_location", DEFINITIONS, None, organization_id=1, location_id=2, fields={"floor": 1})
    assert fed.lines == [GET, "PATCH /v2/organization/1/location/2/custom-fields"]
    assert fed.result is None


@pytest.mark.parametrize("fields", [{}, None])
def test_without_fields_no_definitions_are_read(fields: Any) -> None:
    fed = feed("create_organization", {"id": 9}, name="New", fields=fields)
    assert fed.lines == ["POST /v2/organizations"]
