"""`ninjaone connection`: keeping connections, on a terminal and without one, and showing no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.server import Sandbox
from tests.cli.conftest import Ninjaone

SECRET = "S3cret-value-of-the-app"
APP = ("--region", "eu", "--client-id", "an-app")

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture
def config(own_state: Path) -> Path:
    return own_state / "config/ninjaone-connector"


@pytest.fixture
def instance(sandbox: Sandbox) -> tuple[str, ...]:
    """The options for the test's sandbox; its secret comes apart."""
    return ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id)


def listed(ninjaone: Ninjaone) -> list[Any]:
    done = ninjaone("connection", "list", "--json")
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def shown(ninjaone: Ninjaone, name: str) -> dict[str, Any]:
    done = ninjaone("connection", "show", name, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def add(ninjaone: Ninjaone, name: str, *options: object, secret: str = SECRET) -> None:
    done = ninjaone("connection", "add", name, *(options or APP), "--secret-stdin", "--no-test", stdin=secret)
    assert done.returncode == 0, done.stderr


# --- add ---------------------------------------------------------------------------------------------------


def test_a_connection_is_added_tested_and_used(
    ninjaone: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...], config: Path
) -> None:
    done = ninjaone(
        "connection", "add", "acme", *instance, "--secret-stdin", stdin=f"{sandbox.client_secret}\n"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "Sign-in"], ["ok", "Organizations"], ["ok", "Devices"], ["ok", "Users"], ["ok", "Scopes"],
    ]  # fmt: skip
    assert "warning: no keyring keeps the secret, so a file does: this session has no keyring" in done.stderr
    assert (
        f"acme is saved ({config}/connections/acme.yaml), its secret in a file that only you" in done.stderr
    )
    assert "It is the default connection" in done.stderr
    assert (config / "connections/acme.yaml").read_text() == (
        f"service: ninjaone\nbase_url: {sandbox.base_url}\nclient_id: {sandbox.client_id}\n"
    )
    for used in ((), ("-c", "acme")):
        assert ninjaone("call", "get_device", "device_id=1", *used).returncode == 0
    assert ninjaone("call", "get_device", "device_id=1", NINJAONE_CONNECTION="acme").returncode == 0


def test_a_job_names_a_saved_connection(
    ninjaone: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...], tmp_path: Path
) -> None:
    add(ninjaone, "other")
    add(ninjaone, "acme", *instance, secret=sandbox.client_secret)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/rows.jsonl").write_text('{"device_id": 1}\n')
    (tmp_path / "jobs/job.yaml").write_text("action: get_device\nconnection: acme\ninput: rows.jsonl\n")
    done = ninjaone("run", "jobs/job.yaml")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["id"] == 1
    preview = ninjaone("preview", "jobs/job.yaml", "-c", "acme")
    assert f"GET {sandbox.base_url}/v2/device/1" in preview.stdout


def test_a_connection_that_does_not_sign_in_is_saved_and_says_how_to_mend_it(
    ninjaone: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...]
) -> None:
    done = ninjaone("connection", "add", "acme", *instance, "--secret-stdin", stdin=SECRET)
    assert done.returncode == 1
    assert done.stdout.startswith("FAILED  Sign-in")
    assert "refuses the client secret" in done.stdout
    assert "acme is saved, but not all of its checks are well: `ninjaone connection edit acme`" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    done = ninjaone("connection", "edit", "acme", "--secret-stdin", stdin=sandbox.client_secret)
    assert done.returncode == 0, done.stdout
    assert "ok      Sign-in" in done.stdout


def test_without_a_test_nothing_is_sent(
    in_process: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...]
) -> None:
    done = in_process("connection", "add", "acme", *instance, "--secret-stdin", "--no-test", stdin=SECRET)
    assert (done.returncode, done.stdout) == (0, "")
    assert in_process("connection", "edit", "acme", "--timeout-s", "5", "--no-test").returncode == 0
    assert sandbox.log.requests() == []
    assert shown(in_process, "acme")["timeout_s"] == 5


def test_every_setting_can_be_given(in_process: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbf" + SECRET.encode() + b"\r\n")
    done = in_process(
        "connection", "add", "acme", *APP, "--secret-file", "secret", "--no-test",
        "--scope", "monitoring", "--timeout-s", "7.5", "--no-verify-tls",
        "--proxy", "http://me:${PROXY_PASSWORD}@proxy:8080", "--health-checks-off", "users,scopes",
        PROXY_PASSWORD="pr0xy-password",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "pr0xy-password" not in done.stderr
    assert shown(in_process, "acme") == {
        "name": "acme",
        "default": True,
        "service": "ninjaone",
        "region": "eu",
        "client_id": "an-app",
        "scope": "monitoring",
        "timeout_s": 7.5,
        "verify_tls": False,
        "proxy": "http://me:•••@proxy:8080",
        "health_checks_off": ["users", "scopes"],
        "client_secret": "•••-app",
        "secrets": "file",
    }


def test_a_ca_file_is_found_from_any_folder(
    in_process: Ninjaone, sandbox: Sandbox, instance: tuple[str, ...], tmp_path: Path
) -> None:
    from tests.loopback import CERTIFICATE

    (tmp_path / "ca.pem").write_bytes(CERTIFICATE.read_bytes())
    add(in_process, "acme", *instance, "--ca-file", "ca.pem", secret=sandbox.client_secret)
    assert shown(in_process, "acme")["ca_file"] == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("access_token", ("--region", "eu")),
        ("refresh_token", APP),
        ("client_secret", APP),
    ],
)
def test_each_kind_of_secret(in_process: Ninjaone, kind: str, options: tuple[str, ...]) -> None:
    add(in_process, "acme", *options, "--secret-kind", kind)
    assert shown(in_process, "acme")[kind] == "•••-app"
    done = in_process("connection", "edit", "acme", "--secret-stdin", "--no-test", stdin="another-secret")
    assert done.returncode == 0
    secrets = {name: value for name, value in shown(in_process, "acme").items() if "•••" in str(value)}
    assert secrets == {kind: "•••cret"}


