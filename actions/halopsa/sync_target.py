"""HaloPSA as the target of a sync: reads and writes clients, sites, assets and tickets with its actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connector.actions.halopsa.sync_settings import (  # type: ignore[import-not-found]
    OF_ASSETS,
    Settings,
    custom_field,
    is_custom,
)
from connector.actions.halopsa.sync_tickets import Tickets  # type: ignore[import-not-found]
from connector.handlers import (
    Asset,
    AssetCatalog,
    AssetType,
    Call,
    CallSteps,
    Client,
    Each,
    FieldDefinition,
    Json,
    RowError,
    Site,
    User,
    same_name,
)

_ASSET = {
    "client": "client_id",
    "site": "site_id",
    "type": "assettype_id",
    "stamp": "ninjarmm_id",
    "link": "ninja_url",
    **{name: name for name in ("inventory_number", "notes", "warranty_start", "warranty_end", "inactive")},
    "software": "software",
}
"""The inputs of the asset actions, by the name that the sync has for each value."""


class SyncTarget(Tickets, Settings):
    """The target of a sync. Each method is a generator of action calls."""

    key = "halo"

    def __init__(self) -> None:
        super().__init__()
        self._needs_type: bool | None = None

    # Reading.

    def clients(self) -> CallSteps:
        """Read all clients, inactive ones included."""
        yield Each("halopsa.list_clients", {"include_inactive": True}, lambda rows: map(_client, rows))

    def sites(self) -> CallSteps:
        """Read all sites, inactive ones included."""
        yield Each("halopsa.list_sites", {"include_inactive": True}, lambda rows: map(_site, rows))

    def users(self, client: int) -> CallSteps:
        """Read the users of a client."""
        inputs = {"client_id": client, "include_inactive": True}
        yield Each("halopsa.list_users", inputs, lambda rows: (_user(row, client) for row in rows))

    def catalog(self) -> CallSteps:
        """Read asset types and the fields of assets. The fields of a type are read by `type_fields`."""
        types = yield Call("halopsa.list_asset_types", {})
        fields = yield Call("halopsa.list_asset_fields", {})
        custom = yield Call("halopsa.list_custom_fields", {"include_values": True})
        return AssetCatalog(
            tuple(AssetType(row["id"], row["name"], row.get("assetgroup_id")) for row in types),
            (*map(_field, fields), *(custom_field(row) for row in custom if _is_of_assets(row))),
        )

    def type_fields(self, id: int) -> CallSteps:
        """Read the ids of an asset type's fields."""
        row = yield Call("halopsa.get_asset_type", {"assettype_id": id, "include_details": True})
        found = row.get("field_list") or row.get("fields") or []
        return frozenset(field.get("field_id", field.get("id")) for field in found)

    def assets(self, client: int | None) -> CallSteps:
        """Read the assets of a client, or all assets, with their fields.

        Some instances return fields only if the type is given: then each type's assets are a separate list.
        """
        inputs = {"client_id": client, "include_fields": True, "include_inactive": True}
        if self._needs_type is None:
            first = yield Call("halopsa.list_assets", {**inputs, "limit": 1})
            if first:
                self._needs_type = "fields" not in first[0]
        if not self._needs_type:
            yield Each("halopsa.list_assets", inputs, _assets)
            return
        for kind in (yield Call("halopsa.list_asset_types", {})):
            yield Each("halopsa.list_assets", {**inputs, "assettype_id": kind["id"]}, _assets)

    def asset(self, id: int) -> CallSteps:
        """Read one asset with all of its fields; None if it is deleted."""
        try:
            row = yield Call("halopsa.get_asset", {"asset_id": id, "include_details": True})
        except RowError as error:
            if error.code == "not_found":
                return None
            raise
        return _asset(row, is_whole=True)

    # Writing.

    def save(
        self, entity: str, id: int | None, values: Mapping[str, Json], current: Asset | None
    ) -> CallSteps:
        """Create or update a record, and return its id."""
        call = getattr(self, f"_{entity}")(id, values, current)
        row = yield call
        return id if id is not None else row["id"]

    def _client(self, id: int | None, values: Mapping[str, Json], current: Asset | None) -> Call:
        inputs = {"name": values.get("name"), "toplevel_id": values.get("top_level")}
        inputs |= {"ninjarmm_id": values.get("stamp"), "dont_fire_automations": True}
        if id is not None:
            return Call("halopsa.update_client", {**inputs, "client_id": id})
        return Call("halopsa.create_client", {**inputs, "site_name": values.get("main_site")})

    def _site(self, id: int | None, values: Mapping[str, Json], current: Asset | None) -> Call:
        inputs = {"name": values.get("name"), "ninjarmm_id": values.get("stamp")}
        inputs["dont_fire_automations"] = True
        if id is not None:
            return Call("halopsa.update_site", {**inputs, "site_id": id})
        return Call("halopsa.create_site", {**inputs, "client_id": values["client"]})

    def _type(self, id: int | None, values: Mapping[str, Json], current: Asset | None) -> Call:
        if id is not None:
            inputs = {"assettype_id": id, "add_field_ids": values["fields"]}
            return Call("halopsa.update_asset_type", inputs)
        inputs = {"name": values["name"], "assetgroup_id": values["group"]}
        return Call("halopsa.create_asset_type", {**inputs, "field_ids": values.get("fields") or None})

    def _field(self, id: int | None, values: Mapping[str, Json], current: Asset | None) -> Call:
        validate = {"number": "numeric", "date": "date"}.get(str(values.get("type")))
        return Call("halopsa.create_asset_field", {"name": values["name"], "validate": validate})

    def _asset(self, id: int | None, values: Mapping[int | str, Json], current: Asset | None) -> Call:
        inputs = {input: values[name] for name, input in _ASSET.items() if values.get(name) is not None}
        if "name" in values and "inventory_number" not in inputs:
            inputs["inventory_number"] = values["name"]
        fields = {str(key): value for key, value in values.items() if isinstance(key, int)}
        custom = {key: v for key, v in values.items() if isinstance(key, str) and key.startswith("CF")}
        inputs |= {"fields": fields or None, "customfields": custom or None}
        if "user" in values:
            inputs["user_ids"] = [] if values["user"] is None else [values["user"]]
        if id is None:
            return Call("halopsa.create_asset", {**inputs, "user_ids": inputs.get("user_ids") or None})
        if "type" in values:
            inputs["dont_update_type"] = False
        return Call("halopsa.update_asset", {**inputs, "asset_id": id, "current": current and current.data})

    # Finding records whose creation has an unknown outcome.

    def find(self, entity: str, values: Mapping[str, Json], since: float) -> CallSteps:
        """Find a record whose creation has an unknown outcome; return its id, or None.

        The record must have the stamp, or be the only one with the name and have no stamp.
        """
        if entity == "ticket":
            return (yield from self.find_ticket(values, since))
        if entity == "asset":
            inputs = {"client_id": values["client"], "assettype_id": values["type"]}
            inputs |= {"include_fields": True, "include_inactive": True}
            rows = yield Call("halopsa.list_assets", inputs)
            name = values.get("inventory_number") or values.get("name")
            rows = [row for row in rows if _id(row.get("ninjarmm_id")) or _has_field_of(row, values)]
            return _one_of(rows, values["stamp"], "ninjarmm_id", "inventory_number", name)
        if entity in ("client", "site"):
            inputs = {"client_id": values["client"]} if entity == "site" else {}
            rows = yield Call(f"halopsa.list_{entity}s", {**inputs, "include_inactive": True})
            return _one_of(rows, values["stamp"], "ninjarmmid", "name", values["name"])
        action = "halopsa.list_asset_types" if entity == "type" else "halopsa.list_asset_fields"
        return _one_of((yield Call(action, {})), None, "", "name", values["name"])


