"""Real PostgreSQL servers for tests: of a folder of their own, on loopback.

One server is shared by all tests of a session, which have a database each. A test that kills its server
starts one of its own. As root, the servers run as the user `postgres`, since PostgreSQL refuses root.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.loopback import free_port

PASSWORD = "open-sesame-4711"
"""The password of the only user, which no message may show."""
_NUMBERS = itertools.count()
_PATIENCE_S = 120


def binary(name: str) -> str | None:
    """The path of a program of PostgreSQL; None where it is not installed."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(newest_first[0]) if newest_first else shutil.which(name)


class Server:
    """A PostgreSQL server, with its files in a folder."""

    def __init__(self, *, fsync: bool = True) -> None:
        self._fsync = fsync
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        password = self.folder / "password"
        password.write_text(PASSWORD)
        options = ["--no-sync", "--auth=scram-sha-256", "--username=tester", f"--pwfile={password}"]
        options += ["--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [binary("initdb") or "initdb", *options, "-D", self.folder / "data"],
            check=True,
            user=self._user,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        self.start()

    @property
    def pid(self) -> int:
        """The process that starts all others of the server."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "on" if self._fsync else "off",
            "shared_buffers": "16MB",
            "wal_level": "minimal",
            "max_wal_senders": 0,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary("postgres") or "postgres", "-D", self.folder / "data", *options],
                user=self._user,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # so that Ctrl-C does not end it before its tests
            )
        end = time.monotonic() + _PATIENCE_S
        while (self.folder / "data" / "postmaster.pid").exists() is False or not self._is_ready():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, "PostgreSQL does not start"
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def kill(self) -> None:
        """End all of its processes at once, as by a power failure of which the disk knows nothing."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for process in (self.pid, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        assert self._process
        self._process.wait()
        for process in map(int, children):
            while Path(f"/proc/{process}").exists():  # a new server refuses to start before
                time.sleep(0.01)

    def stop(self) -> None:
        """End it in order, and remove its files."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """The URL of a database; with the port of a proxy, through it."""
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{port or self._port}/{database}"

    @property
    def port(self) -> int:
        return self._port


def _skip_without() -> None:
    if binary("initdb") is None:
        if os.environ.get("REQUIRE_POSTGRES"):
            pytest.fail("PostgreSQL is required here: run `make postgres`")
        pytest.skip("no PostgreSQL: run `make postgres`")


@pytest.fixture(scope="session")
def shared_postgres(shared_folder: Path) -> str:
    """The URL of the database `postgres` on the server of the session."""
    _skip_without()
    told = shared_folder / "postgres.json"
    with FileLock(f"{told}.lock"):
        if not told.exists():
            of_session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            started = subprocess.run(
                [sys.executable, "-m", "tests.postgres", str(of_session)],
                stdout=subprocess.PIPE,
                check=True,
                cwd=Path(__file__).parent.parent,
            )
            told.write_text(json.dumps({"url": started.stdout.decode().strip()}))
    url: str = json.loads(told.read_text())["url"]
    assert url, "PostgreSQL does not start"
    return url


@pytest.fixture
def postgres(shared_postgres: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    import psycopg

    from connector.state.databases import close_databases

    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(shared_postgres, autocommit=True) as connection:
        # Before version 15, files are always copied. Without fsync, this takes half as long as a log of them.
        strategy = "STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
        connection.execute(f"CREATE DATABASE {name} {strategy}".encode())
    yield shared_postgres.rpartition("/")[0] + f"/{name}"
    close_databases()
    with psycopg.connect(shared_postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["files", pytest.param("postgres", marks=pytest.mark.slow)])
def each_state(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test with its state in files, and with --all again in a database; the kind of the state."""
    return _with_state(request, monkeypatch)


@pytest.fixture(params=["files", "postgres"])
def both_states(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test with its state in files, and again in a database; the kind of the state."""
    return _with_state(request, monkeypatch)


def _with_state(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "postgres":
        monkeypatch.setenv("NINJAONE_STATE", request.getfixturevalue("postgres"))
    kind: str = request.param
    return kind


@pytest.fixture
def own_postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of the test's own, which it can kill."""
    _skip_without()
    from connector.state import database
    from connector.state.databases import close_databases

    # On a busy machine, it can take long that a server refuses, which is not the same as no response.
    monkeypatch.setattr(database, "_SLOW_S", float("inf"))
    server = Server()
    yield server
    close_databases()
    server.stop()


def keep(of_session: int) -> None:
    """Start a server, print its URL, and leave it to a process that ends it once the session has ended."""
    receive, send = os.pipe()
    if os.fork():
        os.close(send)
        with open(receive) as told:
            print(told.read())
        return
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.close(receive)
    server = Server(fsync=False)  # nobody kills it
    try:
        os.write(send, server.url().encode())
        os.close(send)
        while _is_alive(of_session):
            time.sleep(0.3)
    finally:
        server.stop()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    keep(int(sys.argv[1]))
