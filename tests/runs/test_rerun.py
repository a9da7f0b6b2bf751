"""Which rows failed and can be retried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from connector.errors import RunError
from connector.files.readers import InputRow, RowSource
from connector.runs.repair import find_failed
from connector.runs.rerun import ChosenRows, RetryableRows, find_retryable
from tests.fakes import write_lines


def envelope(row: int, code: str | None = None, *, repeatable: bool = True, **meta: Any) -> dict[str, Any]:
    of_failed = {} if code is None else {"repeatable": repeatable}
    meta = {
        "action": "reboot_device",
        "status": None,
        "code": code,
        "attempts": 1,
        "request_id": None,
        **of_failed,
        **meta,
    }
    return {"has_error": code is not None, "error": code, "result": None, "row": row, "meta": meta}


def found(repeats: RetryableRows) -> tuple[list[int], dict[int, str], int]:
    return list(repeats.numbers), dict(repeats.in_doubt), repeats.succeeded


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_lines(
        tmp_path / "out.jsonl",
        [
            envelope(1), envelope(2, "not_found"), envelope(3, "outcome_unknown", repeatable=False),
            envelope(4, "rate_limited"), envelope(5, "api_error", repeatable=False),
            envelope(6, "outcome_unknown", repeatable=False), envelope(7, "timeout"), envelope(9),
        ],
    )  # fmt: skip


def test_only_what_failed_and_may_be_repeated(out: Path) -> None:
    repeats = find_retryable(out, "jsonl")
    assert found(repeats) == ([2, 4, 7], {3: "outcome_unknown", 5: "api_error", 6: "outcome_unknown"}, 0)
    assert (repeats.action, repeats.last_row) == ("reboot_device", 9)


def test_reruns_have_the_last_word_in_whichever_order_they_are_read(out: Path, tmp_path: Path) -> None:
    first = [envelope(2), envelope(4, "outcome_unknown", repeatable=False), envelope(7, "timeout")]
    second = [envelope(7, "conflict"), envelope(8)]
    reruns = [write_lines(tmp_path / "a.jsonl", first), write_lines(tmp_path / "b.jsonl", second)]
    in_doubt = {3: "outcome_unknown", 4: "outcome_unknown", 5: "api_error", 6: "outcome_unknown"}
    for order in (reruns, reruns[::-1]):
        assert found(find_retryable(out, "jsonl", order)) == ([7], in_doubt, 1)
    third = write_lines(tmp_path / "c.jsonl", [envelope(7)])
    for order in ([*reruns, third], [third, *reruns]):
        assert found(find_retryable(out, "jsonl", order)) == ([], in_doubt, 2)


def test_a_check_settles_an_unknown_outcome_in_whichever_order_they_are_read(
    out: Path, tmp_path: Path
) -> None:
    unknown: dict[str, Any] = {"code": "outcome_unknown", "repeatable": False}
    done = [
        [envelope(3, "conflict", checked=True), envelope(4, **unknown)],  # 3: checked, and can be retried
        [envelope(6, **unknown, checked=True), envelope(3, **unknown)],  # 6: checked, and unknown again
        [envelope(3, "timeout", checked=True), envelope(5, checked=True)],  # 3: in doubt, and checked again
        [envelope(6, "conflict", checked=True)],  # 6: checked a second time
    ]
    reruns = [write_lines(tmp_path / f"{n}.jsonl", lines) for n, lines in enumerate(done)]
    expected = [
        ([2, 3, 7], {4, 5, 6}),
        ([2, 7], {3, 4, 5, 6}),
        ([2, 3, 7], {4, 6}),
        ([2, 3, 6, 7], {4}),
    ]
    for number, (numbers, in_doubt) in enumerate(expected, start=1):
        for order in permutations(reruns[:number]):
            repeats = find_retryable(out, "jsonl", order)
            assert (list(repeats.numbers), set(repeats.in_doubt)) == (numbers, in_doubt)
            failed = find_failed(out, "jsonl", order)
            assert [n for n, row in failed.items() if row.can_run] == numbers
            assert {n for n, row in failed.items() if not row.can_run} == in_doubt
    for of, numbers, in_doubt in ((reruns[0], [3], {4}), (reruns[1], [], {3, 6}), (reruns[2], [3], set())):
        repeats = find_retryable(of, "jsonl")
        assert (list(repeats.numbers), set(repeats.in_doubt)) == (numbers, in_doubt)


def test_a_check_in_a_rerun_does_not_settle_a_later_outcome_if_that_rerun_is_rerun(tmp_path: Path) -> None:
    unknown: dict[str, Any] = {"code": "outcome_unknown", "repeatable": False}
    done = [
        [envelope(1, "conflict", checked=True), envelope(2, **unknown, checked=True)],
        [envelope(1, **unknown), envelope(2, "conflict", checked=True)],
        [envelope(1, "conflict", checked=True), envelope(2, **unknown)],
    ]
    of, *reruns = [write_lines(tmp_path / f"{n}.jsonl", lines) for n, lines in enumerate(done)]
    for number, (numbers, in_doubt) in enumerate([([1], {2}), ([2], {1}), ([1], {2})]):
        for order in permutations(reruns[:number]):
            repeats = find_retryable(of, "jsonl", order)
            assert (list(repeats.numbers), set(repeats.in_doubt)) == (numbers, in_doubt)
            failed = find_failed(of, "jsonl", order)
            assert [n for n, row in failed.items() if row.can_run] == numbers


def test_of_a_list_the_last_envelope_decides(tmp_path: Path) -> None:
    lines = [
        envelope(1, item=1, last=False), envelope(1, "timeout", item=2, last=True),
        envelope(2, item=1, last=False), envelope(2, item=2, last=True),
        envelope(3, item=1, last=False), envelope(3, "bad_response", repeatable=False, item=2, last=True),
    ]  # fmt: skip
    out = write_lines(tmp_path / "out.jsonl", lines)
    assert found(find_retryable(out, "jsonl")) == ([1], {3: "bad_response"}, 0)
    rerun = write_lines(tmp_path / "rerun.jsonl", lines[:2])
    assert found(find_retryable(out, "jsonl", [rerun])) == ([1], {3: "bad_response"}, 0)


def test_an_output_that_is_one_json_array(out: Path, tmp_path: Path) -> None:
    array = tmp_path / "out.json"
    array.write_text("[" + ",".join(out.read_text().splitlines()) + "]")
    assert find_retryable(array, "json") == find_retryable(out, "jsonl")
    array.write_text("[]")
    assert find_retryable(array, "json") == RetryableRows()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{broken", "line 1: not JSON"),
        ('{"device": 1}', "it has no 'row'"),
        ('{"row": "1", "error": null, "result": null, "meta": {}}', "its row or its meta is not valid"),
        ('{"row": 1, "error": null, "result": null, "meta": null}', "its row or its meta is not valid"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, text: str, says: str) -> None:
    out = write_lines(tmp_path / "out.jsonl", [text])
    with pytest.raises(RunError, match="not the output of a run") as raised:
        find_retryable(out, "jsonl")
    assert says in str(raised.value)


def test_csv_does_not_say_what_may_be_sent_again(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="this format does not record which rows can be retried"):
        find_retryable(tmp_path / "out.csv", "csv")


def test_chosen_rows_keep_their_numbers(tmp_path: Path) -> None:
    source = RowSource(str(write_lines(tmp_path / "in.jsonl", [{"n": n} for n in range(1, 101)])))
    out = write_lines(tmp_path / "out.jsonl", [envelope(n, "timeout") for n in (3, 4, 50)])
    chosen = ChosenRows(source, find_retryable(out, "jsonl").numbers)
    assert [(row.number, row.data) for row in chosen.rows()] == [(n, {"n": n}) for n in (3, 4, 50)]
    assert chosen.count(lambda: True) == 3
    assert [chosen.passed(row) for row in (0, 2, 3, 4, 49, 50, 99)] == [0, 0, 1, 2, 2, 3, 3]
    assert list(ChosenRows(source, RetryableRows().numbers).rows()) == []


def test_chosen_rows_are_read_no_further_than_the_last(tmp_path: Path) -> None:
    class Source(RowSource):
        def rows(self) -> Iterator[InputRow]:
            yield from (InputRow(1, {}), InputRow(2, {}))
            raise AssertionError("nothing more is wanted")

    out = write_lines(tmp_path / "out.jsonl", [envelope(2, "timeout")])
    chosen = ChosenRows(Source(str(out)), find_retryable(out, "jsonl").numbers)
    assert [row.number for row in chosen.rows()] == [2]
