"""Endpoints for document templates and the documents of organizations."""

from __future__ import annotations

import time

from connector.sandbox.ninjaone.api.collections import Collection
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.data.generated import make
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.errors import invalid


def _settle_template(call: ApiCall, item: JSON, body: JSON) -> None:
    for field in item.get("fields") or []:
        field.setdefault("fieldId", call.state.next_number("document_field", 100))


_FIELDS = (
    ("keyHolder", "Key holder", "TEXT"),
    ("howTo", "How to", "WYSIWYG"),
    ("lastChecked", "Last checked", "DATE"),
)


def _seeded_template(number: int) -> JSON:
    fields = [
        {
            "fieldId": 10 * number + index,
            "fieldLabel": label,
            "fieldName": name,
            "fieldType": kind,
            "fieldTechnicianPermission": "EDITABLE",
            "fieldScriptPermission": "NONE",
            "fieldApiPermission": "READ_WRITE",
            "createdTime": EPOCH,
            "updatedTime": EPOCH,
        }
        for index, (name, label, kind) in enumerate(_FIELDS, 1)
    ]
    name = ("Site guide", "Line of business app", "Runbook")[(number - 1) % 3]
    template: JSON = make("DocumentTemplatePublicApiDTO", number)
    template |= {"name": f"{name} {number}", "mandatory": False, "allowMultiple": True, "fields": fields}
    return template | {"availableToAllTechnicians": True, "allowedTechnicianRoles": []}


TEMPLATES = Collection(
    "document_template", "DocumentTemplatePublicApiDTO", seed=_seeded_template, settle=_settle_template
)
TEMPLATES.serve(
    list="getDocumentTemplatesWithAttributes",
    create="createDocumentTemplate",
    get="getDocumentTemplate",
    update="updateDocumentTemplate",
    delete="deleteDocumentTemplate",
    archive=("archiveDocumentTemplate", "archiveDocumentTemplates"),
    restore=("restoreDocumentTemplate", "restoreDocumentTemplates"),
    filters={"templateName": "name"},
)


def _seeded_document(number: int) -> JSON:
    template = _seeded_template(1 + number % 3)
    fields = [{"name": "keyHolder", "value": f"Person {number}", "valueUpdateTime": EPOCH}]
    return {
        "documentId": number,
        "documentName": f"Site guide {number}",
        "documentDescription": f"Example document {number}",
        "documentUpdateTime": EPOCH,
        "documentTemplateId": template["id"],
        "documentTemplateName": template["name"],
        "organizationId": 1 if number < 4 else 1 + number % 4,
        "fields": fields,
    }


def _settle_document(call: ApiCall, item: JSON, body: JSON) -> None:
    """Convert the fields in a request, which are a map, to the list that a document has.

    Fields that are not in the request are unchanged.
    """
    for name in ("organizationId", "documentTemplateId"):
        if item.get(name) is None:
            raise invalid(name, "a value")
    call.state.organization(item["organizationId"])
    item["documentTemplateName"] = TEMPLATES.find(call.state, item["documentTemplateId"])["name"]
    updated = [
        {"name": name, "value": value, "valueUpdateTime": time.time()}
        for name, value in (body.get("fields") or {}).items()
    ]
    names = {field["name"] for field in updated}
    kept = [field for field in item.get("fields", []) if field["name"] not in names]
    item["fields"] = [*kept, *(field for field in updated if field["value"] is not None)]
    item["updatedFields"] = updated


DOCUMENTS = Collection(
    "document",
    "ClientDocumentWithAttributeValuesPublicApiDTO",
    key="documentId",
    renamed={"fields": "the list of fields"},
    seed=_seeded_document,
    settle=_settle_document,
)
DOCUMENTS.serve(
    list=("getClientDocumentsWithAttributeValues", "getOrganizationDocuments"),
    create=("createOrganizationDocument", "createOrganizationDocuments"),
    update=("updateOrganizationDocument", "updateOrganizationDocuments"),
    delete="deleteClientDocument",
    archive=("archiveClientDocument", "archiveMultiPageClientDocuments"),
    restore=("restoreClientDocument", "restoreMultiPageClientDocuments"),
    filters={
        "organizationIds": "organizationId",
        "templateIds": "documentTemplateId",
        "templateName": "documentTemplateName",
        "documentName": "documentName",
    },
)
