"""Create an asset, with its fields by name or id."""

from connector.actions.halopsa import asset_fields, records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Resolve the names of fields with the asset type, and send the asset."""
    fields = None
    if inputs.fields:
        fields = yield from asset_fields.for_new_asset(inputs.assettype_id, inputs.fields)
    return (yield from records.create(inputs, fields=fields, users=records.links(inputs.user_ids)))
