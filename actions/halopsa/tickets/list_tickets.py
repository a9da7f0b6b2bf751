"""List tickets, and check that the API applies the filter by open or closed, because it can ignore it."""

from connector.handlers import Inputs, Page, RowError, Steps, http_handler


def handle(inputs: Inputs) -> Steps:
    """Return the pages of the list. Raises RowError (`bad_response`) for a ticket that a filter rules out."""
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
        if "hasbeenclosed" not in ticket:
            continue
        # While a ticket is open, this is null.
        is_closed = ticket["hasbeenclosed"] is True
        given = "open_only" if is_closed else "closed_only"
        if inputs.open_only if is_closed else inputs.closed_only:
            raise RowError(
                "bad_response",
                f"the API did not apply the filter {given}: ticket {ticket.get('id')} is "
                f"{'closed' if is_closed else 'open'}. The list is not the one that was requested",
            )
