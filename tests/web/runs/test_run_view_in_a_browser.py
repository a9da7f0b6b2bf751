"""The pages of runs in a real browser, also of runs started on the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import find, save
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import write_lines
from tests.web.conftest import PHONE, OpenVisit
from tests.web.guest import LONG_S
from tests.web.test_accessible import violations

REFUSED = {"fault": "answer", "status": 409, "body": {"resultCode": "conflict"}}


@pytest.fixture
def start(connection_file: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts `ninjaone run update_device` over so many rows by the command line."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(rows: int, delay_ms: int) -> subprocess.Popen[bytes]:
        write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, rows + 1)])
        command = ["update_device", "-i", "rows.jsonl", "-o", "out.jsonl", "-c", str(connection_file)]
        templates = ["-t", "device_id={{ n }}", "-t", "display_name=PC {{ n }}"]
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "connector", "run", *command, *templates, f"--delay-ms={delay_ms}"],
                cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


def test_a_run_of_the_command_line_is_seen_going_on_and_ending(visit: OpenVisit, start: Any) -> None:
    site = visit()
    page = site.open("runs")
    start(40, 100)
    for _ in range(LONG_S):
        page.reload()
        if page.locator(".state.running").count():
            break
        page.wait_for_timeout(200)
    page.get_by_role("link", name="Update Device").click()
    page.locator(".state.running").wait_for()
    page.locator("progress").wait_for()
    page.locator("#live", has_text="of 40").wait_for()
    first = int(page.locator("#last tbody td:first-child").first.inner_text())
    page.locator(f"#last tbody td:first-child a:text-is('{first + 5}')").wait_for()
    page.locator(".plot svg").wait_for()
    page.get_by_text("As a table").click()
    assert violations(page) == []
    site.keep("watch-live")
    page.locator(".state.finished").wait_for(timeout=LONG_S * 1000)
    assert page.locator("#plot-table").get_attribute("open") is not None
    figures = page.locator(".figures").inner_text().split()
    assert figures[:2] + figures[2:4] + figures[4:6] == ["Rows", "40", "Succeeded", "25", "Failed", "15"]
    site.keep("watch-finished", full_page=True)
    assert violations(page) == []


def test_failed_rows_are_filtered_by_code_and_rerun(
    visit: OpenVisit, start: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[None, REFUSED, None, REFUSED])
    start(26, 0).wait()
    output = absolute(tmp_path / "out.jsonl")
    site = visit(color_scheme="dark", viewport=PHONE)
    page = site.open("runs")
    site.keep("runs", full_page=True)
    assert violations(page) == []
    page.get_by_role("link", name="Update Device").click()
    page.get_by_role("link", name="conflict 2").click()
    page.wait_for_url("**code=conflict")
    cells = page.locator("#failures tbody td:first-child")
    assert cells.all_inner_texts() == ["2", "4"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    asked = len(sandbox.log.requests())
    page.get_by_role("button", name="Rerun 3 failed rows").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert f"runs 3 rows on {sandbox.base_url.removeprefix('http://')}" in dialog.inner_text()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert len(sandbox.log.requests()) == asked
    site.open("runs")
    page.get_by_role("button", name="Rerun 3 failed rows of Update Device").click()
    dialog.get_by_role("button", name="Run it").click()
    rerun = id_of(output.with_name("out.rerun.jsonl"))
    page.wait_for_url(f"**/runs/{rerun}")
    page.locator(".state.finished").wait_for(timeout=LONG_S * 1000)
    sent = [r["path"] for r in sandbox.log.requests()[asked:]]
    assert sent == ["/v2/device/2", "/v2/device/4", "/v2/device/26"]
    record = find(output.with_name("out.rerun.jsonl"))
    assert record is not None
    assert record.rerun_of == output


def test_a_run_is_stopped_and_resumed_on_its_page(visit: OpenVisit) -> None:
    page = visit().open("actions/update_device/try")
    page.locator("#rows").fill("".join(f'{{"n": {n}}}\n' for n in range(1, 26)))
    for field in page.locator("textarea[name^='template.']").all():
        field.evaluate("field => { field.value = ''; }")
    page.locator("#t-device_id").fill("{{ n }}")
    page.locator("#t-display_name").fill("PC {{ n }}")
    page.locator("#delay_ms").fill("150")
    page.locator("#tried", has_text="The first 20 of 25 rows: 20 can be sent.").wait_for()
    page.get_by_role("button", name="Run in the sandbox").click()
    page.locator(".state.running").wait_for()
    page.get_by_role("button", name="Stop after the rows in progress").click()
    page.locator(".state.stopped").wait_for(timeout=LONG_S * 1000)
    assert violations(page) == []
    page.get_by_role("button", name="Resume").click()
    page.locator(".state.finished").wait_for(timeout=LONG_S * 1000)
    assert page.locator("#last tbody td:first-child").first.inner_text() == "25"


def too_wide(page: Any) -> list[str]:
    """The elements that reach out of the page, and those that scroll sideways."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main, main :not(pre *)')].filter(
            one => one.getBoundingClientRect().right > innerWidth + 1
                || one.matches('main, table, .scrolls') && one.scrollWidth > one.clientWidth + 1
        ).map(one => one.outerHTML.slice(0, 100))"""
    )
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_no_table_of_a_run_is_wider_than_its_page(visit: OpenVisit, tmp_path: Path, width: int) -> None:
    output = tmp_path / "out.jsonl"
    meta = {"code": "execution_timeout", "status": 404, "repeatable": False}
    error = f"no {'long-name-without-a-space' * 8}"
    write_lines(
        output,
        [
            {"has_error": n % 2 == 0, "error": None if n % 2 else error, "result": {"a": "x" * 300}, "row": n,
             "meta": {"code": None, "status": 200} if n % 2 else meta}
            for n in range(1, 9)
        ],
    )  # fmt: skip
    codes = ("execution_timeout", "outcome_unknown", "template_error", "internal_error", "network_error")
    summary = {
        "rows": 1234567, "succeeded": 1000000, "failed": 234567, "stopped": True,
        "codes": {code: {"rows": 46913, "example": "row 1: no"} for code in codes},
        "kinds": {"retry": 46913, "fix": 46913, "check": 140739},
        "connections": {f"{'a-very-long-customer-name-' * 4}{n}": {"rows": 9, "failed": 1} for n in range(2)},
    }  # fmt: skip
    job = Job("find_unmanaged_device_by_name", input="x", output=str(output))
    names = [job.action, "generate_organization_location_installer", "list_devices_with_custom_fields"]
    for number, action in enumerate(names):
        its = replace(job, action=action, output=f"{output}{number or ''}")
        where = f"{'a-very-long-connection-name-' * 3} (tenant-with-a-long-name.rmmservice.example:8443)"
        save(
            Record(
                absolute(its.output), its, {}, 1e9, 1e9 + 9, output, summary, where, total=12345678,
                timeline=[(0.0, 0), (5.0, 600000), (10.0, 1234567)],
            )
        )  # fmt: skip
    steps = [str(tmp_path / f"{'long-step-name-' * 3}{n}.jsonl") for n in range(3)]
    for n in range(2):
        its = replace(job, output=steps[n], step=f"{'long-step-name-' * 3}{n}", step_outputs=steps)
        save(Record(absolute(its.output), its, {}, 1e9 + n, 1e9 + 9, None, summary, "acme", 9999999))
    running = replace(job, output=f"{output}.live")
    live = Record(absolute(running.output), running, {}, 1e9, None, None, summary, "acme", 9999999)
    save(replace(live, seen=time.time()))
    site = visit(viewport={"width": width, "height": 800})
    page = site.open("runs")
    assert page.locator(".runs tbody tr").count() >= 7  # those of earlier tests have no record
    assert too_wide(page) == []
    site.keep(f"runs-{width}", full_page=True)
    assert violations(page) == []
    page = site.open(f"runs/{id_of(absolute(Path(steps[0])))}")
    assert page.locator("#steps li").count() == 3
    assert too_wide(page) == []
    assert violations(page) == []
    page = site.open(f"runs/{id_of(absolute(output))}")
    page.get_by_text("As a table").click()
    assert page.locator(".envelopes").count() == 2
    assert too_wide(page) == []
    site.keep(f"run-{width}", full_page=True)
    assert violations(page) == []
