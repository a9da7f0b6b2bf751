"""Failed rows of the steps of a job, as they are written for correction, and read again.

The row of a step that follows another one is written without the results of earlier steps. A rerun adds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.common.json_text import Json
from connector.errors import RunError, nearest
from connector.files.readers import InputRow, RowSource
from connector.runs.repair import FailedRow, row_number

_MARKS = ("row", "step", "error", "input_row")
_OTHER_MARKS = ("_row", "_step", "_error", "_input_row")
"""The names of the added fields if an input row already has a field with one of the names in _MARKS."""


def mark_rows_of_steps(
    rows: Iterable[tuple[str, InputRow, FailedRow]], steps: Sequence[str]
) -> list[dict[str, Json]]:
    """Return the data of failed rows, with the fields `row`, `step` and `error` added.

    If the number of a row in its step is not that of its row in the job's input, all rows have `input_row`,
    too. `rows` has a step, the step's row, and its failure.
    """
    found = [
        (step, failed, {name: value for name, value in row.data.items() if name not in steps})
        for step, row, failed in rows
    ]
    marks = _OTHER_MARKS if any(set(_MARKS) & data.keys() for _, _, data in found) else _MARKS
    number, of, error, origin = marks
    has_origin = any(failed.origin for _, failed, _ in found)
    return [
        {
            **{number: failed.number, of: step},
            **({origin: failed.origin or failed.number} if has_origin else {}),
            **data,
            error: failed.error,
        }
        for step, failed, data in found
    ]


def read_corrected_rows(source: RowSource, path: str, steps: Sequence[str]) -> dict[str, dict[int, InputRow]]:
    """Return the corrected rows in a file, by step and number, ascending.

    `path` is the name of the file in messages. Without a field `step` (or `_step`), a row is of the first
    step. Raises RunError for a row that cannot be read, and for two rows with the same step and number.
    """
    found: dict[str, dict[int, InputRow]] = {step: {} for step in steps}
    for row in source.rows():
        if row.error:
            raise RunError(row.error)
        marks = _OTHER_MARKS if "_row" in row.data else _MARKS
        step = str(row.data.get(marks[1]) or steps[0]).strip()
        if step not in found:
            raise RunError(
                f'{path}, row {row.number}: the job has no step "{step}"{nearest(step, list(found))}'
            )
        number = row_number(row.data.get(marks[0]), f"{path}, row {row.number}")
        if number in found[step]:
            raise RunError(f"{path}: two rows replace row {number} of {step}")
        data = {name: value for name, value in row.data.items() if name not in marks}
        if hidden := sorted(data.keys() & found.keys()):
            raise RunError(f'{path}: the field "{hidden[0]}" is the name of a step; remove it')
        found[step][number] = InputRow(number, data)
    return {step: dict(sorted(its.items())) for step, its in found.items()}
