"""The rows of a step whose input is the output of an earlier step.

Each successful result of the earlier step is a row. It contains the fields of the earlier step's row (if they
were kept), and the result in a field named as the earlier step. After the steps `alert` and `device`, a
template can use `{{ alert.message }}`, `{{ device.organizationId }}`, and the fields of the original row,
whose names must differ from the names of steps. With `rows: each`, each item of a list is a row; an empty
list has no rows.

Failed rows of the earlier step are skipped; if a list failed partway, all of its items are. Rows for which
the template `only` is false are skipped, too. Both are counted. Rows keep the row number of their envelope in
the earlier output, so that an interrupted step resumes at the right row. They also have the number of the row
of the job's input from which they result (`meta.input_row`), if that is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connector.catalog.inputs import Input
from connector.common.json_text import Json
from connector.errors import InputError, RowError, RunError
from connector.files.columns import is_empty_list
from connector.files.readers import InputRow, RowSource
from connector.templating.scope import Row, Scope
from connector.templating.templates import compile_template

Only = Callable[[Row], bool]
"""A function that returns whether a step runs a row. Raises InputError."""


def compile_only(source: str, constants: Mapping[str, Json]) -> Only:
    """Return the template `only` of a step as a function. Raises RunError."""
    answer = Input("only", "Only", {"type": "boolean"})
    try:
        render = compile_template(source, answer.schema)
    except RunError as error:
        raise RunError(f"only: {error}") from error

    def only(row: Row) -> bool:
        try:
            rendered = render(Scope(row, constants))
        except RowError as error:
            raise InputError(error.code, f"only: {error}") from error
        return answer.read(rendered) is True

    return only


class StepRows:
    """The rows of a step that follows another step; `left_out` has the number of skipped rows by reason.

    `before` is added to their numbers. `numbers` selects rows; None means all. `corrected` has new values of
    fields, by row number. They are for a rerun, see `job_rerun`.
    """

    def __init__(
        self,
        source: RowSource,
        follows: str,
        only: Only | None,
        *,
        before: int = 0,
        numbers: Container[int] | None = None,
        corrected: Mapping[int, Mapping[str, Json]] = MappingProxyType({}),
    ) -> None:
        self._source, self._follows, self._only = source, follows, only
        self._before, self._numbers, self._corrected = before, numbers, corrected
        self.left_out = {"failed": 0, "only": 0}

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order."""
        broken = self._broken_lists()
        for line in self._source.rows():
            envelope, number = line.data, line.number + self._before
            if self._numbers is not None and number not in self._numbers:
                continue
            if line.error or not _is_envelope(envelope):
                yield InputRow(number, {}, line.error or "this line is not an envelope of an earlier step")
            elif envelope["has_error"]:
                self.left_out["failed"] += 1
            elif envelope["row"] not in broken and not is_empty_list(envelope):
                yield from self._chosen(number, envelope)

    def count(self, go_on: Callable[[], bool]) -> int | None:
        """Return the number of the earlier step's envelopes, including skipped ones."""
        return self._source.count(go_on)

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        return row

    def _chosen(self, number: int, envelope: Mapping[str, Json]) -> Iterator[InputRow]:
        origin = envelope["meta"].get("input_row", envelope["row"])
        origin = 0 if origin == number else origin
        row = {**envelope.get("input", {}), self._follows: envelope["result"]}
        row.update(self._corrected.get(number, {}))
        try:
            if self._only is None or self._only(row):
                yield InputRow(number, row, origin=origin)
            else:
                self.left_out["only"] += 1
        except RowError as error:
            yield InputRow(number, row, str(error), error.code, origin)

    def _broken_lists(self) -> set[int]:
        """Return the numbers of rows that failed after some items of their list were written."""
        envelopes = (line.data for line in self._source.rows() if _is_envelope(line.data))
        return {e["row"] for e in envelopes if e["has_error"] and e["meta"].get("item", 1) > 1}


def _is_envelope(data: Mapping[str, Any]) -> bool:
    return {"has_error", "result", "row"} <= data.keys() and isinstance(data.get("meta"), dict)
