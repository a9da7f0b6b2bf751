"""Signing in with a browser: what is stored, and that a refusal changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.signing_in.tokens import CALL, files_with

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a script is a program on POSIX alone")


@pytest.fixture
def secrets_seen(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every code, verifier, access token and refresh token that goes over the wire."""
    seen: list[str] = []
    tokens, authorizations = sandbox.tokens, sandbox.authorizations
    sign_in, authorize = tokens.sign_in, authorizations.authorize

    def noted_sign_in(request: Any) -> dict[str, Any]:
        names = ("code", "code_verifier", "refresh_token")
        seen.extend(request.form[name] for name in names if name in request.form)
        response = sign_in(request)
        seen.extend(response[name] for name in ("access_token", "refresh_token") if name in response)
        return response

    def noted_authorize(query: dict[str, str]) -> str:
        location = authorize(query)
        seen.extend(parse_qs(urlsplit(location).query).get("code", []))
        return location

    monkeypatch.setattr(tokens, "sign_in", noted_sign_in)
    monkeypatch.setattr(authorizations, "authorize", noted_authorize)
    return seen


@pytest.fixture
def add(ninjaone: Ninjaone, sandbox: Sandbox, port: int) -> Callable[..., Any]:
    """Runs `connection add acme --browser` for the app without a secret."""

    def run(*options: object, client_id: str = "sandbox-native", **more: str) -> Any:
        instance = ("--base-url", sandbox.base_url, "--client-id", client_id)
        return ninjaone(
            "connection", "add", "acme", *instance, "--browser", "--browser-port", port, *options, **more
        )

    return run


def test_a_user_signs_in_with_a_browser(
    ninjaone: Ninjaone, add: Callable[..., Any], sandbox: Sandbox, secrets_seen: list[str], own_state: Path,
    tmp_path: Path, port: int,
) -> None:  # fmt: skip
    done = add()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "Sign-in"], ["ok", "Organizations"], ["ok", "Devices"], ["ok", "Users"], ["ok", "Scopes"],
    ]  # fmt: skip
    assert f"needs exactly http://127.0.0.1:{port}/ among its redirect URIs" in done.stderr
    output = done.stdout + done.stderr
    again = ninjaone("connection", "edit", "acme", "--browser", "--browser-port", port)
    assert again.returncode == 0, again.stdout + again.stderr
    used = ninjaone("run", "get_device", "--output", "out.jsonl", stdin='{"device_id": 1}\n')
    assert used.returncode == 0, used.stderr
    output += again.stdout + again.stderr + used.stdout + used.stderr
    kinds = [one["grant_type"] for one in sandbox.log.signins()]
    assert kinds == ["authorization_code", "refresh_token"] * 2
    assert len(secrets_seen) == 16
    assert not [secret for secret in secrets_seen if secret in output]
    # Of all of them, the last two are kept: each in one file, and only its user can read it.
    kept = {secret: files_with(secret, own_state) + files_with(secret, tmp_path) for secret in secrets_seen}
    assert {secret for secret, paths in kept.items() if paths} == set(secrets_seen[-2:])
    for paths in kept.values():
        assert [path.stat().st_mode & 0o777 for path in paths] in ([], [0o600])


def test_an_app_with_a_secret(ninjaone: Ninjaone, add: Callable[..., Any], sandbox: Sandbox) -> None:
    done = add("--secret-stdin", client_id="sandbox-web", stdin="sandbox-web-secret")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = json.loads(ninjaone("connection", "show", "acme", "--json").stdout)
    assert shown["client_secret"] == "•••cret"
    assert shown["refresh_token"].startswith("•••")
    assert ninjaone(*CALL).returncode == 0
    assert {one["client_id"] for one in sandbox.log.signins()} == {"sandbox-web"}


def test_a_person_is_asked_for_what_is_missing(sandbox: Sandbox, port: int, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(
        ("connection", "add", "acme", "--browser", "--browser-port", port),
        [
            ("a custom host: ", sandbox.base_url),
            ("Client id: ", "sandbox-web"),
            ("Client secret (not shown) [none]: ", "sandbox-web-secret"),
        ],
        tmp_path,
    )
    assert code == 0, screen
    assert "sandbox-web-secret" not in screen
    assert "ok      Sign-in" in screen


def test_a_machine_becomes_a_user(ninjaone: Ninjaone, sandbox: Sandbox, port: int) -> None:
    machine = ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id, "--secret-stdin")
    assert ninjaone("connection", "add", "acme", *machine, stdin=sandbox.client_secret).returncode == 0
    script = ("call", "run_script", "device_id=1", "type=SCRIPT", "script_id=1", "run_as=system")
    done = ninjaone(*script)
    assert done.returncode == 1, done.stderr
    envelope = json.loads(done.stdout)
    assert envelope["meta"]["code"] == "forbidden"
    assert "the API answered 403: user_context_required" in envelope["error"]
    assert "This operation requires a user, and a machine-to-machine app has none" in envelope["error"]
    assert "`ninjaone connection add NAME --browser`" in envelope["error"]
    user = ("--browser", "--browser-port", port, "--client-id", "sandbox-native")
    done = ninjaone("connection", "edit", "acme", *user)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = json.loads(ninjaone("connection", "show", "acme", "--json").stdout)
    assert "client_secret" not in shown  # it was that of the app before
    done = ninjaone(*script)
    assert done.returncode == 0, done.stdout


def test_a_user_who_refuses_saves_nothing(
    add: Callable[..., Any], ninjaone: Ninjaone, sandbox: Sandbox, own_state: Path
) -> None:
    sandbox.authorizations.user_refuses = True
    done = add()
    assert (done.returncode, done.stdout) == (2, "")
    assert "ninjaone: the browser returned an error (access_denied" in done.stderr
    assert json.loads(ninjaone("connection", "list", "--json").stdout) == []
    assert not (own_state / "config").exists()


@pytest.mark.usefixtures("user")
def test_a_refused_edit_changes_nothing(
    ninjaone: Ninjaone, sandbox: Sandbox, own_state: Path, port: int
) -> None:
    before = {path: path.read_bytes() for path in own_state.rglob("*") if path.is_file()}
    sandbox.authorizations.user_refuses = True
    done = ninjaone("connection", "edit", "acme", "--browser", "--browser-port", port, "--timeout-s", "5")
    assert done.returncode == 2
    assert {path: path.read_bytes() for path in own_state.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--browser", "--secret-kind", "refresh_token"),
            "--browser obtains the refresh_token itself; it accepts only",
        ),
        (("--browser-port", "1234"), "--browser-port requires --browser"),
        (("--browser", "--browser-port", "0"), "0 is not a port"),
        (("--browser", "--browser-port", "65536"), "65536 is not a port"),
        (("--browser", "--keyring"), "the keyring cannot store the refresh token: this session has no key"),
        (("--browser", "--timeout-s", "0"), "timeout_s must be a number of seconds"),
        (("--browser", "--region", "mars"), 'no region "mars"'),
    ],
)
def test_what_is_wrong_is_said_before_a_browser_opens(
    in_process: Ninjaone, options: tuple[str, ...], message: str
) -> None:
    where = () if "--region" in options else ("--region", "eu")
    done = in_process("connection", "add", "acme", *where, "--client-id", "x", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "sign in with the browser" not in done.stderr
