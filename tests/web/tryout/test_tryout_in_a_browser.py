"""Trying an action in a real browser: templates, rows, the places of errors, and the next steps."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.runs.records import find_by_id, list_records
from connector.web.server import CatalogServer
from tests.web.conftest import PHONE, OpenVisit
from tests.web.test_accessible import violations

CSV = (
    "device,feature,until\n"
    "1,PATCHING,2036-07-16T06:00:00-4:00\n"
    "2,EVERYTHING,2036-07-16T06:00:00Z\n"
    "9999,PATCHING,2036-07-16T06:00:00Z\n"
)
OK, BAD = "3 rows: 3 can be sent.", "3 rows: 2 can be sent, 1 cannot."


def says(page: Any, text: str) -> None:
    """Wait until the page says how the rows fare."""
    page.locator("#tried", has_text=text).wait_for()


def error_of(page: Any, name: str) -> str:
    """What stands at an input, which refers to it and is marked as wrong just then."""
    field = page.locator(f"#t-{name}")
    message: str = page.locator(f"#e-{name}").inner_text()
    assert f"e-{name}" in field.get_attribute("aria-describedby").split()
    assert field.get_attribute("aria-invalid") == ("true" if message else None)
    return message


def test_the_example_shows_its_request_without_a_click(visit: OpenVisit) -> None:
    page = visit().open("actions/schedule_maintenance/try")
    says(page, "1 row: 1 can be sent.")
    shown = page.locator("#tried-rows details").inner_text()
    assert "PUT https://INSTANCE/v2/device/12/maintenance" in shown or "/v2/device/12/maintenance" in shown
    assert "authorization: Bearer •••" in shown


def test_rows_render_and_errors_appear_where_they_belong_while_one_types(visit: OpenVisit) -> None:
    site = visit()
    page = site.open("actions/schedule_maintenance/try")
    page.get_by_label("One row per line, or a table with a header").fill(CSV)
    page.locator("#t-device_id").fill("{{ device }}")
    page.locator("#t-disabled_features").fill('["{{ feature }}", "ALERTS"]')
    page.locator("#t-end").fill("")
    page.locator("#t-end").press_sequentially("{{ untill }}")
    page.locator("#e-end", has_text="untill").wait_for()
    says(page, "3 rows: 0 can be sent, 3 cannot.")
    assert error_of(page, "end").startswith('Row 1: the row has no field "untill" (did you mean "until"?)')
    page.locator("#t-end").fill("{{ until }}")
    says(page, BAD)
    assert error_of(page, "end") == ""
    assert error_of(page, "disabled_features").startswith(
        'Row 2: at [0]: the text "EVERYTHING" is not one of'
    )
    rows = page.locator("#tried-rows details")
    assert rows.count() == 3
    assert "cannot be sent" in rows.nth(1).inner_text()
    assert "/v2/device/9999/maintenance" in rows.nth(2).inner_text()
    page.locator("#t-device_id").fill("{{ device ")
    says(page, "3 rows: 0 can be sent, 3 cannot.")
    assert error_of(page, "device_id").startswith("template, line 1: unexpected end of template")
    site.keep("try-errors")
    assert violations(page) == []


def test_what_does_not_change_stays_as_it_is(visit: OpenVisit) -> None:
    page = visit().open("actions/schedule_maintenance/try")
    page.locator("#rows").fill(CSV)
    page.locator("#t-disabled_features").fill('["ALERTS"]')
    page.locator("#t-end").fill("{{ until }}")
    page.locator("#t-device_id").fill("{{ device }}")
    says(page, OK)
    page.locator("#tried-rows details").nth(2).locator("summary").click()
    kept = page.locator("#tried-rows details").nth(2).element_handle()
    page.locator("#t-device_id").fill("{{ device | int }}")
    page.locator("#t-start").evaluate("field => { field.closest('details').open = true; }")
    page.locator("#t-start").fill("2026-01-01")
    page.locator("#tried-rows details", has_text='"start"').nth(2).wait_for()
    assert kept.evaluate("details => details.isConnected && details.open")


def test_the_keyboard_is_enough(visit: OpenVisit) -> None:
    page = visit().open("actions/list_devices/try")
    says(page, "1 row: 1 can be sent.")
    page.locator("#connection").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    page.locator(".state.finished").wait_for()


def test_a_file_is_dropped_and_its_format_recognized(visit: OpenVisit, tmp_path: Path) -> None:
    (tmp_path / "night.csv").write_text(CSV.splitlines()[0] + "\n" + (CSV.splitlines()[1] + "\n") * 150)
    page = visit(viewport=PHONE).open("actions/schedule_maintenance/try")
    page.locator("#rows-file").set_input_files(tmp_path / "night.csv")
    page.locator("[data-file-name]", has_text="night.csv").wait_for()
    for name, template in (("device_id", "{{ device }}"), ("disabled_features", '["{{ feature }}"]')):
        page.locator(f"#t-{name}").fill(template)
    page.locator("#t-end").fill("{{ until }}")
    says(page, "The first 20 of 150 rows: 20 can be sent.")
    assert page.locator("#h-rows-format").inner_text().endswith("CSV, 150 rows")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.get_by_role("button", name="Remove").click()
    says(page, "1 row:")


def test_a_choice_is_put_into_the_template(visit: OpenVisit) -> None:
    page = visit().open("actions/reboot_device/try")
    says(page, "1 row: 1 can be sent.")
    page.get_by_label("Choose: ", exact=False).first.select_option("FORCED")
    page.locator("#tried-rows summary", has_text="/reboot/FORCED").wait_for()
    page.locator("#t-mode").fill("{{ nosuch }}")
    says(page, "1 row: 0 can be sent, 1 cannot.")


def test_it_is_run_in_the_sandbox_watched_downloaded_and_run_again_as_a_job(
    visit: OpenVisit, server: CatalogServer, tmp_path: Path
) -> None:
    site = visit()
    page = site.open("actions/schedule_maintenance/try")
    page.locator("#rows").fill(CSV)
    page.locator("#t-device_id").fill("{{ device }}")
    page.locator("#t-disabled_features").fill('["{{ feature }}", "ALERTS"]')
    page.locator("#t-end").fill("{{ until }}")
    says(page, BAD)
    site.keep("try")
    page.get_by_role("button", name="Run in the sandbox").click()
    page.wait_for_url("**/runs/*")
    page.locator(".state.finished").wait_for()
    assert page.locator("#last tbody tr").count() == 3
    assert [c.inner_text() for c in page.locator("#failures tbody td:first-child").all()] == ["2", "3"]
    site.keep("run")
    assert violations(page) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the envelopes").click()
    saved.value.save_as(tmp_path / "ours.jsonl")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a job").click()
    saved.value.save_as(tmp_path / "job.zip")
    with zipfile.ZipFile(tmp_path / "job.zip") as archive:
        archive.extractall(tmp_path)
    (tmp_path / "sandbox.yaml").write_text(yaml.safe_dump(server.site.control.sandbox("ninjaone").connection))
    command = [sys.executable, "-m", "connector", "run", "job.yaml", "-c", "sandbox.yaml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
    assert told(tmp_path / "ours.jsonl") == told(tmp_path / "envelopes.jsonl")


def told(path: Path) -> list[dict[str, Any]]:
    """Envelopes without what is another one in every run."""
    envelopes = [json.loads(line) for line in path.read_text().splitlines()]
    for envelope in envelopes:
        envelope["meta"].pop("request_id")
        envelope["error"] = (envelope["error"] or "").partition(" (incident")[0]
    return envelopes


def test_a_job_is_saved_without_being_run(visit: OpenVisit, tmp_path: Path) -> None:
    page = visit().open("actions/list_devices/try")
    says(page, "1 row: 1 can be sent.")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a job").click()
    assert saved.value.suggested_filename == "list_devices.zip"
    assert list(list_records()) == []


def test_without_consent_nothing_is_sent(visit: OpenVisit, server: CatalogServer) -> None:
    sandbox = server.site.control.sandbox("ninjaone")
    before = len(sandbox.log.requests())
    site = visit(color_scheme="dark", viewport=PHONE)
    page = site.open("actions/delete_custom_tab/try")
    page.locator("#rows").fill('{"unused_tab": 9001}\n{"unused_tab": 9002}\n')
    says(page, "2 rows: 2 can be sent.")
    run = page.get_by_role("button", name="Run in the sandbox")
    run.click()
    dialog = page.get_by_role("dialog", name="Delete Custom Tab, on the sandbox")
    dialog.wait_for()
    assert "runs 2 rows on the sandbox" in dialog.inner_text()
    site.keep("ask")
    assert violations(page) == []
    for way in ("Escape", "Cancel", "wrong"):
        if way == "Escape":
            page.keyboard.press("Escape")
        elif way == "Cancel":
            dialog.get_by_role("button", name="Cancel").click()
        else:
            dialog.get_by_role("textbox").fill("3")
            dialog.get_by_role("button", name="Run it").click()
            assert dialog.is_visible()
            page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert (len(sandbox.log.requests()), list(list_records())) == (before, [])
        run.click()
        dialog.wait_for()
    dialog.get_by_role("textbox").fill("2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    page.locator(".state.finished").wait_for()
    sent = [f"{r['method']} {r['path']}" for r in sandbox.log.requests()[before:]]
    assert sent == ["DELETE /v2/tab/9001", "DELETE /v2/tab/9002"]


def test_two_clicks_start_one_run(visit: OpenVisit) -> None:
    page = visit().open("actions/list_devices/try")
    says(page, "1 row: 1 can be sent.")
    page.get_by_role("button", name="Run in the sandbox").dblclick(no_wait_after=True)
    page.wait_for_url("**/runs/*")
    page.locator(".state.finished").wait_for()
    assert [r.id for r in list_records()] == [page.url.rpartition("/")[2]]
    assert find_by_id(page.url.rpartition("/")[2]) is not None


def test_a_server_that_has_ended_is_no_silence(visit: OpenVisit) -> None:
    site = visit()
    page = site.open("actions/list_devices/try")
    says(page, "1 row: 1 can be sent.")
    page.route("**/preview", lambda route: route.abort())
    page.locator("#rows").fill("{}")
    says(page, "The server cannot be reached.")
    site.complaints.clear()  # the browser's own, of the request that came to nothing


@pytest.mark.slow
def test_every_form_is_accessible(visit: OpenVisit, server: CatalogServer) -> None:
    site = visit(reduced_motion="reduce")
    found = {}
    for name in server.site.catalog.names[::5]:
        page = site.open(f"actions/{name}/try")
        says(page, "1 row: 1 can be sent.")
        if message := violations(page):
            found[name] = message
    assert found == {}


def choose(page: Any, name: str, content: str) -> None:
    page.locator("#rows-file").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )


def test_the_columns_of_a_file_are_mapped_and_can_be_changed(visit: OpenVisit) -> None:
    site = visit(reduced_motion="reduce")
    page = site.open("actions/update_device/try")
    says(page, "can be sent")
    first = page.locator("#t-display_name").input_value()
    choose(page, "names.csv", "Device ID,Display Name,Policy,Note\n1,SRV-1,Servers,a\n2,SRV-2,Servers,b\n")
    says(page, "2 rows")
    assert page.locator("#t-device_id").input_value() == '{{ row["Device ID"] }}'
    assert page.locator("#t-display_name").input_value() == '{{ row["Display Name"] }}'
    assert page.locator("#t-policy_id").is_visible()
    assert "Display Name → display_name" in page.locator("#mapped").inner_text()
    assert page.locator("#unmapped").inner_text() == "Columns that are not mapped: Note"
    site.keep("try-mapped", full_page=True)
    assert violations(page) == []
    page.locator("#t-policy_id").fill("")
    page.locator("#t-device_id").fill("{{ Device }}")
    choose(page, "more.csv", "Device,Display Name\n3,SRV-3\n")
    says(page, "1 row: 1 can be sent.")
    assert page.locator("#t-device_id").input_value() == "{{ Device }}"
    page.get_by_role("button", name="Remove").click()
    assert page.locator("#t-display_name").input_value() == first
    assert page.locator("#mapped").is_hidden()


def test_the_error_of_a_file_stays_until_the_next_file(visit: OpenVisit) -> None:
    site = visit()
    page = site.open("actions/get_device/try")
    says(page, "1 row: 1 can be sent.")
    choose(page, "broken.xlsx", "not a workbook")
    page.locator("#e-file", has_text="broken.xlsx: ").wait_for()
    assert page.locator("#tried-rows > *").count() == 0
    assert page.locator("#tried").inner_text() == "The file was not read."
    page.locator("#t-device_id").fill("7")
    says(page, "1 row: 1 can be sent.")
    assert "broken.xlsx: " in page.locator("#e-file").inner_text()
    site.complaints.clear()  # the browser's own, of the file that was refused
    held: list[Any] = []
    page.route("**/rows?*", lambda route: held.append(route))
    choose(page, "good.csv", "device_id\n1\n2\n")
    says(page, "Reading good.csv")
    assert page.locator("#tried-rows > *").count() == 0
    assert page.locator("#e-file").inner_text() == ""
    held[0].continue_()
    says(page, "2 rows: 2 can be sent.")
