"""The kinds of runs: actions of every effect, and how to find the row of a request in the sandbox's log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]
"""One request in the sandbox's log: see `connector.sandbox.request_log`."""

MISSING, NO_DEVICE = 7, 1_000_000
"""With gaps, rows whose number is divisible by the first value name a device that does not exist, whose id is
their number plus the second value."""
WITHOUT_FIELD = 11
"""Rows whose number is divisible by this lack the field of the templates, so nothing is sent for them."""


@dataclass(frozen=True)
class Kind:
    """A run's action and templates over rows `{"n": NUMBER}`.

    `row_of` returns the row of a request, whose number is in the path or in the body (which is not logged if
    the connection was reset before it was read). `once` are the methods that must not be repeated;
    `looks_up` is what the first row reads for all of them; `fits` is whether a result belongs to a row. With
    `gaps`, the devices of some rows do not exist.
    """

    name: str
    action: str
    templates: dict[str, str]
    path: str
    mark: str = ""
    once: tuple[str, ...] = ()
    looks_up: str = ""
    fits: Callable[[Any, int], bool] = lambda result, row: result is None
    gaps: bool = False

    def row_of(self, entry: Entry) -> int | None:
        """Return the number of the row of a request, or None if it cannot be determined."""
        by_path = re.fullmatch(self.path, entry["path"])
        found = by_path or (re.search(self.mark, json.dumps(entry["body"])) if self.mark else None)
        return int(found[1]) % NO_DEVICE if found else None

    def code(self, row: int) -> str | None:
        """Return how a row ends without faults."""
        if row % WITHOUT_FIELD == 0:
            return "template_error"
        return "not_found" if self.gaps and row % MISSING == 0 else None


DEVICE = f"{{{{ n if n % {MISSING} else {NO_DEVICE} + n }}}}"

READ = Kind(
    "read",
    "get_device",
    {"device_id": DEVICE},
    path=r"/v2/device/(\d+)",
    fits=lambda result, row: result["id"] == row,
    gaps=True,
)
UPDATE = Kind(
    "idempotent write",
    "update_device",
    {"device_id": DEVICE, "display_name": "Device {{ n }}"},
    path=r"/v2/device/(\d+)",
    gaps=True,
)
REBOOT = Kind(
    "non-idempotent write",
    "reboot_device",
    {"device_id": DEVICE, "mode": "NORMAL", "reason": "Row {{ n }}"},
    path=r"/v2/device/(\d+)/reboot/NORMAL",
    once=("POST",),
    gaps=True,
)
TICKET = Kind(
    "non-idempotent write with a result",
    "create_ticket",
    {"client_id": "1", "ticket_form_id": "1", "subject": "Row {{ n }}."},
    path=r"never",
    mark=r'"Row (\d+)\."',
    once=("POST",),
    fits=lambda result, row: result["subject"] == f"Row {row}.",
)
ORGANIZATION = Kind(
    "two writes a row",
    "create_organization",
    {"name": "Row {{ n }}.", "fields": '{"siteCode": "Row {{ n }}."}'},
    path=r"never",
    mark=r'"Row (\d+)\."',
    once=("POST",),
    looks_up="/v2/custom-fields",
    fits=lambda result, row: result["name"] == f"Row {row}.",
)
CLOSE = Kind(
    "a read and up to three writes a row",
    "update_ticket",
    {"ticket_id": "{{ 1000 + n }}", "status": "CLOSED"},
    path=r"/v2/ticketing/ticket/1(\d+)",
    once=("PUT",),
    fits=lambda result, row: result["id"] == 1000 + row,
)
SCRIPT = Kind(
    "script",
    "run_script",
    {"device_id": "{{ n }}", "type": "SCRIPT", "script_id": "1"},
    path=r"/v2/device/(\d+)/script/run",
    once=("POST",),
)
ONE_DEVICE = Kind(
    "updates of one device",
    "update_device",
    {"device_id": "1", "display_name": "Row {{ n }}."},
    path=r"never",
    mark=r'"Row (\d+)\."',
)
DELETE = Kind("deletion", "delete_contact", {"contact_id": "{{ n }}"}, path=r"/v2/contact/(\d+)")
LIST = Kind("read of a list", "list_devices", {"limit": "{{ 0 * n + 50 }}"}, path=r"never")
"""It is larger as CSV than as JSON because of its quotation marks."""
