"""The types of the library: they are current, and a type checker finds mistakes in a program."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from connector.catalog.catalog import Catalog
from connector.library.halopsa import HaloPSA
from connector.library.ninjaone import NinjaOne
from tests.conftest import ROOT
from tests.docs.pages import blocks, page
from tests.library.make_stubs import FOLDER, stubs

WRONG = """
    ninja.call("get_devic", device_id=1)  # a wrong name
    ninja.call("get_device", device_id=1.5)  # a wrong type
    ninja.call("get_device")  # a missing input
    ninja.call("get_device", device_id=1, delay_ms=0)  # an unknown input
    ninja.call("reboot_device", device_id=1, mode="NORMAL")  # no confirmation
    ninja.call("reboot_device", device_id=1, mode="NORMAL", confirm=False)  # no confirmation
    ninja.run("reboot_device", [])  # no confirmation
    ninja.call("reboot_device", device_id=1, mode="GENTLE", confirm=True)  # a wrong option
    ninja.each("get_device", device_id=1)  # not a list
    ninja.run("get_devic", [])
    ninja.preview("update_device", device_id=1, display_name=5)
    NinjaOne(region="mars")
    halo.call("list_client")
    Request("GET", "/v2/devices").method = "POST"  # a field that does not change
"""
RIGHT = """
    from datetime import date, datetime
    from pathlib import Path
    from connector import Envelope, HaloPSA, NinjaOne, Session
    from connector.handlers import Request
    ninja, halo = NinjaOne("acme", delay_ms=0), HaloPSA(base_url="https://acme.example", client_id="a")
    ninja.call("schedule_maintenance", device_id="PC", disabled_features=["ALERTS"], end=datetime.now())
    ninja.call("update_device", device_id=1, policy_id=None)
    ninja.call("list_activities", class_="DEVICE", after=date.today())
    ninja.call("attach_file_to_entity", entity_type="NODE", entity_id=1, file=Path("x"))
    ninja.call("upload_articles", files=[Path("x"), "y"])
    ninja.run("reboot_device", [], confirm=True)
    for envelope in ninja.run("get_device", [{"device_id": 1}], concurrency=4, templates={"device_id": "1"}):
        kept: Envelope = envelope
    session: Session = halo
    session.call("get_client", client_id=1)
    for client in halo.each("list_clients"):
        print(client["id"])
"""


def test_the_types_are_those_of_the_declarations() -> None:
    for path, text in stubs().items():
        assert path.read_text(encoding="utf-8") == text, "run: make reference"


@pytest.mark.parametrize("session", [NinjaOne, HaloPSA])
def test_a_stub_has_every_action_and_every_input(session: type, catalog: Catalog) -> None:
    service = catalog.service(session.service_name)  # type: ignore[attr-defined]
    tree = ast.parse((FOLDER / f"{service.name}.pyi").read_text(encoding="utf-8"))
    typed = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    methods = [node for node in typed.pop(service.title).body if isinstance(node, ast.FunctionDef)]
    for action in catalog.actions(service.name):
        node = typed["".join(word.capitalize() for word in action.own_name.split("_"))]
        fields = [line.target.id for line in node.body if isinstance(line, ast.AnnAssign)]  # type: ignore
        assert [field.removesuffix("_") for field in fields] == list(action.inputs)
    called = [method for method in methods if method.name == "call"]
    assert len(called) == len(typed) == len(catalog.names_of(service.name))


def test_a_type_checker_accepts_what_is_right_and_names_what_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    (readme,) = (b.text for b in blocks(page("README.md")) if b.language == "python")
    setting_up = RIGHT.replace("\n    ", "\n")
    wrong = WRONG.replace("\n    ", "\n").strip().splitlines()
    program = tmp_path / "program.py"
    program.write_text("\n".join([readme, setting_up, *wrong]), encoding="utf-8")
    first = program.read_text(encoding="utf-8").splitlines().index(wrong[0]) + 1
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--follow-imports=silent",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(program),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    found = {int(line) for line in re.findall(r"program\.py:(\d+): error:", done.stdout)}
    assert found == set(range(first, first + len(wrong))), done.stdout[:3000]


def test_the_wheel_has_the_types(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    typed = {"py.typed", "__init__.pyi", *(f"library/{path.name}" for path in FOLDER.glob("*.pyi"))}
    assert len(typed) == 4
    assert {f"connector/{name}" for name in typed} <= names
