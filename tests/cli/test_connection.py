"""`ninjaone connection`: the default, list, show, edit, test and remove."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.saved_connections import APP, SECRET, add, listed, shown

pytestmark = pytest.mark.usefixtures("own_state")


# --- the default -------------------------------------------------------------------------------------------


def test_the_first_one_is_the_default_until_another_one_is(in_process: Ninjaone) -> None:
    assert listed(in_process) == []
    add(in_process, "globex")
    add(in_process, "acme")
    assert [(one["name"], one["default"]) for one in listed(in_process)] == [
        ("acme", False),
        ("globex", True),
    ]
    done = in_process("connection", "default", "acme")
    assert (done.returncode, done.stderr) == (0, "ninjaone: acme is the default connection\n")
    assert [one["default"] for one in listed(in_process)] == [True, False]
    assert in_process("connection", "default", "initech").returncode == 2
    done = in_process("connection", "remove", "acme", "--yes")
    assert "acme is removed; there is no default connection now" in done.stderr
    done = in_process("call", "get_device", "device_id=1")
    assert done.returncode == 2
    assert "there is no default among the saved ones (globex)" in done.stderr


# --- list and show -----------------------------------------------------------------------------------------


def test_the_list(in_process: Ninjaone, config: Path) -> None:
    assert (
        "no saved connections; use `ninjaone connection add NAME`" in in_process("connection", "list").stderr
    )
    add(in_process, "globex", "--base-url", "https://rmm.globex.example", "--client-id", "their-app")
    add(in_process, "acme", "--region", "eu", "--secret-kind", "access_token")
    (config / "connections/broken.yaml").write_text(f"region: eu\nclient_secret: [{SECRET}")
    done = in_process("connection", "list")
    assert done.returncode == 0
    acme, broken, globex = done.stdout.splitlines()
    assert acme.split() == ["acme", "ninjaone", "eu", "https://eu.ninjarmm.com", "-", "file"]
    assert globex.split() == ["*", "globex", "ninjaone", "https://rmm.globex.example", "their-app", "file"]
    assert "broken.yaml, line 3: not YAML" in broken
    assert SECRET not in done.stdout + done.stderr
    assert listed(in_process)[2] == {
        "name": "globex",
        "default": True,
        "service": "ninjaone",
        "region": None,
        "base_url": "https://rmm.globex.example",
        "client_id": "their-app",
        "secrets": "file",
    }


def test_what_is_shown(in_process: Ninjaone, config: Path) -> None:
    add(in_process, "acme")
    done = in_process("connection", "show", "acme")
    assert [line.split(maxsplit=1) for line in done.stdout.splitlines()] == [
        ["name", "acme"], ["default", "true"], ["service", "ninjaone"], ["region", "eu"],
        ["client_id", "an-app"], ["client_secret", "•••-app"], ["secrets", "file"],
    ]  # fmt: skip
    assert in_process("connection", "show", "globex").returncode == 2
    (config / "secrets/acme.json").chmod(0o644)
    done = in_process("connection", "show", "acme")
    assert done.returncode == 2
    assert "other users can read this file (mode 0644)" in done.stderr
    assert SECRET not in done.stdout + done.stderr


# --- edit --------------------------------------------------------------------------------------------------


def test_editing_keeps_what_is_not_given(in_process: Ninjaone) -> None:
    add(in_process, "acme", *APP, "--scope", "monitoring", "--timeout-s", "5")
    before = shown(in_process, "acme")
    for options, changes in (
        (("--client-id", "new"), {"client_id": "new"}),
        (("--scope", "control"), {"scope": "control"}),
        (("--unset", "scope", "--unset", "timeout_s"), {"scope": None, "timeout_s": None}),
        (
            ("--base-url", "https://rmm.acme.example"),
            {"region": None, "base_url": "https://rmm.acme.example"},
        ),
        (("--region", "ca"), {"region": "ca", "base_url": None}),
        (("--verify-tls",), {"verify_tls": True}),
        (("--no-keyring",), {}),
    ):
        done = in_process("connection", "edit", "acme", *options, "--no-test")
        assert done.returncode == 0, done.stderr
        before = {key: value for key, value in {**before, **changes}.items() if value is not None}
        assert shown(in_process, "acme") == before


def test_secrets_are_replaced_added_and_unset(in_process: Ninjaone) -> None:
    add(in_process, "acme")
    edit = ("connection", "edit", "acme", "--no-test")
    assert in_process(*edit, "--secret-stdin", stdin="another-secret").returncode == 0
    assert shown(in_process, "acme")["client_secret"] == "•••cret"
    done = in_process(*edit, "--secret-kind", "refresh_token", "--secret-stdin", stdin="a-refresh-token")
    assert done.returncode == 0, done.stderr
    assert {"client_secret", "refresh_token"} < shown(in_process, "acme").keys()
    assert in_process(*edit, "--unset", "client_secret").returncode == 0
    assert "client_secret" not in shown(in_process, "acme")
    done = in_process(*edit, "--unset", "refresh_token")
    assert done.returncode == 2
    assert "acme: no credentials: set client_id with client_secret or refresh_token" in done.stderr
    assert shown(in_process, "acme")["refresh_token"] == "•••oken"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "nothing to change"),
        (("--region", "mars"), 'acme: no region "mars"'),
        (("--unset", "region"), "acme: set either region"),
        (("--unset", "name"), "invalid choice: 'name'"),
        (("--keyring",), "the keyring cannot store the client_secret"),
    ],
)
def test_an_edit_that_is_wrong_changes_nothing(
    in_process: Ninjaone, config: Path, options: tuple[str, ...], message: str
) -> None:
    add(in_process, "acme")
    before = {path: path.read_bytes() for path in config.rglob("*") if path.is_file()}
    done = in_process("connection", "edit", "acme", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert {path: path.read_bytes() for path in config.rglob("*") if path.is_file()} == before
    assert in_process("connection", "edit", "globex", "--region", "eu").returncode == 2


def test_the_health_checks_run_after_an_edit_less_those_that_are_off(
    in_process: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...]
) -> None:
    add(in_process, "acme", *instance, secret=sandbox.client_secret)
    done = in_process("connection", "edit", "acme", "--health-checks-off", "devices,scopes")
    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "Sign-in"], ["ok", "Organizations"], ["-", "Devices"], ["ok", "Users"], ["-", "Scopes"],
    ]  # fmt: skip
    assert [request["path"] for request in sandbox.log.requests()] == ["/v2/organizations", "/v2/users"]


# --- test --------------------------------------------------------------------------------------------------


def test_a_connection_is_tested(
    ninjaone: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...], connection_file: Path
) -> None:
    done = ninjaone("connection", "test", "-c", connection_file, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == f"ninjaone: using {connection_file}\n"
    findings = json.loads(done.stdout)
    assert [f["title"] for f in findings] == ["Sign-in", "Organizations", "Devices", "Users", "Scopes"]
    assert "sample size: " in findings[1]["message"]
    connection_file.write_text(connection_file.read_text().replace("sandbox-secret", "wrong"))
    wrong = ninjaone("connection", "test", "-c", connection_file)
    assert wrong.returncode == 1
    assert wrong.stdout.startswith("FAILED  Sign-in")
    assert "refuses the client secret" in wrong.stdout
    add(ninjaone, "acme", *instance, secret=sandbox.client_secret)
    for arguments, using in (
        ((), 'the default connection "acme"'),
        (("acme",), 'the default connection "acme"'),
        (("-c", "acme"), 'the default connection "acme"'),
    ):
        done = ninjaone("connection", "test", *arguments)
        assert (done.returncode, done.stderr) == (0, f"ninjaone: using {using}\n")
    environment = {f"NINJAONE_{n.upper()}": v for n, v in sandbox.connection.items()}
    assert ninjaone("connection", "test", **environment).stderr == "ninjaone: using NINJAONE_* variables\n"
    done = ninjaone("connection", "test", "acme", "-c", "acme")
    assert (done.returncode, done.stdout) == (2, "")


# --- remove ------------------------------------------------------------------------------------------------


def test_nothing_of_a_removed_connection_stays(
    ninjaone: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...], own_state: Path
) -> None:
    ninjaone("connection", "add", "acme", *instance, "--secret-stdin", stdin=sandbox.client_secret)

    def kept() -> list[str]:
        files = [path for path in own_state.rglob("*") if path.is_file()]
        names = {path.name.partition("-")[0] for path in files if path.suffix != ".lock"}
        return sorted(names & {"token", "acme.yaml", "acme.json", "default"})

    assert kept() == ["acme.json", "acme.yaml", "default", "token"]
    done = ninjaone("connection", "remove", "acme")
    assert done.returncode == 2
    assert "confirmation requires a terminal, or --yes" in done.stderr
    assert kept() == ["acme.json", "acme.yaml", "default", "token"]
    assert ninjaone("connection", "remove", "acme", "--yes").returncode == 0
    assert kept() == []
    assert ninjaone("connection", "remove", "acme", "--yes").returncode == 2
