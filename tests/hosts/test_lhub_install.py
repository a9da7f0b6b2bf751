"""The SDK's own `bundle-requirements`, and our packages beside the SDK's old ones, on every Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import pytest

from connector.hosts.lhub_build import build
from connector.sandbox.ninjaone.server import Sandbox
from tests.environments import WHEELS, environment, offline_pip, run
from tests.hosts.conftest import SDK
from tests.hosts.logichub import LogicHub

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PINNED = """
from importlib.metadata import version
print([version(name) for name in ("click", "beautifulsoup4", "python-dateutil", "netaddr", "PySocks")])
"""


def python_of(version: str) -> str:
    """Find another Python and its packages, or skip."""
    if version == HERE:
        return sys.executable
    found = shutil.which(f"python{version}")
    # A shim of pyenv's needs to be told that this one is meant, and then says where it really is.
    asked = [found or "", "-c", "import sys; print(sys.executable)"]
    meant = {**os.environ, "PYENV_VERSION": version}
    message = subprocess.run(asked, capture_output=True, text=True, env=meant) if found else None
    if message is None or message.returncode:
        pytest.skip(f"Python {version} is not here")
    if not (WHEELS / ".all").exists():
        pytest.skip("no packages for it are put aside: run `make wheels-all`")
    return message.stdout.strip()


@pytest.mark.slow  # the other tests here run in an environment with the SDK, its old pins and our wheel
@pytest.mark.parametrize("version", PYTHONS)
def test_the_bundle_runs_beside_the_sdks_old_pins(
    version: str, wheel: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    python = python_of(version)
    bin = environment(tmp_path / "platform", python, pip=True)
    offline_pip(bin / "python", "install", SDK, cwd=tmp_path)

    # Where it is written: the wheel beside it, as there is no package index.
    folder = tmp_path / "integration"
    build(folder)
    shutil.copy(wheel, folder)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS)}
    run(bin / "bundle-requirements", cwd=folder, PATH=f"{bin}:/usr/bin:/bin", **offline)

    # Where it is run: the bundle, unpacked, and nothing else.
    unpacked = tmp_path / "unpacked"
    with tarfile.open(folder / "bundle.tar.bz2") as bundle:
        bundle.extractall(unpacked, filter="data")
    assert wheel.name in {path.name for path in unpacked.iterdir()}
    run(bin / "python", "-m", "pip", "install", "--no-index", "-r", "requirements.txt", cwd=unpacked)
    run(bin / "python", "-m", "pip", "check", cwd=tmp_path)
    message = run(bin / "python", "-c", PINNED, cwd=tmp_path)
    assert message == "['7.0', '4.8.2', '2.8.1', '0.7.19', '1.7.1']\n"

    variables = {f"NINJAONE_{name.upper()}": value for name, value in sandbox.connection.items()}
    there = LogicHub(bin / "python", folder, tmp_path, variables)
    assert there.metadata()["ok"] is True
    assert there.validate("--validate-connections") == (0, {})
    for mode in ("file", "pipe"):
        ran = there.run("reboot_device", [{"lhub_id": 1}], {"device_id": "1", "mode": "NORMAL"}, mode)
        assert [(lhub_id, e["has_error"]) for lhub_id, e in ran.answers] == [(1, False)]


def test_the_core_wants_nothing_that_the_sdk_pins() -> None:
    expected = metadata.requires("ninjaone-connector") or []
    core = {line.partition(";")[0].strip() for line in expected if "extra ==" not in line}
    pinned = ("click", "beautifulsoup4", "python-dateutil", "netaddr", "pysocks", "python-magic")
    assert core
    assert [line for line in core if line.lower().startswith(pinned)] == []
