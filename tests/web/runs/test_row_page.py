"""The page of one row of a run: its response as a tree and as JSON, its data, and the way to Try."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.common.redaction import Redactor
from connector.runs.job import Job
from connector.runs.output_names import absolute
from connector.runs.record import Record
from connector.runs.records import find, find_by_id, save
from connector.web.runs.envelopes import Envelopes
from connector.web.runs.json_tree import MAX_MEMBERS, MAX_NODES, Node, make_tree
from tests.web.guest import Guest, open_site


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


def text_of(page: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", page).split()))


def envelope(row: int, result: Any = None, **meta: Any) -> dict[str, Any]:
    code = meta.get("code")
    error = f"row {row} failed" if code else None
    its = {"action": "update_device", "status": 200, "code": None, **meta}
    return {"has_error": bool(code), "error": error, "result": result, "row": row, "meta": its}


def finished(folder: Path, envelopes: list[dict[str, Any]], **settings: Any) -> Record:
    """The record of a finished run, with its output and an input of three rows."""
    output, rows = folder / "out.jsonl", folder / "rows.jsonl"
    output.write_text("".join(json.dumps(e, separators=(",", ":")) + "\n" for e in envelopes))
    rows.write_text("".join(f'{{"n": {n}, "name": "PC <{n}>"}}\n' for n in range(1, 4)))
    job = Job("update_device", **{"input": str(rows), "output": str(output), **settings})
    digest = job.source().digest() if job.input == str(rows) else ""
    failed = sum(e["has_error"] for e in envelopes)
    summary = {"rows": len(envelopes), "failed": failed, "succeeded": len(envelopes) - failed}
    record = Record(absolute(output), job, {"input": digest}, 1000.0, 1010.0, summary=summary)
    save(record)
    return record


def test_a_long_response_is_shown_and_downloaded_completely(guest: Guest, tmp_path: Path) -> None:
    result = {"name": "x" * 3000, "nested": {"list": [1, None, True, {"deep": "<b>end</b>"}]}}
    record = finished(tmp_path, [envelope(1), envelope(2, result), envelope(3)])
    run = guest.get(f"/runs/{record.id}").text
    assert f'<a href="{record.id}/rows/2" aria-label="Row 2">2</a>' in run
    assert "x" * 3000 not in run
    page = guest.get(f"/runs/{record.id}/rows/2").text
    assert page.count("x" * 3000) == 2  # in the tree, and as JSON for the copy button
    assert "<b>end" not in page
    assert "nested 1 member list 4 items" in text_of(page)
    response = guest.get(f"/runs/{record.id}/rows/2/envelopes")
    assert response.headers["Content-Disposition"] == 'attachment; filename="update_device-row-2.jsonl"'
    assert [json.loads(line) for line in response.text.splitlines()] == [envelope(2, result)]


def test_the_data_of_a_failed_row_is_shown_and_opens_in_try(guest: Guest, tmp_path: Path) -> None:
    templates = {"device_id": "{{ n }}", "display_name": "{{ site }} {{ name }}"}
    record = finished(
        tmp_path,
        [envelope(1), envelope(2, code="not_found", repeatable=True)],
        templates=templates,
        vars={"site": "Leeds"},
    )
    way = f"actions/update_device/try?run={record.id}&row=2"
    assert f'href="../{way}"' in html.unescape(guest.get(f"/runs/{record.id}").text)
    page = guest.get(f"/runs/{record.id}/rows/2").text
    assert f'href="../../../{way}"' in html.unescape(page)
    assert "n 2 name PC <2>" in text_of(page)
    assert "row 2 failed" in page
    assert "fix first" in page
    tried = guest.get(f"/{way.partition('?')[0]}", run=record.id, row="2").text
    assert '{"site": "Leeds", "n": 2, "name": "PC <2>"}' in html.unescape(tried)
    assert ">{{ site }} {{ name }}</textarea>" in tried
    assert f'href="../../runs/{record.id}"' in tried


def test_every_item_of_a_row_is_shown(guest: Guest, tmp_path: Path) -> None:
    items = [envelope(1, {"item": n}, item=n, last=n == 25) for n in range(1, 26)]
    page = guest.get(f"/runs/{finished(tmp_path, items).id}/rows/1").text
    assert page.count('class="response"') == 20
    assert "The row has more results: download them." in page
    id = finished(tmp_path, items).id
    assert len(guest.get(f"/runs/{id}/rows/1/envelopes").text.splitlines()) == 25


def test_secrets_are_hidden_also_in_the_download(guest: Guest, tmp_path: Path) -> None:
    record = finished(tmp_path, [envelope(1, {"password": "hunter2-hunter2"})])
    for path in (f"/runs/{record.id}/rows/1", f"/runs/{record.id}/rows/1/envelopes"):
        assert "hunter2" not in guest.get(path).text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gone", "no such file or folder"),
        ("changed", "The input file has changed since the run."),
        ("shorter", "does not have all of these rows"),
        ("standard input", "The run read standard input, which is not kept."),
    ],
)
def test_data_that_is_not_there_any_more_is_explained(
    guest: Guest, tmp_path: Path, change: str, message: str
) -> None:
    settings = {"input": "-"} if change == "standard input" else {}
    record = finished(tmp_path, [envelope(1), envelope(2, code="conflict")], **settings)
    rows = tmp_path / "rows.jsonl"
    if change == "gone":
        rows.unlink()
    elif change == "changed":
        rows.write_text('{"n": 7}\n' * 3)
    elif change == "shorter":
        rows.write_text('{"n": 7}\n')
        save(replace(record, fingerprint={}))
    page = guest.get(f"/runs/{record.id}/rows/2")
    assert (page.status_code, message in page.text, 'id="try"' in page.text) == (200, True, False)
    tried = guest.get("/actions/update_device/try", run=record.id, row="2").text
    assert f"The rows of the run cannot be read: {message}" in tried or message in tried


def test_rows_of_a_step_and_of_corrected_rows_are_found(guest: Guest, tmp_path: Path) -> None:
    first = finished(tmp_path, [envelope(1, {"id": 5}), envelope(2, {"id": 6})])
    (tmp_path / "later").mkdir()
    later = finished(tmp_path / "later", [envelope(2, code="conflict")], step="b", follows="device")
    save(replace(later, job=replace(later.job, input=str(first.output)), fingerprint={}))
    assert "device 1 member id 6" in text_of(guest.get(f"/runs/{later.id}/rows/2").text)
    corrected = tmp_path / "fix.csv"
    corrected.write_text("row,n,error\n2,22,no\n")
    save(replace(later, job=Job("update_device", input=str(corrected)), fingerprint={"corrected": "yes"}))
    page = text_of(guest.get(f"/runs/{later.id}/rows/2").text)
    assert "Data of the row n 22" in page


def test_what_is_no_row_of_a_run_is_not_there(guest: Guest, tmp_path: Path) -> None:
    record = finished(tmp_path, [envelope(1)])
    for path in (f"/runs/{record.id}/rows/9", f"/runs/{'0' * 32}/rows/1", f"/runs/{record.id}/rows/x"):
        assert guest.get(path).status_code == 404
        assert guest.get(f"{path}/envelopes").status_code == 404
    assert "no longer exists" in guest.get("/actions/update_device/try", run="0" * 32, row="1").text


def test_a_row_of_a_table_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("row,has_error,error,n\n1,false,,1\n2,true,row 2 failed,\n")
    envelopes = Envelopes(path, "csv", Redactor())
    assert [e["result"] for e in envelopes.of_row(1)] == [{"n": "1"}]
    assert [(e["has_error"], e["error"]) for e in envelopes.of_row(2)] == [(True, "row 2 failed")]


def test_trees_are_limited() -> None:
    wide = make_tree(list(range(1000)))
    assert (wide.kind, len(wide.members), wide.left_out) == ("1,000 items", MAX_MEMBERS, 800)
    assert count(make_tree([list(range(100)) for _ in range(100)])) <= MAX_NODES + MAX_MEMBERS
    deep: Any = "end"
    for _ in range(100):
        deep = [deep]
    assert count(make_tree(deep)) < 30


def count(node: Node) -> int:
    return 1 + sum(map(count, node.members))


def test_a_rows_page_of_a_real_run_has_its_own_data(guest: Guest) -> None:
    id = guest.run("update_device", '{"n": 1}\n{"n": 9999}\n', {"device_id": "{{ n }}"})
    guest.wait(id)
    record = find_by_id(id)
    assert record is not None
    assert find(record.output) is not None
    page = text_of(guest.get(f"/runs/{id}/rows/2").text)
    assert "Data of the row n 9999" in page
