"""The devices of a mock account: generated when they are read, and stored only if they were changed.

A device is a pure function of the seed and its id; `Fleet` stores the changes that requests make. Ids are
contiguous from 1. The id determines the class (1 is a Windows server, 2 a Windows workstation, ...), and the
last 5 % (at least 2, of 10 or more) await approval. Even 200,000 devices take no memory until they are
changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connector.sandbox.invented import serial_number
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, TAGS, mix, uid
from connector.sandbox.ninjaone.errors import not_found

_KINDS: tuple[tuple[str, int, str], ...] = (
    ("WINDOWS_SERVER", 101, "SRV"),
    ("WINDOWS_WORKSTATION", 201, "DSK"),
    ("WINDOWS_WORKSTATION", 202, "LAP"),
    ("MAC", 205, "MAC"),
    ("LINUX_SERVER", 103, "LNX"),
    ("WINDOWS_WORKSTATION", 201, "DSK"),
    ("WINDOWS_WORKSTATION", 202, "LAP"),
    ("WINDOWS_SERVER", 101, "SRV"),
    ("LINUX_WORKSTATION", 204, "UBU"),
    ("WINDOWS_WORKSTATION", 201, "DSK"),
)


UNMANAGED = range(401, 409)
"""The ids of the initial devices without an agent in a small account."""


class Facts(NamedTuple):
    """The properties of a device that device filters test, as generated for each device."""

    id: int
    organization_id: int
    location_id: int
    role_id: int
    node_class: str
    status: str
    offline: bool
    created: float
    tag_ids: tuple[int, ...]


@dataclass
class Changes:
    """The changes of a device since it was generated. None and empty values mean "as generated"."""

    fields: JSON = field(default_factory=dict)
    status: str | None = None
    maintenance: JSON | None = None
    warranty: JSON | None = None
    booted: float | None = None
    tag_ids: tuple[int, ...] | None = None
    overrides_reset: bool = False
    throttle: JSON | None = None
    services: dict[str, JSON] = field(default_factory=dict)


class Fleet:
    """All devices. `locations` has the location ids of each generated organization, keyed by its id."""

    def __init__(self, seed: int, count: int, locations: list[list[int]]) -> None:
        self._seed = seed
        self.count = count
        self._locations = locations
        self._first_pending = count + 1 - (max(2, count // 20) if count >= 10 else 0)
        self._changes: dict[int, Changes] = {}
        self._removed: set[int] = set()
        self._added: dict[int, tuple[Facts, str]] = {}
        self.tags = dict(TAGS)

    def exists(self, device_id: int) -> bool:
        """Return whether a device exists and was not rejected."""
        known = 1 <= device_id <= self.count or device_id in self._added
        return known and device_id not in self._removed

    def add(self, name: str, facts: Facts) -> int:
        """Add a device that a request creates, and return its new id.

        The id replaces the one in `facts`.
        """
        device_id = max(self.count, *self._added, 0) + 1
        self._added[device_id] = (facts._replace(id=device_id), name)
        return device_id

    def keep_unmanaged(self, role_id: int) -> None:
        """Add the initial devices without an agent. They are staged, so no device list has them."""
        if self.count >= UNMANAGED[0] or not self._locations:
            return
        for number in UNMANAGED:
            facts = Facts(
                number, 1, self._locations[0][0], role_id, "UNMANAGED_DEVICE", "STAGED", False, EPOCH, ()
            )
            self._added[number] = (facts, f"Asset {number:04d}")

    def added(self, device_id: int) -> bool:
        """Return whether a device was created by a request, and has not been deleted."""
        return device_id in self._added and device_id not in self._removed

    def rename(self, device_id: int, name: str) -> None:
        """Rename a device that a request created."""
        self._added[device_id] = (self._added[device_id][0], name)

    def require(self, device_id: int) -> int:
        """Return a device's id. Raises HttpError 404 if the device does not exist."""
        if not self.exists(device_id):
            raise not_found("device")
        return device_id

    def change(self, device_id: int) -> Changes:
        """Return the changes of a device, for writing. Raises HttpError 404 if it does not exist."""
        return self._changes.setdefault(self.require(device_id), Changes())

    def changes(self, device_id: int) -> Changes:
        """Return the changes of a device, for reading."""
        return self._changes.get(self.require(device_id)) or Changes()

    def remove(self, device_id: int) -> None:
        """Delete a device."""
        self._removed.add(self.require(device_id))

    def facts(self, device_id: int) -> Facts:
        """Return the current properties of a device that filters test."""
        found = self._added[device_id][0] if device_id in self._added else self._generated(device_id)
        changed = self._changes.get(device_id)
        if changed is None:
            return found
        return found._replace(
            organization_id=changed.fields.get("organizationId", found.organization_id),
            location_id=changed.fields.get("locationId", found.location_id),
            role_id=changed.fields.get("nodeRoleId", found.role_id),
            status=changed.status or found.status,
            tag_ids=found.tag_ids if changed.tag_ids is None else changed.tag_ids,
        )

    def _generated(self, device_id: int) -> Facts:
        spread = mix(self._seed, device_id)
        organization = spread % len(self._locations)
        places = self._locations[organization]
        node_class, role_id, _ = _KINDS[(device_id - 1) % len(_KINDS)]
        return Facts(
            device_id,
            organization + 1,
            places[(spread >> 12) % len(places)],
            role_id,
            node_class,
            "PENDING" if device_id >= self._first_pending else "APPROVED",
            (spread >> 20) % 8 == 0,
            EPOCH - 86_400.0 * (1 + (spread >> 24) % 900) + 0.25,
            ((1,), (2,), (), (), ())[(spread >> 34) % 5],
        )

    def matching(self, keep: Callable[[Facts], bool], after: int = 0) -> Iterator[Facts]:
        """Yield the properties of the devices for which `keep` is true, by id, from the one after `after`."""
        for device_id in range(max(after, 0) + 1, self.count + 1):
            if device_id not in self._removed and keep(facts := self.facts(device_id)):
                yield facts
        for device_id in list(self._added):
            if device_id > after and device_id not in self._removed and keep(facts := self.facts(device_id)):
                yield facts

    def system_name(self, device_id: int) -> str:
        """Return the host name of a device, for example `SRV-0001`."""
        if device_id in self._added:
            return self._added[device_id][1]
        return f"{_KINDS[(device_id - 1) % len(_KINDS)][2]}-{device_id:04d}"

    def node(self, facts: Facts) -> JSON:
        """Return a device as in lists (`NodeWithDetailedReferences`), without the policy of its role."""
        name = self.system_name(facts.id)
        node: JSON = {
            "id": facts.id,
            "uid": uid(self._seed, 10, facts.id),
            "organizationId": facts.organization_id,
            "locationId": facts.location_id,
            "nodeClass": facts.node_class,
            "nodeRoleId": facts.role_id,
            "approvalStatus": facts.status,
            "offline": facts.offline,
            "displayName": name,
            "systemName": name,
            "dnsName": f"{name.lower().replace(' ', '-')}.corp.example",
            "created": facts.created,
            "lastContact": EPOCH - (7200.5 if facts.offline else 30.5),
            "lastUpdate": EPOCH - 3600.75,
            "tags": [self.tags[tag] for tag in facts.tag_ids if tag in self.tags],
        }
        if changed := self._changes.get(facts.id):
            node |= changed.fields
            node = {key: value for key, value in node.items() if value is not None}
            if maintenance := current_maintenance(changed):
                node["maintenance"] = maintenance
            if changed.warranty:
                node["references"] = {"warranty": changed.warranty}
        return node

    def details(self, facts: Facts) -> JSON:
        """Return a device as in responses to `getDevice`, with the data that its agent reports."""
        if facts.id in self._added:  # the device has no agent
            return self.node(facts)
        return self.node(facts) | _network(facts.id) | self._machine(facts)

    def _machine(self, facts: Facts) -> JSON:
        system = _SYSTEMS[facts.node_class.split("_")[0]]
        server = facts.node_class.endswith("SERVER")
        booted = self.changes(facts.id).booted
        name = self.system_name(facts.id)
        return {
            "os": {
                **system["os"],
                "architecture": "64-bit",
                "lastBootTime": booted or EPOCH - 300_000.0,
                "needsReboot": booted is None and facts.id % 5 == 2,
                "locale": "en-US",
                "language": "English (United States)",
            },
            "system": {
                "name": name,
                "manufacturer": "Example Computing",
                "model": "Rack 2" if server else "Desk 14",
                "serialNumber": serial_number(facts.id),
                "biosSerialNumber": serial_number(facts.id),
                "domain": "corp.example",
                "numberOfProcessors": 1,
                "totalPhysicalMemory": 17_179_869_184,
                "virtualMachine": server,
                "chassisType": "OTHER" if server else "LAPTOP",
            },
            "memory": {"capacity": 17_179_869_184},
            "processors": [_PROCESSOR],
            "volumes": [{"nodeId": facts.id, **system["volume"]}],
            "lastLoggedInUser": "CORP\\operator",
            "deviceType": "AgentDevice",
        }


