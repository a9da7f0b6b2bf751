"""Signing in from the command line: a browser, refresh tokens over processes and kills, and refusals.

The authorization server is the sandbox, and the browser a script that does what one does with an address.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.sandbox.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import wait_until
from tests.loopback import Server, Talk, free_port

BROWSER = """#!{python}
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=20).read()
"""
CALL = ("call", "get_device", "device_id=1")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a script is a program on POSIX alone")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sandbox(port: int) -> Iterator[Sandbox]:
    with Sandbox(redirect_uris=[f"http://127.0.0.1:{port}/"], user_context=["runScriptOnDevice"]) as running:
        yield running


@pytest.fixture(autouse=True)
def browser(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path_factory.mktemp("bin") / "browser"
    path.write_text(BROWSER.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(path))


@pytest.fixture
def secrets_seen(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every code, verifier, access token and refresh token that goes over the wire."""
    seen: list[str] = []
    tokens, authorizations = sandbox._app.tokens, sandbox.authorizations
    sign_in, authorize = tokens.sign_in, authorizations.authorize

    def noted_sign_in(request: Any) -> dict[str, Any]:
        names = ("code", "code_verifier", "refresh_token")
        seen.extend(request.fields[name] for name in names if name in request.fields)
        answer = sign_in(request)
        seen.extend(answer[name] for name in ("access_token", "refresh_token") if name in answer)
        return answer

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


def refreshes(sandbox: Sandbox) -> list[int]:
    """The statuses of the answers to refreshes."""
    return [one["status"] for one in sandbox.log.signins() if one["grant_type"] == "refresh_token"]


def forget_access_tokens(own_state: Path) -> None:
    for path in (own_state / "ninjaone-connector").glob("token-*"):
        path.unlink()


