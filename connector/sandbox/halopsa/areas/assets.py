"""Endpoints for assets and the software that is installed on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connector.sandbox.halopsa.api.bodies import known_values
from connector.sandbox.halopsa.api.call import LIST, HaloCall, endpoint, flag, integer, query, require_client
from connector.sandbox.halopsa.api.custom import check_custom, save_custom, shown_custom
from connector.sandbox.halopsa.api.lists import ASSET_CAP, page
from connector.sandbox.halopsa.api.writes import RETURN_ALL, Writer, check_value, stored_value, write
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.errors import InvalidRecordError, forbidden, gateway_timeout, not_found
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse
from connector.sandbox.types import Anything

_FILTERS = query(
    *("client_id", "site_id", "assettype_id", "assetgroup_id", "inventory_number", "includeinactive"),
    *("includeassetfields", "integration_type", "user_id", "ticket_id"),
)
_ARRAYS = ("fields", "customfields", "users", "software")


@endpoint("GET", "/Asset", "listAssets", query={**LIST, **_FILTERS})
def list_assets(call: HaloCall) -> JSON:
    """Return a page of the assets, with their fields if the query requests them."""
    typed = integer(call, "assettype_id") is not None
    wants_fields = flag(call, "includeassetfields")
    with_fields = wants_fields and (typed or call.state.traps.is_on("asset_fields", "flag"))
    found = _selected(call)
    return page(call, "assets", found, lambda number: _row(call, number, with_fields=with_fields), ASSET_CAP)


def _selected(call: HaloCall) -> list[int]:
    """Return the ids of the assets that match the query."""
    names = ("client_id", "site_id", "assettype_id", "assetgroup_id", "user_id", "ticket_id")
    wanted = {name: integer(call, name) for name in names}
    texts = {
        name: call.query.get(name) for name in ("inventory_number", "search", "integration_type", "order")
    }
    flags = (flag(call, "includeinactive"), flag(call, "orderdesc"), call.state.traps["agent_sees"])
    key = (*wanted.values(), *texts.values(), *flags)
    return call.state.assets.select(key, lambda: _choose(call, wanted, texts))


def _choose(call: HaloCall, wanted: dict[str, int | None], texts: dict[str, str | None]) -> list[int]:
    state, assets = call.state, call.state.assets
    limited = state.first_client if state.traps["agent_sees"].startswith("one_client") else None
    client_id = wanted["client_id"] if wanted["client_id"] is not None else limited
    found: Iterable[int] = assets.ids() if client_id is None else assets.of_client(client_id)
    if limited not in (None, client_id):
        found = ()
    if not flag(call, "includeinactive") and assets.inactive:
        found = (number for number in found if number not in assets.inactive)
    rest = {name: value for name, value in wanted.items() if value is not None and name != "client_id"}
    if rest or any(texts.values()) or state.traps.is_on("agent_sees", "some_types"):
        found = (number for number in found if _passes(state, number, rest, texts))
    listed = list(found)
    if texts["order"] == "inventory_number":
        listed.sort(key=lambda number: str(assets.values(number)["inventory_number"]))
    return listed[::-1] if texts["order"] and flag(call, "orderdesc") else listed


def _passes(state: State, number: int, wanted: dict[str, int], texts: dict[str, str | None]) -> bool:
    values = state.assets.values(number)
    type_id = values["assettype_id"]
    group = state.asset_types.get(type_id, {}).get("assetgroup_id")
    members = {**values, "assetgroup_id": group}
    if not state.sees_type(type_id):
        return False
    if any(
        members.get(name) != wanted[name]
        for name in ("site_id", "assettype_id", "assetgroup_id")
        if name in wanted
    ):
        return False
    if "user_id" in wanted and wanted["user_id"] not in (state.assets.changes(number).users or []):
        return False
    if "ticket_id" in wanted:
        linked = state.tickets.get(wanted["ticket_id"], {}).get("asset_ids", [])
        if number not in linked:
            return False
    if texts["integration_type"] and not values.get("ninjarmm_id"):
        return False
    if texts["inventory_number"] and values["inventory_number"] != texts["inventory_number"]:
        return False
    search = (texts["search"] or "").casefold()
    return not search or any(
        search in str(text).casefold() for text in (values["inventory_number"], *_texts(state, number))
    )


def _texts(state: State, number: int) -> Iterable[str]:
    return (str(value) for value in state.assets.fields(number).values())


def _row(call: HaloCall, number: int, *, with_fields: bool) -> JSON:
    """Return an asset as an item of a list."""
    state = call.state
    values = state.assets.values(number)
    kind = state.asset_types.get(values["assettype_id"], {})
    fields = state.assets.fields(number)
    row = {
        "id": number,
        **values,
        "key_field": fields.get(kind.get("keyfield_id", 0), ""),
        "client_name": state.clients.get(values["client_id"], {}).get("name", ""),
        "site_name": state.sites.get(values["site_id"], {}).get("name", ""),
        "assettype_name": kind.get("name", ""),
    }
    if with_fields:
        row["fields"] = _shown_fields(state, kind, fields)
    if state.traps.is_on("list_customfields", "yes"):
        row["customfields"] = shown_custom(state, "asset", state.assets.changes(number).custom)
    return row


def _shown_fields(state: State, kind: JSON, fields: dict[int, str]) -> list[JSON]:
    """Return the fields of an asset's type that the agent is allowed to see, with their values."""
    return [
        {"id": field_id, "name": state.fields[field_id]["name"], "value": value, "display": value}
        for field_id in kind.get("field_ids", ())
        if state.sees_field(field_id)
        for value in [fields.get(field_id, "")]
    ]


