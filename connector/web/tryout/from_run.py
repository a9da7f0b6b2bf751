"""What the form starts with: an example of the action, or rows of a run with its templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.catalog.action import Example
from connector.common.json_text import dumps
from connector.errors import ConnectorError
from connector.runs.records import find_by_id
from connector.web.runs.row_view import input_rows

MAX_ROWS = 100
"""The maximum number of rows of a run that the form starts with."""


@dataclass(frozen=True)
class Beginning:
    """The rows and templates of a new form.

    `run` is the id of the run that they are from, and `fault` says why they cannot be read.
    """

    rows: str
    templates: Mapping[str, Any]
    run: str = ""
    connection: str = ""
    fault: str = ""


def from_example(example: Example, fault: str = "") -> Beginning:
    """Return the rows and templates of an example."""
    return Beginning(dumps(example.row), example.templates, fault=fault)


def from_run(id: str, numbers: Sequence[int], action: str, example: Example) -> Beginning:
    """Return rows of a run and its templates, or an example if they cannot be read."""
    record = find_by_id(id)
    if record is None or record.job.action != action:
        return from_example(example, "The record of this run no longer exists.")
    job = record.job
    try:
        rows = input_rows(record, numbers[:MAX_ROWS])
    except (ConnectorError, OSError) as error:
        return from_example(example, f"The rows of the run cannot be read: {error}")
    text = "\n".join(dumps({**job.vars, **row.data}) for row in rows)
    return Beginning(text, job.templates, id, job.connection or "")
