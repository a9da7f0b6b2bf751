"""List the actions of a ticket. The API does not page them, and cannot list the actions of all tickets."""

from connector.actions.halopsa.records import rows_of
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Return the ticket's actions. Raises RowError (`bad_response`) if some belong to another ticket."""
    response = yield inputs.request()
    actions = rows_of(response)
    others = {action.get("ticket_id", inputs.ticket_id) for action in actions} - {inputs.ticket_id}
    if others:
        raise response.bad(
            f"the API did not apply the filter ticket_id: the response has actions of ticket {min(others)}. "
            "The "
            "list is not the one that was requested"
        )
    return actions
