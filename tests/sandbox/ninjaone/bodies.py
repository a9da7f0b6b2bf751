"""Bodies and queries of valid requests where the published minimum is not enough."""

from __future__ import annotations

import json
from typing import Any

TEXT_FILE = ("note.txt", b"example", "text/plain")
PLACE = {"orgId": 1, "locationId": 1, "roleId": 301, "name": "Rack"}
TICKET = {"clientId": 1, "ticketFormId": 1, "subject": "Example", "status": "1000"}
REQUESTER = "892367d6-dad7-48de-a83a-ba8882d95b98"
"""The uid of a user of the default seed."""

BODIES: dict[str, Any] = {
    "approveBillingInvoices": {"invoiceIds": [1]},
    "archiveBillingInvoices": {"invoiceIds": [1]},
    "bulkUpdateNodeAttributes": {"customFields": [{"fieldName": "rack"}]},
    "configureWebhook": {"url": "https://hooks.example.com/"},
    "createBillingInvoice": {"agreementId": 1},
    "createComment": {"comment": (None, json.dumps({"public": True}), "application/json")},
    "createCustomTabPublicApi": {"name": "Tab"},
    "createLocationForOrganization": {"name": "Attic"},
    "createNodeRoles": [{"name": "Signage", "nodeClass": "MAC"}],
    "createOrganization": {"name": "Example"},
    "createOrganizationChecklists": [{"organizationId": 1, "name": "Example"}],
    "createOrganizationDocuments": [{"organizationId": 1, "documentTemplateId": 1}],
    "createPolicy": {"name": "Example", "nodeClass": "MAC"},
    "createRelatedItem": {"file": TEXT_FILE},
    "createRelatedItemForEntity": {"relEntityType": "NODE", "relEntityId": 2},
    "createRelatedItemForEntity_1": [{"relEntityType": "NODE", "relEntityId": 2}],
    "createKnowledgeBaseArticles": [{"name": "Example"}],
    "createStagedDevice": PLACE,
    "createTag": {"name": "Example"},
    "createUnmanagedDevicePublicApi": PLACE,
    "create_1": TICKET,
    "decommissionUnmanagedDevicePublicApiList": {"nodeIds": [401, 402]},
    "deleteBillingTicketProducts": {"ticketProductIds": [1]},
    "deleteNodeRoles": {"ids": [1001]},
    "exportBillingInvoices": {"invoiceIds": [1]},
    "getInstaller": {"organizationId": 1, "locationId": 1, "installerType": "MAC_PKG"},
    "mergeTags": {"tagIds": [2], "mergeMethod": "MERGE_INTO_EXISTING_TAG", "mergeIntoTagId": 1},
    "nodeApprovalOperation": {"devices": [24]},
    "promoteClientChecklists": [{"id": 1, "name": "Example"}],
    "renameCustomTabPublicApi": {"tabId": 1, "name": "Example"},
    "restoreChecklistTemplate": {"checklistTemplateIds": [1]},
    "archiveChecklistTemplate": {"checklistTemplateIds": [1]},
    "restoreOrganizationChecklists": {"clientChecklistIds": [1]},
    "archiveOrganizationChecklists": {"clientChecklistIds": [1]},
    "runScriptOnDevice": {"type": "SCRIPT", "id": 1},
    "controlWindowsService": {"action": "START"},
    "setBandwidthThrottleForDevice": {"deviceId": 1},
    "submitIntegrityCheckJob": {"deviceId": 1, "planUid": "0f8fad5b-d9cb-469f-a165-70867728950e"},
    "unarchiveBillingInvoices": {"invoiceIds": [1]},
    "updateChecklistTemplates": [{"id": 1, "name": "Example"}],
    "updateCustomTabsDisplay": [{"tabId": 1, "hidden": True}],
    "updateDeviceMaintenance": {"end": 4_000_000_000},
    "updateEndUserCustomTabsOrder": [{"tabId": 3, "position": 1}],
    "updateGlobalCustomTabsOrder": [{"tabId": 4, "position": 1}],
    "updateKnowledgeBaseArticles": [{"id": 1, "name": "Example"}],
    "updateNodeRolePolicyAssignmentForOrganization": [{"nodeRoleId": 201, "policyId": 51}],
    "updateNodeRoles": [{"id": 1001, "name": "Example"}],
    "updateOrganizationChecklists": [{"checklistId": 1, "name": "Example"}],
    "updateOrganizationCustomTabsOrder": [{"tabId": 2, "position": 1}],
    "updateOrganizationDocuments": [{"documentId": 1}],
    "updateRoleCustomTabsOrder": [{"tabId": 1, "position": 1}],
    "updateScanGroup": {"csv": ("new.csv", "device,cve\n", "text/csv")},
    "updateTag": {"name": "Example"},
    "updateUnmanagedDevicePublicApi": {"orgId": 1, "locationId": 1, "name": "Rack"},
    "update_1": {**TICKET, "version": 1, "requesterUid": REQUESTER},
    "uploadKnowledgeBaseArticles": {"organizationId": (None, "1"), "files": TEXT_FILE},
    "uploadTempAttachments": {"files": TEXT_FILE},
}
QUERIES: dict[str, dict[str, Any]] = {"bulkDeleteNodeAttributes": {"fieldNames": "rack"}}