@pytest.mark.parametrize(
    ("options", "stdin", "said"),
    [
        ((), "", "give --region or --base-url, --client-id, --secret-file FILE or --secret-stdin"),
        (("--region", "eu", "--secret-stdin"), SECRET, "no terminal to ask on: give --client-id"),
        (("--region", "eu1", "--client-id", "x", "--secret-stdin"), SECRET, 'acme: no region "eu1" (did you'),
        (("--base-url", "http://x.y", "--client-id", "x", "--secret-stdin"), SECRET, "must be https://"),
        ((*APP, "--secret-stdin"), "", "there is no secret in it"),
        ((*APP, "--secret-stdin"), "\n", "there is no secret in it"),
        ((*APP, "--secret-stdin"), f"{SECRET}\n{SECRET}\n", "acme: client_secret holds a line break"),
        ((*APP, "--secret-file", "nowhere"), "", "--secret-file nowhere: cannot be read: No such file"),
        ((*APP, "--secret-file", "."), "", "--secret-file .: cannot be read"),
        (
            (*APP, "--secret-stdin", "--keyring"),
            SECRET,
            "the keyring cannot keep the client_secret: thi",
        ),
        ((*APP, "--secret-stdin", "--health-checks-off", "x"), SECRET, 'no health check "x"; there are org'),
        ((*APP, "--secret-stdin", "--timeout-s", "0"), SECRET, "timeout_s must be a number of seconds"),
        ((*APP, "--secret-stdin", "--timeout-s", "nan"), SECRET, "timeout_s must be a number of seconds"),
        ((*APP, "--secret-stdin", "--ca-file", "nowhere"), SECRET, "there is no ca_file"),
        ((*APP, "--secret-stdin", "--proxy", f"http://u:{SECRET}@p"), "x", "a password is never an argument"),
        ((*APP, "--secret-stdin", "--proxy", f"u:{SECRET}@p"), "x", "a password is never an argument"),
        ((*APP, "--secret-stdin", "--proxy", "http://u:${NO}@p"), "x", "environment variable NO is not set"),
        ((*APP, "--client-secret", SECRET), "", "a secret is never an argument"),
        ((*APP, f"--client-secret={SECRET}"), "", "a secret is never an argument"),
        ((*APP, "--secret", SECRET), "", "a secret is never an argument"),
        ((*APP, "--access-token", SECRET), "", "a secret is never an argument"),
        ((*APP, "--refresh", SECRET), "", "a secret is never an argument"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_saved(
    in_process: Ninjaone, config: Path, options: tuple[str, ...], stdin: str, said: str
) -> None:
    done = in_process("connection", "add", "acme", *options, stdin=stdin)
    assert done.returncode == 2
    assert said in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in config.rglob("*") if path.is_file() and path.name != ".lock"] == []


def test_a_secret_that_is_no_text_is_not_shown_either(in_process: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET.encode() + b"\xff")
    command = ("connection", "add", "acme", *APP)
    done = in_process(*command, "--secret-file", "secret")
    assert (done.returncode, done.stderr) == (
        2,
        "ninjaone: --secret-file secret: cannot be read: it is not UTF-8\n",
    )
    real = subprocess.run(
        [sys.executable, "-m", "connector", *command, "--secret-stdin"],
        input=SECRET.encode() + b"\xff", capture_output=True, timeout=60,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert real.returncode == 2
    assert b"S3cret" not in real.stderr


def test_a_name_is_not_taken_twice(in_process: Ninjaone) -> None:
    add(in_process, "acme")
    done = in_process("connection", "add", "acme", *APP, "--secret-stdin", stdin="x")
    assert done.returncode == 2
    assert 'a connection "acme" is saved already: edit it, or remove it first' in done.stderr
    assert shown(in_process, "acme")["client_secret"] == "•••-app"


def test_secrets_left_by_a_connection_that_was_removed_by_hand_are_not_the_new_ones(
    in_process: Ninjaone, config: Path
) -> None:
    add(in_process, "acme", *APP, "--secret-kind", "refresh_token")
    (config / "connections/acme.yaml").unlink()
    add(in_process, "acme")
    assert "refresh_token" not in shown(in_process, "acme")


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
    assert "acme is removed, and there is no default connection now" in done.stderr
    done = in_process("call", "get_device", "device_id=1")
    assert done.returncode == 2
    assert "none of the saved ones is the default (globex)" in done.stderr


# --- list and show -----------------------------------------------------------------------------------------


def test_the_list(in_process: Ninjaone, config: Path) -> None:
    assert "no connection is saved: `ninjaone connection add NAME`" in in_process("connection", "list").stderr
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
    assert "others may read it (mode 0644)" in done.stderr
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
    assert "acme: give client_id with client_secret or refresh_token" in done.stderr
    assert shown(in_process, "acme")["refresh_token"] == "•••oken"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "there is nothing to change"),
        (("--region", "mars"), 'acme: no region "mars"'),
        (("--unset", "region"), "acme: give either region"),
        (("--unset", "name"), "invalid choice: 'name'"),
        (("--keyring",), "the keyring cannot keep the client_secret"),
    ],
)
def test_an_edit_that_is_wrong_changes_nothing(
    in_process: Ninjaone, config: Path, options: tuple[str, ...], said: str
) -> None:
    add(in_process, "acme")
    before = {path: path.read_bytes() for path in config.rglob("*") if path.is_file()}
    done = in_process("connection", "edit", "acme", *options)
    assert done.returncode == 2
    assert said in done.stderr
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
    assert "there is no terminal to ask on: say --yes" in done.stderr
    assert kept() == ["acme.json", "acme.yaml", "default", "token"]
    assert ninjaone("connection", "remove", "acme", "--yes").returncode == 0
    assert kept() == []
    assert ninjaone("connection", "remove", "acme", "--yes").returncode == 2


