"""A nightly report by the line that `schedule` prints for cron: with names, dates and a notification."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.cron_daemon import running_cron, why_no_cron
from tests.e2e.jobs.conftest import WriteJob, sent, step
from tests.fakes import wait_until
from tests.loopback import Server, answering

pytestmark = [
    pytest.mark.in_process,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no cron and no sh"),
]

SERVERS = {"device_filter": "class = WINDOWS_SERVER"}


@pytest.fixture
def folder(write_job: WriteJob, connection_file: Path, tmp_path: Path) -> Path:
    """A folder with the job, whose name requires quotes in a crontab."""
    named = {"results": True, "with_names": "device"}
    write_job(
        connection=str(connection_file),
        output="report-{{ now | format_datetime('%Y-%m-%d') }}",
        steps=[
            step("patches", "report_os_patches", rows="each", output_format="csv", times="iso", **named),
            step("software", "report_software", SERVERS, output_format="xlsx", **named),
        ],
    )
    folder = tmp_path / "a 100% 'job'"
    folder.mkdir()
    (tmp_path / "job.yaml").rename(folder / "job.yaml")
    return folder


def check_reports(folder: Path, sandbox: Sandbox) -> None:
    """The reports have all patches, and all software of servers, with the names of the devices."""
    (report,) = folder.glob("report-20??-??-??")
    names = {
        node["id"]: node["systemName"]
        for node in map(sandbox.state.node, map(sandbox.state.device, range(1, 26)))
    }
    with (report / "patches.csv").open(newline="") as file:
        patches = list(csv.DictReader(file))
    assert len(patches) > 10
    assert all(names[int(row["deviceId"])] == row["deviceName"] for row in patches)
    assert all(row["timestamp"].endswith("Z") for row in patches)
    header, *rows = load_workbook(report / "software.xlsx").active.iter_rows(values_only=True)
    software = [dict(zip(header, row, strict=True)) for row in rows]
    assert {row["deviceName"].partition("-")[0] for row in software} == {"SRV"}
    assert not sent(sandbox)
    queries = [r["path"] for r in sandbox.log.requests() if "/queries/" in r["path"]]
    assert queries == ["/v2/queries/os-patches", "/v2/queries/software"]


def test_the_scheduled_command_writes_the_reports(ninjaone: Ninjaone, folder: Path, sandbox: Sandbox) -> None:
    """The command runs in a shell without the variables of this one, as cron runs it."""
    done = ninjaone("schedule", folder / "job.yaml", "--daily", "02:00")
    assert done.returncode == 0, done.stderr
    line = done.stdout.removeprefix("0 2 * * * ").rstrip("\n").replace("\\%", "%")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    first = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    check_reports(folder, sandbox)
    summary = json.loads((folder / "job.summary.json").read_text())
    assert (summary["state"], summary["exit_code"]) == ("finished", 0)


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_cron()), reason=why_no_cron())
def test_cron_runs_the_nightly_report(
    ninjaone: Ninjaone, folder: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    with Server((answering,)) as server:
        given = ("--notify-url", server.base_url, "--notify-on", "always", "--var", "x=50% & 'more'\\\\")
        done = ninjaone("schedule", folder / "job.yaml", "--cron", "* * * * *", *given)
        assert done.returncode == 0, done.stderr
        with running_cron(done.stdout, tmp_path / "cron"):
            wait_until(lambda: len(server.received) > 0, seconds=150)
        summary = json.loads(server.received[0].body)["summary"]
    assert (summary["state"], summary["exit_code"]) == ("finished", 0)
    assert [run["failed"] for run in summary["runs"]] == [0, 0]
    assert json.loads((folder / "job.summary.json").read_text()) == summary
    check_reports(folder, sandbox)
    assert "run ended" in (folder / "job.log").read_text()
