"""Endpoints for technicians, end users and contacts, and the list of all of them for ticketing."""

from __future__ import annotations

from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, check_references, shown
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.areas.organizations import set_custom_fields
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import not_found
from connector.sandbox.types import given

CONTACTS = Collection("contact", "Contact")
CONTACTS.serve(
    list="getContacts",
    create="createContact",
    get="getContactById",
    update="updateContact",
    delete="deleteContact",
)
_FIRST_CONTACT_NATURAL_ID = 1_000_000
"""The number that is added to the ids of contacts in the list of all people, so that they follow the
users."""


@operation("getTechnicians")
def get_technicians(call: ApiCall) -> list[JSON]:
    """Return all technicians."""
    return [_shown(user) for user in call.state.users.values() if user["userType"] == "TECHNICIAN"]


@operation("getTechnician")
def get_technician(call: ApiCall, id: int) -> JSON:
    """Return one technician."""
    return _shown(_user(call.state, id, "TECHNICIAN"))


@operation("createTechnician")
def create_technician(call: ApiCall) -> JSON:
    """Create a technician, who is not yet registered."""
    kind = {"userType": "TECHNICIAN", "administrator": False, "permitAllClients": False}
    return _shown(_add(call.state, call.body, {**kind, "notifyAllClients": False}))


@operation("updateTechnician")
def update_technician(call: ApiCall, id: int) -> None:
    """Change the given names of a technician."""
    _user(call.state, id, "TECHNICIAN").update(given(call.body, "firstName", "lastName"))


@operation("deleteTechnician")
def delete_technician(call: ApiCall, id: int) -> None:
    """Delete the technician, also as a member of roles and as the owner of devices."""
    _remove(call.state, _user(call.state, id, "TECHNICIAN"))


@operation("getEndUsers_1")
def get_end_users(call: ApiCall) -> list[JSON]:
    """Return all end users."""
    return [_shown(user) for user in call.state.users.values() if user["userType"] == "END_USER"]


@operation("getEndUsers")
def get_organization_end_users(call: ApiCall, id: int) -> list[JSON]:
    """Return the end users of one organization, on request with their roles."""
    call.state.organization(id)
    hidden = set() if call.query.get("includeRoles") else {"roles"}
    return [
        {name: value for name, value in shown(user, "User").items() if name not in hidden}
        for user in call.state.users.values()
        if user.get("organizationId") == id
    ]


@operation("getEndUser")
def get_end_user(call: ApiCall, id: int) -> JSON:
    """Return one end user."""
    return _shown(_user(call.state, id, "END_USER"))


@operation("createEndUser")
def create_end_user(call: ApiCall) -> JSON:
    """Create an end user, and send an invitation if requested."""
    check_references(call.state, call.body)
    more = {"organizationId": call.body.get("organizationId") or min(call.state.organizations)}
    more |= {"fullPortalAccess": bool(call.body.get("fullPortalAccess")), "deviceIds": []}
    return _shown(_add(call.state, call.body, {"userType": "END_USER", **more}))


@operation("patchEndUser")
def update_end_user(call: ApiCall, id: int) -> JSON:
    """Change the given fields of an end user."""
    user = _user(call.state, id, "END_USER")
    check_references(call.state, call.body)
    user |= given(call.body, "firstName", "lastName", "organizationId", "fullPortalAccess")
    return _shown(user)


@operation("deleteEndUser")
def delete_end_user(call: ApiCall, id: int) -> None:
    """Delete the end user, also as a member of roles and as the owner of devices."""
    _remove(call.state, _user(call.state, id, "END_USER"))


@operation("patchEndUserDeviceAccess")
def update_device_access(call: ApiCall, id: int) -> JSON:
    """Set the devices that the user can access, from `deviceIds`, which the API document lacks."""
    user = _user(call.state, id, "END_USER")
    device_ids = call.body.get("deviceIds")
    if isinstance(device_ids, list):
        user["accessibleDeviceIds"] = [call.state.device(device_id).id for device_id in device_ids]
    return _shown(user)


