"""The rows of a run in parts and chunks, in a real database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from threading import Event
from typing import Any

import pytest

from connector.errors import InputError, RunInterruptedError, RunStoppedError
from connector.files.readers import InputRow
from connector.runs.tenant_split import NOBODY, read_line
from connector.state.chunks import Progress, SharedRuns
from connector.state.database import Row
from connector.state.databases import open_database
from connector.state.parts import Part, take_part
from connector.temporal import split
from connector.temporal.split import Split, group


@pytest.fixture
def runs(postgres: str) -> SharedRuns:
    return SharedRuns(open_database(postgres))


@pytest.fixture
def held(runs: SharedRuns) -> Iterator[Part]:
    """A run without rows, which its starter holds."""
    ((run,),) = runs.database.run(
        "INSERT INTO connector_run (output, fingerprint) VALUES ('out.jsonl', '{}') RETURNING id"
    )
    held, _ = take_part(runs.database, run, 0, "out.jsonl", "starter")
    runs.create(held, {"now": 5.0})
    yield held
    held.release()


def choose(row: Mapping[str, object]) -> str:
    if row["tenant"] == "nobody":
        raise InputError("input_invalid", "there is no such tenant")
    return str(row["tenant"])


def rows(*tenants: str) -> list[InputRow]:
    return [InputRow(number, {"tenant": tenant}) for number, tenant in enumerate(tenants, start=1)]


def found(runs: SharedRuns, run: int, group: int, chunk: int) -> dict[str, list[int]]:
    """Return the numbers of the rows of a chunk by tenant."""
    parts = runs.parts(run, group, chunk)
    assert all(part.rows == len(list(runs.lines(run, part.number))) for part in parts)
    return {part.tenant: [read_line(line).number for line in runs.lines(run, part.number)] for part in parts}


@pytest.mark.parametrize("bytes_at_once", [1, 1 << 20])
def test_the_rows_of_each_tenant_are_ranges_and_a_group_has_similar_tenants(
    runs: SharedRuns, held: Part, monkeypatch: pytest.MonkeyPatch, bytes_at_once: int
) -> None:
    monkeypatch.setattr(split, "ROWS_A_PART", 2)
    monkeypatch.setattr(split, "MIN_GROUPS", 2)
    monkeypatch.setattr(split, "_BYTES_AT_ONCE", bytes_at_once)
    run = held.run
    given = rows("a", "b", "a", "c", "a", "b", "nobody", "a", "b", "a")
    Split(runs, held, in_ranges=True).upload(iter(given), choose, Event())
    shared = runs.find(run)
    assert shared
    assert shared.chunks == [3, 1]
    assert found(runs, run, 0, 0) == {"a": [1, 3], "b": [2, 6]}
    assert found(runs, run, 0, 1) == {"a": [5, 8], "b": [9]}
    assert found(runs, run, 0, 2) == {"a": [10]}
    assert found(runs, run, 1, 0) == {"c": [4], NOBODY: [7]}
    refused = next(runs.lines(run, runs.parts(run, 1, 0)[-1].number))
    assert read_line(refused).code == "input_invalid"
    assert runs.row_count(run) == 10
    assert sorted(map(len, runs.parts_by_tenant(run))) == [1, 1, 2, 3]
    assert runs.settings(run) == {"now": 5.0}


def test_settings_are_as_they_were(runs: SharedRuns, held: Part) -> None:
    settings = {"vars": {"site": {"z": 1e16, "name": "a\0b", "a": "\ud800"}, "b": 1}}
    runs.create(held, settings)
    assert json.dumps(runs.settings(held.run)) == json.dumps(settings)


def test_rows_are_read_block_by_block(runs: SharedRuns, held: Part) -> None:
    for number in range(10):
        runs.upload(held, {1: b'"%d"\n"x"\n' % number, 2: b"other\n"})
    assert list(runs.lines(held.run, 1))[::2] == [b'"%d"\n' % number for number in range(10)]
    lines = runs.lines(held.run, 1)
    next(lines)
    runs.database.run("DELETE FROM connector_rows")
    assert len(list(lines)) < 10  # those of the blocks that were in memory


@pytest.mark.parametrize(("count", "statements"), [(0, 1), (3, 1), (4, 2), (5, 2)])
def test_rows_are_read_with_few_statements(
    runs: SharedRuns, held: Part, monkeypatch: pytest.MonkeyPatch, count: int, statements: int
) -> None:
    for number in range(count):
        runs.upload(held, {1: b'"%d"\n' % number})
    executed = []
    run = runs.database.run

    def counting(*given: Any, **others: Any) -> list[Row]:
        executed.append(given)
        return run(*given, **others)

    monkeypatch.setattr(runs.database, "run", counting)
    assert list(runs.lines(held.run, 1)) == [b'"%d"\n' % number for number in range(count)]
    assert len(executed) == statements


def test_a_run_that_cannot_be_in_ranges_has_one_part_a_tenant(
    runs: SharedRuns, held: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "ROWS_A_PART", 2)
    run = held.run
    Split(runs, held, in_ranges=False).upload(iter(rows(*"aaaaa")), None, Event())
    shared = runs.find(run)
    assert shared
    assert shared.chunks == [1]
    assert found(runs, run, 0, 0) == {NOBODY: [1, 2, 3, 4, 5]}


def test_an_upload_that_was_stopped_begins_again(
    runs: SharedRuns, held: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "_BYTES_AT_ONCE", 1)
    run, stop = held.run, Event()

    def ends() -> object:
        yield from rows(*"aaa")
        stop.set()
        yield from rows(*"a")

    with pytest.raises(RunInterruptedError):
        Split(runs, held, in_ranges=True).upload(ends(), None, stop)  # type: ignore[arg-type]
    shared = runs.find(run)
    assert shared
    assert shared.chunks is None
    runs.create(held, {})
    Split(runs, held, in_ranges=True).upload(iter(rows(*"aa")), None, Event())
    assert found(runs, run, 0, 0) == {NOBODY: [1, 2]}


@pytest.mark.parametrize(
    "upload",
    [
        lambda runs, held: runs.create(held, {}),
        lambda runs, held: runs.upload(held, {1: b"{}\n"}),
        lambda runs, held: runs.complete(held, [9], []),
    ],
    ids=["create", "upload", "complete"],
)
def test_a_starter_that_was_replaced_uploads_nothing_more(
    runs: SharedRuns, held: Part, upload: Callable[[SharedRuns, Part], None]
) -> None:
    """Otherwise a starter that was paused would add rows a second time, and workers would send them twice."""
    held.release()
    other, _ = take_part(runs.database, held.run, 0, "out.jsonl", "another starter")
    try:
        runs.create(other, {"now": 6.0})
        Split(runs, other, in_ranges=True).upload(iter(rows(*"aa")), None, Event())
        with pytest.raises(RunStoppedError, match="another worker has taken over this run"):
            upload(runs, held)
        assert found(runs, held.run, 0, 0) == {NOBODY: [1, 2]}
        shared = runs.find(held.run)
        assert shared
        assert shared.chunks == [1]
    finally:
        other.release()


def test_many_tenants_are_in_groups_of_a_limited_size() -> None:
    assert group({}) == []
    assert [len(tenants) for tenants in group(dict.fromkeys("abc", 1))] == [1, 1, 1]
    sizes = [len(tenants) for tenants in group({f"t{n}": n for n in range(1001)})]
    assert len(sizes) == 21
    assert {47, 48} == set(sizes)
    assert group({"small": 1, "big": 9})[0] == ["big"]


def test_the_progress_of_a_worker_that_was_replaced_is_refused(runs: SharedRuns, held: Part) -> None:
    run = held.run
    runs.save_progress(run, 0, 0, 2, Progress(5, 1, 9))
    runs.save_progress(run, 0, 1, 1, Progress(3, 2, 3))
    runs.save_progress(run, 0, 0, 1, Progress(4, 0, 4))
    assert runs.progress(run) == Progress(8, 3, 12)
    assert runs.failed_elsewhere(run, 0, 0) == 2
    runs.restart_limit(held)
    shared = runs.find(run)
    assert shared
    assert shared.failed_before == 3


def test_a_starter_that_was_replaced_restarts_nothing(runs: SharedRuns, held: Part) -> None:
    """It would start a workflow again that the other one has stopped."""
    Split(runs, held, in_ranges=True).upload(iter(rows(*"aa")), None, Event())
    runs.database.run("UPDATE connector_part SET fence = fence + 1")
    with pytest.raises(RunStoppedError, match="another worker has taken over this run"):
        runs.restart_limit(held)
