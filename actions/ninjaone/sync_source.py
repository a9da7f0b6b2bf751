"""NinjaOne as the source of a sync: reads organizations, locations, devices and alerts with its actions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby

from connector.handlers import (
    AlertReading,
    Call,
    CallSteps,
    Device,
    Each,
    Json,
    Location,
    Organization,
    RowError,
    convert_time,
)


class SyncSource:
    """The source of a sync. Each method is a generator of action calls."""

    key = "ninja"
    type_members = ("nodeClass", "deviceType")
    """The members of devices that templates of the asset type can use."""

    def organizations(self) -> CallSteps:
        """Read all organizations."""
        yield Each("list_organizations", {}, _organizations)

    def locations(self) -> CallSteps:
        """Read all locations."""
        yield Each("list_locations", {}, _locations)

    def devices(self) -> CallSteps:
        """Read all devices with their warranty, which requires the undocumented parameter `expand`."""
        yield Each("list_devices_detailed", {"expand": "warranty"}, lambda rows: map(_device, rows))

    def custom_fields(self, names: Collection[str]) -> CallSteps:
        """Read these custom fields of all devices that have any."""
        yield Each("report_custom_fields", {"fields": ",".join(names)}, _custom_fields)

    def last_users(self) -> CallSteps:
        """Read the user who last logged on to each device."""
        yield Each("report_logged_on_users", {}, _last_users)

    def software(self) -> CallSteps:
        """Read the software of all devices; a device may be yielded more than once."""
        yield Each("report_software", {}, _software)

    def device(self, id: int) -> CallSteps:
        """Read one device; None if it is deleted."""
        try:
            return _device((yield Call("get_device", {"device_id": id})))
        except RowError as error:
            if error.code == "not_found":
                return None
            raise

    def alerts(self) -> CallSteps:
        """Read all alerts."""
        yield Each("list_alerts", {}, lambda rows: map(_alert, rows))

    def device_alerts(self, device: int) -> CallSteps:
        """Read the alerts of one device."""
        yield Each("list_device_alerts", {"device_id": device}, lambda rows: map(_alert, rows))

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> CallSteps:
        """Reset an alert; it is not an error if the alert no longer exists."""
        try:
            yield Call("reset_alert_with_data", {"alert_uid": uid, "data": dict(note)})
        except RowError as error:
            if error.code != "not_found":
                raise


def _organizations(rows: Iterable[Json]) -> Iterator[Organization]:
    return (Organization(row["id"], row["name"], row) for row in rows)


def _locations(rows: Iterable[Json]) -> Iterator[Location]:
    return (Location(row["id"], row["organizationId"], row["name"], row) for row in rows)


def _device(row: Json) -> Device:
    name = row.get("displayName") or row.get("systemName") or row.get("dnsName") or f"Device {row['id']}"
    return Device(row["id"], row["organizationId"], row.get("locationId"), name, row, _warranty(row))


def _warranty(row: Json) -> tuple[str | None, str | None] | None:
    """Return the dates on which the warranty begins and ends."""
    found = (row.get("references") or {}).get("warranty") or {}
    start, end = (_date(found.get(name)) for name in ("startDate", "endDate"))
    return (start, end) if start or end else None


def _date(seconds: Json) -> str | None:
    return str(convert_time(seconds, "iso"))[:10] if seconds else None


def _custom_fields(rows: Iterable[Json]) -> Iterator[tuple[int, Mapping[str, Json]]]:
    return ((row["deviceId"], row["fields"]) for row in rows if row.get("fields"))


def _last_users(rows: Iterable[Json]) -> Iterator[tuple[int, str]]:
    """Yield (device id, user name) for the latest logon on each device."""
    last: dict[int, tuple[float, str]] = {}
    for row in rows:
        if row.get("userName"):
            logon = (float(row.get("logonTime") or 0), str(row["userName"]))
            last[row["deviceId"]] = max(last.get(row["deviceId"], logon), logon)
    return ((device, name) for device, (_, name) in sorted(last.items()))


def _software(rows: Iterable[Json]) -> Iterator[tuple[int, list[Json]]]:
    """Yield (device id, items) for consecutive items of a device, which are usually all of its items."""
    for device, group in groupby(rows, key=lambda row: row["deviceId"]):
        yield device, sorted(map(_program, group), key=lambda row: (row["name"], row["version"]))


def _program(row: Json) -> dict[str, Json]:
    return {
        "name": str(row.get("name") or ""),
        "version": str(row.get("version") or ""),
        "install_date": row.get("installDate") or None,
    }


def _alert(row: Json) -> AlertReading:
    device = row.get("device") or {}
    return AlertReading(
        row["uid"],
        float(row.get("createTime") or 0),
        row.get("deviceId") or device.get("id"),
        device.get("organizationId"),
        row.get("sourceConfigUid") or "",
        row,
    )
