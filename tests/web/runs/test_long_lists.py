"""Envelopes around and of a list that is longer than a block of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.common.redaction import Redactor
from connector.files import envelope_lines, long_list
from connector.web.runs import envelopes
from connector.web.runs.envelopes import Envelopes
from tests.files.outputs import envelope
from tests.files.test_long_lists import ITEMS, listed


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make lines longer than a block."""
    monkeypatch.setattr(long_list, "LONG", 300)
    monkeypatch.setattr(envelope_lines, "LONG", 300)
    monkeypatch.setattr(envelopes, "_BLOCK", 400)


def test_the_rows_before_and_after_it_are_found(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    failed = [envelope(row, None, "no" * (row * 100), code="timeout") for row in (1, 3, 5, 9)]
    lines = [failed[0].line(), *listed(2).blocks(), failed[1].line(), envelope(4, "x" * 900).line()]
    out.write_bytes(b"".join([*lines, failed[2].line(), *listed(6).blocks(), failed[3].line()]))
    found = Envelopes(out, "jsonl", Redactor())
    assert [shown.row for shown in found.failed(10).rows] == [1, 3, 5, 9]
    for row, result in ((1, None), (2, ITEMS), (4, "x" * 900), (6, ITEMS), (9, None)):
        assert [its["result"] for its in found.of_row(row)] == [result]
