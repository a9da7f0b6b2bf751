"""Endpoints for checklist templates and the checklists of organizations."""

from __future__ import annotations

import time
from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, shown
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, not_found
from connector.sandbox.types import given

_ARCHIVED = ("archived", "archiveTime")
_BY: JSON = {"id": 1, "firstName": "Alex", "lastName": "North", "deleted": False}


def _seeded_template(number: int) -> JSON:
    name = ("New employee", "Employee leaves", "Quarterly review", "New customer")[(number - 1) % 4]
    return {
        "id": number,
        "name": f"{name} {number}",
        "description": {"text": f"Example template {number}", "html": f"<p>Example template {number}</p>"},
        "tasks": [{"position": position, "name": f"Step {position}"} for position in (1, 2, 3)],
        "required": number % 2 == 0,
        "lastUpdatedBy": _BY,
        "lastUpdatedOn": EPOCH,
    }


TEMPLATES = Collection(
    "checklist_template", "ChecklistTemplatePublicApiDTO", archived=_ARCHIVED, seed=_seeded_template
)
TEMPLATES.serve(
    list="getChecklistTemplates",
    create="createChecklistTemplates",
    update="updateChecklistTemplates",
    delete=("deleteChecklistTemplate", "deleteChecklistTemplates"),
    archive="archiveChecklistTemplate",
    restore="restoreChecklistTemplate",
    filters={"checklistTemplateIds": "id", "checklistTemplateName": "name", "required": "required"},
)


def _seeded_checklist(number: int) -> JSON:
    tasks = [
        {"id": 10 * number + position, "position": position, "name": f"Step {position}", "completed": False}
        for position in (1, 2, 3)
    ]
    return {
        "id": number,
        "name": f"Checklist {number}",
        "description": {"text": f"Example checklist {number}"},
        "organizationId": 1 + number % 4,
        "required": False,
        "completed": False,
        "tasks": tasks,
        "totalTaskCount": len(tasks),
        "completedTaskCount": 0,
        "lastUpdatedBy": _BY,
        "lastUpdatedOn": EPOCH,
    }


def _settle(call: ApiCall, item: JSON, body: JSON) -> None:
    """Add a checklist's assignee, the ids of its tasks, and the number of completed tasks."""
    state = call.state
    if item.get("organizationId") is None:
        raise invalid("organizationId", "a value")
    if body.get("checklistTemplateId") is not None:
        template = TEMPLATES.find(state, body["checklistTemplateId"])
        for name in ("name", "tasks", "description"):
            item.setdefault(name, template.get(name))
    item["clientName"] = state.organization(item["organizationId"])["name"]
    _assign(state, item, body.get("assignedToUserId"))
    item["_assigned"] = body.get("assignedToUserId")
    item["tasks"] = [_task(state, task) for task in item.get("tasks") or []]
    done = sum(1 for task in item["tasks"] if task["completed"])
    item |= {"totalTaskCount": len(item["tasks"]), "completedTaskCount": done}
    item["completed"] = bool(item["tasks"]) and done == len(item["tasks"])
    item.pop("completedOn", None)
    if item["completed"]:
        item["completedOn"] = time.time()
    item.setdefault("required", False)


def _task(state: State, task: JSON) -> JSON:
    new = given(task, "position", "name", "description", "dueDate")
    new["id"] = task.get("id") or state.next_number("checklist_task", 1000)
    new["completed"] = bool(task.get("completed"))
    if new["completed"]:
        new |= {"completedOn": time.time(), "completedBy": _BY}
    _assign(state, new, task.get("assignedToUserId"))
    return new


def _assign(state: State, item: JSON, user_id: Any) -> None:
    item.pop("assignedTo", None)
    if user_id is not None:
        if user_id not in state.users:
            raise not_found("user")
        item["assignedTo"] = {**given(state.users[user_id], "id", "firstName", "lastName"), "deleted": False}


CHECKLISTS = Collection(
    "checklist", "ClientChecklistPublicApiDTO", archived=_ARCHIVED, seed=_seeded_checklist, settle=_settle
)
CHECKLISTS.serve(
    list="getClientChecklists",
    create="createOrganizationChecklists",
    get="getClientChecklist",
    update="updateOrganizationChecklists",
    delete=("deleteClientChecklist", "deleteClientChecklists"),
    archive="archiveOrganizationChecklists",
    restore="restoreOrganizationChecklists",
    filters={
        "checklistIds": "id",
        "organizationIds": "organizationId",
        "checklistName": "name",
        "assignedToUserId": "_assigned",
        "completed": "completed",
        "required": "required",
    },
)
_SETTABLE = ("name", "description", "required", "dueDate", "assignedToUserId", "organizationId", "tasks")


@operation("createOrganizationChecklistsFromTemplates")
def create_from_templates(call: ApiCall, organization_id: int) -> list[JSON]:
    """Create a checklist from each template, all or none."""
    call.state.organization(organization_id)
    created = []
    for template in [TEMPLATES.find(call.state, template_id) for template_id in call.body]:
        fields = given(template, "name", "description", "tasks", "required")
        fields |= {"organizationId": organization_id}
        item = CHECKLISTS.add(call.state, fields, (*_SETTABLE, "completedOn", "completed", "assignedTo"))
        _settle(call, item, fields)
        created.append(shown(item, CHECKLISTS.resource))
    return created


@operation("promoteClientChecklists_1")
def promote(call: ApiCall) -> None:
    """Create a template from each checklist, all or none."""
    _promote(call, [(checklist_id, None) for checklist_id in call.body])


@operation("promoteClientChecklists")
def promote_with_name(call: ApiCall) -> None:
    """Create templates from checklists, with new names; all or none."""
    _promote(call, [(entry.get("id"), entry.get("name")) for entry in call.body])


def _promote(call: ApiCall, wanted: list[tuple[Any, str | None]]) -> None:
    found = [(CHECKLISTS.find(call.state, checklist_id), name) for checklist_id, name in wanted]
    for checklist, name in found:
        tasks = [given(task, "position", "name", "description") for task in checklist["tasks"]]
        fields = given(checklist, "name", "description", "required") | {"tasks": tasks}
        TEMPLATES.add(call.state, fields | ({"name": name} if name else {}), fields)
