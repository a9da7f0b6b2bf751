"""What all tests share: a state folder of their own, a clock that needs no waiting, a sandbox."""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.common import redaction, user_folders
from connector.http.transport import HttpTransport
from connector.sandbox.ninjaone.server import Sandbox
from tests import environments, examples
from tests.fakes import FakeClock, FakeTransport, make_client
from tests.kept_catalog import CATALOG
from tests.loopback import PATIENCE_S
from tests.postgres import both_states, each_state, own_postgres, postgres, shared_postgres  # noqa: F401 (fixtures)

OpenTransport = Callable[..., HttpTransport]
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = ROOT.parent / "shared"
"""The vendor's documents, where they are at hand; tests that use them have other assertions besides."""


LONG_ONES = ("e2e", "torture", "cli", "docs", "hosts", "web")
"""The folders whose tests take longest, and so begin first: at the end no process waits for another's."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also run the slow tests")


def pytest_configure(config: pytest.Config) -> None:
    examples.load_profile(is_all=config.getoption("--all"))
    gc.disable()  # Until all tests are collected: what is collected stays, and to search it takes seconds.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # Tests that were started in the background ignore Ctrl-C, and so would all that they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection(session: pytest.Session) -> None:
    """Import a share of the test modules first, so that pytest rewrites each in one process only.

    It writes what it has rewritten beside the modules, where the other processes read it. In a fresh clone,
    this takes half of the collection's time.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker and session.config.args == session.config.getini("testpaths"):
        number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
        for path in sorted(HERE.rglob("test_*.py"))[number::count]:
            # What is wrong with a module is reported when it is collected.
            with contextlib.suppress(Exception, pytest.skip.Exception):
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    if not config.getoption("--all"):
        config.hook.pytest_deselected(items=[item for item in items if "slow" in item.keywords])
        items[:] = [item for item in items if "slow" not in item.keywords]
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] not in LONG_ONES)


_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of the test's own, also for its processes; no keyring, no NINJAONE_ variables, no known secret.

    Most tests write nothing there: what does makes the folder, as to make and remove thousands takes a while.
    """
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_NUMBERS)}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(redaction, "OF_PROCESS", redaction.Redactor())
    for name in list(os.environ):
        if name.startswith("NINJAONE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for remembered in (user_folders.state_folder, user_folders.records_folder, user_folders.work_folder):
        remembered.cache_clear()
    yield folder
    for remembered in (user_folders.state_folder, user_folders.records_folder, user_folders.work_folder):
        remembered.cache_clear()
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of what is made once for all of pytest's processes; who makes it there takes a lock."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def wheel(shared_folder: Path) -> Path:
    """The built wheel."""
    if not (environments.WHEELS / ".ready").exists():
        pytest.skip("no packages are put aside: run `make wheels`")
    folder = shared_folder / "wheel"
    with FileLock(f"{folder}.lock"):
        if not (folder / "ready").exists():
            folder.mkdir()
            environments.build_wheel(folder)
            (folder / "ready").touch()
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="session")
def service(catalog: Catalog) -> Service:
    return catalog.service("ninjaone")


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def client(service: Service, transport: FakeTransport, clock: FakeClock) -> Client:
    return make_client(service, transport, clock)


@pytest.fixture
def open_transport() -> Iterator[OpenTransport]:
    """Makes transports, and closes them."""
    made: list[HttpTransport] = []

    def open_transport(base_url: str, **options: Any) -> HttpTransport:
        made.append(HttpTransport(base_url, **{"timeout_s": PATIENCE_S, **options}))
        return made[-1]

    yield open_transport
    for transport in made:
        transport.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of the test's own, over real HTTP."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def connection_file(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A connection's YAML file for the test's sandbox."""
    path = tmp_path / "connection.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in sandbox.connection.items()))
    return path