@operation("getNodeCustomFields_3")
def get_end_user_fields(call: ApiCall, id: int) -> JSON:
    """Return the custom fields of the end user that have a value."""
    _user(call.state, id, "END_USER")
    return call.state.custom_fields.get(("end_user", id), {})


@operation("updateNodeAttributeValues_3")
def update_end_user_fields(call: ApiCall, id: int) -> None:
    """Set custom fields of the end user; null removes a value."""
    _user(call.state, id, "END_USER")
    set_custom_fields(call.state, "end_user", id, call.body)


@operation("getContacts_1")
def get_ticketing_contacts(call: ApiCall) -> list[JSON]:
    """Return the contacts, in the format of ticketing."""
    return [
        shown(contact, "ContactResponseDTO")
        | {
            "clientId": contact["organizationId"],
            "clientName": call.state.organizations[contact["organizationId"]]["name"],
            "displayName": " ".join(given(contact, "firstName", "lastName").values()),
            "createTime": EPOCH,
            "updateTime": EPOCH,
        }
        for contact in CONTACTS.items(call.state).values()
        if contact.get("organizationId") in call.state.organizations
    ]


@operation("getAllUserAndContacts")
def get_users_and_contacts(call: ApiCall) -> list[JSON]:
    """Return a page of the users and contacts for tickets (pager `anchorNaturalId`)."""
    query = call.query
    people = [
        *(_person(user, user["userType"], user["id"]) for user in call.state.users.values()),
        *(
            _person(contact, "CONTACT", _FIRST_CONTACT_NATURAL_ID + contact["id"])
            for contact in CONTACTS.items(call.state).values()
        ),
    ]
    words = query.get("searchCriteria", "").casefold()
    found = [
        person
        for person in people
        if int(person["naturalId"]) > query.get("anchorNaturalId", 0)
        and query.get("userType", person["userType"]) == person["userType"]
        and query.get("clientId", person.get("clientId")) == person.get("clientId")
        and words in " ".join(given(person, "firstName", "lastName", "email").values()).casefold()
    ]
    return found[: query.get("pageSize", 50)]


def _person(entry: JSON, kind: str, natural_id: int) -> JSON:
    person = given(entry, "id", "uid", "firstName", "lastName", "email")
    person |= {"userType": kind, "naturalId": str(natural_id)}
    if entry.get("organizationId"):
        person["clientId"] = entry["organizationId"]
    return person


def _shown(user: JSON) -> JSON:
    """Return a user in the format of technicians or of end users."""
    resource = "Technician" if user["userType"] == "TECHNICIAN" else "EndUser"
    defaults: JSON = {"authType": "NATIVE", "scimUser": False}
    if resource == "EndUser":
        defaults |= {"fullPortalAccess": False, "accessibleDeviceIds": []}
    return shown(defaults | user, resource)


def _user(state: State, user_id: int, kind: str) -> JSON:
    user = state.users.get(user_id)
    if user is None or user["userType"] != kind:
        raise not_found("technician" if kind == "TECHNICIAN" else "end_user")
    return user


def _add(state: State, body: JSON, more: JSON) -> JSON:
    number = state.next_number("user", len(state.users) + 1)
    user: dict[str, Any] = {
        "id": number,
        "uid": state.fresh_uid(),
        "enabled": True,
        "mustChangePw": True,
        "mfaConfigured": False,
        "invitationStatus": "PENDING",
        "assignedDeviceIds": [],
        "roles": [],
        **given(body, "firstName", "lastName", "email", "phone"),
        **more,
    }
    state.users[number] = user
    return user


def _remove(state: State, user: JSON) -> None:
    del state.users[user["id"]]
    for role in state.user_roles.values():
        role["members"] = [member for member in role["members"] if member["id"] != user["id"]]
    for device_id in user["assignedDeviceIds"]:
        if state.fleet.exists(device_id):
            state.fleet.change(device_id).fields["assignedOwnerUid"] = None
