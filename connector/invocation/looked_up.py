"""Prepares the request of a row with reads alone, for previews."""

from __future__ import annotations

from connector.errors import RowError
from connector.http.messages import Request
from connector.invocation.exchange import Exchange
from connector.invocation.handlers import Inputs, Note, Page, find_handler


def looked_up_request(inputs: Inputs, exchange: Exchange) -> Request:
    """Return the first request of a row that is not a look-up, or of a change the first that is not a read.

    The requests before it are sent; they are reads. Warnings are added to those of the exchange. Raises
    RowError.
    """
    action = inputs.action
    steps = find_handler(action)(inputs)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Note):
                exchange.warnings.append(step.text)
                step = next(steps)
            elif isinstance(step, Page):
                step = next(steps)
            elif step.effect != "read" or (action.effect == "read" and not step.cached):
                return step
            else:
                try:
                    response = exchange.send(step)
                except RowError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
    except StopIteration:
        raise RowError("input_invalid", "no request to send for this row") from None
    finally:
        steps.close()
