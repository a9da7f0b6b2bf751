"""An environment with the SDK and its old pins, our wheel beside it, and integrations in folders."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from connector.hosts.lhub_build import build
from connector.sandbox.ninjaone.server import Sandbox
from tests.environments import environment, offline_pip
from tests.hosts.logichub import LogicHub

SDK = "lhub_integ==1.0.14"
ByHand = Callable[[str], LogicHub]


@pytest.fixture(scope="session")
def sdk_python(shared_folder: Path, wheel: Path) -> Path:
    """The Python of an environment with the SDK and our wheel, made once for all workers."""
    folder = shared_folder / "sdk"
    with FileLock(f"{folder}.lock"):
        python = folder / "bin" / "python"
        if not (folder / "ready").exists():
            environment(folder)
            offline_pip(python, "install", SDK, wheel, cwd=shared_folder)
            (folder / "ready").touch()
    return python


@pytest.fixture(scope="session")
def integration_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the integration of the seventeen actions."""
    folder = tmp_path_factory.mktemp("integration")
    build(folder)
    return folder


@pytest.fixture
def ours(sdk_python: Path, integration_folder: Path, tmp_path: Path, sandbox: Sandbox) -> LogicHub:
    """Our integration, with a connection to the test's sandbox."""
    variables = {f"NINJAONE_{name.upper()}": value for name, value in sandbox.connection.items()}
    return LogicHub(sdk_python, integration_folder, tmp_path, variables)


@pytest.fixture
def by_hand(sdk_python: Path, tmp_path: Path) -> ByHand:
    """Make an integration of the source of a module, as people write them for the SDK."""

    def make(source: str) -> LogicHub:
        folder = tmp_path / "by_hand"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(IMPORTS + textwrap.dedent(source))
        return LogicHub(sdk_python, folder, tmp_path)

    return make


IMPORTS = """
import json
from lhub_integ import action
from lhub_integ.execution import ExecutionType
from lhub_integ.params import ActionParam, DataType, JinjaTemplatedStr
"""
