"""Which rows a step sees of an earlier step's output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.errors import RunError
from connector.files.readers import InputRow, RowSource
from connector.runs.step_rows import Only, StepRows, compile_only
from tests.fakes import write_lines


def envelope(row: int, result: Any = None, *, error: str | None = None, **more: Any) -> dict[str, Any]:
    """An envelope as it stands in an output; `item` and `last` are its place in a list."""
    meta = {name: more.pop(name) for name in ("item", "last") if name in more}
    return {"has_error": bool(error), "error": error, "result": result, "row": row, "meta": meta, **more}


def seen(folder: Path, *lines: Any, only: Only | None = None) -> tuple[list[InputRow], dict[str, int]]:
    """The rows that a step sees which follows the step `found`, and what was left out."""
    rows = StepRows(RowSource(str(write_lines(folder / "out.jsonl", list(lines)))), "found", only)
    assert rows.count(lambda: True) == len(lines)
    assert rows.passed(len(lines)) == len(lines)
    return list(rows.rows()), rows.left_out


def test_a_row_is_the_earlier_row_and_what_came_of_it(tmp_path: Path) -> None:
    rows, _ = seen(tmp_path, envelope(1, {"id": 5}, input={"name": "x", "before": {"id": 4}}))
    assert rows == [InputRow(1, {"name": "x", "before": {"id": 4}, "found": {"id": 5}})]


def test_without_the_earlier_row_it_is_what_came_of_it_alone(tmp_path: Path) -> None:
    rows, _ = seen(tmp_path, envelope(1, [1, 2]), envelope(2, None))
    assert [row.data for row in rows] == [{"found": [1, 2]}, {"found": None}]


def test_failed_rows_are_left_out_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    rows, left_out = seen(tmp_path, envelope(1, "a"), envelope(2, error="no"), envelope(3, "c"))
    assert [(row.number, row.data["found"]) for row in rows] == [(1, "a"), (3, "c")]
    assert left_out == {"failed": 1, "only": 0}


def test_every_item_of_a_list_is_a_row_and_an_empty_list_is_none(tmp_path: Path) -> None:
    rows, left_out = seen(
        tmp_path,
        envelope(1, {"id": 1}, item=1, last=False),
        envelope(1, {"id": 2}, item=2, last=True),
        envelope(2, None, item=1, last=True),
        envelope(3, {"id": 3}, item=1, last=True),
    )
    assert [(row.number, row.data["found"]["id"]) for row in rows] == [(1, 1), (2, 2), (4, 3)]
    assert left_out == {"failed": 0, "only": 0}


def test_no_item_of_a_list_that_broke_off_is_a_row(tmp_path: Path) -> None:
    rows, left_out = seen(
        tmp_path,
        envelope(1, {"id": 1}, item=1, last=False),
        envelope(1, error="page 2 broke", item=2, last=True),
        envelope(2, {"id": 2}, item=1, last=True),
        envelope(3, error="none came", item=1, last=True),
    )
    assert [row.data["found"]["id"] for row in rows] == [2]
    assert left_out == {"failed": 2, "only": 0}


def test_only_chooses_rows(tmp_path: Path) -> None:
    only = compile_only("{{ found.age > limit and now == 9 }}", {"now": 9})
    lines = [envelope(n, {"age": n}, input={"limit": 1}) for n in (1, 2, 3)]
    rows, left_out = seen(tmp_path, *lines, only=only)
    assert [row.number for row in rows] == [2, 3]
    assert left_out == {"failed": 0, "only": 1}


@pytest.mark.parametrize(
    ("source", "chosen"),
    [
        ("{{ found }}", True),
        ("{{ not found }}", False),
        ("yes", True),
        ("{% if found %} true {% else %} false {% endif %}", True),
        ("{{ '' }}", False),
    ],
)
def test_only_is_a_template_that_gives_true_or_false(source: str, chosen: bool) -> None:
    assert compile_only(source, {})({"found": True}) is chosen


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (
            "{{ found.aeg > 1 }}",
            "template_error",
            'only: an object has no member "aeg" (did you mean "age"?)',
        ),
        ("{{ found }}", "input_invalid", "only: true or false is expected, not an object"),
    ],
)
def test_a_row_for_which_only_fails_fails_itself(
    tmp_path: Path, source: str, code: str, message: str
) -> None:
    rows, left_out = seen(tmp_path, envelope(1, {"age": 5}), only=compile_only(source, {}))
    assert (rows[0].number, rows[0].code) == (1, code)
    assert message in rows[0].error
    assert left_out == {"failed": 0, "only": 0}


def test_only_must_be_a_template() -> None:
    with pytest.raises(RunError, match="only: template, line 1"):
        compile_only("{{ a", {})


@pytest.mark.parametrize(
    "line", ['{"id": 5}', '{"has_error": false, "result": 1, "row": 1, "meta": 5}', "{bro"]
)
def test_what_is_no_envelope_is_a_row_that_fails(tmp_path: Path, line: str) -> None:
    rows, _ = seen(tmp_path, envelope(1, "a"), line)
    assert rows[0].error == ""
    assert rows[1].error