# --- on a terminal -----------------------------------------------------------------------------------------

on_a_terminal = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")


@on_a_terminal
def test_what_is_missing_is_asked_for_and_the_secret_is_not_echoed(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(
        ("connection", "add", "acme"),
        [
            ("a host of your own: ", "mars"),
            ('no region "mars"', ""),
            ("a host of your own: ", sandbox.base_url),
            ("Client id: ", ""),
            ("there has to be one", ""),
            ("Client id: ", sandbox.client_id),
            ("Client secret (not shown): ", sandbox.client_secret),
        ],
        tmp_path,
    )
    assert code == 0, screen
    assert "ok      Sign-in" in screen
    assert sandbox.client_secret not in screen
    assert shown(ninjaone, "acme")["client_secret"] == "•••cret"


@on_a_terminal
def test_only_what_is_missing_is_asked_for(in_process: Ninjaone, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    arguments = ("connection", "add", "acme", "--region", "eu", "--secret-kind", "access_token", "--no-test")
    code, screen = on_terminal(arguments, [("Access token (not shown): ", SECRET)], tmp_path)
    assert code == 0, screen
    assert "Client id" not in screen
    assert shown(in_process, "acme")["access_token"] == "•••-app"


@on_a_terminal
def test_an_edit_asks_and_an_empty_answer_keeps(in_process: Ninjaone, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    add(in_process, "acme", *APP, "--scope", "monitoring")
    before = shown(in_process, "acme")
    kept = [
        ("a host of your own [eu]: ", ""),
        ("Client id [an-app]: ", ""),
        ("(not shown) [kept as it is]: ", ""),
    ]
    code, screen = on_terminal(("connection", "edit", "acme", "--no-test"), kept, tmp_path)
    assert code == 0, screen
    assert shown(in_process, "acme") == before
    changed = [("[eu]: ", "ca"), ("[an-app]: ", "new"), ("[kept as it is]: ", "another-secret")]
    code, screen = on_terminal(("connection", "edit", "acme", "--no-test"), changed, tmp_path)
    assert code == 0, screen
    assert "another-secret" not in screen
    assert shown(in_process, "acme") == {
        **before, "region": "ca", "client_id": "new", "client_secret": "•••cret",
    }  # fmt: skip


@on_a_terminal
@pytest.mark.parametrize(("answer", "code"), [("", 2), ("n", 2), ("yess", 2), ("y", 0), ("YES", 0)])
def test_removing_asks(in_process: Ninjaone, tmp_path: Path, answer: str, code: int) -> None:
    from tests.cli.terminal import on_terminal

    add(in_process, "acme")
    found, screen = on_terminal(
        ("connection", "remove", "acme"), [("its secrets? [y/N]: ", answer)], tmp_path
    )
    assert found == code, screen
    assert len(listed(in_process)) == (0 if code == 0 else 1)


@on_a_terminal
def test_a_secret_on_standard_input_is_not_typed_where_it_shows(tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(("connection", "add", "acme", *APP, "--secret-stdin"), [], tmp_path)
    assert code == 2
    assert "standard input is the terminal" in screen


@on_a_terminal
def test_a_terminal_that_is_closed_saves_nothing(ninjaone: Ninjaone, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(
        ("connection", "add", "acme", "--region", "eu"), [("Client id: ", "\x04")], tmp_path
    )
    assert code == 2
    assert "the terminal was closed before everything was answered" in screen
    assert listed(ninjaone) == []
