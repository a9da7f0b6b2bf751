"""Which tenant a row is for, and the split of an input by tenant."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connector.errors import RowError, RunError, RunInterruptedError, RunStoppedError
from connector.files.readers import InputRow
from connector.runs import tenant_split
from connector.runs.connection_choice import SelectConnection, read_allowed, read_choice
from connector.runs.tenant_split import NOBODY, Split
from connector.templating.scope import is_template

ALLOWED = {"acme": "acme", "globex.yaml": "/etc/globex.yaml", "7": "7"}


def choice(template: str = "{{ tenant }}", allowed: dict[str, str] = ALLOWED) -> SelectConnection:
    choose = read_choice(template, allowed)
    assert choose is not None
    return choose


@pytest.mark.parametrize(
    ("template", "row", "name"),
    [
        ("{{ tenant }}", {"tenant": "acme"}, "acme"),
        ("{{ tenant }}", {"tenant": "globex.yaml"}, "globex.yaml"),
        ("{{ tenant }}", {"tenant": 7}, "7"),
        ("{{ tenant | lower }}", {"tenant": "ACME"}, "acme"),
        ("{{ customer.tenant }}.yaml", {"customer": {"tenant": "globex"}}, "globex.yaml"),
        ("{% if big %}acme{% else %}7{% endif %}", {"big": False}, "7"),
        ("{{ row['the tenant'] }}", {"the tenant": "acme"}, "acme"),
    ],
)
def test_a_template_picks_one_that_is_allowed(template: str, row: dict[str, Any], name: str) -> None:
    assert choice(template)(row) == name


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        ({"tenant": "/etc/globex.yaml"}, "input_invalid", '"/etc/globex.yaml" is not allowed'),
        ({"tenant": "acme\n"}, "input_invalid", "is not allowed"),
        ({"tenant": "{{ 'acme' }}"}, "input_invalid", "is not allowed"),
        ({"tenant": "x" * 1000}, "input_invalid", "(1000 characters)"),
        ({"tenant": "\t"}, "input_invalid", "the template is empty for this row"),
        ({"tenant": None}, "input_invalid", "the template is empty for this row"),
        ({"tenant": {}}, "input_invalid", "connection: "),
        ({"now": 5}, "template_error", 'the row has no field "tenant"'),
    ],
)
def test_whatever_else_it_gives_is_refused(row: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(RowError) as refused:
        choice()(row)
    assert refused.value.code == code
    assert message in str(refused.value)
    assert str(refused.value).endswith(". Allowed connections: acme, globex.yaml, 7")


def test_a_row_keeps_the_number_of_its_row_in_the_input(tmp_path: Path) -> None:
    split = Split(tmp_path, ["acme"])
    row = InputRow(3, {"tenant": "acme"}, origin=1)
    split.write(iter([row]), choice(), Event())
    assert list(split.rows("acme")) == [row]


def test_neither_time_nor_chance_has_a_say(tmp_path: Path) -> None:
    """A run that goes on has to find every row with the tenant that it had."""
    with pytest.raises(RowError, match='no field "now"'):
        choice("{{ 'acme' if now else '7' }}")({"tenant": "acme"})
    for template in ("{{ ['acme', '7'] | random }}", "{% if ['a'] | random %}acme{% endif %}"):
        with pytest.raises(RunError, match="the filter random cannot be used here"):
            choice(template)


@pytest.mark.parametrize("connection", [None, "acme", "./{acme}.yaml"])
def test_a_connection_without_a_template_takes_no_list(connection: str | None) -> None:
    assert not is_template(connection)
    assert read_choice(connection, {}) is None
    with pytest.raises(RunError, match="requires a connection template"):
        read_choice(connection, ALLOWED)


def test_what_is_listed_is_what_a_row_may_say(tmp_path: Path) -> None:
    assert read_allowed([" acme", "sub/x.yaml", "/etc/x.yaml"], tmp_path) == {
        "acme": "acme",
        "sub/x.yaml": str(tmp_path / "sub" / "x.yaml"),
        "/etc/x.yaml": "/etc/x.yaml",
    }
    for wrong in (["a", "a"], ["a", ""], [" "]):
        with pytest.raises(RunError, match="allow_connections"):
            read_allowed(wrong)


def split(folder: Path, rows: Iterator[InputRow]) -> Split:
    found = Split(folder / "rows", ["acme", "globex"])
    found.write(rows, choice(allowed={"acme": "acme", "globex": "globex"}), Event())
    return found


def test_rows_are_split_whole_and_keep_their_numbers(tmp_path: Path) -> None:
    data: list[dict[str, Any]] = [
        {"tenant": "acme", "é": "\ud800", "n": 10**30, "deep": [{"a": None}, 1.5e300, True]},
        {"tenant": "globex", "text": '\u2028\n",\\'},
        {"tenant": "acme", "error": "not an error", "code": "x", "number": 9},
    ]
    rows = [InputRow(number, row) for number, row in zip((3, 5, 8), data, strict=True)]
    found = split(tmp_path, iter(rows))
    assert list(found.rows("acme")) == [rows[0], rows[2]]
    assert list(found.rows("globex")) == [rows[1]]
    assert found.counts == {NOBODY: 0, "acme": 2, "globex": 1}
    assert list(found.rows(NOBODY)) == []


def test_rows_that_nobody_runs_say_why(tmp_path: Path) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    rows = [
        InputRow(1, {}, "line 1: not JSON"),
        InputRow(2, {"tenant": "acme"}, "only: it fails", "template_error"),
        InputRow(3, {"tenant": "evil", "kept": 1}),
        InputRow(4, {"tenant": "acme", "nested": nested}),
    ]
    found = split(tmp_path, iter(rows))
    first, second, third, fourth = found.rows(NOBODY)
    assert (first, second) == (rows[0], rows[1])
    assert (third.number, third.data, third.code) == (3, rows[2].data, "input_invalid")
    assert '"evil" is not allowed' in third.error
    assert (fourth.number, fourth.data) == (4, {})
    assert "nested too deeply" in fourth.error
    assert list(found.rows("acme")) == []


def test_a_split_replaces_what_an_earlier_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_split, "_BLOCK", 100)
    names = ("acme", "globex", "acme", "nobody")
    rows = [InputRow(n, {"tenant": names[n % 4], "n": n}) for n in range(1, 401)]
    for _ in range(2):
        found = split(tmp_path, iter(rows))
        for name in ("acme", "globex"):
            assert list(found.rows(name)) == [row for row in rows if row.data["tenant"] == name]
        assert found.counts == {NOBODY: 100, "acme": 200, "globex": 100}


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing there")
def test_nobody_else_may_read_the_rows(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        split(tmp_path, iter([InputRow(1, {"tenant": "acme"})]))
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "rows").iterdir()} == {0o600}


def test_a_split_can_be_stopped_and_has_to_have_room(tmp_path: Path) -> None:
    rows = [InputRow(1, {"tenant": "acme"})]
    stop = Event()
    stop.set()
    with pytest.raises(RunInterruptedError):
        Split(tmp_path / "rows", ["acme"]).write(iter(rows), choice(), stop)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="the rows cannot be written"):
        split(tmp_path / "file", iter(rows))
    with pytest.raises(RunStoppedError, match="cannot be read"):
        list(Split(tmp_path / "nothing", ["acme"]).rows("acme"))
