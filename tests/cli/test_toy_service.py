"""A third service, which is declared only in a user's folder: all commands accept it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines
from tests.loopback import Server
from tests.toy import TOYS, declare_toy, toy_connection, toy_server

pytestmark = pytest.mark.in_process

OWN = ("--actions", "own")
CONNECTED = (*OWN, "-c", "toy-connection.yaml")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Server]:
    """A server of the toy desk; its declarations are in `own`, its connection in `toy-connection.yaml`."""
    declare_toy(tmp_path / "own")
    with toy_server() as server:
        toy_connection(tmp_path, server)
        yield server


def requests(server: Server) -> list[str]:
    return [received.line.rpartition(" ")[0] for received in server.received]


def test_its_actions_are_listed_and_shown(ninjaone: Ninjaone, desk: Server) -> None:
    listed = ninjaone("actions", "--service", "toy", *OWN).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["toy/desk", "toy.create_ticket", "toy.list_toys", "2"]
    assert "toy/desk" in ninjaone("actions", *OWN).stdout
    assert "toy" not in ninjaone("actions", "--service", "ninjaone", *OWN).stdout
    assert json.loads(ninjaone("show", "toy.create_ticket", "--json", *OWN).stdout)["service"] == "toy"
    wrong = ninjaone("show", "list_toys", *OWN)
    assert (wrong.returncode, 'did you mean "toy.list_toys"?' in wrong.stderr) == (2, True)
    wrong = ninjaone("actions", "--service", "tow", *OWN)
    assert (wrong.returncode, 'no service "tow" (did you mean "toy"?)' in wrong.stderr) == (2, True)


def test_it_is_called_previewed_and_run(ninjaone: Ninjaone, desk: Server, tmp_path: Path) -> None:
    called = ninjaone("call", "toy.list_toys", *CONNECTED)
    assert (called.returncode, json.loads(called.stdout)["result"]) == (0, TOYS), called.stderr
    assert json.loads(called.stdout)["meta"]["action"] == "toy.list_toys"
    rows = [{"subject": "Ear"}, {"subject": "Tail"}]
    write_lines(tmp_path / "rows.jsonl", rows)
    previewed = ninjaone("preview", "toy.create_ticket", "-i", "rows.jsonl", *OWN).stdout
    assert previewed.count("/api/tickets") == 2
    done = ninjaone("run", "toy.create_ticket", "-i", "rows.jsonl", "-o", "out.jsonl", *CONNECTED)
    assert done.returncode == 0, done.stderr
    assert [one["result"] for one in map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())] == [
        {"id": 7, **row} for row in rows
    ]
    assert requests(desk)[-2:] == ["POST /api/tickets"] * 2
    assert json.loads(desk.received[-1].body) == {"subject": "Tail"}


def test_its_declarations_are_checked(ninjaone: Ninjaone, desk: Server, tmp_path: Path) -> None:
    checked = ninjaone("catalog", "check", "--service", "toy", *OWN)
    assert (checked.returncode, checked.stdout) == (0, "2 actions, 0 problems\n")
    file = tmp_path / "own/toy/desk/list_toys.yaml"
    file.write_text(file.read_text().replace("path: /api/toys", "path: /api/toy"))
    checked = ninjaone("catalog", "check", "--service", "toy", *OWN)
    assert (checked.returncode, "/api/toy" in checked.stdout) == (1, True)


def test_a_draft_of_another_action_can_be_used(ninjaone: Ninjaone, desk: Server, tmp_path: Path) -> None:
    array = {"type": "array", "items": {"type": "object"}}
    found = {"200": {"content": {"application/json": {"schema": array}}}}
    paths = {
        "/api/toys": {"get": {"operationId": "listToys", "responses": found}},
        "/api/kites": {"get": {"operationId": "listKites", "tags": ["desk"], "responses": found}},
    }
    (tmp_path / "api.json").write_text(json.dumps({"openapi": "3.0.1", "paths": paths}))
    drift = ninjaone("catalog", "drift", "--service", "toy", "--spec", "api.json", *OWN)
    missing = drift.stdout.partition("not in the catalog")[2].partition("new in the document")[0]
    assert (drift.returncode, "listKites" in missing, "listToys" in missing) == (1, True, False)
    spec = ("--service", "toy", "--from-spec", "api.json", *OWN)
    made = ninjaone("new", "listKites", *spec, "--output", "own/toy")
    assert (made.returncode, made.stdout) == (0, "own/toy/desk/list_kites.yaml\n"), made.stderr
    assert "toy.list_kites" in ninjaone("actions", "--service", "toy", *OWN).stdout
    again = ninjaone("new", "listToys", *spec, "--output", "-")
    assert "ninjaone: toy.list_toys already declares this operation" in again.stderr
    assert "delay_ms" not in again.stdout


def test_its_reference_has_its_title(ninjaone: Ninjaone, desk: Server) -> None:
    page = ninjaone("catalog", "reference", "--service", "toy", *OWN).stdout
    assert page.startswith("# Toy Desk action reference\n")
    assert [line for line in page.splitlines() if line.startswith("### ")] == [
        "### toy.create_ticket",
        "### toy.list_toys",
    ]
