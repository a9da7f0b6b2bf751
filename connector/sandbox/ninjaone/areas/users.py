"""Endpoints for users, user roles and their members, device roles, and policies."""

from __future__ import annotations

from connector.sandbox.ninjaone.api.collections import shown
from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.data.seed import JSON, member
from connector.sandbox.ninjaone.errors import not_found
from connector.sandbox.types import BOOLEAN, INTEGER, Array, one_of

_KIND = one_of("TECHNICIAN", "END_USER")


@endpoint("GET", "/v2/users", "getUsers", query={"userType": _KIND, "includeRoles": BOOLEAN})
def get_users(call: ApiCall) -> list[JSON]:
    """Return the technicians and end users, on request with their roles."""
    hidden = () if call.query.get("includeRoles") else ("roles",)
    return [
        {key: value for key, value in shown(user, "User").items() if key not in hidden}
        for user in call.state.users.values()
        if call.query.get("userType", user["userType"]) == user["userType"]
    ]


@endpoint("GET", "/v2/user/roles", "getUserRoles", query={"roleType": _KIND})
def get_user_roles(call: ApiCall) -> list[JSON]:
    """Return the user roles with their members."""
    wanted = call.query.get("roleType")
    return [role for role in call.state.user_roles.values() if wanted in (None, role["type"])]


@endpoint(
    "PATCH",
    "/v2/user/role/{roleId}/add-members",
    "addUserRoleMembers",
    body=Array(INTEGER),
    media_type="*/*",
)
def add_members(call: ApiCall, role_id: int) -> JSON:
    """Add users to the role; the body is an array of user ids."""
    role = role_of(call, role_id)
    users = [_user(call, user_id) for user_id in dict.fromkeys(call.body)]
    present = {entry["id"] for entry in role["members"]}
    role["members"] += [member(user) for user in users if user["id"] not in present]
    for user in users:
        if role["name"] not in user["roles"]:
            user["roles"].append(role["name"])
    return role


@endpoint(
    "PATCH",
    "/v2/user/role/{roleId}/remove-members",
    "removeUserRoleMembers",
    body=Array(INTEGER),
    media_type="*/*",
)
def remove_members(call: ApiCall, role_id: int) -> JSON:
    """Remove users from the role; the body is an array of user ids. Other users are ignored."""
    role = role_of(call, role_id)
    users = [_user(call, user_id) for user_id in dict.fromkeys(call.body)]
    gone = {user["id"] for user in users}
    role["members"] = [entry for entry in role["members"] if entry["id"] not in gone]
    for user in users:
        if role["name"] in user["roles"]:
            user["roles"].remove(role["name"])
    return role


def role_of(call: ApiCall, role_id: int) -> JSON:
    """Return a user role. Raises HttpError 404."""
    if role_id not in call.state.user_roles:
        raise not_found("user_role")
    return call.state.user_roles[role_id]


def _user(call: ApiCall, user_id: int) -> JSON:
    if user_id not in call.state.users:
        raise not_found("user")
    return call.state.users[user_id]


@endpoint("GET", "/v2/roles", "getNodeRoles_1")
def get_roles(call: ApiCall) -> list[JSON]:
    """Return the device roles."""
    return list(call.state.roles.values())


@endpoint("GET", "/v2/policies", "getPolicies")
def get_policies(call: ApiCall) -> list[JSON]:
    """Return the policies."""
    return list(call.state.policies.values())
