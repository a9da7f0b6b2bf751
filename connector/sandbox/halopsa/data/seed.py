"""The generated account: its configuration, and functions that generate clients, users and tickets.

Companies, locations and devices are those of `connector.sandbox.invented`: client n is the nth company, and
asset n has the serial number of the nth device. Ids of different kinds begin at different numbers, so that
confusing them is noticed.
"""

from __future__ import annotations

from connector.sandbox.invented import JSON, company, person, places, uid

CLIENTS_FROM, SITES_FROM, USERS_FROM, ASSETS_FROM, TICKETS_FROM = 11, 201, 3001, 5001, 2001
"""The first id of the generated records of each kind."""
USERS_PER_CLIENT = 3
TICKETS_PER_CLIENT = 5
SUMMARIES = (
    "Printer prints blank pages",
    "VPN drops every hour",
    "Monitor stays black",
    "Mailbox is full",
    "New starter needs an account",
)

TOP_LEVELS: list[JSON] = [{"id": 1, "name": "Customers"}, {"id": 2, "name": "Prospects"}]
ASSET_GROUPS: list[JSON] = [{"id": 3, "name": "Devices"}, {"id": 4, "name": "Network"}]

TEXT, NUMBER, DATE, LIST = "text", "number", "date", "list"
"""The types of fields, which determine the values that a field accepts."""
FIELDS: list[JSON] = [
    {"id": 44, "name": "Memory", "kind": TEXT},
    {"id": 51, "name": "Model", "kind": TEXT},
    {"id": 52, "name": "Operating System", "kind": TEXT},
    {"id": 53, "name": "Purchase Date", "kind": DATE},
    {"id": 54, "name": "Condition", "kind": LIST, "values": ["New", "Used", "Broken"]},
    {"id": 55, "name": "Cores", "kind": NUMBER},
    {"id": 117, "name": "Serial Number", "kind": TEXT},
    {"id": 118, "name": "Rack", "kind": TEXT},
]
"""The fields of assets. No asset type has field 118."""
ASSET_TYPES: list[JSON] = [
    {"id": 101, "name": "Server", "assetgroup_id": 3, "keyfield_id": 117, "field_ids": [117, 44, 51, 52, 55]},
    {
        "id": 102,
        "name": "Workstation",
        "assetgroup_id": 3,
        "keyfield_id": 117,
        "field_ids": [117, 44, 51, 52, 53, 54],
    },
    {"id": 103, "name": "Mac", "assetgroup_id": 3, "keyfield_id": 117, "field_ids": [117, 44, 51, 52]},
    {"id": 104, "name": "Linux", "assetgroup_id": 3, "keyfield_id": 117, "field_ids": [117, 44, 52]},
    {"id": 109, "name": "Printer", "assetgroup_id": 4, "keyfield_id": 117, "field_ids": [117, 51]},
]
TYPE_OF_DEVICE = (101, 102, 102, 103, 104, 102, 102, 101, 104, 102)
"""The asset types of generated assets: asset n has the item at n - 1 modulo 10."""
HIDDEN_TYPES = frozenset({103, 104})
HIDDEN_FIELDS = frozenset({52})
"""The asset types and fields that an agent with partial access cannot see (see `agent_sees` in `traps`)."""

CUSTOM_FIELDS: list[JSON] = [
    {"id": 201, "name": "CFAssetTag", "entity": "asset", "kind": TEXT},
    {"id": 202, "name": "CFNinjaAlert", "entity": "ticket", "kind": TEXT},
    {"id": 203, "name": "CFResolution", "entity": "ticket", "kind": TEXT},
    {"id": 204, "name": "CFLeaseEnd", "entity": "asset", "kind": DATE},
    {"id": 205, "name": "CFTier", "entity": "client", "kind": LIST, "values": ["Gold", "Silver", "Bronze"]},
    {"id": 206, "name": "CFUPN", "entity": "user", "kind": TEXT},
    {"id": 207, "name": "CFAlertKind", "entity": "ticket", "kind": LIST, "values": ["CONDITION", "SYSTEM"]},
]
RESOLUTION = "CFResolution"
"""The custom field that a ticket needs to be closed, except with `closing=accepted` (see `traps`)."""

