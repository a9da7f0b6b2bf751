"""Create an asset type with asset fields."""

from connector.actions.halopsa.records import record_of, with_members
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Send the asset type with the ids of its fields."""
    fields = inputs.field_ids and [{"field_id": number} for number in inputs.field_ids]
    return record_of((yield with_members(inputs.request(), {"fields": fields})))
