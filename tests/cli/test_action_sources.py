"""`--actions DIR`: custom actions, whose Python runs only if that is allowed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.common.package_data import actions_folder
from connector.errors import DeclarationError, RunError
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

OWN = """\
name: look_at_device
title: Look At Device
summary: Get one device, as we like to.
operation: getNodeDetails
request: GET /v2/device/{id}
effect: read
idempotent: true
inputs:
  device: {title: Device, type: integer, minimum: 1, to: path.id}
required: [device]
result: {type: object}
examples:
  - row: {n: 3}
    templates: {device: "{{ n }}"}
    sends: [{method: GET, path: /v2/device/3}]
"""
HANDLER = """\
from pathlib import Path

Path(__file__).with_name("was-run").touch()

def handle(inputs):
    answer = (yield inputs.request()).json()
    return {"looked at": answer["id"]}
"""
CALL = ("call", "look_at_device", "device=3", "-c", "connection.yaml")


@pytest.fixture
def own(connection_file: Path, tmp_path: Path) -> Path:
    """A folder of the user's own with one action in it."""
    return declared(tmp_path / "own/ninjaone/ours/look_at_device.yaml")


def declared(path: Path, text: str = OWN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.slow
def test_every_command_takes_them(ninjaone: Ninjaone, sandbox: Sandbox, own: Path, tmp_path: Path) -> None:
    with_own = ("--actions", "own")
    assert "  look_at_device " in ninjaone("actions", *with_own).stdout
    assert "314 actions" in ninjaone("actions", "--service", "ninjaone", *with_own).stdout
    assert "look_at_device" in ninjaone("actions", "as", "we", "like", *with_own).stdout
    assert json.loads(ninjaone("show", "look_at_device", "--json", *with_own).stdout)["area"] == "ours"
    checked = ninjaone("catalog", "check", "--service", "ninjaone", *with_own)
    assert checked.stdout == "314 actions, 0 problems\n"
    assert json.loads(ninjaone(*CALL, *with_own).stdout)["result"]["id"] == 3
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}, {"device": 999}])
    rows = ("look_at_device", "-i", "rows.jsonl", "-c", "connection.yaml")
    assert "/v2/device/999" in ninjaone("preview", *rows, *with_own).stdout
    assert ninjaone("run", *rows, *with_own, "-o", "out.jsonl", "--delay-ms", 0).returncode == 1
    forgotten = ninjaone("rerun", "out.jsonl")
    assert forgotten.returncode == 2
    assert "custom actions require --actions DIR" in forgotten.stderr
    assert ninjaone("rerun", "out.jsonl", *with_own).returncode == 1
    assert len(sandbox.log.requests()) == 4


def test_python_of_the_users_own_runs_only_where_it_is_allowed(
    ninjaone: Ninjaone, sandbox: Sandbox, own: Path, tmp_path: Path
) -> None:
    handler = own.with_suffix(".py")
    handler.write_text(HANDLER)
    write_lines(tmp_path / "rows.jsonl", [{"device": 999}])
    run = ("run", "look_at_device", "-i", "rows.jsonl", "-o", "out.jsonl", "-c", "connection.yaml")
    for command in (CALL, run, ("preview", *run[1:4]), ("show", "look_at_device")):
        done = ninjaone(*command, "--actions", "own")
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            "look_at_device.py: the Python code of custom actions runs only with --allow-handlers"
            in done.stderr
        )
    assert ninjaone("actions", "--actions", "own").returncode == 0  # it is but listed
    assert not own.with_name("was-run").exists()
    assert sandbox.log.requests() == sandbox.log.signins() == []

    allowed = ("--actions", "own", "--allow-handlers")
    assert json.loads(ninjaone(*CALL, *allowed).stdout)["result"] == {"looked at": 3}
    assert own.with_name("was-run").exists()
    assert ninjaone(*run, *allowed).returncode == 1
    rerun = ninjaone("rerun", "out.jsonl", "--actions", "own")  # the permission is no part of the record
    assert (rerun.returncode, "--allow-handlers" in rerun.stderr) == (2, True)


@pytest.mark.slow
def test_python_of_the_users_own_is_checked_only_where_it_is_allowed(ninjaone: Ninjaone, own: Path) -> None:
    own.with_suffix(".py").write_text(HANDLER)
    check = ninjaone("catalog", "check", "--actions", "own")
    assert (check.returncode, "--allow-handlers" in check.stdout) == (1, True)
    assert not own.with_name("was-run").exists()
    allowed = ninjaone("catalog", "check", "--actions", "own", "--allow-handlers")
    assert allowed.returncode == 1  # as the example has no answer for it
    assert own.with_name("was-run").exists()


@pytest.mark.slow
def test_a_handler_of_an_older_version_is_a_fault_before_anything_is_sent(
    process: Ninjaone, sandbox: Sandbox, own: Path, tmp_path: Path
) -> None:
    own.with_suffix(".py").write_text(f"import json\n\nfrom connector.paging import walk\n{HANDLER}")
    write_lines(tmp_path / "rows.jsonl", [{"device": 1}])
    run = ("run", "look_at_device", "-i", "rows.jsonl", "-o", "out.jsonl", "-c", "connection.yaml")
    problem = (
        "own/ninjaone/ours/look_at_device.py, line 3: connector.paging no longer exists; "
        "import walk from connector.handlers\n"
    )
    for command in (CALL, run, ("preview", *run[1:4])):
        done = process(*command, "--actions", "own", "--allow-handlers")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"ninjaone: {problem}"
    check = process("catalog", "check", "--actions", "own", "--allow-handlers")
    assert (check.returncode, check.stdout.startswith(problem)) == (1, True)
    assert sandbox.log.requests() == sandbox.log.signins() == []


