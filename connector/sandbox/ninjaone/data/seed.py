"""The generated account: tables, and functions that generate organizations, users and tickets.

Everything is a pure function of the seed, so two sandboxes with the same seed have the same data. Field names
are those in the API document; all values are invented, and all domains are reserved for examples.
"""

from __future__ import annotations

from collections.abc import Callable

from connector.sandbox.invented import EPOCH as EPOCH
from connector.sandbox.invented import JSON as JSON
from connector.sandbox.invented import company, company_count, person, places
from connector.sandbox.invented import mix as mix
from connector.sandbox.invented import uid as uid

ROLES: list[JSON] = [
    {"id": 101, "name": "Windows Server", "nodeClass": "WINDOWS_SERVER", "chassisType": "UNKNOWN"},
    {"id": 103, "name": "Linux Server", "nodeClass": "LINUX_SERVER", "chassisType": "UNKNOWN"},
    {"id": 201, "name": "Windows Desktop", "nodeClass": "WINDOWS_WORKSTATION", "chassisType": "DESKTOP"},
    {"id": 202, "name": "Windows Laptop", "nodeClass": "WINDOWS_WORKSTATION", "chassisType": "LAPTOP"},
    {"id": 204, "name": "Linux Desktop", "nodeClass": "LINUX_WORKSTATION", "chassisType": "DESKTOP"},
    {"id": 205, "name": "Mac Laptop", "nodeClass": "MAC", "chassisType": "LAPTOP"},
    {
        "id": 1001,
        "name": "Kiosk",
        "nodeClass": "WINDOWS_WORKSTATION",
        "chassisType": "DESKTOP",
        "custom": True,
    },
    {
        "id": 1002,
        "name": "Meeting Room",
        "nodeClass": "WINDOWS_WORKSTATION",
        "chassisType": "DESKTOP",
        "custom": True,
    },
    {"id": 301, "name": "Unmanaged Device", "nodeClass": "UNMANAGED_DEVICE", "chassisType": "UNKNOWN"},
]

POLICIES: list[JSON] = [
    {"id": 51, "name": "Windows Workstations", "nodeClass": "WINDOWS_WORKSTATION"},
    {"id": 52, "name": "Windows Servers", "nodeClass": "WINDOWS_SERVER"},
    {"id": 53, "name": "Macs", "nodeClass": "MAC"},
    {"id": 54, "name": "Linux Servers", "nodeClass": "LINUX_SERVER"},
    {"id": 55, "name": "Linux Workstations", "nodeClass": "LINUX_WORKSTATION"},
    {"id": 61, "name": "Kiosks", "nodeClass": "WINDOWS_WORKSTATION", "parentPolicyId": 51},
]

SETTINGS: JSON = {
    "trayicon": {"product": "trayicon", "enabled": True, "targets": ["WINDOWS_WORKSTATION"], "options": {}},
    "splashtop": {"product": "splashtop", "enabled": False, "targets": [], "options": {}},
    "backup": {"product": "backup", "enabled": True, "targets": ["WINDOWS_SERVER"], "options": {}},
}

STATUSES: list[JSON] = [
    {"name": name.upper(), "displayName": name, "parentId": number, "statusId": number}
    for name, number in (("New", 1000), ("Open", 2000), ("Waiting", 3000), ("Paused", 4000))
] + [
    {"name": name.upper(), "displayName": name, "parentId": number, "statusId": number}
    for name, number in (("Resolved", 5000), ("Closed", 6000))
]
"""The built-in ticket statuses."""

_TAGS = (
    "leased",
    "spare",
    "loaner",
    "retired",
    "to check",
    "in repair",
    "kiosk",
    "kiosks",
    "field",
    "fields",
)
TAGS = dict(enumerate(_TAGS, 1))
"""The names of tags, keyed by id, as in the device filter's `tagId`. Each device has two tags."""

_SUBJECTS = (
    "Printer does not print",
    "Mailbox is full",
    "New starter needs an account",
    "Laptop is slow",
    "No network in meeting room",
    "Monitor stays black",
)


def roles() -> list[JSON]:
    """Return the device roles, as `getNodeRoles_1` lists them."""
    return [{"custom": False, "created": EPOCH - 90_000_000.0} | role for role in ROLES]


def policies() -> list[JSON]:
    """Return the policies, as `getPolicies` lists them."""
    return [
        {"updated": EPOCH - 900_000.0, "nodeClassDefault": "parentPolicyId" not in policy} | policy
        for policy in POLICIES
    ]


def default_assignments() -> list[JSON]:
    """Return the ids of the default policies of an organization: one for each role."""
    defaults = {policy["nodeClass"]: policy["id"] for policy in POLICIES if "parentPolicyId" not in policy}
    roles = [role for role in ROLES if role["nodeClass"] in defaults]
    return [{"nodeRoleId": role["id"], "policyId": defaults[role["nodeClass"]]} for role in roles]


def organization_count(devices: int) -> int:
    """Return how many organizations an account with this number of devices has."""
    return company_count(devices)


