"""Round trips: items are created, listed, read, changed and deleted."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest


class Trip(NamedTuple):
    """The requests of one round trip; `{id}` in a path is the id of the created item."""

    create: tuple[str, Any]
    key: str = "id"
    list: str = ""
    get: str = ""
    update: tuple[str, str, Any] | None = None
    changed: tuple[str, Any] = ("name", "Other")
    delete: tuple[str, str, Any] | None = None
    missing: str = ""


LICENSE = {
    "name": "Suite",
    "description": "For all",
    "type": "PER_DEVICE",
    "purchaseDate": 1_772_323_200_000,
    "publisherId": 1,
    "vendorId": 1,
    "scope": {"global": True},
    "quantity": 5,
    "currentUsage": 0,
    "term": {"renewalUnit": "YEAR", "value": 1},
    "notificationChannelInfo": {"email": "it@example.com"},
}
TASKS = [{"position": 1, "name": "First"}, {"position": 2, "name": "Second", "completed": True}]

TRIPS = {
    "contact": Trip(
        ("/v2/contacts", {"organizationId": 1, "firstName": "Lee", "email": "lee@example.com"}),
        list="/v2/contacts",
        get="/v2/contact/{id}",
        update=("PATCH", "/v2/contact/{id}", {"firstName": "Other"}),
        changed=("firstName", "Other"),
        delete=("DELETE", "/v2/contact/{id}", None),
        missing="contact_not_found",
    ),
    "technician": Trip(
        ("/v2/user/technicians", {"firstName": "Alex", "lastName": "Wood", "email": "alex.wood@example.com"}),
        list="/v2/user/technicians",
        get="/v2/user/technician/{id}",
        update=("PATCH", "/v2/user/technician/{id}", {"lastName": "Other"}),
        changed=("lastName", "Other"),
        delete=("DELETE", "/v2/user/technician/{id}", None),
        missing="technician_not_found",
    ),
    "end user": Trip(
        ("/v2/user/end-users", {"firstName": "Jo", "email": "jo@example.com", "organizationId": 2}),
        list="/v2/user/end-users",
        get="/v2/user/end-user/{id}",
        update=("PATCH", "/v2/user/end-user/{id}", {"fullPortalAccess": True}),
        changed=("fullPortalAccess", True),
        delete=("DELETE", "/v2/user/end-user/{id}", None),
        missing="end_user_not_found",
    ),
    "document template": Trip(
        ("/v2/document-templates", {"name": "Line", "fields": [{"fieldLabel": "A", "fieldName": "a"}]}),
        list="/v2/document-templates",
        get="/v2/document-templates/{id}",
        update=("PUT", "/v2/document-templates/{id}", {"name": "Other"}),
        delete=("DELETE", "/v2/document-templates/{id}", None),
        missing="document_template_not_found",
    ),
    "document": Trip(
        ("/v2/organization/2/template/1/document", {"documentName": "Attic", "fields": {"keyHolder": "Kim"}}),
        key="documentId",
        list="/v2/organization/documents",
        update=("PATCH", "/v2/organization/documents", [{"documentId": "{id}", "documentName": "Other"}]),
        changed=("documentName", "Other"),
        delete=("DELETE", "/v2/organization/document/{id}", None),
        missing="document_not_found",
    ),
    "checklist template": Trip(
        ("/v2/checklist/templates", [{"name": "New", "tasks": TASKS[:1]}]),
        list="/v2/checklist/templates",
        update=("PUT", "/v2/checklist/templates", [{"id": "{id}", "name": "Other"}]),
        delete=("POST", "/v2/checklist/templates/delete", ["{id}"]),
        missing="checklist_template_not_found",
    ),
    "checklist": Trip(
        ("/v2/organization/checklists", [{"name": "New", "organizationId": 1, "tasks": TASKS}]),
        list="/v2/organization/checklists",
        get="/v2/organization/checklist/{id}",
        update=("PUT", "/v2/organization/checklists", [{"checklistId": "{id}", "name": "Other"}]),
        delete=("DELETE", "/v2/organization/checklist/{id}", None),
        missing="checklist_not_found",
    ),
    "software license": Trip(
        ("/v2/software-license", LICENSE),
        list="/v2/software-license/licenses",
        get="/v2/software-license/{id}",
        update=("PUT", "/v2/software-license/{id}", {**LICENSE, "name": "Other"}),
        delete=("DELETE", "/v2/software-license/{id}", None),
        missing="software_license_not_found",
    ),
    "custom tab": Trip(
        ("/v2/tab", {"name": "Power", "entityType": "NODE_ROLE", "entityId": 101}),
        get="/v2/tab/{id}",
        update=("PATCH", "/v2/tab/rename", {"tabId": "{id}", "name": "Other"}),
        delete=("DELETE", "/v2/tab/{id}", None),
        missing="custom_tab_not_found",
    ),
    "custom field": Trip(
        ("/v2/custom-fields", {"label": "Power", "fieldName": "power", "type": "NUMERIC"}),
        key="name",
        get="/v2/custom-fields/field-name/{id}",
        update=("PUT", "/v2/custom-fields/field-name/{id}", {"label": "Other"}),
        changed=("label", "Other"),
        delete=("DELETE", "/v2/custom-fields/field-name/{id}", None),
        missing="custom_field_not_found",
    ),
    "billing account": Trip(
        ("/v2/billing/accounts", {"name": "Cabling", "code": "4410"}),
        list="/v2/billing/accounts",
        get="/v2/billing/accounts/{id}",
        update=("PUT", "/v2/billing/accounts/{id}", {"name": "Other"}),
        delete=("DELETE", "/v2/billing/accounts/{id}", None),
        missing="account_not_found",
    ),
    "billing product": Trip(
        ("/v2/billing/products", {"name": "Desk"}),
        list="/v2/billing/products",
        get="/v2/billing/products/{id}",
        update=("PUT", "/v2/billing/products/{id}", {"name": "Other"}),
    ),
    "billing agreement": Trip(
        ("/v2/billing/agreements", {"name": "Desks"}),
        list="/v2/billing/agreements",
        get="/v2/billing/agreements/{id}",
        update=("PUT", "/v2/billing/agreements/{id}", {"name": "Other"}),
    ),
    "billing invoice": Trip(
        ("/v2/billing/invoices", {"agreementId": 1, "name": "March"}),
        list="/v2/billing/invoices",
        get="/v2/billing/invoices/{id}",
        update=("PATCH", "/v2/billing/invoices/{id}/note", {"note": "Other"}),
        changed=("note", "Other"),
    ),
    "related item": Trip(
        ("/v2/related-items/entity/NODE/2/relation", {"relEntityType": "KB_DOCUMENT", "relEntityId": 1}),
        list="/v2/related-items",
        delete=("DELETE", "/v2/related-items/{id}", None),
        missing="related_item_not_found",
    ),
    "asset relationship type": Trip(
        ("/v2/itam/asset-relationship/types", {"name": "Is a spare for"}),
        list="/v2/itam/asset-relationship/types",
    ),
    "asset relationship": Trip(
        ("/v2/itam/asset-relationship", {"entityType": "NODE", "entityId": 7}),
        list="/v2/itam/asset-relationship/relations",
    ),
    "policy": Trip(("/v2/policies", {"name": "Kiosks", "nodeClass": "MAC"}), list="/v2/policies"),
    "custom field condition": Trip(
        (
            "/v2/policies/51/condition/custom-fields",
            {"displayName": "Old", "matchAll": [{"fieldName": "rack", "operator": "EQUALS", "value": "x"}]},
        ),
        list="/v2/policies/51/condition/custom-fields",
        get="/v2/policies/51/condition/custom-fields/{id}",
        delete=("DELETE", "/v2/policies/51/condition/{id}", None),
        missing="policy_condition_not_found",
    ),
    "windows event condition": Trip(
        ("/v2/policies/52/condition/windows-event", {"source": "disk", "eventIds": [7]}),
        list="/v2/policies/52/condition/windows-event",
        get="/v2/policies/52/condition/windows-event/{id}",
        delete=("DELETE", "/v2/policies/52/condition/{id}", None),
        missing="policy_condition_not_found",
    ),
    "article": Trip(
        ("/v2/knowledgebase/articles", [{"name": "How", "content": {"html": "<p>So</p>"}}]),
        list="/v2/knowledgebase/global/articles",
        update=("PATCH", "/v2/knowledgebase/articles", [{"id": "{id}", "name": "Other"}]),
        delete=("POST", "/v2/knowledgebase/articles/delete", ["{id}"]),
        missing="article_not_found",
    ),
}


def filled(value: Any, key: Any) -> Any:
    """Return the path or body with the id of the created item."""
    if value == "{id}":
        return key
    if isinstance(value, str):
        return value.replace("{id}", str(key))
    if isinstance(value, list):
        return [filled(item, key) for item in value]
    if isinstance(value, dict):
        return {name: filled(item, key) for name, item in value.items()}
    return value


def one(answer: Any) -> Any:
    """Return the item of a response that may be a list of one."""
    if isinstance(answer, list):
        (answer,) = answer
    return answer


@pytest.mark.parametrize("name", TRIPS)
def test_round_trip(account, name):
    api, trip = account, TRIPS[name]
    api.sandbox.reset()
    before = {entry[trip.key] for entry in api.get(trip.list)} if trip.list else set()
    path, body = trip.create
    created = one(api.do("POST", path, body))
    key = created[trip.key]
    assert key not in before
    given = {k: v for k, v in one(body).items() if k in created and not isinstance(v, (dict, list))}
    assert given.items() <= created.items()

    def read() -> Any:
        if trip.get:
            return api.get(filled(trip.get, key))
        return next(entry for entry in api.get(trip.list) if entry[trip.key] == key)

    assert given.items() <= read().items()
    if trip.list:
        assert {entry[trip.key] for entry in api.get(trip.list)} == before | {key}
    if trip.update:
        method, path, body = trip.update
        api.do(method, filled(path, key), filled(body, key))
        member, value = trip.changed
        assert read()[member] == value
    if trip.delete:
        method, path, body = trip.delete
        assert api.do(method, filled(path, key), filled(body, key)) in (None, {})
        if trip.list:
            assert {entry[trip.key] for entry in api.get(trip.list)} == before
        response = api.fails(method, filled(path, key), 404, json=filled(body, key))
        assert trip.missing in (response.get("resultCode"), response.get("errorCode"))
        if trip.get:
            api.fails("GET", filled(trip.get, key), 404)


@pytest.mark.parametrize(
    ("archive", "restore", "several", "one_id", "shown"),
    [
        (
            "/v2/document-templates/archive",
            "/v2/document-templates/restore",
            None,
            "/v2/document-templates/{id}/{verb}",
            "/v2/document-templates",
        ),
        (
            "/v2/organization/documents/archive",
            "/v2/organization/documents/restore",
            None,
            "/v2/organization/document/{id}/{verb}",
            "/v2/organization/documents",
        ),
        (
            "/v2/checklist/archive",
            "/v2/checklist/restore",
            "checklistTemplateIds",
            "",
            "/v2/checklist/templates",
        ),
        (
            "/v2/organization/archive",
            "/v2/organization/restore",
            "clientChecklistIds",
            "",
            "/v2/organization/checklists",
        ),
        (
            "/v2/knowledgebase/articles/archive",
            "/v2/knowledgebase/articles/restore",
            None,
            "",
            "/v2/knowledgebase/global/articles",
        ),
    ],
)
def test_archiving(account, archive, restore, several, one_id, shown):
    api = account
    api.sandbox.reset()
    whole = api.get(shown)
    key = "documentId" if "documentId" in whole[0] else "id"
    ids = [entry[key] for entry in whole[:2]]
    rest = [entry[key] for entry in whole[2:]]

    def listed() -> list[Any]:
        return [entry[key] for entry in api.get(shown)]

    api.do("POST", archive, {several: ids} if several else ids)
    assert listed() == rest
    api.do("POST", restore, {several: ids} if several else ids)
    assert sorted(listed()) == sorted(ids + rest)
    if one_id:
        api.do("POST", one_id.format(id=ids[0], verb="archive"))
        assert ids[0] not in listed()
        api.do("POST", one_id.format(id=ids[0], verb="restore"))
        assert ids[0] in listed()
    # all or none
    api.fails("POST", archive, 404, json={several: [ids[0], 9999]} if several else [ids[0], 9999])
    assert ids[0] in listed()


def test_ids_are_not_used_twice(account):
    account.sandbox.reset()
    first = account.do("POST", "/v2/contacts", {"firstName": "A"})["id"]
    account.do("DELETE", f"/v2/contact/{first}")
    assert account.do("POST", "/v2/contacts", {"firstName": "B"})["id"] == first + 1


def test_what_a_request_does_not_set_is_not_made_up(account):
    account.sandbox.reset()
    assert set(account.do("POST", "/v2/contacts", {"firstName": "A"})) == {"id", "uid", "firstName"}


def test_put_replaces_and_patch_merges(account):
    account.sandbox.reset()
    assert "description" not in account.do("PUT", "/v2/tag/1", {"name": "other"})
    assert account.do("PATCH", "/v2/contact/1", {"jobTitle": "Buyer"})["email"]


@pytest.mark.parametrize(
    ("path", "query", "count"),
    [
        ("/v2/checklist/templates", {"checklistTemplateIds": "1,3"}, 2),
        ("/v2/checklist/templates", {"checklistTemplateName": "quarterly"}, 3),
        ("/v2/checklist/templates", {"required": "true"}, 6),
        ("/v2/organization/checklists", {"organizationIds": "2"}, 3),
        ("/v2/organization/checklists", {"completed": "true"}, 0),
        ("/v2/organization/documents", {"templateIds": "1", "organizationIds": "1"}, 2),
        ("/v2/document-templates", {"templateName": "runbook"}, 4),
        ("/v2/knowledgebase/organization/articles", {"organizationIds": "1"}, 2),
        ("/v2/knowledgebase/global/articles", {"articleName": "article 1"}, 2),
    ],
)
def test_filters(account, path, query, count):
    account.sandbox.reset()
    assert len(account.get(path, **query)) == count


UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
EVENT = {"source": "disk", "eventIds": [1]}
ROLE_TAB = {"name": "x", "entityType": "NODE_ROLE", "entityId": 9}
RELATION = {"relEntityType": "NODE", "relEntityId": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "contacts", {"organizationId": 99}, "organization_not_found"),
        ("PATCH", "contact/1", {"organizationId": 99}, "organization_not_found"),
        ("POST", "organization/1/template/99/document", {}, "document_template_not_found"),
        ("POST", "organization/99/template/1/document", {}, "organization_not_found"),
        ("POST", "organization/2/document/1", {}, "document_not_found"),
        ("POST", "organization/1/checklists-from-templates", [99], "checklist_template_not_found"),
        ("POST", "tab", ROLE_TAB, "node_role_not_found"),
        ("POST", "policies/99/condition/windows-event", EVENT, "policy_not_found"),
        ("POST", "policies?mode=CHILD", {"name": "x", "parentPolicyId": 99}, "policy_not_found"),
        ("DELETE", f"policies/52/condition/{UID}", None, "policy_condition_not_found"),
        ("GET", f"policies/51/condition/windows-event/{UID}", None, "policy_condition_not_found"),
        ("POST", "related-items/entity/NODE/99/relation", RELATION, "device_not_found"),
    ],
)
def test_what_does_not_exist(account, method, path, body, code):
    account.sandbox.reset()
    assert account.fails(method, f"/v2/{path}", 404, json=body)["resultCode"] == code