NEW_STATUS, REOPENED_STATUS, CLOSED_STATUS = 1, 2, 9
STATUSES: list[JSON] = [
    {"id": 1, "name": "New", "shortname": "New", "closed": False},
    {"id": 2, "name": "In Progress", "shortname": "In Progress", "closed": False},
    {"id": 5, "name": "With User", "shortname": "With User", "closed": False},
    {"id": 8, "name": "Closed Order", "shortname": "Closed Order", "closed": True},
    {"id": 9, "name": "Closed", "shortname": "Closed", "closed": True},
    {"id": 10, "name": "Closed Item", "shortname": "Closed Item", "closed": True},
]
PRIORITIES: list[JSON] = [
    {"id": uid(9, sla, number), "slaid": sla, "priorityid": number, "name": name}
    for sla, names in ((1, ("Critical", "High", "Medium", "Low")), (2, ("Fast", "Normal", "Slow")))
    for number, name in enumerate(names, 1)
]
TICKET_TYPES: list[JSON] = [
    {"id": 21, "name": "Incident", "default_sla": 1, "initial_status": 1},
    {"id": 25, "name": "Alert", "default_sla": 1, "initial_status": 1},
    {"id": 26, "name": "Service Request", "default_sla": 2, "initial_status": 1},
    {"id": 27, "name": "Task", "default_sla": 0, "initial_status": 1},
    {"id": 31, "name": "Change", "default_sla": 1, "initial_status": 1, "forbidden": True},
]
"""The ticket types. The agent cannot create tickets of a type that is `forbidden`. Type 27 has no SLA."""
OUTCOMES: list[JSON] = [
    {"id": 1, "outcome": "Email User", "buttonname": "Email User", "systemid": 0},
    {"id": 7, "outcome": "Internal Note", "buttonname": "Internal Note", "systemid": 0},
    {"id": 12, "outcome": "Close Ticket", "buttonname": "Close Ticket", "systemid": 0, "forbidden": True},
]
"""The outcomes of actions. The agent cannot use an outcome that is `forbidden`."""
CATEGORIES: list[JSON] = [
    {"id": 1, "value": "Hardware", "category_type": 1},
    {"id": 2, "value": "Software", "category_type": 1},
    {"id": 3, "value": "CONDITION", "category_type": 1},
    {"id": 4, "value": "Disk", "category_type": 2},
]
AGENT: JSON = {"id": 4, "name": "API Agent", "email": "api.agent@example.com", "initials": "AA"}
VERSION = "2.250.32"


def clients(seed: int, count: int) -> list[JSON]:
    """Return the clients, with `site_names`."""
    return [
        {
            "id": CLIENTS_FROM + number - 1,
            "name": company(seed, number),
            "toplevel_id": 1,
            "inactive": False,
            "site_names": places(number),
        }
        for number in range(1, count + 1)
    ]


def users(seed: int, client_number: int, site_id: int) -> list[JSON]:
    """Return a client's users: with the login `operator`, with a personal login, and without a login."""
    found = []
    for index in range(USERS_PER_CLIENT):
        number = (client_number - 1) * USERS_PER_CLIENT + index + 1
        first, family = person(seed, number)
        login = ("operator", f"{first}.{family}.{number}".lower(), "")[index]
        found.append(
            {
                "id": USERS_FROM + number - 1,
                "name": f"{first} {family}",
                "firstname": first,
                "surname": family,
                "emailaddress": f"{first}.{family}.{number}@example.com".lower(),
                "login": login,
                "site_id": site_id,
                "inactive": False,
            }
        )
    return found