def current_maintenance(changed: Changes) -> JSON | None:
    """Return the maintenance window of a device (`Maintenance`).

    Its status is PENDING before the start; after the end, there is no window.
    """
    window, now = changed.maintenance, time.time()
    if window is None or now >= window["end"]:
        return None
    return {"status": "IN_MAINTENANCE" if now >= window["start"] else "PENDING", **window}


def _network(device_id: int) -> JSON:
    return {
        "ipAddresses": [f"10.{device_id >> 16}.{device_id >> 8 & 255}.{device_id & 255}"],
        "macAddresses": [f"02:00:5E:{device_id >> 16:02X}:{device_id >> 8 & 255:02X}:{device_id & 255:02X}"],
        "publicIP": f"203.0.113.{device_id % 254 + 1}",
        "notes": [],
    }


_PROCESSOR: JSON = {
    "architecture": "x64",
    "name": "Example CPU 8 @ 2.40GHz",
    "numCores": 4,
    "numLogicalCores": 8,
    "clockSpeed": 2_400_000_000,
    "maxClockSpeed": 2_400_000_000,
}

_VOLUME: dict[str, Any] = {
    "capacity": 511_101_108_224,
    "freeSpace": 207_232_172_032,
    "serialNumber": "0A1B2C3D",
}

_SYSTEMS: dict[str, dict[str, JSON]] = {
    "WINDOWS": {
        "os": {"manufacturer": "Microsoft Corporation", "name": "Windows 11 Pro", "buildNumber": "26100"},
        "volume": {
            "name": "C:",
            "label": "System",
            "deviceType": "Local Disk",
            "fileSystem": "NTFS",
            **_VOLUME,
        },
    },
    "MAC": {
        "os": {"manufacturer": "Apple Inc.", "name": "macOS 26.1", "buildNumber": "25B78"},
        "volume": {
            "name": "/",
            "label": "Macintosh HD",
            "deviceType": "Local Disk",
            "fileSystem": "APFS",
            **_VOLUME,
        },
    },
    "LINUX": {
        "os": {"manufacturer": "Canonical", "name": "Ubuntu 24.04.2 LTS", "buildNumber": "6.8.0-60"},
        "volume": {
            "name": "/dev/sda2",
            "label": "root",
            "deviceType": "Disk",
            "fileSystem": "ext4",
            **_VOLUME,
        },
    },
}
