"""Everyday jobs in a real browser: a file with a wrong row, a run of the command line, and a whole job."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connector.cli.main import INTERRUPTED
from connector.runs.output_names import absolute, id_of
from connector.sandbox.ninjaone.server import Sandbox
from connector.web.server import CatalogServer
from tests.cli.conftest import in_process as in_process
from tests.cli.conftest import ninjaone as ninjaone
from tests.cli.conftest import process as process
from tests.cli.test_rerun_job import STEPS, codes, made
from tests.cli.test_rerun_job import onboarding as onboarding
from tests.fakes import write_lines
from tests.web.conftest import OpenVisit
from tests.web.guest import LONG_S
from tests.web.runs.test_run_view_in_a_browser import too_wide
from tests.web.test_accessible import violations

pytestmark = pytest.mark.in_process

FOR_LONG = {"timeout": LONG_S * 1000}


def drop(page: Any, name: str, content: str) -> None:
    """Drop a file onto the page."""
    transfer = page.evaluate_handle(
        """([name, content]) => {
            const data = new DataTransfer();
            data.items.add(new File([content], name, { type: "text/csv" }));
            return data;
        }""",
        [name, content],
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})


def test_a_row_of_a_dropped_file_fails_and_is_corrected(visit: OpenVisit, server: CatalogServer) -> None:
    sandbox = server.site.control.sandbox("ninjaone")
    before = max((r["n"] for r in sandbox.log.requests()), default=0)
    page = visit().open("actions/create_location/try")
    drop(page, "sites.csv", "Organization,Location Name\n1,Leeds\n9999,York\n3,Hull\n")
    page.locator("#tried", has_text="3 rows: 3 can be sent.").wait_for()
    planned = page.locator("#tried-rows details")
    assert ["/v2/organization/" in one for one in planned.all_inner_texts()] == [True] * 3
    page.get_by_role("button", name="Run in the sandbox").click()
    page.wait_for_url("**/runs/*")
    page.locator(".state.finished").wait_for(**FOR_LONG)
    failed = page.locator("#failures tbody tr")
    assert failed.count() == 1
    assert "not_found" in failed.inner_text()
    failed.get_by_role("link", name="Open in Try: row 2").click()
    page.locator("#tried", has_text="1 row: 1 can be sent.").wait_for()
    row = json.loads(page.locator("#rows").input_value())
    assert row == {"Organization": "9999", "Location Name": "York"}
    page.locator("#rows").fill(json.dumps({**row, "Organization": "2"}))
    page.locator("#tried-rows summary", has_text="/v2/organization/2/locations").wait_for()
    page.get_by_role("button", name="Run in the sandbox").click()
    page.locator("#last").wait_for(state="attached")
    page.locator(".state.finished").wait_for(**FOR_LONG)
    assert page.locator("#failures tbody tr").count() == 0
    changes = [r for r in sandbox.log.requests(before) if r["method"] == "POST"]
    made = Counter((r["path"], r["body"]["name"]) for r in changes if r["executed"])
    names = {1: "Leeds", 2: "York", 3: "Hull"}
    assert made == {(f"/v2/organization/{id}/locations", name): 1 for id, name in names.items()}
    assert len(changes) == 4


def test_a_run_of_the_command_line_is_stopped(
    visit: OpenVisit, connection_file: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It is resumed by the command line, and each row is sent once."""
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, 21)])
    options = ["-t", "device_id={{ n }}", "-t", "display_name=PC {{ n }}", "-c", str(connection_file)]
    command = [sys.executable, "-m", "connector", "run", "update_device", "-i", "rows.jsonl", *options]
    command += ["-o", "out.jsonl", "--delay-ms"]
    run = id_of(absolute(tmp_path / "out.jsonl"))
    with subprocess.Popen([*command, "400"], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        try:
            page = visit().open("runs")
            for _ in range(5 * LONG_S):
                if page.locator(f"#stop-{run}").count():
                    break
                page.wait_for_timeout(200)
                page.reload()
            page.locator(f"#stop-{run}").click()
            page.wait_for_url(f"**/runs/{run}")
            page.locator(".state.stopped").wait_for(**FOR_LONG)
            assert process.wait(LONG_S) == INTERRUPTED
        finally:
            process.kill()
    assert "can be resumed" in page.locator("#state").inner_text()
    assert 0 < len(sandbox.log.requests()) < 20
    done = subprocess.run([*command, "0", "--resume"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page.reload()
    page.locator(".state.finished").wait_for()
    assert Counter(r["path"] for r in sandbox.log.requests()) == {f"/v2/device/{n}": 1 for n in range(1, 21)}


def test_a_whole_job_is_rerun(visit: OpenVisit, onboarding: Path, sandbox: Sandbox) -> None:
    folder = onboarding / "out"
    site = visit(viewport={"width": 390, "height": 800})
    page = site.open("runs")
    assert too_wide(page) == []
    page.get_by_role("link", name="Create New Organization").click()
    page.get_by_role("button", name="Rerun 3 failed rows through all steps").click()
    dialog = page.get_by_role("dialog", name="Rerun of the job out, on 127.0.0.1:")
    dialog.wait_for()
    assert "Create Location: " in dialog.inner_text()
    site.keep("rerun-job")
    assert violations(page) == []
    before = len(made(sandbox, executed=False))
    dialog.get_by_role("button", name="Run it").click()
    page.wait_for_url(f"**/runs/{id_of(absolute(folder / 'rerun/organization.jsonl'))}")
    page.locator("#steps p .state.finished").wait_for(**FOR_LONG)
    assert page.locator("#steps li").all_inner_texts() == [f"{step} finished" for step in STEPS]
    assert too_wide(page) == []
    assert violations(page) == []
    assert codes(folder / "rerun", *STEPS) == [[None], [None, None], [None, None, None]]
    assert len(made(sandbox, executed=False)) == before + 3
    assert set(Counter(made(sandbox)).values()) == {1}
    page = site.open(f"runs/{id_of(absolute(folder / 'site.jsonl'))}")
    page.get_by_role("button", name="Rerun 3 failed rows through all steps").click()
    page.locator("#e-run", has_text="No failed rows of this job can be rerun").wait_for()
    site.complaints.clear()  # the browser's own, of the request that was refused
