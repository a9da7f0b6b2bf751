"""A Temporal development server as a process of the test, which keeps its workflows in a file."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from tests.fakes import wait_until
from tests.loopback import free_port

PROGRAM = shutil.which(str(Path(__file__).parents[2] / "build/temporal/bin/temporal"))


class TemporalServer:
    """A server on loopback that can be killed and started again on its file."""

    def __init__(self, folder: Path, *settings: str) -> None:
        """`settings` are values of the server's dynamic configuration, as `KEY=VALUE`."""
        self._folder, self.port, self._settings = folder, free_port(), settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, task_queue: str) -> str:
        return f"temporal://{self.host}/default?task_queue={task_queue}"

    def start(self) -> None:
        assert PROGRAM
        command = [
            PROGRAM,
            "server",
            "start-dev",
            "--headless",
            "--ip",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        command += ["--db-filename", str(self._folder / "temporal.db"), "--log-level", "error"]
        command += [f"--dynamic-config-value={setting}" for setting in self._settings]
        with (self._folder / "temporal.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: listens(self.port))

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """End the server at once, as a power failure would."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> TemporalServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        self.kill()


def listens(port: int) -> bool:
    """Return whether a server listens on a port of this machine."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
