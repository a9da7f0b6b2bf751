"""Generates resources of the API document: valid under their schemas, and a pure function of a number.

    make("Contact", 7) -> {"id": 7, "email": "person7@example.com", ...}

A value depends only on the name of its field and the number. Therefore a device's disk is the same in every
response, and `DeviceDiskDrive` has the members of `DiskDrive` and more.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from connector.common.package_data import schema
from connector.sandbox.ninjaone.data.seed import EPOCH, mix, uid

Maker = Callable[[int], Any]
DAY = 86_400.0

_LEFT_OUT = {"references", "psaTicketId", "device", "endUserCustomization", "parentTabId"}
"""The fields that are omitted: those that responses have on request only, those of unknown shape, and
references to records that do not exist."""

_WORDS: dict[str, tuple[str, ...]] = {
    "OSPatch.status": ("MANUAL", "APPROVED", "FAILED", "REJECTED"),
    "OSPatch.type": ("SECURITY_UPDATES", "CRITICAL_UPDATES", "DRIVER_UPDATES", "FEATURE_PACKS"),
    "OSPatch.severity": ("OPTIONAL", "MODERATE", "IMPORTANT", "CRITICAL"),
    "SoftwarePatch.status": ("MANUAL", "APPROVED", "FAILED", "REJECTED"),
    "SoftwarePatch.type": ("PATCH", "INSTALLER"),
    "SoftwarePatch.impact": ("OPTIONAL", "RECOMMENDED", "CRITICAL"),
    "BackupJob.jobStatus": ("COMPLETED", "FAILED", "PROCESSING", "RUNNING", "CANCELED"),
    "BackupJob.planType": ("IMAGE", "FILE_FOLDER"),
    "DeviceAntivirusStatus.productState": ("ON", "OFF", "SNOOZED"),
    "DeviceAntivirusStatus.definitionStatus": ("UP_TO_DATE", "OUT_OF_DATE"),
    "RoleMember.source": ("DIRECT",),
}
"""Values, as in responses of a live account, of fields that the API document declares as plain text."""


@cache
def _text_rules() -> tuple[tuple[re.Pattern[str], Callable[[str, int], str]], ...]:
    """Functions that generate a text for a field; the first pattern that matches the field's name applies."""
    rules: tuple[tuple[str, Callable[[str, int], str]], ...] = (
        (r"email", lambda name, key: f"person{key}@example.com"),
        (r"url$", lambda name, key: f"https://files.example.com/{key}"),
        (r"html", lambda name, key: f"<p>Example {key}</p>"),
        (r"^(phone|sms)", lambda name, key: f"+1202555{key % 10_000:04d}"),
        (r"^firstName$", lambda name, key: ("Alex", "Blake", "Casey", "Drew", "Ellis")[key % 5]),
        (r"^lastName$", lambda name, key: ("Able", "Brook", "Carter", "Dale", "East")[key // 5 % 5]),
        (r"^(dnsServers|defaultGateway|publicIP)$", lambda name, key: f"192.0.2.{key % 254 + 1}"),
        (r"^ipAddress", lambda name, key: f"10.{key >> 16 & 255}.{key >> 8 & 255}.{key & 255}"),
        (r"^macAddress", lambda name, key: f"02:00:5E:{key >> 8 & 255:02X}:{key & 255:02X}:01"),
        (r"^subnetMask$", lambda name, key: "255.255.255.0"),
        (r"^(size|fileSize|linkSpeed|mtu|interfaceIndex)$", lambda name, key: str(1024 + key % 4096)),
        (r"^extension$|fileExtension", lambda name, key: "txt"),
        (r"^mimeType$", lambda name, key: "text/plain"),
        (r"(contentId|quarantineId|[uU]id)$", lambda name, key: _uuid(zlib.crc32(name.encode()), key)),
        (r"[vV]ersion$", lambda name, key: f"{key % 9 + 1}.{key % 4}"),
        (r"^kbNumber$", lambda name, key: f"KB{5_000_000 + key}"),
        (r"^installDate$", lambda name, key: f"2026-{key % 12 + 1:02d}-{key % 28 + 1:02d}"),
        (r"serial", lambda name, key: f"EX{key:07d}"),
        (r"userName$", lambda name, key: "CORP\\operator"),
        (r"^driveLetter$", lambda name, key: "C:"),
        (r"^weekDays$", lambda name, key: "MON"),
        (r"^healthStatus$", lambda name, key: ("HEALTHY", "NEEDS_ATTENTION")[key % 2]),
    )  # fmt: skip
    return tuple((re.compile(pattern), rule) for pattern, rule in rules)


def make(resource: str, key: int) -> Any:
    """Return an instance of a resource; it is always the same for the same number."""
    return maker(resource)(key)


@cache
def maker(resource: str) -> Maker:
    """Return the function that generates instances of a resource."""
    return _maker(resource_schema(resource), resource, "", (resource,))


@cache
def resource_schema(resource: str) -> Any:
    """Return the schema of a resource."""
    return schema(f"ninjaone/{resource}.json")


@cache
def members(resource: str) -> Mapping[str, Any]:
    """Return the declared members of a resource, each with its schema."""
    found: Mapping[str, Any] = resource_schema(resource).get("properties", {})
    return found


def _maker(found: Any, resource: str, name: str, above: tuple[str, ...]) -> Maker:
    if "$ref" in found:
        inner = found["$ref"].removesuffix(".json")
        return _maker(resource_schema(inner), inner, name, (*above, inner))
    if "x-enum" in found:
        return _one_of(name, tuple(found["x-enum"]))
    kind = found.get("type", found.get("x-type"))
    if kind == "object" or "properties" in found:
        return _object(found, resource, name, above)
    if kind == "array":
        if len(above) > 5:
            return lambda key: []
        item = _maker(found["items"], resource, name, above)
        return lambda key: [item(key)]
    if kind == "integer":
        return _integer(name, found.get("format"))
    if kind == "number":
        return _number(name)
    if kind == "boolean":
        return _boolean(name)
    if found.get("format") == "uuid":
        return partial(_uuid, zlib.crc32(name.encode()))
    return _text(resource, name)


def _object(found: Any, resource: str, name: str, above: tuple[str, ...]) -> Maker:
    parts = [
        (member, _maker(inner, resource, member, above))
        for member, inner in found.get("properties", {}).items()
        if member not in _LEFT_OUT and not inner.get("writeOnly") and not _repeats(inner, above)
    ]
    if not parts and name in ("value", "entity", "relEntity"):
        return lambda key: {"text": f"Example {key}"}
    return lambda key: {member: part(key) for member, part in parts}


def _repeats(found: Any, above: tuple[str, ...]) -> bool:
    target = found.get("items", found).get("$ref", "").removesuffix(".json")
    return target in above


def _uuid(salt: int, key: int) -> str:
    return uid(32, salt, key)


def _one_of(name: str, values: tuple[str, ...]) -> Maker:
    salt = zlib.crc32(name.encode())
    return lambda key: values[mix(salt, key) % len(values)]


def _integer(name: str, form: str | None) -> Maker:
    if name in ("id", "parentId", "statusId", "licenseeId"):
        return lambda key: key
    if re.search(r"(Ids?|^org|^templates|channels)$", name):
        return lambda key: 1 + key % 3
    if form == "int64" and re.search(r"Date$", name):
        return lambda key: int(EPOCH - DAY * (key % 900)) * 1000
    if re.search(r"capacity|[sS]pace|[sS]ize$|Bytes|Memory|Total|Uploaded", name):
        return lambda key: 1_073_741_824 * (1 + key % 64)
    if re.search(r"[sS]peed$", name):
        return lambda key: 2_400_000_000
    return lambda key: 1 + key % 8


def _number(name: str) -> Maker:
    if re.search(r"(price|amount|min|max|value)$", name, re.IGNORECASE):
        return lambda key: 1.5 + key % 100
    salt = zlib.crc32(name.encode())
    ahead = 400 * DAY if re.search(r"[eE]nd|[eE]xpir|due", name) else 0.0
    return lambda key: EPOCH + ahead - 3600.0 * (mix(salt, key) % 8000) + 0.5


def _boolean(name: str) -> Maker:
    if re.search(r"rchived|deleted|completed|expired|system$|internal|^is[NF]", name):
        return lambda key: False
    if name in ("enabled", "active"):
        return lambda key: True
    salt = zlib.crc32(name.encode())
    return lambda key: mix(salt, key) % 2 == 0


def _text(resource: str, name: str) -> Maker:
    for known in (f"{resource}.{name}", f"{resource.removeprefix('Device')}.{name}"):
        if known in _WORDS:
            return _one_of(name, _WORDS[known])
    for pattern, rule in _text_rules():
        if pattern.search(name):
            return partial(rule, name)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower() or resource.lower()
    return lambda key: f"Example {words} {key}"
