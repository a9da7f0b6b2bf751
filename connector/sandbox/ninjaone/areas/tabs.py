"""Endpoints for custom tabs: their owners, items, order and visibility."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, shown
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.operations import endpoint_of, operation
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid
from connector.sandbox.types import given

OWNERS = {"role": "NODE_ROLE", "organization": "ORGANIZATION", "end-user": "END_USER", "global": "SYSTEM"}
"""The kinds of tabs, which are part of the path."""
_SEEDS = (
    ("Hardware", "NODE_ROLE", 101),
    ("Contract", "ORGANIZATION", None),
    ("Desk", "END_USER", None),
    ("Everywhere", "SYSTEM", None),
    ("Old notes", "ORGANIZATION", None),
    ("Old hardware", "NODE_ROLE", 201),
)


def _seed(number: int) -> JSON:
    name, kind, entity_id = _SEEDS[number - 1]
    tab: JSON = {"id": number, "name": name, "description": f"Example tab {number}", "entityType": kind}
    tab |= {"entityId": entity_id} if entity_id else {}
    item = {"uiElementType": "TITLE", "uiElementValue": name, "active": True, "uiElementCreateTime": EPOCH}
    return tab | {"default": False, "isDefault": False, "position": number, "items": [item]}


TABS = Collection("custom_tab", "CustomTabPublicApiDTO", count=len(_SEEDS), seed=_seed)
TABS.serve(get="getCustomTabPublicApi", delete="deleteCustomTabPublicApi")


@operation("createCustomTabPublicApi")
def create(call: ApiCall) -> JSON:
    """Create a tab. Without a position, it is the last one of its kind."""
    kind = call.body.get("entityType") or "SYSTEM"
    if kind == "NODE_ROLE":
        if call.body.get("entityId") is None:
            raise invalid("entityId", "a value, for NODE_ROLE")
        call.state.role(call.body["entityId"])
    fields = given(call.body, "name", "description", "entityId", "position")
    settable = ("name", "description", "entityId", "position", "items", "parentTabId")
    own = {"entityType": kind, "position": len(_of(call.state, kind)) + 1}
    tab = TABS.add(call.state, own | fields, settable)
    tab |= {"default": False, "isDefault": False}
    _items(call.state, call.body.get("items"), tab)
    return tab


@operation("updateCustomTabPublicApi")
def update(call: ApiCall, tab_id: int) -> None:
    """Set the items of the tab, or with a role the additional items for that role."""
    tab = TABS.find(call.state, tab_id)
    if call.body.get("roleId") is not None:
        call.state.role(call.body["roleId"])
        extensions = tab.setdefault("_extensions", {})
        extensions[call.body["roleId"]] = _items(call.state, call.body.get("items"), None)
        return
    tab |= given(call.body, "position")
    if call.body.get("items") is not None:
        _items(call.state, call.body["items"], tab)


@operation("renameCustomTabPublicApi")
def rename(call: ApiCall) -> None:
    """Rename the tab, and set its description if it is given."""
    if call.body.get("tabId") is None:
        raise invalid("tabId", "a value")
    tab = TABS.find(call.state, call.body["tabId"])
    tab |= given(call.body, "name", "description")


def _items(state: State, wanted: list[JSON] | None, tab: JSON | None) -> list[JSON]:
    """Return items of a tab as they are stored, and store them in `tab` if given.

    Items that are elements of the user interface get an id.
    """
    items = []
    for body in wanted or []:
        item = given(body, "id", "name", "uiElementUid", "uiElementType", "uiElementValue") | {"active": True}
        if body.get("itemType") == "UI_ELEMENT":
            item.setdefault("uiElementUid", state.fresh_uid())
            item |= {"uiElementCreateTime": time.time(), "uiElementUpdateTime": time.time()}
        items.append(item)
    if tab is not None:
        tab["items"] = items
    return items


@operation("updateCustomTabsDisplay")
def set_visibility(call: ApiCall, role_id: int) -> None:
    """Show or hide tabs for one role; all or none."""
    call.state.role(role_id)
    found = [(TABS.find(call.state, entry.get("tabId")), entry) for entry in call.body]
    for tab, entry in found:
        hidden = tab.setdefault("_hidden", set())
        (hidden.add if entry.get("hidden") else hidden.discard)(role_id)


def _order(kind: str, call: ApiCall, role_id: int | None = None) -> None:
    """Set the positions of tabs; all or none."""
    if role_id is not None:
        call.state.role(role_id)
    found = [(TABS.find(call.state, entry.get("tabId")), entry) for entry in call.body]
    for tab, entry in found:
        if entry.get("position") is None:
            raise invalid("position", "a value")
        tab["position"] = entry["position"]


def _of(state: State, kind: str, role_id: int | None = None) -> list[JSON]:
    found = [
        tab
        for tab in TABS.items(state).values()
        if tab["entityType"] == kind and tab.get("entityId", role_id) in (role_id, None)
    ]
    return sorted(found, key=lambda tab: int(tab["position"]))


def _summary(kind: str, call: ApiCall, role_id: int | None = None) -> list[JSON]:
    """Return the tabs of one kind in order. The API document has no schema for them."""
    if role_id is not None:
        call.state.role(role_id)
    return [
        given(tab, "id", "name", "description", "position")
        | {"entityType": kind, "hidden": role_id in tab.get("_hidden", ())}
        for tab in _of(call.state, kind, role_id)
    ]


def _hierarchy(kind: str, call: ApiCall, tab_id: int, role_id: int | None = None) -> JSON:
    """Return a tab with its items. The API document has no schema for it."""
    if role_id is not None:
        call.state.role(role_id)
    tab: dict[str, Any] = TABS.find(call.state, tab_id)
    items = [*tab["items"], *tab.get("_extensions", {}).get(role_id, [])]
    return shown(tab, TABS.resource) | {"items": items}


for _names, _handle in (
    (
        {
            "role": "getTabSummaryForRole",
            "organization": "getTabSummaryForOrganization",
            "end-user": "getTabSummaryForEndUser",
            "global": "getTabSummaryForGlobal",
        },
        _summary,
    ),
    (
        {
            "role": "getTabHierarchyForRole",
            "organization": "getTabHierarchyForOrganization",
            "end-user": "getTabHierarchyForEndUser",
        },
        _hierarchy,
    ),
    (
        {
            "role": "updateRoleCustomTabsOrder",
            "organization": "updateOrganizationCustomTabsOrder",
            "end-user": "updateEndUserCustomTabsOrder",
            "global": "updateGlobalCustomTabsOrder",
        },
        _order,
    ),
):
    for _owner, _name in _names.items():
        ENDPOINTS.add(endpoint_of(_name, partial(_handle, OWNERS[_owner])))
