"""The command line as a subprocess."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.cli.main import main
from connector.common import redaction
from connector.runs import wait
from connector.sandbox.ninjaone.server import Sandbox
from tests.loopback import PATIENCE_S

Ninjaone = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ninjaone(request: pytest.FixtureRequest) -> Ninjaone:
    """Run `ninjaone ARGUMENTS` in the test's folder, or in `folder`, and return the completed process.

    As a process; within the test's own where a module has the mark `in_process`, unless --all is given. With
    `in_process("patched")`, always within, because the test patches what the command uses.
    """
    mark = request.node.get_closest_marker("in_process")
    within = mark and ("patched" in mark.args or not request.config.getoption("--all"))
    found: Ninjaone = request.getfixturevalue("in_process" if within else "process")
    return found


@pytest.fixture
def process(tmp_path: Path) -> Ninjaone:
    """What `ninjaone` does as a process."""

    def run(
        *arguments: object, stdin: str = "", folder: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "connector", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, **environment},
            timeout=PATIENCE_S,
        )

    return run


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ninjaone:
    """What `ninjaone` does, within the test's process, which takes a tenth of the time."""

    def run(
        *arguments: object, stdin: str = "", folder: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as context, tempfile.TemporaryFile("w+") as file:
            file.write(stdin)
            file.seek(0)
            context.chdir(folder)
            context.setattr(sys, "stdin", file)
            context.setattr(redaction, "OF_PROCESS", redaction.Redactor())  # as in a new process
            context.setattr(gc, "freeze", lambda: None)
            for name, value in environment.items():
                context.setenv(name, value)
            try:
                code = main(list(map(str, arguments)))
            except SystemExit as exit:
                code = int(exit.code or 0)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


@pytest.fixture
def config(own_state: Path) -> Path:
    return own_state / "config/ninjaone-connector"


@pytest.fixture
def instance(sandbox: Sandbox) -> tuple[str, ...]:
    """The options for the test's sandbox; its secret comes apart."""
    return ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id)


def screen(text: str) -> list[str]:
    """Return the lines that a wide terminal shows after this text, without white space at their ends."""
    lines: list[str] = []
    line: dict[int, str] = {}
    column = 0
    for character in text + "\n":
        if character == "\n":
            lines.append("".join(line.get(n, " ") for n in range(max(line, default=-1) + 1)).rstrip())
            line, column = {}, 0
        elif character == "\r":
            column = 0
        else:
            assert character.isprintable(), f"{character!r} is no plain text"
            line[column] = character
            column += 1
    return lines


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """A sandbox in which the work of devices takes time, and can fail."""
    with Sandbox(devices=25, order_s=0.2) as running:
        yield running


@pytest.fixture
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_POLLS_S", (0.0, 0.1))
