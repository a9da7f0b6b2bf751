"""Update an asset. Fields that are not sent may be emptied, so all are read, merged and sent."""

from connector.actions.halopsa import asset_fields, records
from connector.handlers import Inputs, Json, Steps


def handle(inputs: Inputs) -> Steps:
    """Read the asset if fields or custom fields are given, and send the changes."""
    changes = {"users": records.links(inputs.user_ids)}
    if inputs.fields or inputs.customfields:
        asset = inputs.current or records.record_of((yield records.read(asset_fields.ASSET, inputs.asset_id)))
        if inputs.only_given:
            changes |= yield from _only_given(inputs, asset)
            return records.record_of((yield records.with_members(inputs.request(), changes)))
        if inputs.fields:
            assettype_id = inputs.assettype_id or asset["assettype_id"]
            changes["fields"] = yield from asset_fields.for_asset(asset, assettype_id, inputs.fields)
        if inputs.customfields:
            changes["customfields"] = yield from records.custom_fields(asset, inputs.customfields)
    return records.record_of((yield records.with_members(inputs.request(), changes)))


def _only_given(inputs: Inputs, asset: Json) -> Steps:
    """Return only the given fields and custom fields, and not the other fields of the asset."""
    given = {"customfields": records.entries(inputs.customfields) if inputs.customfields else None}
    if inputs.fields:
        given["fields"] = yield from asset_fields.for_new_asset(asset["assettype_id"], inputs.fields)
    return given