def test_the_catalogues_own_python_needs_no_permission(ninjaone: Ninjaone, own: Path, tmp_path: Path) -> None:
    assert ninjaone("show", "create_ticket", "--actions", "own").returncode == 0
    alone = ninjaone("show", "create_ticket", "--allow-handlers")
    assert (alone.returncode, "requires --actions DIR" in alone.stderr) == (2, True)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("ninjaone/service.yaml", "name: ninjaone\n", "a folder of custom actions cannot declare a service"),
        ("other/service.yaml", "name: other\n", "a folder of custom actions cannot declare a service"),
        ("other/ours/look.yaml", OWN, "SERVICE/AREA/NAME.yaml below {own}; the services are ninjaone"),
        ("look.yaml", OWN, "must be at SERVICE/AREA/NAME.yaml"),
        ("ours/look.yaml", OWN, "must be at SERVICE/AREA/NAME.yaml"),
        ("ninjaone/a/b/look.yaml", OWN, "must be at SERVICE/AREA/NAME.yaml"),
        ("ninjaone/ours/look.yml", OWN, "must be at SERVICE/AREA/NAME.yaml"),
        ("ninjaone/ours/get_device.yaml", OWN, "two actions have the same name"),
        ("ninjaone/theirs/look_at_device.yaml", OWN, "two actions have the same name"),
    ],
)  # fmt: skip
def test_what_may_not_be_there_is_a_fault(own: Path, path: str, text: str, message: str) -> None:
    folder = own.parent.parent.parent
    declared(folder / path, text)
    with pytest.raises(DeclarationError) as caught:
        Catalog(own=folder).names  # noqa: B018
    assert message.replace("{own}", str(folder)) in str(caught.value)
    assert str(folder / path) in str(caught.value)


@pytest.mark.parametrize("link", ["file", "handler", "folder", "service"])
def test_nothing_leads_out_of_the_folder(own: Path, tmp_path: Path, link: str) -> None:
    outside = declared(tmp_path / "outside/ours/look_elsewhere.yaml")
    outside.with_suffix(".py").write_text(HANDLER)
    folder = own.parent.parent.parent
    if link == "file":
        own.with_name("look_elsewhere.yaml").symlink_to(outside)
    elif link == "handler":
        own.with_suffix(".py").symlink_to(outside.with_suffix(".py"))
    elif link == "folder":
        (own.parent.parent / "theirs").symlink_to(outside.parent, target_is_directory=True)
    else:
        shutil.rmtree(folder / "ninjaone")
        (folder / "ninjaone").symlink_to(outside.parent.parent, target_is_directory=True)
    with pytest.raises(DeclarationError, match="is a link to a path outside"):
        Catalog(own=folder, allow_handlers=True).names  # noqa: B018


def test_links_within_the_folder_and_to_it_are_followed(own: Path, tmp_path: Path) -> None:
    folder = own.parent.parent.parent
    (folder / "ninjaone/again").symlink_to(own.parent, target_is_directory=True)
    own.rename(folder / "ninjaone/look_at_device")  # no declaration any more
    (own.parent / "look_at_device.yaml").symlink_to(folder / "ninjaone/look_at_device")
    (folder / "ninjaone/again").unlink()
    (tmp_path / "linked").symlink_to(folder, target_is_directory=True)
    assert Catalog(own=tmp_path / "linked").action("look_at_device").area == "ours"


def test_hidden_folders_are_left_alone(own: Path) -> None:
    declared(own.parent.parent.parent / ".github/workflows/ci.yml", "on: push\n")
    assert len(Catalog(own=own.parent.parent.parent).names_of("ninjaone")) == 314


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        Catalog(own=tmp_path / "none").names  # noqa: B018


def test_a_wrong_declaration_is_named_and_spoils_no_other(ninjaone: Ninjaone, own: Path) -> None:
    own.write_text(OWN.replace("effect: read", "effect: raed"))
    done = ninjaone("call", "look_at_device", "device=1", "--actions", "own")
    assert (done.returncode, "look_at_device.yaml, line 6: effect" in done.stderr) == (2, True)
    done = ninjaone("call", "get_device", "device_id=1", "-c", "connection.yaml", "--actions", "own")
    assert done.returncode == 0, done.stderr


def test_new_writes_what_can_be_used(ninjaone: Ninjaone, own: Path, tmp_path: Path) -> None:
    parameters = [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]
    operation = {
        "operationId": "lookAgain",
        "tags": ["ours"],
        "parameters": parameters,
        "responses": {"200": {}},
    }
    document = {"openapi": "3.0.1", "paths": {"/v2/again/{id}": {"get": operation}}}
    (tmp_path / "api.json").write_text(json.dumps(document))
    made = ninjaone(
        "new", "lookAgain", "--from-spec", "api.json", "--actions", "own", "--output", "own/ninjaone"
    )
    assert made.returncode == 0, made.stderr
    assert "look_again" in ninjaone("actions", "--actions", "own").stdout
    assert not (actions_folder() / "ninjaone/ours").exists()
    assert os.listdir(tmp_path / "own") == ["ninjaone"]
