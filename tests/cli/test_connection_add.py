"""`ninjaone connection add`: where its secret comes from, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.saved_connections import APP, SECRET, add, shown

pytestmark = pytest.mark.usefixtures("own_state")


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
    warning = "warning: no keyring found; the secret is stored in a file only you can read: this session has "
    assert warning in done.stderr
    assert f"acme is saved ({config}/connections/acme.yaml), its secret in a file only you" in done.stderr
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
    assert (
        "acme is saved, but some health checks failed; correct it with `ninjaone connection edit acme`"
        in done.stderr
    )
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
    ("options", "stdin", "message"),
    [
        (
            (),
            "",
            "no terminal for prompts; use --region or --base-url, --client-id, --secret-file FILE or "
            "--secret-stdin",
        ),
        (("--region", "eu", "--secret-stdin"), SECRET, "no terminal for prompts; use --client-id"),
        (("--region", "eu1", "--client-id", "x", "--secret-stdin"), SECRET, 'acme: no region "eu1" (did you'),
        (("--base-url", "http://x.y", "--client-id", "x", "--secret-stdin"), SECRET, "must use https://"),
        ((*APP, "--secret-stdin"), "", "the secret is empty"),
        ((*APP, "--secret-stdin"), "\n", "the secret is empty"),
        ((*APP, "--secret-stdin"), f"{SECRET}\n{SECRET}\n", "acme: client_secret has a line break"),
        ((*APP, "--secret-file", "nowhere"), "", "--secret-file nowhere: cannot be read: No such file"),
        ((*APP, "--secret-file", "."), "", "--secret-file .: cannot be read"),
        (
            (*APP, "--secret-stdin", "--keyring"),
            SECRET,
            "the keyring cannot store the client_secret: thi",
        ),
        ((*APP, "--secret-stdin", "--health-checks-off", "x"), SECRET, 'no health check "x"; known: org'),
        ((*APP, "--secret-stdin", "--timeout-s", "0"), SECRET, "timeout_s must be a number of seconds"),
        ((*APP, "--secret-stdin", "--timeout-s", "nan"), SECRET, "timeout_s must be a number of seconds"),
        ((*APP, "--secret-stdin", "--ca-file", "nowhere"), SECRET, "nowhere does not exist"),
        (
            (*APP, "--secret-stdin", "--proxy", f"http://u:{SECRET}@p"),
            "x",
            "a password cannot be passed as an argument",
        ),
        (
            (*APP, "--secret-stdin", "--proxy", f"u:{SECRET}@p"),
            "x",
            "a password cannot be passed as an argument",
        ),
        ((*APP, "--secret-stdin", "--proxy", "http://u:${NO}@p"), "x", "environment variable NO is not set"),
        ((*APP, "--secret-stdin"), "7-chars", "acme: the client_secret has fewer than 8 characters"),
        ((*APP, "--secret-stdin", "--secret-kind", "access_token"), "x", "the access_token has fewer than 8"),
        ((*APP, "--client-secret", SECRET), "", "secrets cannot be passed as arguments"),
        ((*APP, f"--client-secret={SECRET}"), "", "secrets cannot be passed as arguments"),
        ((*APP, "--secret", SECRET), "", "secrets cannot be passed as arguments"),
        ((*APP, "--access-token", SECRET), "", "secrets cannot be passed as arguments"),
        ((*APP, "--refresh", SECRET), "", "secrets cannot be passed as arguments"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_saved(
    in_process: Ninjaone, config: Path, options: tuple[str, ...], stdin: str, message: str
) -> None:
    done = in_process("connection", "add", "acme", *options, stdin=stdin)
    assert done.returncode == 2
    assert message in done.stderr
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
    assert 'the connection "acme" already exists: edit it, or remove it first' in done.stderr
    assert shown(in_process, "acme")["client_secret"] == "•••-app"


def test_secrets_left_by_a_connection_that_was_removed_by_hand_are_not_the_new_ones(
    in_process: Ninjaone, config: Path
) -> None:
    add(in_process, "acme", *APP, "--secret-kind", "refresh_token")
    (config / "connections/acme.yaml").unlink()
    add(in_process, "acme")
    assert "refresh_token" not in shown(in_process, "acme")


def test_a_short_secret_is_saved_on_request(in_process: Ninjaone, sandbox: Sandbox) -> None:
    options = (*APP, "--secret-stdin", "--no-test")
    assert (
        in_process("connection", "add", "acme", *options, "--allow-short-secrets", stdin="7-chars").returncode
        == 0
    )
    assert shown(in_process, "acme")["allow_short_secrets"] is True
    # It stays allowed until that is taken back.
    assert (
        in_process("connection", "edit", "acme", "--secret-stdin", "--no-test", stdin="6-char").returncode
        == 0
    )
    done = in_process("connection", "edit", "acme", "--no-allow-short-secrets", "--no-test")
    assert (done.returncode, "fewer than 8 characters" in done.stderr) == (2, True)
    assert (
        in_process("connection", "edit", "acme", "--secret-stdin", "--no-test", stdin="8-chars!").returncode
        == 0
    )
