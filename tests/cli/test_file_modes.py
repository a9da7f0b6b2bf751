"""Permissions of the files of a run: results follow the umask, all others are private."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import wait_until, write_lines

pytestmark = pytest.mark.in_process

if sys.platform == "win32":
    pytest.skip("modes mean nothing here", allow_module_level=True)

UMASK, SHARED, PRIVATE = 0o027, 0o640, 0o600
FORMATS = ("jsonl", "json", "csv")
READ = ("run", "get_device", "-t", "device_id={{ n }}", "-i", "rows.jsonl", "--delay-ms", "0")
REVEALS = (
    "run", "report_custom_fields", "-t", "show_secure_values=true", "-i", "rows.jsonl", "--delay-ms", "0",
    "--reveal-secrets",
)  # fmt: skip


@pytest.fixture(autouse=True)
def umask(connection_file: Path, tmp_path: Path) -> Iterator[None]:
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in (1, 2, 3)])
    before = os.umask(UMASK)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("format", FORMATS)
def test_results_and_summaries_follow_the_umask_in_every_format(
    ninjaone: Ninjaone, tmp_path: Path, format: str
) -> None:
    out = tmp_path / f"out.{format}"
    command = (*READ, "-c", "connection.yaml", "-o", out.name, "--summary", "summary.json")
    for more in ((), ("--restart",)):
        done = ninjaone(*command, *more)
        assert done.returncode == 0, done.stderr
        assert (mode(out), mode(tmp_path / "summary.json")) == (SHARED, SHARED)
        out.chmod(0o777)  # the next one is a file of its own


def test_downloads_follow_the_umask(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    call = ("call", "download_article", "article_id=1", "-c", "connection.yaml", "--files", "files")
    for more, expected in (((), SHARED), (("--reveal-secrets",), PRIVATE)):
        done = ninjaone(*call, *more)
        assert done.returncode == 0, done.stderr + done.stdout
        (file,) = (tmp_path / "files").iterdir()
        assert mode(file) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_what_reveals_secrets_is_for_its_user_alone(ninjaone: Ninjaone, tmp_path: Path, format: str) -> None:
    out = tmp_path / f"out.{format}"
    done = ninjaone(*REVEALS, "-c", "connection.yaml", "-o", out.name)
    assert done.returncode == 0, done.stderr
    assert mode(out) == PRIVATE


def test_a_folder_that_a_job_makes_for_revealed_secrets_is_for_its_user_alone(
    ninjaone: Ninjaone, tmp_path: Path
) -> None:
    text = (
        "connection: connection.yaml\ninput: rows.jsonl\noutput: {folder}\ndelay_ms: 0\n"
        "reveal_secrets: {reveal}\nsteps:\n"
        "  - {{name: found, action: get_device, templates: {{device_id: '{{{{ n }}}}'}}}}\n"
    )
    for reveal, of_folder, of_file in (("true", 0o700, PRIVATE), ("false", 0o750, SHARED)):
        folder = tmp_path / f"out-{reveal}"
        (tmp_path / "job.yaml").write_text(text.format(folder=folder.name, reveal=reveal))
        done = ninjaone("run", "job.yaml")
        assert done.returncode == 0, done.stderr
        assert (mode(folder), mode(folder / "found.jsonl")) == (of_folder, of_file)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("connection", ["connection.yaml", "{{ 'connection.yaml' }}"])
def test_work_in_progress_is_for_its_user_alone(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, format: str, connection: str
) -> None:
    allowed = ("--allow-connections", "connection.yaml") if "{{" in connection else ()
    out = tmp_path / f"out.{format}"
    command = (*READ, "-c", connection, *allowed, "-o", out.name, "--audit", "audit.jsonl")
    sandbox.set_faults(queue=[None, None, {"fault": "slow", "seconds": 60}])
    process = subprocess.Popen([sys.executable, "-m", "connector", *command], cwd=tmp_path)
    wait_until(lambda: len(sandbox.log.requests()) == 3)
    process.kill()
    process.wait()
    work = tmp_path / f"out.{format}.run"
    assert mode(work) == 0o700
    written = [path for path in work.rglob("*") if path.is_file() and path.stat().st_size]
    assert {path.name for path in written} >= {"journal.jsonl", "envelopes.jsonl"}
    assert {path.name: mode(path) for path in written} == {path.name: PRIVATE for path in written}
    assert mode(tmp_path / "audit.jsonl") == PRIVATE
    work.chmod(0o755)  # as an older version made it
    sandbox.set_faults(queue=[])
    done = ninjaone(*command, "--resume")
    assert done.returncode == 0, done.stderr
    assert mode(out) == SHARED
