"""Schedule a maintenance window whose end is in the future and after its start."""

from datetime import datetime, timezone

from connector.handlers import Inputs, RowError, Steps, parse_time


def handle(inputs: Inputs) -> Steps:
    """Send the window. Raises RowError (`input_invalid`) if it ends in the past or before it starts."""
    end, now = parse_time(inputs.end), datetime.now(timezone.utc)
    if end <= now:
        raise RowError("input_invalid", "end: this time has passed; use a time in the future")
    if inputs.start and parse_time(inputs.start) >= end:
        raise RowError("input_invalid", "end: this time is not after the start of the window")
    yield inputs.request()
