"""Rows of several tenants in one file: the command line, and a server for each tenant.

What is killed, interrupted or limited is a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.cli.main import main
from connector.connections.saved import SavedConnections
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.e2e.tenants.instances import NAMES, Start, Tenants, save


@pytest.fixture
def tenants() -> Iterator[Tenants]:
    """Three instances, each a saved connection. Runs allow the first two; the third is the default."""
    with Sandbox() as acme, Sandbox() as globex, Sandbox() as initech:
        running = dict(zip(NAMES, (acme, globex, initech), strict=True))
        for name, sandbox in running.items():
            save(name, sandbox.connection)
        SavedConnections().make_default("initech")
        yield running


@pytest.fixture
def ninjaone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ninjaone:
    """Run `ninjaone ARGUMENTS` in the test's folder, and return the completed process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(argument) for argument in arguments]
        with pytest.MonkeyPatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            code = main(command)
        return subprocess.CompletedProcess(command, code, *capfd.readouterr())

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `ninjaone ARGUMENTS` in the test's folder, and do not wait for its end."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: object, **more: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "connector", *map(str, arguments)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, env=os.environ, **more)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        with process:  # closes its pipes
            pass
