"""Reads and merges the fields of assets. HaloPSA empties fields that an update does not send.

Therefore an update sends all fields. It is rejected if the agent cannot see all fields of the asset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.actions.halopsa.records import (  # type: ignore[import-not-found]
    field_called,
    merged,
    read,
    record_of,
)
from connector.handlers import Json, RowError, Steps, lookup

ASSET = "/api/Asset"


def of_type(assettype_id: int) -> Steps:
    """Return the fields of an asset type, each with its `id` and `name`; they are read once in a run."""
    found = record_of((yield lookup(f"/api/AssetType/{assettype_id}", includedetails=True)))
    return [_as_field(one) for one in found.get("field_list") or found.get("fields") or []]


def _as_field(one: Json) -> Json:
    """Return a field of an asset type in the format of an asset's field, whose members have other names."""
    return {"id": one.get("field_id", one.get("id")), "name": one.get("field_name", one.get("name"))}


def for_new_asset(assettype_id: int, given: Mapping[str, Json]) -> Steps:
    """Return the fields in `given`, keyed by name or id, in the API's format.

    Raises RowError for unknown fields.
    """
    known = yield from of_type(assettype_id)
    return [{"id": _known(known, assettype_id, key)["id"], "value": value} for key, value in given.items()]


def for_asset(asset: Json, assettype_id: int, given: Mapping[str, Json]) -> Steps:
    """Return all fields of an asset as read from the API, with the given values replaced.

    `assettype_id` is the asset's new type. Raises RowError if fields would be emptied.
    """
    number, present = asset["id"], asset.get("fields") or []
    if not present:
        # Some instances return fields only if the request also has the asset type.
        request = read(ASSET, number).with_query("assettype_id", str(asset["assettype_id"]))
        present = record_of((yield request)).get("fields") or []
    _refuse_hidden(number, (yield from of_type(asset["assettype_id"])), present)
    if assettype_id == asset["assettype_id"]:
        for key in given:
            _known(present, assettype_id, key)
        return merged(present, given, "fields", "field")
    shown = {field["id"] for field in present}
    added = [field for field in (yield from of_type(assettype_id)) if field["id"] not in shown]
    return [field for field in merged([*present, *added], given, "fields", "field") if "value" in field]


def _known(fields: Sequence[Json], assettype_id: int, key: str) -> Json:
    return field_called(fields, key, "fields", f"field of the asset type {assettype_id}")


def _refuse_hidden(number: int, declared: Sequence[Json], present: Sequence[Json]) -> None:
    shown = {field["id"] for field in present}
    hidden = [field for field in declared if field["id"] not in shown]
    if hidden:
        raise RowError(
            "forbidden",
            f"asset {number}: its type has {len(declared)} fields and the API shows "
            f"{len(declared) - len(hidden)}: an update would empty {len(hidden)} of them. Give the agent all "
            "asset fields",
        )