@endpoint("GET", "/Asset/{id}", "getAsset", query=query("includedetails", "includeactivity", "assettype_id"))
def get_asset(call: HaloCall, id: int) -> JSON:
    """Return one asset with its fields, custom fields and users."""
    state = call.state
    _require(call, id)
    changes = state.assets.changes(id)
    row = _row(call, id, with_fields=True)
    row["customfields"] = shown_custom(state, "asset", changes.custom)
    row["users"] = [
        {"id": number, "name": state.users[number]["name"]}
        for number in changes.users or ()
        if number in state.users
    ]
    return row


def _require(call: HaloCall, number: int) -> None:
    """Raise HttpError 403 or 404 if an asset does not exist, or the agent is not allowed to see it."""
    state = call.state
    if not state.assets.exists(number):
        raise not_found("Asset", number)
    require_client(call, state.assets.client_of(number), "Asset", number)
    if not state.sees_type(state.assets.type_of(number)):
        raise forbidden(state.traps)


def _check(call: HaloCall, record: JSON, path: str) -> None:
    state = call.state
    known: JSON = {}
    if record.get("id"):
        _require(call, record["id"])
        known = state.assets.values(record["id"])
    _check_place(state, record, known, path)
    if (record.get("assettype_id") or known.get("assettype_id")) not in state.asset_types:
        raise InvalidRecordError(f"{path}.assettype_id", "An asset type must be selected.")
    for index, item in enumerate(record.get("fields") or []):
        if not isinstance(item, dict):
            raise InvalidRecordError(f"{path}.fields[{index}]", "Could not convert the value to an object.")
        field = state.fields.get(item.get("id", 0))
        if field is not None:
            check_value(field, item.get("value"), f"{path}.fields[{index}].value")
    for index, user in enumerate(record.get("users") or []):
        if user.get("id") not in state.users:
            raise InvalidRecordError(f"{path}.users[{index}].id", "The user does not exist.")
    check_custom(call, "asset", record, path)


def _check_place(state: State, record: JSON, known: JSON, path: str) -> None:
    """Raise InvalidRecordError unless the site exists and belongs to the client."""
    site_id = record.get("site_id") or (None if record.get("client_id") else known.get("site_id"))
    client_id = record.get("client_id") or known.get("client_id")
    if site_id is None and client_id in state.clients:
        return
    if site_id not in state.sites:
        raise InvalidRecordError(f"{path}.site_id", "A site must be selected.")
    if record.get("client_id") and state.sites[site_id]["client_id"] != client_id:
        raise InvalidRecordError(f"{path}.site_id", "The site belongs to another client.")


