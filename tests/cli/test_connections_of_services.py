"""Saved connections of several services: each file names its own, and each service has one default."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.loopback import Server
from tests.toy import SERVICE, TOYS, declare_toy, toy_server

pytestmark = pytest.mark.in_process

OWN = ("--actions", "own")
SECRET = "a-secret-of-the-bear"
TENANT = "names: qualified\nsettings: {tenant: {title: Tenant, description: Which desk, required: true}}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Server]:
    declare_toy(tmp_path / "own")
    with toy_server() as server:
        yield server


@pytest.fixture
def saved(ninjaone: Ninjaone, desk: Server, sandbox: Sandbox) -> None:
    """Connections of two services: `acme` and `globex` of the bare one, `bear` and `kite` of the other."""
    for name in ("acme", "globex"):
        its = ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id, "--secret-stdin")
        done = ninjaone("connection", "add", name, *its, "--no-test", stdin=sandbox.client_secret)
        assert done.returncode == 0, done.stderr
    for name in ("bear", "kite"):
        done = ninjaone("connection", "add", name, *toy(desk, name), "--no-test", stdin=SECRET)
        assert done.returncode == 0, done.stderr


def toy(desk: Server, client: str = "bear") -> tuple[str, ...]:
    its = ("--base-url", desk.base_url, "--client-id", client, "--secret-stdin")
    return ("--service", "toy", *OWN, *its)


def test_the_first_of_each_service_is_its_default(ninjaone: Ninjaone, saved: None, config: Path) -> None:
    listed = json.loads(ninjaone("connection", "list", "--json", *OWN).stdout)
    assert [(one["name"], one["service"], one["default"]) for one in listed] == [
        ("acme", "ninjaone", True),
        ("bear", "toy", True),
        ("globex", "ninjaone", False),
        ("kite", "toy", False),
    ]
    assert (config / "default").read_text() == "acme\nbear\n"
    lines = ninjaone("connection", "list", "--service", "toy", *OWN).stdout.splitlines()
    assert [line.split()[-7:][0] for line in lines] == ["*", "kite"]
    done = ninjaone("connection", "default", "kite", *OWN)
    assert (done.returncode, done.stderr) == (0, "ninjaone: kite is the default connection of Toy Desk\n")
    assert (config / "default").read_text() == "acme\nkite\n"
    done = ninjaone("connection", "remove", "kite", "--yes", *OWN)
    assert done.stderr == "ninjaone: kite is removed; there is no default connection of Toy Desk now\n"
    assert (config / "default").read_text() == "acme\n"


def test_a_default_of_an_older_version_is_that_of_its_service(
    ninjaone: Ninjaone, saved: None, config: Path
) -> None:
    (config / "default").write_text("globex")
    called = ninjaone("call", "list_organizations", "limit=1")
    assert called.returncode == 0, called.stderr
    called = ninjaone("call", "toy.list_toys", *OWN)
    assert called.returncode == 2
    assert "there is no default among the saved ones (bear, kite)" in called.stderr


def test_a_run_takes_the_default_of_its_actions_service(
    ninjaone: Ninjaone, saved: None, desk: Server, sandbox: Sandbox
) -> None:
    called = ninjaone("call", "toy.list_toys", *OWN)
    assert (called.returncode, json.loads(called.stdout)["result"]) == (0, TOYS), called.stderr
    assert b"client_id=bear" in desk.received[0].body
    assert ninjaone("call", "list_organizations", "limit=1").returncode == 0
    assert len(sandbox.log.requests()) == 1
    called = ninjaone("call", "toy.list_toys", *OWN, TOY_CONNECTION="kite")
    assert b"client_id=kite" in desk.received[-2].body


def test_a_connection_of_another_service_is_refused(ninjaone: Ninjaone, saved: None, desk: Server) -> None:
    called = ninjaone("call", "toy.list_toys", "-c", "acme", *OWN)
    assert (called.returncode, called.stdout) == (2, "")
    assert "this connection is for another service than toy" in called.stderr
    for command in (("show",), ("test",), ("edit", "--scope", "x"), ("default",), ("remove", "--yes")):
        name, *more = command
        done = ninjaone("connection", name, "acme", *more, "--service", "toy", *OWN)
        assert (done.returncode, done.stdout) == (2, "")
        assert "acme is a connection of ninjaone, not of toy" in done.stderr
    assert desk.received == []


def test_it_is_tested_shown_and_edited_without_naming_its_service(
    ninjaone: Ninjaone, saved: None, desk: Server
) -> None:
    tested = ninjaone("connection", "test", "bear", *OWN)
    assert tested.returncode == 0, tested.stderr
    assert [line.split()[:2] for line in tested.stdout.splitlines()[:2]] == [
        ["ok", "Sign-in"],
        ["ok", "Toys"],
    ]
    assert ninjaone("connection", "edit", "bear", "--scope", "all", *OWN).returncode == 0
    shown = json.loads(ninjaone("connection", "show", "bear", "--json", *OWN).stdout)
    assert (shown["service"], shown["scope"], shown["default"]) == ("toy", "all", True)
    forgotten = ninjaone("connection", "show", "bear")
    assert forgotten.returncode == 2
    assert 'no service "toy"; custom services require --actions DIR' in forgotten.stderr
    assert "no service" in ninjaone("connection", "list").stdout


def test_a_service_without_regions_has_a_base_url_alone(ninjaone: Ninjaone, desk: Server) -> None:
    where = ("--service", "toy", *OWN, "--client-id", "bear", "--secret-stdin")
    done = ninjaone("connection", "add", "bear", *where, "--region", "eu", stdin=SECRET)
    assert (done.returncode, "set base_url: Toy Desk has no regions" in done.stderr) == (2, True)
    done = ninjaone("connection", "add", "bear", *where, stdin=SECRET)
    assert (done.returncode, "use --base-url\n" in done.stderr) == (2, True)
    done = ninjaone("connection", "add", "bear", *toy(desk), "--browser", stdin=SECRET)
    assert (done.returncode, "Toy Desk does not support the sign-in of users" in done.stderr) == (2, True)
    done = ninjaone("call", "toy.list_toys", *OWN)
    assert "set TOY_BASE_URL, TOY_CLIENT_ID and TOY_CLIENT_SECRET" in done.stderr


def test_a_setting_of_its_own(ninjaone: Ninjaone, desk: Server, tmp_path: Path) -> None:
    declare_toy(tmp_path / "own", service=SERVICE.replace("names: qualified\n", TENANT))
    variables = {"TOY_BASE_URL": desk.base_url, "TOY_CLIENT_ID": "bear", "TOY_CLIENT_SECRET": SECRET}
    done = ninjaone("call", "toy.list_toys", *OWN, **variables)
    assert (done.returncode, "TOY_* variables: set tenant (Tenant)" in done.stderr) == (2, True)
    assert ninjaone("call", "toy.list_toys", *OWN, **variables, TOY_TENANT="north").returncode == 0
    file = tmp_path / "c.yaml"
    file.write_text(f"service: toy\nbase_url: {desk.base_url}\nclient_id: bear\nclient_secret: {SECRET}\n")
    done = ninjaone("call", "toy.list_toys", *OWN, "-c", "c.yaml")
    assert (done.returncode, "c.yaml: set tenant (Tenant)" in done.stderr) == (2, True)
    file.write_text(f"{file.read_text()}tenant: ${{DESK}}\n")
    assert ninjaone("call", "toy.list_toys", *OWN, "-c", "c.yaml", DESK="north").returncode == 0
    file.write_text(f"{file.read_text()}tenants: x\n")
    done = ninjaone("call", "toy.list_toys", *OWN, "-c", "c.yaml", DESK="north")
    assert 'unknown setting "tenants" (did you mean "tenant"?)' in done.stderr


def test_an_option_for_the_setting_of_one_service(ninjaone: Ninjaone, config: Path) -> None:
    where = ("--client-id", "x", "--secret-stdin", "--no-test")
    halo = ("--service", "halopsa", "--base-url", "https://acme.example.com", *where)
    assert ninjaone("connection", "add", "halo", *halo, "--tenant", "acme", stdin=SECRET).returncode == 0
    assert "tenant: acme\n" in (config / "connections/halo.yaml").read_text()
    assert ninjaone("connection", "edit", "halo", "--tenant", "globex", "--no-test").returncode == 0
    shown = json.loads(ninjaone("connection", "show", "halo", "--json").stdout)
    assert (shown["service"], shown["tenant"]) == ("halopsa", "globex")
    assert ninjaone("connection", "edit", "halo", "--unset", "tenant", "--no-test").returncode == 0
    assert "tenant" not in (config / "connections/halo.yaml").read_text()
    done = ninjaone("connection", "add", "acme", "--region", "eu", *where, "--tenant", "acme", stdin=SECRET)
    assert (done.returncode, done.stderr) == (2, "ninjaone: --tenant: NinjaOne has no such setting\n")