def files_with(secret: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


# --- with a browser ----------------------------------------------------------------------------------------


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
            ("a host of your own: ", sandbox.base_url),
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
    assert "This operation needs a user, and a machine-to-machine app has none" in envelope["error"]
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
    assert "ninjaone: the browser came back with an error (access_denied" in done.stderr
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
    ("options", "said"),
    [
        (
            ("--browser", "--secret-kind", "refresh_token"),
            "--browser gives the refresh_token: beside it, only",
        ),
        (("--browser-port", "1234"), "--browser-port is for --browser"),
        (("--browser", "--browser-port", "0"), "0 is not a port"),
        (("--browser", "--browser-port", "65536"), "65536 is not a port"),
        (("--browser", "--keyring"), "the keyring cannot keep what a sign-in gives: this session has no key"),
        (("--browser", "--timeout-s", "0"), "timeout_s must be a number of seconds"),
        (("--browser", "--region", "mars"), 'no region "mars"'),
    ],
)
def test_what_is_wrong_is_said_before_a_browser_opens(
    in_process: Ninjaone, options: tuple[str, ...], said: str
) -> None:
    where = () if "--region" in options else ("--region", "eu")
    done = in_process("connection", "add", "acme", *where, "--client-id", "x", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "sign in with the browser" not in done.stderr


# --- refresh tokens over processes -------------------------------------------------------------------------


@pytest.fixture
def user(sandbox: Sandbox) -> None:
    """The connection acme of a user who has signed in before; nothing was used yet."""
    settings = {**sandbox.user_connection, "service": "ninjaone"}
    for field in ("client_secret", "refresh_token"):
        SecretStore().set("acme", field, settings.pop(field), "file")
    SavedConnections().save("acme", settings)
    SavedConnections().make_default("acme")


AT_THE_LOCK = """
import sys
from pathlib import Path
from connector.cli.main import main
from connector.connections.secret_store import SecretStore

held = SecretStore.held

def arrive(store, name):
    Path(sys.argv[1]).touch()
    return held(store, name)

SecretStore.held = arrive
sys.exit(main({command}))
"""
"""Makes a call, and the file that is named before it takes the lock of the connection's secrets."""


@pytest.mark.usefixtures("user")
def test_processes_use_a_refresh_token_one_at_a_time(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = sandbox._app.tokens.sign_in
    under_way, go_on = threading.Event(), threading.Event()

    def wait(request: Any) -> dict[str, Any]:
        under_way.set()
        assert go_on.wait(30)
        return sign_in(request)

    monkeypatch.setattr(sandbox._app.tokens, "sign_in", wait)
    code = AT_THE_LOCK.format(command=list(CALL))
    processes = []
    for number in range(3):
        arrived = tmp_path / str(number)
        processes.append(
            subprocess.Popen([sys.executable, "-c", code, arrived], stdout=subprocess.PIPE, text=True)
        )
        wait_until(arrived.exists)
        assert under_way.wait(30)
    go_on.set()
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert json.loads(out)["has_error"] is False
    assert refreshes(sandbox) == [200]
    assert len(sandbox.log.requests()) == 3


KILLED_WHEN_KEPT = """
import os, signal
from connector.cli.main import main
from connector.connections.secret_store import SecretStore

kept = SecretStore.set

def set_and_die(store, name, field, *rest):
    kept(store, name, field, *rest)
    os.kill(os.getpid(), signal.SIGKILL)

SecretStore.set = set_and_die
main({command})
"""


@pytest.mark.usefixtures("user")
def test_a_process_killed_right_after_it_has_kept_the_next_token(
    ninjaone: Ninjaone, sandbox: Sandbox, own_state: Path
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_WHEN_KEPT.format(command=list(CALL))], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert refreshes(sandbox) == [200]
    assert sandbox.log.requests() == []  # the access token that came with it was not used
    assert files_with(sandbox.refresh_token, own_state) == []
    assert ninjaone(*CALL).returncode == 0
    assert refreshes(sandbox) == [200, 200]


@pytest.mark.usefixtures("user")
def test_a_process_killed_before_it_has_the_answer_to_its_first_request(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, own_state: Path
) -> None:
    sandbox.set_faults(queue=["hold"])
    with subprocess.Popen([sys.executable, "-m", "connector", *CALL], cwd=tmp_path) as process:
        wait_until(sandbox.log.requests)
        process.kill()
    sandbox.set_faults(queue=[])
    assert ninjaone(*CALL).returncode == 0
    assert refreshes(sandbox) == [200]
    forget_access_tokens(own_state)
    assert ninjaone(*CALL).returncode == 0
    assert refreshes(sandbox) == [200, 200]


def test_a_connections_file_with_a_refresh_token(
    in_process: Ninjaone, sandbox: Sandbox, own_state: Path, tmp_path: Path
) -> None:
    def write(refresh_token: str) -> None:
        settings = {**sandbox.user_connection, "refresh_token": refresh_token}
        (tmp_path / "user.yaml").write_text("".join(f"{k}: {v}\n" for k, v in settings.items()))

    call = (*CALL, "-c", "user.yaml")
    write(sandbox.refresh_token)
    for count in (1, 2):
        assert in_process(*call).returncode == 0
        assert refreshes(sandbox) == [200] * count
        forget_access_tokens(own_state)
    other = sandbox.authorizations.new_refresh_token()
    write(other)
    assert in_process(*call).returncode == 0
    assert refreshes(sandbox) == [200] * 3
    write("nobody-gave-this-one")
    done = in_process(*call)
    assert done.returncode == 2
    assert (
        "Give a new refresh_token in user.yaml, or sign in with `ninjaone connection add NAME --br"
        in done.stderr
    )
    assert "nobody-gave" not in done.stderr


def test_environment_variables_with_a_refresh_token(
    in_process: Ninjaone, sandbox: Sandbox, own_state: Path
) -> None:
    variables = {f"NINJAONE_{name.upper()}": value for name, value in sandbox.user_connection.items()}
    for count in (1, 2):
        assert in_process(*CALL, **variables).returncode == 0
        assert refreshes(sandbox) == [200] * count
        forget_access_tokens(own_state)
    assert files_with(sandbox.refresh_token, own_state) == []


@pytest.mark.usefixtures("user")
def test_a_refresh_token_that_has_ended(
    in_process: Ninjaone, ninjaone: Ninjaone, sandbox: Sandbox, port: int
) -> None:
    sandbox.authorizations._refresh.clear()
    done = in_process(*CALL)
    assert done.returncode == 2
    assert re.search(
        r"it answered 400 \(invalid_grant\): .* has ended, was used before, or was w", done.stderr
    )
    assert "Sign in again: `ninjaone connection edit acme --browser`" in done.stderr
    again = ninjaone("connection", "edit", "acme", "--browser", "--browser-port", port)
    assert again.returncode == 0, again.stdout + again.stderr
    assert in_process(*CALL).returncode == 0


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    "command", [("edit", "acme", "--timeout-s", "5", "--no-test"), ("remove", "acme", "--yes")]
)
def test_a_change_waits_for_a_use_that_is_under_way(
    in_process: Ninjaone, own_state: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr("connector.connections.secret_store.HELD_WAIT_S", 0.1)
    with SecretStore().held("acme"):
        before = {path: path.read_bytes() for path in own_state.rglob("*") if path.is_file()}
        done = in_process("connection", *command)
        assert done.returncode == 2
        assert 'another process is signing in for "acme", and does not end' in done.stderr
        assert {path: path.read_bytes() for path in own_state.rglob("*") if path.is_file()} == before
    assert in_process("connection", *command).returncode == 0


# --- what refusals say -------------------------------------------------------------------------------------


def refused(in_process: Ninjaone, folder: Path, **settings: str) -> str:
    """What `call` says with a connection that cannot sign in."""
    (folder / "wrong.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    done = in_process(*CALL, "-c", "wrong.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    return str(done.stderr)


def test_a_scope_that_the_app_was_not_given(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    said = refused(in_process, tmp_path, **sandbox.connection, scope="monitoring everything")
    assert "it answered 400 (invalid_scope): the client app was not given a scope" in said
    assert "Leave the connection's scope out, or add the scope to the app under Administration > Apps" in said


def test_a_wrong_secret(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    said = refused(in_process, tmp_path, **{**sandbox.connection, "client_secret": "wrong-secret"})
    assert "it answered 400 (invalid_client): NinjaOne refuses the client secret" in said
    assert "generate a new one under Administration > Apps > API" in said
    assert "apps of other regions are not known here" in said
    assert "wrong-secret" not in said


def test_an_app_of_another_region(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    said = refused(in_process, tmp_path, **{**sandbox.connection, "client_id": "an-app-of-eu"})
    assert "it answered 404 (Client app not exist), incident WEB_MGMT" in said
    assert "the client id is wrong, or the app belongs to another region" in said
    assert len(sandbox.log.signins()) == 1


def test_an_app_that_allows_no_client_credentials(
    in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    app = {"client_id": "sandbox-web", "client_secret": "sandbox-web-secret"}
    said = refused(in_process, tmp_path, **{**sandbox.connection, **app})
    assert "(unauthorized_client): the client app does not allow this kind of sign-in. Under Admin" in said
    assert 'an "API Services (machine-to-machine)" app allows client credentials' in said


def test_a_host_that_is_not_the_instances(in_process: Ninjaone, tmp_path: Path) -> None:
    page = b"<!doctype html><title>404 Not Found</title>"

    def answer(talk: Talk) -> None:
        while talk.read():
            head = f"HTTP/1.1 404 Not Found\r\nContent-Length: {len(page)}\r\n\r\n"
            talk.send(head.encode() + page)

    with Server((answer,)) as server:
        app = {"client_id": "an-app", "client_secret": "a-secret"}
        said = refused(in_process, tmp_path, base_url=server.base_url, **app)
        assert "it answered 404 (an HTML page): NinjaOne does not know this client app" in said
        assert [one.target for one in server.received] == ["/ws/oauth/token"]


def test_a_write_whose_scope_is_missing(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {**sandbox.connection, "scope": "monitoring"}
    (tmp_path / "reader.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    write = ("call", "update_device", "device_id=1", "display_name=SRV", "-c", "reader.yaml")
    done = in_process(*write)
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["error"]
    assert 'The token carries the scopes "monitoring" and lacks "management"' in error
    assert "Give it to the client app (Administration > Apps > API)" in error
    # The next run does not go on with the token, as the scope may have been given by then.
    assert in_process(*write).returncode == 1
    assert len(sandbox.log.signins()) == 2
    assert in_process(*CALL, "-c", "reader.yaml").returncode == 0
