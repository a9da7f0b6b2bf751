"""One row of a run, for its page: its data, and its responses as trees and as JSON."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.errors import ConnectorError, RunError
from connector.files.readers import InputRow, RowSource
from connector.runs.job import NO_INPUT, STREAM
from connector.runs.record import Record
from connector.runs.repair import read_corrected
from connector.runs.rerun import ChosenRows
from connector.runs.step_rows import StepRows
from connector.web.runs.envelopes import Envelopes, Shown
from connector.web.runs.json_tree import Node, make_tree

MAX_SHOWN = 20
"""The maximum number of envelopes of one row that are shown."""
MAX_JSON_LENGTH = 100_000
"""The maximum length of JSON that is shown as text, in characters."""


@dataclass(frozen=True)
class ShownValue:
    """A value as a page shows it: a tree, and JSON text that is empty if it is too long."""

    tree: Node
    text: str


@dataclass(frozen=True)
class ShownEnvelope:
    """One envelope of a row."""

    summary: Shown
    result: ShownValue
    meta: ShownValue


@dataclass(frozen=True)
class RowView:
    """A row as its page shows it; `why_no_data` says why its data cannot be shown."""

    number: int
    envelopes: Sequence[ShownEnvelope]
    has_more: bool
    data: ShownValue | None
    why_no_data: str = ""


def make_row_view(record: Record, number: int, envelopes: Envelopes, redactor: Redactor) -> RowView:
    """Return a row of a run as its page shows it."""
    found = list(islice(envelopes.of_row(number), MAX_SHOWN + 1))
    shown = [
        ShownEnvelope(envelopes.shown(its), shown_value(its["result"]), shown_value(its["meta"]))
        for its in found[:MAX_SHOWN]
    ]
    try:
        (row,) = input_rows(record, [number])
        data, why = shown_value(redactor.json(row.data)), row.error
    except (ConnectorError, OSError) as error:
        data, why = None, str(error)
    return RowView(number, shown, len(found) > MAX_SHOWN, data, why)


def shown_value(value: Json) -> ShownValue:
    """Return a value as a page shows it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return ShownValue(make_tree(value), text if len(text) <= MAX_JSON_LENGTH else "")


def input_rows(record: Record, numbers: Sequence[int]) -> list[InputRow]:
    """Return rows of the input of a run, by number. Raises RunError, also if the input has changed."""
    job, wanted = record.job, sorted(set(numbers))
    if job.input == STREAM:
        raise RunError("The run read standard input, which is not kept.")
    if record.fingerprint.get("corrected"):
        corrected = read_corrected(job.source(), job.input)
        rows = [corrected[number] for number in wanted if number in corrected]
    else:
        source = job.source()
        _check_unchanged(source, record.fingerprint, is_file=job.input != NO_INPUT)
        chosen = StepRows(source, job.follows, None) if job.follows else source
        rows = list(ChosenRows(chosen, array("Q", wanted)).rows())
    if len(rows) < len(wanted):
        raise RunError(f"{job.input}: does not have all of these rows.")
    return rows


def _check_unchanged(source: RowSource, fingerprint: Mapping[str, str], *, is_file: bool) -> None:
    before = fingerprint.get("input")
    if is_file and before and source.digest() != before:
        raise RunError("The input file has changed since the run.")
