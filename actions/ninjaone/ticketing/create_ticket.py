"""Create a ticket, also with fields and values of older API versions."""

from connector.actions.ninjaone.lookups import choices, listing
from connector.actions.ninjaone.older_values import with_current_priority
from connector.handlers import Inputs, RowError, Steps, http_handler, request

DESCRIPTION = ("description", "description_html", "time_tracked", "duplicate_in_incidents")


def handle(inputs: Inputs) -> Steps:
    """Add the defaults that the API requires, and create the ticket."""
    if "client_id" not in inputs:
        device = yield request("GET", "/v2/device/{id}", {"id": inputs.device_id}, effect="read")
        inputs = inputs.with_values(client_id=device.member("organizationId"))
    if "ticket_form_id" not in inputs:
        inputs = inputs.with_values(ticket_form_id=(yield from _only_form(inputs)))
    inputs = yield from with_current_priority(inputs)
    if "description_public" not in inputs and any(name in inputs for name in DESCRIPTION):
        inputs = inputs.with_values(description_public=True)
    return (yield from http_handler(inputs))


def _only_form(inputs: Inputs) -> Steps:
    """Return the id of the only active form. Raises RowError that lists the forms."""
    forms = yield from listing(inputs, "/v2/ticketing/ticket-form")
    active = [form for form in forms if form.get("active", True)]
    if len(active) == 1:
        return active[0]["id"]
    known = f"one of {choices(active)}" if active else "but the account has no active form"
    raise RowError("input_invalid", f"ticket_form_id is required, {known}")
