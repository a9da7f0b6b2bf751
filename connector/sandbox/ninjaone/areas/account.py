"""Endpoints for the account: the webhook, scheduled tasks, notification channels, and links."""

from __future__ import annotations

from urllib.parse import urlsplit

from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.areas.attachments import signed_urls
from connector.sandbox.ninjaone.areas.checklists import CHECKLISTS
from connector.sandbox.ninjaone.areas.documents import DOCUMENTS
from connector.sandbox.ninjaone.areas.knowledge import ARTICLES
from connector.sandbox.ninjaone.areas.users import role_of
from connector.sandbox.ninjaone.data.generated import make, resource_schema
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, uid
from connector.sandbox.ninjaone.errors import invalid, not_found

_TASKS = ("Weekly cleanup", "Monthly report", "Restart of kiosks")
_CHANNELS = (
    ("Service desk", "EMAIL", True),
    ("On call", "SMS", True),
    ("Operations chat", "SLACK", True),
    ("Old pager", "PAGER_DUTY", False),
)
PRODUCTS = 5


@operation("configureWebhook")
def configure_webhook(call: ApiCall) -> None:
    """Set the account's only webhook, to which activities are delivered from now on."""
    address = urlsplit(call.body.get("url") or "")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise invalid("url", "the address of a web server")
    known = resource_schema("Activity")["properties"]["activityType"]["x-enum"]
    for name in call.body.get("activities") or {}:
        if name not in known:
            raise invalid(f"activities.{name}", "an activity type")
    for number in call.body.get("organizationIds") or []:
        call.state.organization(number)
    call.state.webhook = dict(call.body)


@operation("disableWebhook")
def disable_webhook(call: ApiCall) -> None:
    """Remove the account's webhook, if there is one."""
    call.state.webhook = None


@operation("getScheduledTasks")
def get_tasks(call: ApiCall) -> list[JSON]:
    """Return the scheduled tasks."""
    return [
        {
            "id": number,
            "name": name,
            "description": f"Example task {number}",
            "enabled": True,
            "created": EPOCH - 9_000_000.0,
            "lastRun": EPOCH - 90_000.0 * number,
            "runCount": 10 * number,
        }
        for number, name in enumerate(_TASKS, 1)
    ]


@operation("getNotificationChannels")
def get_channels(call: ApiCall) -> list[JSON]:
    """Return the notification channels."""
    return [
        {"id": number, "name": name, "description": f"Example channel {number}", "enabled": on, "type": kind}
        for number, (name, kind, on) in enumerate(_CHANNELS, 1)
    ]


@operation("getEnabledNotificationChannels")
def get_enabled_channels(call: ApiCall) -> list[JSON]:
    """Return the notification channels that are in use."""
    return [channel for channel in get_channels(call) if channel["enabled"]]


@operation("getSoftwareProducts")
def get_products(call: ApiCall) -> list[JSON]:
    """Return the software that can be patched."""
    return [make("SoftwareProduct", number) for number in range(1, PRODUCTS + 1)]


@operation("updateUserRoleOrganizationPermissions")
def set_permissions(call: ApiCall, role_id: int) -> JSON:
    """Store the body with the role and return it. The API document declares no members."""
    role_of(call, role_id)
    permissions = call.state.store.setdefault("role_permissions", {})
    permissions[role_id] = permissions.get(role_id, {}) | call.body
    return {"roleId": role_id, **permissions[role_id]}


@operation("getKnowledgeBaseArticleSignedUrls")
def get_article_urls(call: ApiCall, article_id: int) -> JSON:
    """Return links to an article's attachments."""
    article = ARTICLES.find(call.state, article_id)
    found = [entry["metadata"]["contentId"] for entry in article.get("attachments", [])]
    return signed_urls(*(found or [uid(71, article_id)]))


@operation("getClientChecklistSignedUrls")
def get_checklist_urls(call: ApiCall, checklist_id: int) -> JSON:
    """Return links to a checklist's attachments."""
    return signed_urls(uid(72, CHECKLISTS.find(call.state, checklist_id)["id"]))


@operation("getClientDocumentSignedUrls")
def get_document_urls(call: ApiCall, client_document_id: int) -> JSON:
    """Return links to a document's attachments."""
    return signed_urls(uid(73, DOCUMENTS.find(call.state, client_document_id)["documentId"]))


@operation("getNodeAttributeSignedUrls")
def get_field_urls(call: ApiCall, entity_type: str, entity_id: int) -> JSON:
    """Return links to the files in an entity's custom fields."""
    state = call.state
    if entity_type == "NODE":
        state.device(entity_id)
    elif entity_type == "ORGANIZATION":
        state.organization(entity_id)
    elif entity_type == "LOCATION":
        state.any_location(entity_id)
    elif entity_id not in state.users:
        raise not_found("end_user")
    return signed_urls(uid(74, entity_id))