def _save(call: HaloCall, record: JSON) -> int:
    state, assets = call.state, call.state.assets
    values = known_values(record, "Device", without=_ARRAYS)
    if state.traps.is_on("external_ids", "ignored"):
        values.pop("ninjarmm_id", None)
    if values.get("site_id"):
        values["client_id"] = state.sites[values["site_id"]]["client_id"]
    elif values.get("client_id"):
        values["site_id"] = state.clients[values["client_id"]]["main_site_id"]
    values |= {"dlastupdate": state.time(state.clock())}
    if record.get("id"):
        number = int(record["id"])
        if record.get("_dontupdatetype"):
            values.pop("assettype_id", None)
        assets.set_values(number, values)
    else:
        new = {"inventory_number": "", "inactive": False, "status_id": 1, "ninjarmm_id": 0, "notes": ""}
        number = assets.add(new | values)
        if not values.get("inventory_number"):
            assets.set_values(number, {"inventory_number": f"A{number:05d}"})
    _save_fields(call, number, record)
    _save_arrays(call, number, record)
    return number


def _save_fields(call: HaloCall, number: int, record: JSON) -> None:
    """Set an asset's fields.

    The other fields of its type are emptied, or kept with `sub_arrays=merge` (see `traps`).
    """
    state, items = call.state, record.get("fields")
    if items is None:
        return
    kind = state.asset_types[state.assets.type_of(number)]
    sent = {item.get("id"): item.get("value") for item in items if item.get("id") in state.fields}
    missing = [field_id for field_id in sent if field_id not in kind["field_ids"]]
    if missing and state.traps.is_on("type_fields", "added") and not record.get("_dontaddnewfields"):
        kind["field_ids"] = [*kind["field_ids"], *missing]
    values = {
        field_id: _text(stored_value(state.fields[field_id], value))
        for field_id, value in sent.items()
        if field_id in kind["field_ids"]
    }
    if state.traps.is_on("sub_arrays", "replace"):
        values = dict.fromkeys(kind["field_ids"], "") | values
    state.assets.set_fields(number, values)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _save_arrays(call: HaloCall, number: int, record: JSON) -> None:
    changes, merges = call.state.assets.change(number), call.state.traps.is_on("sub_arrays", "merge")
    save_custom(call, "asset", changes.custom, record)
    if record.get("users") is not None:
        before = (changes.users or []) if merges else []
        changes.users = list(dict.fromkeys([*before, *(user["id"] for user in record["users"])]))
    if record.get("software") is not None and call.state.traps.is_on("software_module", "on"):
        rows = {row["name"]: row for row in (changes.software or []) if merges}
        for row in record["software"]:
            rows[row.get("name")] = {**rows.get(row.get("name"), {}), **row, "did": number}
        changes.software = list(rows.values())


_ASSETS = Writer("Device", _check, _save, get_asset, dry="_validateonly")


@endpoint("POST", "/Asset", "saveAssets", query=RETURN_ALL, body=Anything())
def save_assets(call: HaloCall) -> ServerResponse:
    """Create or update assets."""
    return write(call, _ASSETS)


@endpoint("DELETE", "/Asset/{id}", "deleteAsset")
def delete_asset(call: HaloCall, id: int) -> JSON:
    """Delete an asset."""
    found = get_asset(call, id)
    call.state.assets.remove(id)
    return found


@endpoint("GET", "/AssetSoftware", "listAssetSoftware", query=query("device_id", "licence_id", "user_id"))
def list_asset_software(call: HaloCall) -> list[JSON]:
    """Return the software of one asset. Without an asset, raises the gateway's timeout (504)."""
    number = integer(call, "device_id")
    if number is not None:
        _require(call, number)
        return _software(call.state, number)
    if call.state.traps.is_on("unfiltered", "times_out"):
        raise gateway_timeout()
    return [row for asset_id in call.state.assets.ids() for row in _software(call.state, asset_id)]


def _software(state: State, number: int) -> list[JSON]:
    rows = state.assets.changes(number).software or []
    return [{"id": number * 1000 + index, "did": number, **row} for index, row in enumerate(rows, 1)]
