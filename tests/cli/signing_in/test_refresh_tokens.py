"""A refresh token is used once, over processes that are killed and over files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from connector.connections.secret_store import SecretStore
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.signing_in.tokens import CALL, files_with
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a script is a program on POSIX alone")


def refreshes(sandbox: Sandbox) -> list[int]:
    """The statuses of the answers to refreshes."""
    return [one["status"] for one in sandbox.log.signins() if one["grant_type"] == "refresh_token"]


def forget_access_tokens(own_state: Path) -> None:
    for path in (own_state / "ninjaone-connector").glob("token-*"):
        path.unlink()


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
    sign_in = sandbox.tokens.sign_in
    under_way, go_on = threading.Event(), threading.Event()

    def wait(request: Any) -> dict[str, Any]:
        under_way.set()
        assert go_on.wait(PATIENCE_S)
        return sign_in(request)

    monkeypatch.setattr(sandbox.tokens, "sign_in", wait)
    code = AT_THE_LOCK.format(command=list(CALL))
    processes = []
    for number in range(3):
        arrived = tmp_path / str(number)
        processes.append(
            subprocess.Popen([sys.executable, "-c", code, arrived], stdout=subprocess.PIPE, text=True)
        )
        wait_until(arrived.exists)
        assert under_way.wait(PATIENCE_S)
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
        "Set a new refresh_token in user.yaml, or sign in with `ninjaone connection add NAME --br"
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
        r"the server responded with 400 \(invalid_grant\): .* has expired, was already used, or was r",
        done.stderr,
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
        assert 'another process has been signing in for "acme" for too long' in done.stderr
        assert {path: path.read_bytes() for path in own_state.rglob("*") if path.is_file()} == before
    assert in_process("connection", *command).returncode == 0
