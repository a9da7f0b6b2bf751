"""Endpoints for the configuration: top levels, asset types, fields, statuses, priorities and more."""

from __future__ import annotations

from typing import Any

from connector.sandbox.halopsa.api.call import LIST, HaloCall, endpoint, flag, integer, query
from connector.sandbox.halopsa.api.custom import custom_type
from connector.sandbox.halopsa.api.lists import contains, ordered, page
from connector.sandbox.halopsa.api.writes import RETURN_ALL, Writer, write
from connector.sandbox.halopsa.data.seed import CATEGORIES, DATE, NUMBER, TEXT
from connector.sandbox.halopsa.data.seed import LIST as CHOICE
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.errors import InvalidRecordError, forbidden, not_found
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse
from connector.sandbox.types import Anything

_KINDS = {"numeric": NUMBER, "date": DATE}
_HIDDEN = ("closed", "forbidden", "kind", "values", "field_ids", "entity")
"""Members of stored records that responses do not include."""


def _shown(record: JSON) -> JSON:
    return {name: value for name, value in record.items() if name not in _HIDDEN}


@endpoint("GET", "/TopLevel", "listTopLevels", query={**LIST, **query("show_all", "type")})
def list_top_levels(call: HaloCall) -> JSON:
    """Return a page of the top levels."""
    rows = [row for row in call.state.top_levels.values() if contains(call, "search", row["name"])]
    return page(call, "tree", ordered(call, rows), _shown)


# Endpoints for asset groups, asset types, and fields.


@endpoint("GET", "/AssetGroup", "listAssetGroups", query=query("includetypesforgroups", "type"))
def list_groups(call: HaloCall) -> list[JSON]:
    """Return the asset groups."""
    return [_shown(group) for group in call.state.asset_groups.values()]


def _check_name(record: JSON, path: str) -> None:
    if not record.get("id") and not str(record.get("name") or "").strip():
        raise InvalidRecordError(f"{path}.name", "A name must be entered.")


def _check_group(call: HaloCall, record: JSON, path: str) -> None:
    if record.get("id") and record["id"] not in call.state.asset_groups:
        raise not_found("AssetGroup", record["id"])
    _check_name(record, path)


def _save_group(call: HaloCall, record: JSON) -> int:
    groups = call.state.asset_groups
    number = int(record.get("id") or call.state.next_number("groups", groups))
    groups[number] = groups.get(number, {"id": number}) | {"name": record.get("name", "")}
    return number


_GROUPS = Writer("Generic", _check_group, _save_group, lambda call, id: _shown(call.state.asset_groups[id]))


@endpoint("POST", "/AssetGroup", "saveAssetGroups", query=RETURN_ALL, body=Anything())
def save_groups(call: HaloCall) -> ServerResponse:
    """Create or rename asset groups."""
    return write(call, _GROUPS)


@endpoint("GET", "/AssetType", "listAssetTypes", query=query("assetgroup_id"))
def list_types(call: HaloCall) -> list[JSON]:
    """Return the asset types that the agent is allowed to see."""
    group = integer(call, "assetgroup_id")
    return [
        _type_row(call.state, kind)
        for kind in call.state.asset_types.values()
        if call.state.sees_type(kind["id"]) and group in (None, kind["assetgroup_id"])
    ]


def _type_row(state: State, kind: JSON) -> JSON:
    group = state.asset_groups.get(kind["assetgroup_id"], {})
    key = state.fields.get(kind.get("keyfield_id", 0), {})
    return _shown(kind) | {"assetgroup_name": group.get("name", ""), "keyfield_name": key.get("name", "")}


@endpoint("GET", "/AssetType/{id}", "getAssetType", query=query("includedetails", "fieldsandlayoutonly"))
def get_type(call: HaloCall, id: int) -> JSON:
    """Return an asset type with all its fields, including those that the agent cannot see on assets."""
    state = call.state
    if id not in state.asset_types:
        raise not_found("AssetType", id)
    if not state.sees_type(id):
        raise forbidden(state.traps)
    kind = state.asset_types[id]
    fields = [
        {"field_id": number, "field_name": state.fields[number]["name"], "sequence": index}
        for index, number in enumerate(kind["field_ids"], 1)
        if number in state.fields
    ]
    listed = [_field_row(state.fields[number]) for number in kind["field_ids"] if number in state.fields]
    return _type_row(state, kind) | {"fields": fields, "field_list": listed}


def _check_type(call: HaloCall, record: JSON, path: str) -> None:
    if record.get("id") and record["id"] not in call.state.asset_types:
        raise not_found("AssetType", record["id"])
    _check_name(record, path)
    group = record.get("assetgroup_id")
    if group not in call.state.asset_groups and not (record.get("id") and group is None):
        raise InvalidRecordError(f"{path}.assetgroup_id", "An asset group must be selected.")
    for index, item in enumerate(record.get("fields") or []):
        if _field_id(item) not in call.state.fields:
            raise InvalidRecordError(f"{path}.fields[{index}].field_id", "The field does not exist.")


def _field_id(item: Any) -> Any:
    return item.get("field_id", item.get("id")) if isinstance(item, dict) else None


def _save_type(call: HaloCall, record: JSON) -> int:
    types = call.state.asset_types
    number = int(record.get("id") or call.state.next_number("types", types))
    kind = types.setdefault(number, {"id": number, "name": "", "keyfield_id": 0, "field_ids": []})
    for name in ("name", "assetgroup_id", "keyfield_id"):
        if record.get(name) is not None:
            kind[name] = record[name]
    if record.get("fields") is not None:
        before = kind["field_ids"] if call.state.traps.is_on("sub_arrays", "merge") else []
        kind["field_ids"] = list(dict.fromkeys([*before, *map(_field_id, record["fields"])]))
    return number


