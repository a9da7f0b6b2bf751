"""The envelopes of a run in a database, as the pages of other machines read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.common.redaction import Redactor
from connector.errors import RunError
from connector.files import envelope_lines, long_list
from connector.files.envelope_lines import row_of
from connector.runs.run_stores import shared_envelopes
from connector.state import run_envelopes
from connector.state.database import Row
from connector.state.databases import open_database
from connector.state.envelope_blocks import blocks
from connector.state.run_envelopes import RunEnvelopes
from connector.web.runs.envelopes import Envelopes
from tests.files.outputs import envelope
from tests.files.test_long_lists import ITEMS, listed
from tests.state.conftest import Open
from tests.state.outage import Outage


def write_parts(worker: Open, folder: Path) -> int:
    """Write rows 1 to 9 to two parts, as for two tenants: row 2 is a long list; 3, 5 and 9 fail."""
    output = worker("a", "new")
    output.parts.mkdir()
    odd, even = (output.open_part(number, output.parts / str(number), Redactor()) for number in (0, 1))
    for row in range(1, 10):
        part = odd if row % 2 else even
        if row == 2:
            part.write_list(listed(2))
        elif row in (3, 5, 9):
            part.write(envelope(row, None, "no", code="not_found").line())
        else:
            part.write(envelope(row, {"says": '"has_error":true, "row":3,"meta"'}).line())
    odd.close()
    even.close()
    assert output.run_id
    return output.run_id


@pytest.fixture
def run(worker: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(long_list, "LONG", 300)
    return write_parts(worker, tmp_path)


@pytest.mark.parametrize("read_bytes", [1, 8 << 20])
def test_the_rows_of_all_parts_are_read_in_order(
    run: int, postgres: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read_bytes: int
) -> None:
    monkeypatch.setattr(run_envelopes, "_READ_BYTES", read_bytes)
    shared = RunEnvelopes(postgres, run)
    found = Envelopes(tmp_path / "x.csv", "csv", Redactor(), shared=lambda: shared)
    assert found.exist
    assert [one.row for one in found.failed(2).rows] == [3, 5]
    assert [one.row for one in found.failed(2, after=5).rows] == [9]
    assert [one.row for one in found.failed(9, code="timeout").rows] == []
    assert [its["result"] for its in found.of_row(2)] == [ITEMS]
    assert [its["has_error"] for its in found.of_row(3)] == [True]
    assert [one.row for one in found.last(4)] == [9, 8, 7, 6]
    assert [one.row for one in found.last(20)] == [9, 8, 7, 6, 5, 4, 3, 1]
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(b"".join(found.open()))
    assert [end.row for end in Envelopes(copy, "jsonl", Redactor()).failed(9).rows] == [3, 5, 9]
    assert copy.read_bytes().count(b"\n") == 9


def test_an_output_that_is_here_is_read_and_not_the_database(run: int, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_bytes(envelope(1).line())
    found = Envelopes(tmp_path / "out.jsonl", "jsonl", Redactor(), shared=lambda: pytest.fail("not needed"))
    assert [one.row for one in found.last(9)] == [1]


def test_the_newest_envelopes_are_shown_however_large_they_are(worker: Open, postgres: str) -> None:
    output = worker("a", "new")
    for row in (1, 2):
        output.write(envelope(row, "x" * 300_000).line())
    output.close()
    assert output.run_id
    assert [envelope_lines.row_of(line) for line in RunEnvelopes(postgres, output.run_id).latest(9)] == [2]


def test_a_run_that_was_removed_has_no_envelopes(run: int, postgres: str) -> None:
    gone = RunEnvelopes(postgres, run + 1)
    assert (gone.exists(), gone.latest(5), list(gone.lines())) == (False, [], [])


def test_without_a_database_there_is_nothing_and_one_that_is_lost_is_an_error(
    run: int, outage: Outage
) -> None:
    assert shared_envelopes("", run) is None
    assert shared_envelopes(outage.url, None) is None
    shared = shared_envelopes(outage.url, run)
    assert shared
    outage.begin()
    with pytest.raises(RunError, match="the database cannot be used"):
        list(shared.lines())
    with pytest.raises(RunError, match="the database cannot be used"):
        shared_envelopes(outage.url, run)
    outage.end()


@pytest.mark.parametrize(("read_bytes", "statements"), [(8 << 20, 1), (1, 5)])
def test_the_envelopes_of_a_part_are_read_with_few_statements(
    run: int, postgres: str, monkeypatch: pytest.MonkeyPatch, read_bytes: int, statements: int
) -> None:
    database = open_database(postgres)
    executed = []
    execute = database.run

    def counting(*given: Any, **others: Any) -> list[Row]:
        executed.append(given)
        return execute(*given, **others)

    monkeypatch.setattr(database, "run", counting)
    found = b"".join(lines for _, lines in blocks(database, run, 1, read_bytes=read_bytes))
    assert [row_of(line) for line in found.splitlines(keepends=True)] == [1, 3, 5, 7, 9]
    assert len(executed) == statements


def test_a_part_without_envelopes_has_no_blocks(run: int, postgres: str) -> None:
    assert list(blocks(open_database(postgres), run, 9)) == []
