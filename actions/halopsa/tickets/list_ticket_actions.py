"""List the actions of a ticket. The API has no pages for them, and does not list those of all tickets."""

from connector.actions.halopsa.records import rows_of
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Return the actions. Raises RowError (`bad_response`) if there are some of another ticket."""
    response = yield inputs.request()
    actions = rows_of(response)
    others = {action.get("ticket_id", inputs.ticket_id) for action in actions} - {inputs.ticket_id}
    if others:
        raise response.bad(
            f"the API did not apply the filter ticket_id: there are actions of ticket {min(others)}. The "
            "list is not the one that was requested"
        )
    return actions
