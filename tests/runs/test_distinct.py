"""Rows that share the result of another one, where the command line does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from connector.errors import RunInterruptedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.runs.distinct import Distinct, compile_distinct


class Stopping:
    """An invoker of a run that is stopping: rows get no envelope."""

    keep_row = False

    def envelopes(self, number: int, row: Any) -> Iterator[Envelope]:
        yield from ()
        raise RunInterruptedError("stopping")


def test_a_row_does_not_wait_for_a_first_one_that_was_interrupted() -> None:
    invoker: Any = Stopping()
    with closing(Distinct(compile_distinct("{{ a }}", "one"))) as distinct:
        first, same = distinct.rows(iter([InputRow(1, {"a": 1}), InputRow(2, {"a": 1})]), 0)
        for row in (first, same):
            with pytest.raises(RunInterruptedError):
                next(distinct.envelopes(invoker, row))
