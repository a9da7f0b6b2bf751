"""Update an asset type. Fields that are not sent may be removed, so all are read and sent."""

from connector.actions.halopsa.records import read, record_of, with_members
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Read the asset type if fields are added to it, and send the changes."""
    fields = None
    if inputs.add_field_ids:
        present = record_of((yield read("/api/AssetType", inputs.assettype_id))).get("fields") or []
        known = {field.get("field_id", field.get("id")) for field in present}
        fields = [*present, *({"field_id": n} for n in inputs.add_field_ids if n not in known)]
    return record_of((yield with_members(inputs.request(), {"fields": fields})))
