"""Writes the types of HaloPSA's records and the names of its query parameters, from the vendor's document.

python -m tests.sandbox.halopsa.make_types halo-openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from connector.sandbox.halopsa.api.bodies import FILE

WRITTEN = (
    *("Actions", "Area", "CustomField", "Device", "DeviceApplications", "Faults", "Field", "Generic"),
    *("Licence_List", "Site", "Tree", "Users", "Webhook", "Xtype"),
)
LISTED = (
    *("/Actions", "/Asset", "/AssetGroup", "/AssetSoftware", "/AssetType", "/Client", "/Field", "/FieldInfo"),
    *(
        "/Outcome",
        "/Priority",
        "/Site",
        "/SoftwareLicence",
        "/Status",
        "/Tickets",
        "/TicketType",
        "/TopLevel",
    ),
    *("/Users", "/Webhook", "/WebhookEvent", "/Client/{id}", "/Site/{id}", "/Users/{id}", "/Asset/{id}"),
    *("/AssetType/{id}", "/Field/{id}", "/Tickets/{id}", "/Actions/{id}"),
)


def compact(document: dict[str, Any]) -> dict[str, Any]:
    """Return the members of each written schema by their types, and the parameters of each listed path."""
    return {
        "members": {name: _members(document["components"]["schemas"][name]) for name in WRITTEN},
        "parameters": {
            path: " ".join(sorted({entry["name"] for entry in document["paths"][path]["get"]["parameters"]}))
            for path in LISTED
        },
    }


def _members(schema: dict[str, Any]) -> dict[str, str]:
    kinds: dict[str, list[str]] = {}
    for name, member in schema["properties"].items():
        kinds.setdefault(_kind(member), []).append(name)
    return {kind: " ".join(sorted(names)) for kind, names in sorted(kinds.items())}


def _kind(member: dict[str, Any]) -> str:
    """Return a type, with its format, or for arrays of a schema with the schema's name."""
    kind = member.get("type", "object" if "$ref" in member else "any")
    if kind == "array":
        items = member["items"].get("$ref", "").rpartition("/")[2]
        return f"array {items}" if items in WRITTEN else "array"
    return " ".join(filter(None, (kind, member.get("format"))))


if __name__ == "__main__":
    found = compact(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
