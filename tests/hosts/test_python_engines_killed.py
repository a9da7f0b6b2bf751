"""A file of rows as a task of Celery, Dask and Ray, with its state in PostgreSQL: its machine is killed.

The tasks are those of docs/python-engines.md. A machine is a folder, and the processes that run in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.docs.pages import blocks, page
from tests.fakes import wait_until
from tests.hosts.programs import PATIENCE_S, programs
from tests.loopback import free_port
from tests.state.workers import Workers
from tests.torture.kinds import TICKET

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the processes of a machine are found in /proc"),
]

PAGE = "docs/python-engines.md"
ROWS = 40
VISIBLE_S = 25
"""The seconds after which Redis gives a task to another worker. It is more than the lease of a run."""


class Machines:
    """Folders, each with the files of the page and the same rows, and the processes that run in them."""

    def __init__(self, folder: Path, found: Path, state: str, sandbox: Sandbox) -> None:
        self._folder, self._programs, self._state = folder, found, state
        self._connection = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
        self._files = {block.file: block.text for block in blocks(page(PAGE)) if block.file}
        self._started: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.sockets = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # whose names must be short

    def folder(self, machine: str) -> Path:
        """Return the folder of a machine."""
        folder = self._folder / machine
        if not folder.exists():
            folder.mkdir()
            for name, text in self._files.items():
                text = re.sub("127.0.0.1:(6379|8786)", f"127.0.0.1:{self.port}", text)
                text = text.replace('"visibility_timeout": 600', f'"visibility_timeout": {VISIBLE_S}')
                (folder / name).write_text(text)
            rows = [f"Row {number}." for number in range(1, ROWS + 1)]
            (folder / "rows.csv").write_text("\n".join(["subject", *rows]) + "\n")
            (folder / "sandbox.yaml").write_text(self._connection)
        return folder

    def start(
        self, machine: str, program: str, *options: object, **variables: str
    ) -> subprocess.Popen[bytes]:
        """Start a program of the engines on a machine; what it prints is in a file beside the folder."""
        folder, inside = self.folder(machine), self._programs / program
        homes = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
        environment = {
            **os.environ,
            **{home: str(folder / "home") for home in homes},
            "NINJAONE_STATE": self._state,
            "RAY_USAGE_STATS_ENABLED": "0",
            **variables,
        }
        with self.printed(machine).open("ab") as printed:
            process = subprocess.Popen(
                [str(inside if inside.exists() else program), *map(str, options)],
                cwd=folder,
                env=environment,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        self._started.append(process)
        return process

    def printed(self, machine: str) -> Path:
        """Return the file with what the programs of a machine printed."""
        return self._folder / f"{machine}.log"

    def await_text(self, machine: str, text: str) -> None:
        """Wait until the programs of a machine have printed a text."""
        wait_until(lambda: text.encode() in self.printed(machine).read_bytes(), PATIENCE_S)

    def running(self) -> str | None:
        """Return the machine on which the rows run; None if there is none."""
        held = [path.parent.name for path in self._folder.glob("*/tickets.jsonl.run")]
        return held[0] if held else None

    def kill(self, machine: str) -> None:
        """End all processes of a machine at once."""
        while found := _processes_in(self._folder / machine):
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            for started in self._started:
                started.poll()

    def close(self) -> None:
        """End all processes of all machines."""
        for folder in self._folder.iterdir():
            if folder.is_dir():
                self.kill(folder.name)
        for process in self._started:
            process.wait()
        shutil.rmtree(self.sockets)


def _processes_in(folder: Path) -> list[int]:
    """Return the processes whose current folder this is, without those that have ended."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
    return found


def start_celery(machines: Machines) -> subprocess.Popen[bytes]:
    """Start Redis, two workers, and what waits for the task."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: run `make recipes`")
    machines.start("server", "redis-server", "--port", machines.port, "--bind", "127.0.0.1", "--save", "")
    machines.await_text("server", "Ready to accept connections")
    for machine in ("one", "two"):
        options = ("--concurrency", 1, "--hostname", f"{machine}@%h", "--loglevel", "INFO")
        machines.start(machine, "celery", "-A", "celery_rows", "worker", *options)
    call = "print(create_tickets.delay('rows.csv', 'tickets.jsonl').get())"
    return machines.start("starter", "python", "-c", f"from celery_rows import create_tickets; {call}")


def start_dask(machines: Machines) -> subprocess.Popen[bytes]:
    """Start a scheduler, two workers, and what waits for the task."""
    quiet = ("--host", "127.0.0.1", "--no-dashboard")
    machines.start("server", "dask", "scheduler", "--port", machines.port, *quiet)
    for machine in ("one", "two"):
        machines.start(machine, "dask", "worker", f"127.0.0.1:{machines.port}", "--nthreads", 1, *quiet)
    return machines.start("starter", "python", "dask_rows.py")


def start_ray(machines: Machines) -> subprocess.Popen[bytes]:
    """Start a head node without tasks, what waits for the task, and two nodes."""
    address = f"127.0.0.2:{machines.port}"
    small = ("--object-store-memory", 80_000_000, "--block")
    head = ("--head", "--port", machines.port, "--temp-dir", machines.sockets, "--include-dashboard", "false")
    machines.start("server", "ray", "start", *head, "--node-ip-address", "127.0.0.2", "--num-cpus", 0, *small)
    machines.await_text("server", "Ray runtime started")
    starter = machines.start("starter", "python", "ray_rows.py", RAY_ADDRESS=address)
    machines.await_text("starter", "Connected to Ray cluster")
    for number, machine in enumerate(("one", "two"), 3):
        node = ("--address", address, "--node-ip-address", f"127.0.0.{number}", "--num-cpus", 1)
        machines.start(machine, "ray", "start", *node, *small)
        if machine == "one":  # nodes that start at the same time can choose the same ports
            machines.await_text(machine, "Ray runtime started")
    return starter


ENGINES = {"Celery": start_celery, "Dask": start_dask, "Ray": start_ray}


@pytest.fixture
def machines(wheel: Path, tmp_path: Path, postgres: str, sandbox: Sandbox) -> Iterator[Machines]:
    folder = tmp_path / "machines"
    folder.mkdir()
    found = Machines(folder, programs("recipes", wheel), postgres, sandbox)
    yield found
    found.close()


@pytest.mark.parametrize("engine", list(ENGINES))
def test_another_machine_continues_a_file_of_rows(
    engine: str, machines: Machines, postgres: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    seen = Workers(tmp_path, sandbox, TICKET, ROWS, postgres)
    starter = ENGINES[engine](machines)
    wait_until(lambda: len(seen.requests()) >= 5 or starter.poll() is not None, PATIENCE_S)
    first = machines.running()
    assert first, machines.printed("starter").read_text()
    machines.kill(first)
    assert 5 <= len(seen.requests()) < ROWS
    in_doubt = seen.in_doubt()
    assert starter.wait(PATIENCE_S) == 0, machines.printed("starter").read_text()

    (written,) = machines.folder(first).parent.glob("*/tickets.jsonl")
    assert written.parent.name == {"one": "two", "two": "one"}[first]
    seen.check([json.loads(line) for line in written.read_text().splitlines()], in_doubt)
