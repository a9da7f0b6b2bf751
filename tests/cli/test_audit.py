"""`--audit` on the command line, in jobs, connections and the environment; and when its disk is full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.client.test_audit import lines
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process


ROWS = 9  # more than can be under way when the disk is found to be full
RUN = (
    "run",
    "create_organization",
    "-c",
    "connection.yaml",
    "-i",
    "rows.jsonl",
    "-o",
    "out.jsonl",
    "--delay-ms",
    0,
)


@pytest.fixture(autouse=True)
def rows(connection_file: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"name": f"Organization {n}"} for n in range(1, ROWS + 1)])


def posts(sandbox: Sandbox) -> list[str]:
    return [r["body"]["name"] for r in sandbox.log.requests() if r["method"] == "POST"]


def test_a_run_a_rerun_and_a_call_append_to_one_file(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 999, 2)])
    audit = ("--audit", "audit.jsonl", "-c", "connection.yaml", "--delay-ms", 0)
    assert ninjaone("run", "get_device", "-i", "rows.jsonl", "-o", "out.jsonl", *audit).returncode == 1
    assert ninjaone("rerun", "out.jsonl").returncode == 1  # to where the run's record says
    assert ninjaone("call", "get_device", "device_id=3", *audit).returncode == 0
    found = lines(tmp_path / "audit.jsonl")
    assert [(line["row"], line["path"], line["status"]) for line in found] == [
        (1, "/v2/device/1", 200), (2, "/v2/device/999", 404), (3, "/v2/device/2", 200),
        (2, "/v2/device/999", 404), (1, "/v2/device/3", 200),
    ]  # fmt: skip
    assert {line["connection"] for line in found} == {sandbox.base_url.removeprefix("http://")}
    assert all(line["action"] == "get_device" and line["request_id"] for line in found)


def test_a_job_and_its_connection_have_each_their_own(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/job.yaml").write_text(
        "connection: ../connection.yaml\ninput: ../rows.jsonl\noutput: out\naudit: ../job-audit.jsonl\n"
        "delay_ms: 0\nsteps:\n  - {name: made, action: create_organization}\n"
        "  - {name: read, action: get_organization, input: {step: made},\n"
        "     templates: {organization_id: '{{ made.id }}'}}\n"
    )
    with connection_file.open("a") as file:
        file.write("audit: own-audit.jsonl\n")
    done = ninjaone("run", tmp_path / "jobs/job.yaml")
    assert done.returncode == 0, done.stderr
    found = lines(tmp_path / "job-audit.jsonl")
    assert [line["action"] for line in found] == ["create_organization"] * ROWS + ["get_organization"] * ROWS
    assert lines(tmp_path / "own-audit.jsonl") == found


def test_the_environment_gives_one_to_a_connection_that_has_none(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    call = ("call", "get_device", "device_id=1", "-c", "connection.yaml")
    assert ninjaone(*call, NINJAONE_AUDIT="by-environment.jsonl").returncode == 0
    with connection_file.open("a") as file:
        file.write("audit: own.jsonl\n")
    assert ninjaone(*call, NINJAONE_AUDIT="by-environment.jsonl").returncode == 0
    assert len(lines(tmp_path / "by-environment.jsonl")) == len(lines(tmp_path / "own.jsonl")) == 1


def test_what_cannot_be_written_sends_nothing(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    done = ninjaone(*RUN, "--audit", "missing/audit.jsonl")
    assert done.returncode == 2
    assert "missing/audit.jsonl: the audit log cannot be written: No such file or directory" in done.stderr
    assert sandbox.log.requests() == sandbox.log.signins() == []
    assert not list(tmp_path.glob("out*"))


_LIMITED = """
import resource, sys
from connector.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
sys.exit(main())
"""
"""The command line in a process whose files have a largest size, beyond which writing fails."""


def run_with_room_for(path: Path, *more: str, bytes_left: int) -> subprocess.CompletedProcess[str]:
    """Run with an audit that has room for so many bytes more."""
    path.write_bytes(b" " * ((1 << 20) - bytes_left - 1) + b"\n")
    command = [sys.executable, "-c", _LIMITED, *map(str, RUN), "--audit", path.name, *more]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=path.parent, env=os.environ, timeout=60
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of this kind")
@pytest.mark.parametrize("concurrency", ["1", "3"])
def test_a_full_disk_stops_the_run_and_puts_nothing_in_doubt(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, concurrency: str
) -> None:
    path = tmp_path / "audit.jsonl"
    stopped = run_with_room_for(path, "--concurrency", concurrency, bytes_left=600)  # two lines and a half
    assert stopped.returncode == 3, stopped.stderr
    assert "log cannot be written: File too large. These lines are missing: {" in stopped.stderr
    sent = len(posts(sandbox))
    assert 3 <= sent <= 6
    written = [line for line in path.read_text().strip().splitlines() if line.endswith("}")]
    lacking = stopped.stderr.partition("These lines are missing: ")[2].splitlines()[0].split(" and {")
    assert len(written) + len(lacking) == sent  # every request is accounted for

    path.write_text("")
    done = ninjaone(*RUN, "--audit", "audit.jsonl", "--concurrency", concurrency, "--resume")
    assert done.returncode == 0, done.stderr
    assert sorted(posts(sandbox)) == [f"Organization {n}" for n in range(1, ROWS + 1)]  # each of them once
    assert len(lines(path)) == ROWS - sent


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of this kind")
def test_a_line_that_is_owed_at_the_end_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"name": "Last"}])
    done = run_with_room_for(tmp_path / "audit.jsonl", bytes_left=10)
    assert done.returncode == 3, done.stderr
    assert 'These lines are missing: {"audit":1,' in done.stderr
    assert posts(sandbox) == ["Last"]
    assert (tmp_path / "out.jsonl").exists()
