"""List tickets, and check that the API applies the filters by state and date, because it can ignore them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from connector.handlers import Inputs, Json, Page, RowError, Steps, http_handler, parse_time

_MEMBERS = {"dateoccured": "dateoccurred", "datecleared": "dateclosed"}
"""The members of a ticket that correspond to the values of date_field, which have other names."""
_TOLERANCE = timedelta(days=1)
"""The tolerance for dates, because time zones can differ, and an end date can include the whole day."""


def handle(inputs: Inputs) -> Steps:
    """Return the pages of the list.

    Raises RowError (`bad_response`) for a ticket that does not match a filter.
    """
    walk = http_handler(inputs)
    answer = None
    try:
        while True:
            step = walk.send(answer)
            if isinstance(step, Page):
                _check(inputs, step)
            answer = yield step
    except StopIteration as end:
        return end.value


def _check(inputs: Inputs, page: Page) -> None:
    for ticket in page.items:
        for given, what in (*_closed(inputs, ticket), *_dates(inputs, ticket)):
            raise RowError(
                "bad_response",
                f"the API did not apply the filter {given}: ticket {ticket.get('id')} {what}. The list is "
                "not the one that was requested",
            )


def _closed(inputs: Inputs, ticket: Json) -> Iterator[tuple[str, str]]:
    """Yield the filter that does not match the ticket's state.

    Only closed tickets have `hasbeenclosed` true.
    """
    if "hasbeenclosed" not in ticket:
        return
    if ticket["hasbeenclosed"] is True and inputs.open_only:
        yield "open_only", "is closed"
    if ticket["hasbeenclosed"] is not True and inputs.closed_only:
        yield "closed_only", "is open"


def _dates(inputs: Inputs, ticket: Json) -> Iterator[tuple[str, str]]:
    """Yield the filters that do not match the ticket's date; none if the row has no such date."""
    if inputs.date_field is None:
        return
    member = _MEMBERS.get(inputs.date_field, inputs.date_field)
    with suppress(ValueError):
        moment = parse_time(ticket.get(member))
        what = f"has the {member} {ticket[member]}"
        if inputs.start_date is not None and moment < parse_time(inputs.start_date) - _TOLERANCE:
            yield "start_date", what
        if inputs.end_date is not None and moment > parse_time(inputs.end_date) + _TOLERANCE:
            yield "end_date", what
