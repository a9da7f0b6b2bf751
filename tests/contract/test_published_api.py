"""Every declaration agrees with the published document, except where it says why not.

The document is boiled down to `schemas/ninjaone/operations.json`; where it is at hand itself, the two must
agree.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from connector.authoring.published_check import check_published
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.common.package_data import schema
from tests.authoring.documents import inlined
from tests.conftest import SHARED
from tests.contract.make_operations import TARGET, operations_text
from tests.kept_catalog import CATALOG

NAMES = CATALOG.names_of("ninjaone")


@pytest.fixture(scope="module")
def facts() -> Any:
    return schema("ninjaone/operations.json")["operations"]


@pytest.mark.parametrize("name", NAMES)
def test_declaration(catalog: Catalog, service: Service, facts: Any, name: str) -> None:
    assert check_published(catalog.action(name), service, facts) == []


def test_the_actions_that_are_disruptive(catalog: Catalog) -> None:
    assert {action.name for action in catalog.actions() if action.disruptive} == {
        "apply_os_patches",
        "apply_software_patches",
        "assign_organization_policies",
        "cancel_maintenance",
        "configure_windows_service",
        "control_windows_service",
        "create_custom_field_condition",
        "create_windows_event_condition",
        "delete_policy_condition",
        "reboot_device",
        "reset_device_policy_overrides",
        "run_script",
    }


def test_the_actions_that_only_queue_work(catalog: Catalog) -> None:
    assert {action.name for action in catalog.actions() if action.accepted} == {
        "apply_os_patches",
        "apply_software_patches",
        "configure_windows_service",
        "control_windows_service",
        "create_integrity_check_job",
        "reboot_device",
        "reset_device_policy_overrides",
        "run_script",
        "scan_os_patches",
        "scan_software_patches",
        "upload_scan_group_csv",
    }


def test_the_facts_are_those_of_all_operations(facts: Any) -> None:
    assert len(facts) == 310


def test_the_facts_agree_with_the_published_document() -> None:
    document = SHARED / "api" / "ninjaone-openapi.json"
    if not document.exists():
        pytest.skip("the published document is not available")
    published = json.loads(document.read_text("utf-8"))
    assert TARGET.read_text("utf-8") == operations_text(published)
    assert TARGET.read_text("utf-8") == operations_text(inlined(published))


def changed(action: Action, name: str, **changes: Any) -> Action:
    """Return the action with one input declared differently."""
    given = action.inputs[name]
    declared = changes.get("schema", given.declared)
    return replace(action, inputs={**action.inputs, name: replace(given, declared=declared, **changes)})


NAMED = {"type": ["integer", "string"], "format": "int32"}
WRONG = [
    ("get_device_link", "redirect", {"target": ("redirects",)}, "the document has no query.redirects"),
    ("get_device_link", "redirect", {"place": "header"}, "the document has no header.redirect"),
    ("get_device_link", "redirect", {"published": False}, "the document now has this input"),
    ("get_device_link", "redirect", {"schema": {"type": "string"}}, "the type is string, but boolean"),
    ("get_device_link", "device_id", {"schema": {"type": "integer"}}, "format is None, but int32"),
    ("create_organization", "tags", {"published": True}, "the document has no body.tags"),
    ("get_device_link", "device_id", {"schema": NAMED}, "the type is integer, string, but integer"),
    ("update_ticket", "requester_uid", {"deviates": ""}, "the document requires body.requesterUid"),
    ("create_organization", "locations", {"schema": {"type": "array", "items": {"type": "string"}}}, "items"),
    ("control_windows_service", "action", {"schema": {"type": "string"}}, "PAUSE, RESTART, START, STOP"),
    ("schedule_maintenance", "end", {"deviates": ""}, "the type is string, but number in the document"),
    ("schedule_maintenance", "end", {"unit": "epoch_ms", "deviates": ""}, None),
    ("reboot_device", "mode", {"schema": {"type": "string", "enum": ["NOW"]}, "deviates": "why"}, None),
    ("update_device", "policy_id", {"deviates": ""}, "the type is integer, null, but integer"),
    ("update_device", "warranty_end", {"unit": "iso"}, "the type is string, but number in the document"),
    ("update_device", "warranty_end", {"target": ("warranty", "until")}, "body.warranty.until"),
    ("add_ticket_comment", "body", {"target": ("comment", "text")}, "the document has no part.comment.text"),
    ("add_role_members", "user_ids", {"schema": {"type": "object"}}, "the type is object, but array"),
    (
        "create_organization",
        "locations",
        {"schema": {"type": "array", "items": {"type": "object", "properties": {"town": {}}}}},
        "items: the document has no property town",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "changes", "message"), WRONG)
def test_a_wrong_input_is_found(
    catalog: Catalog, service: Service, facts: Any, name: str, given: str, changes: Any, message: str | None
) -> None:
    found = check_published(changed(catalog.action(name), given, **changes), service, facts)
    assert len(found) == (message is not None), found
    assert message is None or message in found[0]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("cancel_maintenance", {"operation": "cancelMaintenance"}, "no operation"),
        (
            "cancel_maintenance",
            {"method": "POST"},
            "the document declares the request DELETE /v2/device/{id}/maintenance",
        ),
        ("add_ticket_comment", {"required": ("ticket_id",)}, "requires part.comment.public"),
        ("upload_scan_group_csv", {"required": ("scan_group_id",)}, "requires part.csv"),
        ("cancel_maintenance", {"required": ()}, "requires path.id"),
        ("list_alerts", {"paging": "after"}, "the pager sends query.after"),
        ("list_alerts", {"paging": "cursor"}, 'the pager reads "results", which is not a list'),
        ("list_alerts", {"result": {"type": "array", "items": {"$ref": "ninjaone/Device.json"}}}, "Alert"),
        ("list_alerts", {"result": {"$ref": "ninjaone/Alert.json"}}, '"type": "array"'),
        ("list_alerts", {"result": {"type": "array"}}, "the result is"),
        ("list_alerts", {"result": "none"}, 'the result is "none"'),
        ("get_device_link", {"result": {"type": "object"}}, 'but {"$ref": "DeviceLink"} in the document'),
        ("reboot_device", {"result": {"type": "object"}}, 'but "none" in the document'),
        ("run_ticket_board", {"result": {"type": "array", "items": {"type": "string"}}}, "the result is"),
    ],
)
def test_a_wrong_action_is_found(
    catalog: Catalog, service: Service, facts: Any, name: str, changes: Any, message: str
) -> None:
    found = check_published(replace(catalog.action(name), **changes), service, facts)
    assert any(message in problem for problem in found), found


def test_an_action_that_is_newer_than_the_document(catalog: Catalog, service: Service, facts: Any) -> None:
    action = catalog.action("list_device_geolocation_history")
    assert not action.published
    known = {**facts["getDevice"], "path": action.path}
    found = check_published(action, service, {**facts, "getLocationsOfDevice": known})
    assert found == [f"{action.name}: the document now has this request; remove `published: false`"]
    assert len(check_published(replace(action, published=True), service, facts)) == 1


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("reboot_device", {"$comment": "It answers an object all the same.", "type": "object"}),
        # Nothing is published about these answers beside that they are JSON.
        ("cancel_maintenance", {"type": "object"}),
        ("add_ticket_comment", {}),
        # The answer to one of several requests is not the result.
        ("update_organization", {"type": "string"}),
    ],
)
def test_another_result_is_allowed(
    catalog: Catalog, service: Service, facts: Any, name: str, result: Any
) -> None:
    assert check_published(replace(catalog.action(name), result=result), service, facts) == []


@pytest.mark.parametrize(
    ("sends", "message"),
    [
        ({"method": "PUT", "path": "/v2/organization/1/custom-fields"}, "the document has no request PUT"),
        (
            {"method": "PATCH", "path": "/v2/organization/1/custom-fields", "query": {"a": "1"}},
            "the document has no query parameter a",
        ),
        (
            {"method": "PUT", "path": "/v2/organization/1/policies", "body": [{"policyId": "1"}]},
            "$[0].policyId: '1' is not of type 'integer'",
        ),
        ({"method": "DELETE", "path": "/v2/device/1/maintenance", "body": {}}, "maintenance: $"),
    ],
)
def test_a_wrong_request_of_a_handler_is_found(
    catalog: Catalog, service: Service, facts: Any, sends: Any, message: str
) -> None:
    action = catalog.action("update_organization")
    example = action.examples[0]._replace(sends=(*action.examples[0].sends, sends))
    found = check_published(replace(action, examples=(example,)), service, facts)
    assert len(found) == 1
    assert message in found[0]