_TYPES = Writer("Xtype", _check_type, _save_type, get_type)


@endpoint("POST", "/AssetType", "saveAssetTypes", query=RETURN_ALL, body=Anything())
def save_types(call: HaloCall) -> ServerResponse:
    """Create or update asset types."""
    return write(call, _TYPES)


@endpoint("GET", "/Field", "listFields", query=query("kind", "type_id"))
def list_fields(call: HaloCall) -> list[JSON]:
    """Return the fields of assets, or those of one asset type."""
    kind = call.state.asset_types.get(integer(call, "type_id") or 0)
    numbers = list(call.state.fields) if kind is None else kind["field_ids"]
    return [_field_row(call.state.fields[number]) for number in numbers if call.state.sees_field(number)]


@endpoint("GET", "/Field/{id}", "getField", query=query("includedetails", "kind"))
def get_field(call: HaloCall, id: int) -> JSON:
    """Return one field."""
    if id not in call.state.fields:
        raise not_found("Field", id)
    return _field_row(call.state.fields[id])


def _field_row(field: JSON) -> JSON:
    validate = {kind: name for name, kind in _KINDS.items()}.get(field["kind"], "")
    choices = [{"id": number, "name": name} for number, name in enumerate(field.get("values", ()), 1)]
    return _shown(field) | {"validate": validate, "lookup": 1 if choices else 0, "values": choices}


def _check_field(call: HaloCall, record: JSON, path: str) -> None:
    if record.get("id") and record["id"] not in call.state.fields:
        raise not_found("Field", record["id"])
    _check_name(record, path)


def _save_field(call: HaloCall, record: JSON) -> int:
    fields = call.state.fields
    number = int(record.get("id") or call.state.next_number("fields", fields))
    field = fields.setdefault(number, {"id": number, "name": "", "kind": TEXT})
    field["name"] = record.get("name") or field["name"]
    if record.get("validate") is not None:
        field["kind"] = _KINDS.get(record["validate"], TEXT)
    if record.get("values"):
        field |= {"kind": CHOICE, "values": [str(value.get("name")) for value in record["values"]]}
    return number


_FIELDS = Writer("Field", _check_field, _save_field, lambda call, id: _field_row(call.state.fields[id]))


@endpoint("POST", "/Field", "saveFields", query=RETURN_ALL, body=Anything())
def save_fields(call: HaloCall) -> ServerResponse:
    """Create or update fields."""
    return write(call, _FIELDS)


# Endpoints for statuses, priorities, types and outcomes of tickets.


_USAGE = {"ticket": 1, "asset": 2, "user": 3, "client": 4, "site": 5}
"""HaloPSA's number for each kind of record that can have custom fields."""


@endpoint("GET", "/FieldInfo", "listCustomFields", query=query("typeid", "includevalues"))
def list_custom_fields(call: HaloCall) -> list[JSON]:
    """Return the custom fields."""
    usage = integer(call, "typeid")
    return [
        _shown(field)
        | {
            "label": field["name"].removeprefix("CF"),
            "type": custom_type(field),
            "custom": 1,
            "usage": _USAGE[field["entity"]],
            "values": [{"id": n, "name": value} for n, value in enumerate(field.get("values", ()), 1)],
        }
        for field in call.state.custom_fields.values()
        if usage in (None, _USAGE[field["entity"]])
    ]


@endpoint("GET", "/Status", "listStatuses", query=query("excludeclosed", "type"))
def list_statuses(call: HaloCall) -> list[JSON]:
    """Return the statuses of tickets."""
    rows = call.state.statuses.values()
    return [_shown(row) for row in rows if not (row["closed"] and flag(call, "excludeclosed"))]


@endpoint("GET", "/Priority", "listPriorities", query=query("slaid"))
def list_priorities(call: HaloCall) -> list[JSON]:
    """Return the priorities of all SLAs.

    Their `id` is a GUID; tickets refer to `priorityid`.
    """
    sla = integer(call, "slaid")
    return [dict(row) for row in call.state.priorities if sla in (None, row["slaid"])]


@endpoint("GET", "/TicketType", "listTicketTypes", query=query("client_id", "showall"))
def list_ticket_types(call: HaloCall) -> list[JSON]:
    """Return the types of tickets."""
    return [
        _shown(row) | {"default_sla": sla_of(call.state, row["id"])}
        for row in call.state.ticket_types.values()
    ]


def sla_of(state: State, type_id: int) -> int:
    """Return the id of the SLA of a ticket type, or 0 if it has none."""
    return int(state.ticket_types[type_id]["default_sla"]) if state.traps.is_on("type_sla", "set") else 0


@endpoint("GET", "/Outcome", "listOutcomes", query=query("tickettype_id", "showhidden"))
def list_outcomes(call: HaloCall) -> list[JSON]:
    """Return the outcomes of actions."""
    return [_shown(row) for row in call.state.outcomes.values()]


@endpoint("GET", "/Category", "listCategories", query=query("type_id"))
def list_categories(call: HaloCall) -> list[JSON]:
    """Return the categories of tickets."""
    kind = integer(call, "type_id")
    return [dict(row) for row in CATEGORIES if kind in (None, row["category_type"])]


@endpoint("GET", "/SoftwareLicence", "listLicences", query={**LIST, **query("client_id", "includeinactive")})
def list_licences(call: HaloCall) -> JSON:
    """Return a page of the software licenses; some instances have none."""
    if call.state.traps.is_on("software_module", "off"):
        raise forbidden(call.state.traps)
    rows = ordered(call, call.state.licenses.values())
    return page(call, "licences", rows, _shown)
