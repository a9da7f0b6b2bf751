"""The page of a row in a real browser: the tree, the copy, the download, and Try with the row's data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.runs.job import Job
from connector.runs.output_names import absolute
from connector.runs.record import Record
from connector.runs.records import save
from tests.web.conftest import DESKTOP, PHONE, OpenVisit
from tests.web.runs.test_run_view_in_a_browser import too_wide
from tests.web.test_accessible import violations


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)])
def test_a_failed_row_is_read_copied_and_tried_again(
    visit: OpenVisit, tmp_path: Path, scheme: str, viewport: dict[str, int]
) -> None:
    result = {"text": "x" * 2000, "items": [{"id": n, "names": ["a", "b"]} for n in range(30)]}
    meta = {"action": "update_device", "status": 404, "code": "not_found", "repeatable": True}
    failed = {"has_error": True, "error": "no device 9999", "result": result, "row": 1, "meta": meta}
    (tmp_path / "out.jsonl").write_text(json.dumps(failed, separators=(",", ":")) + "\n")
    (tmp_path / "rows.jsonl").write_text('{"n": 9999}\n')
    job = Job(
        "update_device",
        input=str(tmp_path / "rows.jsonl"),
        output=str(tmp_path / "out.jsonl"),
        templates={"device_id": "{{ n }}", "display_name": "PC {{ n }}"},
    )
    record = Record(absolute(job.output), job, {}, 1e9, 1e9 + 9, summary={"rows": 1, "failed": 1})
    save(record)
    site = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page = site.open(f"runs/{record.id}")
    page.locator("#failures").get_by_role("link", name="Row 1", exact=True).click()
    page.locator("summary", has_text="29").first.click()
    page.get_by_text("Result as JSON").click()
    assert too_wide(page) == []
    assert violations(page) == []
    site.keep(f"row-{scheme}", full_page=True)
    page.get_by_role("button", name="Copy: Result").click()
    page.get_by_role("button", name="Copy: Result").get_by_text("opied").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    assert json.loads(saved.value.path().read_text()) == failed
    page.get_by_role("link", name="Open in Try").click()
    page.locator("#tried", has_text="1 row: 1 can be sent.").wait_for()
    assert page.locator("#rows").input_value().strip() == '{"n": 9999}'
    assert page.locator("#t-display_name").input_value() == "PC {{ n }}"
