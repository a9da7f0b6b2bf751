"""Open a ticket, also with the fields and words of older documents."""

from connector.actions.ninjaone import lookups
from connector.handlers import Inputs, RowError, Steps, http_handler, request

DESCRIPTION = ("description", "description_html", "time_tracked", "duplicate_in_incidents")


def handle(inputs: Inputs) -> Steps:
    """Find out what names mean, fill in what the API wants and nobody gave, and create the ticket."""
    organization = yield from _organization(inputs)
    form = yield from _form(inputs)
    inputs = yield from lookups.ticket_fields(inputs, organization)
    inputs = inputs.with_values(client_id=organization, ticket_form_id=form)
    if "description_public" not in inputs and any(name in inputs for name in DESCRIPTION):
        inputs = inputs.with_values(description_public=True)
    return (yield from http_handler(inputs))


def _organization(inputs: Inputs) -> Steps:
    """Give the organization's id; without one it is that of the device."""
    if "client_id" in inputs:
        return (yield from lookups.id_of(inputs, lookups.ORGANIZATION, inputs.client_id, "client_id"))
    answer = yield request("GET", "/v2/device/{id}", {"id": inputs.device_id}, effect="read")
    return answer.member("organizationId")


def _form(inputs: Inputs) -> Steps:
    """Give the form's id; without one there must be a single form."""
    if "ticket_form_id" in inputs:
        return (yield from lookups.id_of(inputs, lookups.FORM, inputs.ticket_form_id, "ticket_form_id"))
    forms = yield from lookups.listing(inputs, lookups.FORM)
    active = [form for form in forms if form.get("active", True)]
    if len(active) == 1:
        return active[0]["id"]
    there = (
        f"one of {lookups.choices(lookups.FORM, active)}" if active else "but the account has no active one"
    )
    raise RowError("input_invalid", f"ticket_form_id: a ticket wants a form, {there}")
