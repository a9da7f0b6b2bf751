"""The core beside the pins of hosts: the wheel is installed under them, and runs an action."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.environments import environment, offline_pip, run
from tests.install import STAMP

PINS = sorted((ROOT / "requirements" / "hosts").glob("*.txt"))
PROGRAM = """
import sys
from connector import NinjaOne
with NinjaOne(base_url=sys.argv[1], client_id=sys.argv[2], client_secret=sys.argv[3]) as ninja:
    templates = {"device_id": "{{ device }}", "display_name": "{{ name | upper }}"}
    (envelope,) = ninja.run("update_device", [{"device": 12, "name": "desk"}], templates=templates)
    print(envelope.error, ninja.call("get_device", device_id=12)["displayName"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("pins", PINS, ids=lambda path: path.stem)
def test_the_wheel_runs_an_action_beside_the_pins_of_a_host(
    pins: Path, wheel: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    packages = ROOT / "build" / "hosts" / pins.stem
    if not (packages / STAMP).exists():
        pytest.skip(f"the packages of {pins.stem} could not be put aside: run `make hosts`")
    python = environment(tmp_path / "host") / "python"
    offline_pip(python, "install", "--find-links", packages, "-r", pins, wheel, cwd=tmp_path)
    run(sys.executable, "-m", "pip", "--python", python, "check", cwd=tmp_path)
    account = (sandbox.base_url, sandbox.client_id, sandbox.client_secret)
    printed = run(python, "-W", "error::DeprecationWarning:connector", "-c", PROGRAM, *account, cwd=tmp_path)
    assert printed == "None DESK\n"


def test_there_are_pins_of_every_host() -> None:
    assert len(PINS) >= 8
