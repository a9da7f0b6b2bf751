"""The built wheel and an editable install, each in an environment of its own, outside the checkout.

Needs the packages that `make wheels` has put aside (the `make test` target does), and no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

WHEELS = Path(sys.prefix) / "wheels"

WHERE = """
import json
from connector.catalog import Catalog
from connector.handlers import find_handler
action = Catalog().action("create_organization")
print(json.dumps([str(action.file), str(action.handler), find_handler(action).__name__]))
"""


def run(*command: object, cwd: Path) -> str:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path) -> Path:
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    return folder / "bin"


def offline_pip(python: Path, *arguments: object, cwd: Path) -> None:
    run(python, "-m", "pip", *arguments, "--quiet", "--no-index", "--find-links", WHEELS, cwd=cwd)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, so that building leaves nothing in the real ones."""
    copy = tmp_path_factory.mktemp("checkout") / "ninjaone-connector"
    left_out = shutil.ignore_patterns(
        ".*", "*.egg-info", "build", "dist", "__pycache__", "tests", "demo-output"
    )
    shutil.copytree(ROOT, copy, ignore=left_out)
    return copy


@pytest.mark.skipif(not (WHEELS / ".ready").exists(), reason="no packages are put aside: run `make wheels`")
@pytest.mark.parametrize("editable", [False, True], ids=["wheel", "editable"])
def test_installed_outside_the_checkout_it_runs_the_demo(
    tmp_path: Path, checkout: Path, editable: bool
) -> None:
    bin = environment(tmp_path / "environment")
    if editable:
        offline_pip(bin / "python", "install", "--editable", checkout, cwd=tmp_path)
        expected = checkout / "actions"
    else:
        offline_pip(
            bin / "python", "wheel", "--no-deps", "--wheel-dir", tmp_path / "dist", checkout, cwd=tmp_path
        )
        (wheel,) = (tmp_path / "dist").glob("*.whl")
        offline_pip(bin / "python", "install", wheel, cwd=tmp_path)
        expected = tmp_path / "environment"
    file, handler, function = json.loads(run(bin / "python", "-c", WHERE, cwd=tmp_path))
    assert Path(file).is_relative_to(expected)
    assert Path(handler).is_relative_to(expected)
    assert function == "handle"
    said = run(bin / "ninjaone", "demo", cwd=tmp_path)
    assert "create_organization: 6 rows, 2 succeeded, 4 failed" in said
    assert (tmp_path / "demo-output" / "devices.csv").exists()
    assert "0 problems" in run(bin / "ninjaone", "catalog", "check", cwd=tmp_path)
