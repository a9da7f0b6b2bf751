"""Replaces values of older API versions."""

from __future__ import annotations

from connector.handlers import Inputs, Note, Steps


def with_current_priority(inputs: Inputs) -> Steps:
    """Return a ticket's inputs with a priority that the current API has."""
    today = inputs.service.words["ticket_priority"].get(inputs.priority)
    if not today:
        return inputs
    yield Note(f"priority: the current API has no {inputs.priority}; sent the closest one, {today}")
    return inputs.with_values(priority=today)
