"""The summary of a run: what it counts, and the examples that it keeps."""

from __future__ import annotations

from connector.files.envelope import Envelope
from connector.runs.summary import Summary


def test_the_summary_keeps_one_example_of_each_code() -> None:
    summary = Summary()
    for row in range(1, 4):
        summary.count(Envelope(row, f"error {row}", None, {"code": "api_error"}))
    assert summary.as_json()["codes"] == {"api_error": {"rows": 3, "example": "row 1: error 1"}}


def test_the_summary_counts_what_somebody_has_to_know() -> None:
    summary = Summary()
    failed = {"code": "timeout", "repeatable": True}
    for envelope in (
        Envelope(3, None, [], {"code": None, "truncated": True, "warnings": ["first", "second"]}),
        Envelope(5, None, {}, {"code": None, "item": 1, "last": False, "warnings": ["third"]}),
        Envelope(5, "e", None, {**failed, "item": 2, "last": True, "warnings": ["third"]}),
        Envelope(7, "e", None, {**failed, "code": "outcome_unknown", "repeatable": False}),
    ):
        summary.count(envelope)
    counts = (summary.rows, summary.failed, summary.repeatable, summary.warned, summary.truncated)
    assert counts == (3, 2, 1, 2, 1)
    assert (summary.warning, summary.last_row) == ("row 3: first", 7)
