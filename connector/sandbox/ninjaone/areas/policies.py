"""Endpoints for device roles, policies and their conditions."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.operations import endpoint_of, operation, operations
from connector.sandbox.ninjaone.data.generated import make, members
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import application_error, invalid, not_found
from connector.sandbox.types import given

CONDITIONS: dict[str, str] = {
    "custom-fields": "CustomFieldPolicyConditionResponse",
    "windows-event": "WindowsEventPolicyConditionResponse",
}
"""The resource for each kind of condition, which is part of the path."""

_SEEDED = (
    (51, "custom-fields", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    (51, "windows-event", "3d813cbb-47fb-32ba-91df-831e1593ac29"),
    (52, "windows-event", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    (52, "custom-fields", "16fd2706-8baf-433b-82eb-8c7fada847da"),
)
"""The generated conditions: policy, kind and id."""


@operation("getNodeRoles")
def get_roles(call: ApiCall) -> list[JSON]:
    """Return the device roles with their ids. The API document declares no response."""
    return list(call.state.roles.values())


@operation("createNodeRoles")
def create_roles(call: ApiCall) -> list[JSON]:
    """Create roles, all or none; return the request. The ids are in the list of roles."""
    state = call.state
    names = {role["name"].casefold(): role["id"] for role in state.roles.values()}
    for body in call.body:
        name = body.get("name") or ""
        if not name.strip():
            raise invalid("name", "a value")
        if name.casefold() in names:
            raise application_error(400, "node_role_name_already_exists")
        if body.get("nodeRoleParentId") is not None:
            state.role(body["nodeRoleParentId"])
        elif body.get("nodeRoleParentName") and body["nodeRoleParentName"].casefold() not in names:
            raise not_found("node_role")
        names[name.casefold()] = 0
    for body in call.body:
        number = state.next_number("node_role", max(state.roles) + 1)
        parent = body.get("nodeRoleParentId") or _named(state, body.get("nodeRoleParentName"))
        role = given(body, "name", "description", "nodeClass", "chassisType", "icon")
        if parent:
            role = {"nodeClass": state.roles[parent]["nodeClass"], **role, "nodeRoleParentId": parent}
        state.roles[number] = {"id": number, "custom": True, "created": time.time(), **role}
    return [{name: value for name, value in body.items() if value is not None} for body in call.body]


def _named(state: State, name: str | None) -> int | None:
    wanted = (name or "").casefold()
    return next((role["id"] for role in state.roles.values() if role["name"].casefold() == wanted), None)


@operation("updateNodeRoles")
def update_roles(call: ApiCall) -> list[JSON]:
    """Change the given fields of roles, all or none; return the request."""
    found = [(_role(call.state, body.get("id")), body) for body in call.body]
    for role, body in found:
        role |= given(body, "name", "description", "icon")
    return [{name: value for name, value in body.items() if value is not None} for body in call.body]


@operation("deleteNodeRoles")
def delete_roles(call: ApiCall) -> None:
    """Delete custom roles, all or none. Built-in roles are not deleted."""
    found = [_role(call.state, number) for number in call.body.get("ids") or []]
    if not all(role.get("custom") for role in found):
        raise application_error(400, "node_role_is_built_in")
    for role in found:
        call.state.roles.pop(role["id"], None)


def _role(state: State, number: Any) -> JSON:
    if number is None:
        raise invalid("id", "a value")
    return state.role(number)


@operation("createPolicy")
def create_policy(call: ApiCall) -> JSON:
    """Create a policy: a root policy, a child of another one, or a copy of one."""
    state, body, mode = call.state, call.body, call.query.get("mode", "NEW")
    if not (body.get("name") or "").strip():
        raise invalid("name", "a value")
    fields = given(body, "name", "description", "nodeClass", "parentPolicyId")
    if mode == "CHILD":
        if body.get("parentPolicyId") is None:
            raise invalid("parentPolicyId", "a value, for mode CHILD")
        fields = {"nodeClass": state.policy(body["parentPolicyId"])["nodeClass"], **fields}
    elif mode == "COPY":
        if "templatePolicyId" not in call.query:
            raise invalid("templatePolicyId", "a value, for mode COPY")
        fields = given(state.policy(call.query["templatePolicyId"]), "nodeClass", "description") | fields
    if "nodeClass" not in fields:
        raise invalid("nodeClass", "a value")
    number = state.next_number("policy", max(state.policies) + 1)
    policy: JSON = {"id": number, "updated": time.time(), "nodeClassDefault": False, **fields}
    state.policies[number] = policy
    return policy


def _conditions(state: State) -> dict[Any, JSON]:
    """Return all conditions, keyed by id, with their policies and kinds."""
    if "policy_condition" not in state.store:
        state.store["policy_condition"] = {
            uid: {"policy": policy, "kind": kind, "item": make(CONDITIONS[kind], policy) | {"id": uid}}
            for policy, kind, uid in _SEEDED
        }
    return state.store["policy_condition"]


def _condition(state: State, policy_id: int, condition_id: str, kind: str | None = None) -> JSON:
    state.policy(policy_id)
    found = _conditions(state).get(condition_id.lower())
    if found is None or found["policy"] != policy_id or kind not in (None, found["kind"]):
        raise not_found("policy_condition")
    return found


def _list(kind: str, call: ApiCall, policy_id: int) -> list[JSON]:
    call.state.policy(policy_id)
    found = _conditions(call.state).values()
    return [entry["item"] for entry in found if (entry["policy"], entry["kind"]) == (policy_id, kind)]


def _get(kind: str, call: ApiCall, policy_id: int, condition_id: str) -> Any:
    return _condition(call.state, policy_id, condition_id, kind)["item"]


def _create(kind: str, call: ApiCall, policy_id: int) -> JSON:
    call.state.policy(policy_id)
    uid, resource = call.state.fresh_uid(), CONDITIONS[kind]
    fields = given(call.body, *members(resource))
    item = {
        "id": uid,
        "conditionName": fields.get("displayName", resource.removesuffix("Response")),
        "enabled": True,
        "inheritance": {"inherited": False, "overridden": False, "sourcePolicyId": policy_id},
        **fields,
    }
    _conditions(call.state)[uid] = {"policy": policy_id, "kind": kind, "item": item}
    return item


@operation("deletePolicyCondition")
def delete_condition(call: ApiCall, policy_id: int, condition_id: str) -> None:
    """Delete the condition, whatever its kind."""
    _condition(call.state, policy_id, condition_id)
    del _conditions(call.state)[condition_id.lower()]


for _name, _facts in operations().items():
    for _kind in CONDITIONS:
        if _facts["path"] == f"/v2/policies/{{policy_id}}/condition/{_kind}":
            ENDPOINTS.add(endpoint_of(_name, partial(_list if _facts["method"] == "GET" else _create, _kind)))
        elif _facts["path"] == f"/v2/policies/{{policy_id}}/condition/{_kind}/{{condition_id}}":
            ENDPOINTS.add(endpoint_of(_name, partial(_get, _kind)))
