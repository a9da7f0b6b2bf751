"""Files and folders without permissions: a message, exit code 2, and nothing is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S
from tests.permissions import can_obey, obey_permissions, obeying_permissions

if sys.platform == "win32":
    pytest.skip("modes mean nothing here", allow_module_level=True)

CONNECTION, INPUT, OUTPUT = ("-c", "connection.yaml"), ("-i", "rows.jsonl"), ("-o", "out.jsonl")
FILES = (*CONNECTION, *INPUT, *OUTPUT)
READ = ("run", "get_device", "-t", "device_id={{ n }}", "--delay-ms", "0")
FAILS = ("-t", "device_id={{ no }}")
STEPS = (
    "connection: connection.yaml\ninput: rows.jsonl\noutput: {0}/out\nsteps:\n"
    "  - {{name: a, action: get_device, templates: {{device_id: '1'}}}}\n"
)
PATHS: dict[str, tuple[str, ...]] = {
    "output": (*READ, *CONNECTION, *INPUT, "-o", "{}/out.jsonl"),
    "output, restarted": (*READ, *CONNECTION, *INPUT, "-o", "{}/out.jsonl", "--restart"),
    "output, resumed": (*READ, *CONNECTION, *INPUT, "-o", "{}/out.jsonl", "--resume"),
    "output of tenants": (
        *READ,
        "-c",
        "{{ c }}",
        "--allow-connections",
        "connection.yaml",
        *INPUT,
        "-o",
        "{}/out",
    ),
    "outputs of steps": ("run", "{}.yaml"),
    "outputs of steps, resumed": ("run", "{}.yaml", "--resume"),
    "outputs of steps, restarted": ("run", "{}.yaml", "--restart"),
    "input": (*READ, *CONNECTION, "-i", "{}/rows.jsonl", *OUTPUT),
    "input folder": (*READ, *CONNECTION, "-i", "{}/rows", *OUTPUT),
    "connection": (*READ, "-c", "{}/connection.yaml", *INPUT, *OUTPUT),
    "templates": ("run", "get_device", *FILES, "--templates", "{}/templates.yaml"),
    "job": ("run", "{}/job.yaml"),
    "actions": (*READ, *FILES, "--actions", "{}/actions"),
    "files": ("run", "download_article", *FILES, "-t", "article_id=1", "--files", "{}/files"),
    "summary": (*READ, *FILES, "--summary", "{}/summary.json"),
    "audit": (*READ, *FILES, "--audit", "{}/audit.jsonl"),
    "log": (*READ, *FILES, "--log-file", "{}/log.txt"),
    "rerun": ("rerun", "{}/out.jsonl"),
    "rerun's output": ("rerun", "done.jsonl", "-o", "{}/out.jsonl"),
    "rerun's job": ("rerun", "done.jsonl", "{}/job.yaml"),
    "export of": ("rerun", "{}/out.jsonl", "--export", "kept.jsonl"),
    "discard": ("rerun", "{}/out.jsonl", "--discard"),
    "preview": ("preview", "get_device", *CONNECTION, "-i", "{}/rows.jsonl", "-t", "device_id={{ n }}"),
    "preview's connection": ("preview", "get_device", *INPUT, "-c", "{}/c.yaml", "-t", "device_id={{ n }}"),
    "preview's job": ("preview", "{}/job.yaml"),
    "demo": ("demo", "--output", "{}/demo"),
    "integration": ("host", "lhub", "build", "{}/integration"),
    "examples": ("examples", "copy", "{}/examples"),
    "preview's templates": ("preview", "get_device", *CONNECTION, *INPUT, "--templates", "{}/templates.yaml"),
}


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of a user whom permissions hold back."""
    return subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ,
        preexec_fn=obey_permissions,
        timeout=PATIENCE_S,
    )


@pytest.fixture
def ninjaone(request: pytest.FixtureRequest, in_process: Ninjaone) -> Run:
    """Run the command line in a folder as a user whom permissions hold back; with --all as a process."""

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        with obeying_permissions():
            return in_process(*arguments, folder=folder)

    return process if request.config.getoption("--all") else run


@pytest.fixture
def locked(tmp_path: Path, connection_file: Path) -> Iterator[Path]:
    """A folder that may not be entered; beside it is a file in a folder's place."""
    if not can_obey(tmp_path):
        pytest.skip("no permissions hold for this user")
    write_lines(tmp_path / "rows.jsonl", [{"n": 1, "c": "connection.yaml"}])
    (tmp_path / "file").touch()
    for name in ("locked", "file"):
        (tmp_path / f"{name}.yaml").write_text(STEPS.format(name))
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.fixture
def failed(locked: Path, sandbox: Sandbox, ninjaone: Run) -> None:
    """A finished run whose row failed, and can be run again."""
    folder = locked.parent
    done = ninjaone(
        folder, "run", "get_device", *CONNECTION, *INPUT, "-o", "done.jsonl", "-t", "device_id={{ no }}"
    )
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("place", ["locked", pytest.param("file", marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", PATHS)
def test_a_path_that_cannot_be_used_is_a_fault_of_the_run(
    locked: Path, request: pytest.FixtureRequest, sandbox: Sandbox, ninjaone: Run, what: str, place: str
) -> None:
    if "done.jsonl" in PATHS[what]:
        request.getfixturevalue("failed")
    arguments = [argument.replace("{}", place) for argument in PATHS[what]]
    done = ninjaone(locked.parent, *arguments)
    assert done.returncode == 2, done.stderr
    assert place in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "bug in the connector" not in done.stderr
    assert sandbox.log.requests() == []


@pytest.mark.parametrize("more", [(), ("--restart",), ("--resume",)])
def test_a_work_folder_that_cannot_be_used_is_a_fault_of_the_run(
    locked: Path, sandbox: Sandbox, ninjaone: Run, more: tuple[str, ...]
) -> None:
    folder = locked.parent
    write_lines(folder / "rows.jsonl", [{"n": 999}, {"n": 1}])
    run = (*READ, *FILES, "--on-error", "stop")
    stopped = ninjaone(folder, *run)
    assert stopped.returncode == 3, stopped.stderr
    sent = len(sandbox.log.requests())
    work = folder / "out.jsonl.run"
    work.chmod(0)
    try:
        done = ninjaone(folder, *run, *more)
    finally:
        work.chmod(0o700)
    assert (done.returncode, len(sandbox.log.requests())) == (2, sent), done.stderr
    assert "Permission denied" in done.stderr
    assert "bug in the connector" not in done.stderr


def test_an_output_folder_that_is_read_only(locked: Path, sandbox: Sandbox, ninjaone: Run) -> None:
    locked.chmod(0o500)
    done = ninjaone(locked.parent, *READ, *CONNECTION, *INPUT, "-o", "locked/out.jsonl")
    assert (done.returncode, sandbox.log.requests()) == (2, [])
    assert "locked/out.jsonl: cannot be written: Permission denied" in done.stderr
