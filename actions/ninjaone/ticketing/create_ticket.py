"""Create a ticket, also with fields and values of older API versions."""

from connector.actions.ninjaone import lookups
from connector.handlers import Inputs, RowError, Steps, http_handler, request

DESCRIPTION = ("description", "description_html", "time_tracked", "duplicate_in_incidents")


def handle(inputs: Inputs) -> Steps:
    """Resolve names, add the defaults that the API requires, and create the ticket."""
    organization = yield from _organization(inputs)
    form = yield from _form(inputs)
    inputs = yield from lookups.ticket_fields(inputs, organization)
    inputs = inputs.with_values(client_id=organization, ticket_form_id=form)
    if "description_public" not in inputs and any(name in inputs for name in DESCRIPTION):
        inputs = inputs.with_values(description_public=True)
    return (yield from http_handler(inputs))


def _organization(inputs: Inputs) -> Steps:
    """Return the id of the organization; by default, that of the device."""
    if "client_id" in inputs:
        return (yield from lookups.id_of(inputs, lookups.ORGANIZATION, inputs.client_id, "client_id"))
    device = yield request("GET", "/v2/device/{id}", {"id": inputs.device_id}, effect="read")
    return device.member("organizationId")


def _form(inputs: Inputs) -> Steps:
    """Return the id of the form; by default, that of the only active form."""
    if "ticket_form_id" in inputs:
        return (yield from lookups.id_of(inputs, lookups.FORM, inputs.ticket_form_id, "ticket_form_id"))
    forms = yield from lookups.listing(inputs, lookups.FORM)
    active = [form for form in forms if form.get("active", True)]
    if len(active) == 1:
        return active[0]["id"]
    known = (
        f"one of {lookups.choices(lookups.FORM, active)}" if active else "but the account has no active form"
    )
    raise RowError("input_invalid", f"ticket_form_id is required, {known}")