def organizations(seed: int, devices: int) -> list[JSON]:
    """Return organizations 1..M with their locations, whose ids are also contiguous from 1."""
    result: list[JSON] = []
    location_id = 0
    for number in range(1, organization_count(devices) + 1):
        name = company(seed, number)
        locations = []
        for place in places(number):
            location_id += 1
            address = f"{location_id} {name.split()[0]} Street"
            locations.append({"id": location_id, "name": place, "address": address})
        result.append(
            {
                "id": number,
                "name": name,
                "description": f"Example organization {number}",
                "userData": {},
                "nodeApprovalMode": ("AUTOMATIC", "MANUAL")[number % 2],
                "locations": locations,
            }
        )
    return result


def users(seed: int, organization_ids: list[int]) -> list[JSON]:
    """Return four technicians (the first is an administrator) and an end user for each organization.

    Only the first 50 organizations have an end user.
    """
    return [_user(seed, number, None) for number in range(1, 5)] + [
        _user(seed, 4 + organization_id, organization_id) for organization_id in organization_ids[:50]
    ]


def _user(seed: int, number: int, organization_id: int | None) -> JSON:
    first, family = person(seed, number)
    user = {
        "id": number,
        "uid": uid(seed, 11, number),
        "firstName": first,
        "lastName": family,
        "email": f"{first}.{family}.{number}@example.com".lower(),
        "phone": f"+1202555{number:04d}",
        "enabled": True,
        "mustChangePw": False,
        "mfaConfigured": True,
        "invitationStatus": "REGISTERED",
        "assignedDeviceIds": [],
    }
    if organization_id is None:
        everything = number == 1
        return user | {
            "userType": "TECHNICIAN",
            "administrator": everything,
            "permitAllClients": everything,
            "notifyAllClients": False,
            "roles": ["Administrators"] if everything else ["Service Desk"],
        }
    return user | {
        "userType": "END_USER",
        "organizationId": organization_id,
        "deviceIds": [],
        "roles": ["Portal Users"],
    }


def user_roles(people: list[JSON]) -> list[JSON]:
    """Return the user roles, with the `users` who are members."""
    named = (
        (1, "Administrators", "TECHNICIAN"),
        (2, "Service Desk", "TECHNICIAN"),
        (3, "Portal Users", "END_USER"),
    )
    return [
        {
            "id": number,
            "name": name,
            "type": kind,
            "description": f"Example role {number}",
            "members": [member(user) for user in people if name in user["roles"]],
        }
        for number, name, kind in named
    ]


def member(user: JSON) -> JSON:
    """Return a user as a member of a role (`RoleMember`)."""
    return {
        "id": user["id"],
        "email": user["email"],
        "name": f"{user['firstName']} {user['lastName']}",
        "source": "DIRECT",
    }


def tickets(seed: int, count: int, people: list[JSON], organization_of: Callable[[int], int]) -> list[JSON]:
    """Return tickets 1..count. Each is for another device, and created by an end user of its organization."""
    askers = {user["organizationId"]: user for user in people if "organizationId" in user}
    result = []
    for number in range(1, count + 1):
        spread = mix(seed, 12, number)
        organization_id = organization_of(number)
        asker = askers.get(organization_id, people[0])
        result.append(
            {
                "id": 1000 + number,
                "version": 1,
                "nodeId": number,
                "clientId": organization_id,
                "assignedAppUserId": people[spread % 4]["id"],
                "requesterUid": asker["uid"],
                "subject": _SUBJECTS[spread % len(_SUBJECTS)],
                "status": STATUSES[number % len(STATUSES)],
                "type": ("PROBLEM", "QUESTION", "INCIDENT")[number % 3],
                "priority": ("NONE", "LOW", "MEDIUM", "HIGH")[(spread >> 8) % 4],
                "severity": ("NONE", "MINOR", "MODERATE", "MAJOR")[(spread >> 16) % 4],
                "ticketFormId": 1,
                "source": ("TECHNICIAN", "EMAIL", "END_USER")[(spread >> 24) % 3],
                "tags": [],
                "ccList": {"uids": [], "emails": []},
                "createTime": EPOCH - 3600.0 * (count - number),
                "deleted": False,
                "attributeValues": [],
                "additionalAssignedTechnicianIds": [],
            }
        )
    return result


def scan_groups() -> list[JSON]:
    """Return the vulnerability scan groups, as `fetchAllScanGroups` lists them."""
    return [
        {
            "id": 300 + number,
            "groupName": f"example-scan-{number}",
            "fileName": "findings.csv",
            "status": "COMPLETE",
            "vendor": "GENERIC",
            "deviceIdHeader": "device",
            "deviceInternalMapping": "SYSTEM_NAME",
            "cveIdHeader": "cve",
            "lastFileUploadDate": "2026-05-01T06:00:00Z",
            "recordsProcessed": 40 * number,
        }
        for number in (1, 2, 3)
    ]