def _one_of(rows: Iterable[Json], stamp: Json, stamp_name: str, name_name: str, name: Json) -> int | None:
    """Return the id of the row with the stamp, or of the only row with the name if it has no stamp."""
    rows = list(rows)
    stamped = [row["id"] for row in rows if stamp is not None and _id(row.get(stamp_name)) == stamp]
    if stamped:
        return stamped[0]
    named = [
        row["id"]
        for row in rows
        if name
        and same_name(str(row.get(name_name) or "")) == same_name(str(name))
        and not _id(row.get(stamp_name))
    ]
    return named[0] if len(named) == 1 else None


def _has_field_of(row: Json, values: Mapping[str, Json]) -> bool:
    """Return whether an asset has an identifying value of the new asset, such as its serial number."""
    wanted = {key: str(value) for key, value in values.items() if isinstance(key, int)}
    if not wanted or "fields" not in row:
        return True
    return any(wanted.get(field["id"]) == str(field.get("value")) for field in row["fields"])


# Records.


def _id(value: Json) -> int | None:
    """Return an id as an integer or None: HaloPSA uses 0 for none, and sometimes numbers with decimals."""
    return int(value) if isinstance(value, (int, float)) and value > 0 else None


def _client(row: Json) -> Client:
    active = not row.get("inactive")
    return Client(row["id"], row["name"], active, _id(row.get("ninjarmmid")), _id(row.get("main_site_id")))


def _site(row: Json) -> Site:
    stamp = _id(row.get("ninjarmmid"))
    return Site(row["id"], int(row["client_id"]), row["name"], not row.get("inactive"), stamp)


def _user(row: Json, client: int) -> User:
    values = {name: value for name, value in row.items() if isinstance(value, str) and value}
    return User(row["id"], client, _id(row.get("site_id")), not row.get("inactive"), values)


def _field(row: Json) -> FieldDefinition:
    choices = {value["id"]: value["name"] for value in row.get("values") or [] if "name" in value}
    kind = {"numeric": "number", "date": "date"}.get(str(row.get("validate") or ""), "text")
    return FieldDefinition(row["id"], row["name"], "choice" if choices else kind, choices or None)


def _is_of_assets(row: Json) -> bool:
    return bool(is_custom(row)) and row.get("usage", OF_ASSETS) == OF_ASSETS


def _assets(rows: Iterable[Json]) -> Iterator[Asset]:
    return (_asset(row, is_whole="customfields" in row and "users" in row) for row in rows)


def _asset(row: Json, *, is_whole: bool) -> Asset:
    fields = row.get("fields") or []
    values = {field["id"]: field["value"] for field in fields if field.get("value") not in (None, "")}
    for field in row.get("customfields") or []:
        if field.get("value") not in (None, ""):
            values[field["name"]] = field["value"]
    for name in ("inventory_number", "notes", "warranty_start", "warranty_end"):
        if row.get(name):
            values[name] = row[name]
    if row.get("ninja_url"):
        values["link"] = row["ninja_url"]
    return Asset(
        row["id"],
        int(row["client_id"]),
        _id(row.get("site_id")),
        _id(row.get("assettype_id")),
        row.get("inventory_number") or "",
        not row.get("inactive"),
        _id(row.get("ninjarmm_id")),
        tuple(user["id"] for user in row.get("users") or []),
        values,
        frozenset(field["id"] for field in fields),
        is_whole,
        row if is_whole else None,
    )
