"""Secrets in a real keyring: gnome-keyring on a D-Bus session of the test's own.

`make keyring` installs what this needs; without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.loopback import PATIENCE_S

LACKING = [
    name for name in ("dbus-run-session", "dbus-send", "gnome-keyring-daemon") if shutil.which(name) is None
]
pytestmark = [
    pytest.mark.keyring,
    pytest.mark.skipif(bool(LACKING), reason=f"there is no {', '.join(LACKING)}: run `make keyring`"),
]

SESSION = """
printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
for _ in $(seq 200); do
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q 'boolean true' && break
    sleep 0.1
done
echo "$DBUS_SESSION_BUS_ADDRESS"
exec cat
"""
"""Starts an unlocked keyring, says where it is once it answers, and ends with its standard input."""

LOCK = """
import secretstorage
secretstorage.get_default_collection(secretstorage.dbus_init()).lock()
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment variables of a session with a keyring, which is unlocked and empty."""
    home = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
    process = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", SESSION],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **home},
    )  # fmt: skip
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("unix:")
    backend = "keyring.backends.SecretService.Keyring"
    yield {**home, "DBUS_SESSION_BUS_ADDRESS": address, "PYTHON_KEYRING_BACKEND": backend}
    process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def add(sandbox: Sandbox) -> tuple[str, ...]:
    return (
        *("connection", "add", "acme", "--base-url", sandbox.base_url),
        *("--client-id", sandbox.client_id, "--secret-stdin"),
    )


def lock(session: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", LOCK], env={**os.environ, **session}, check=True, timeout=60)


def files_with(secret: str, folder: Path) -> list[str]:
    return [str(p) for p in folder.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


def test_a_secret_is_in_the_keyring_and_nowhere_else(
    ninjaone: Ninjaone, session: dict[str, str], sandbox: Sandbox, add: tuple[str, ...], own_state: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    done = ninjaone(*add, stdin=sandbox.client_secret, **session)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "its secret in the keyring" in done.stderr
    assert "warning" not in done.stderr
    assert files_with(sandbox.client_secret, own_state) == files_with(sandbox.client_secret, tmp_path) == []
    assert ninjaone("call", "get_device", "device_id=1", "-c", "acme", **session).returncode == 0
    shown = json.loads(ninjaone("connection", "show", "acme", "--json", **session).stdout)
    assert (shown["client_secret"], shown["secrets"]) == ("•••cret", "keyring")
    listed = json.loads(ninjaone("connection", "list", "--json").stdout)  # asks no keyring
    assert listed[0]["secrets"] == "keyring"
    assert ninjaone("connection", "remove", "acme", "--yes", **session).returncode == 0
    search = (
        "import secretstorage; print(len(list(secretstorage.get_default_collection("
        "secretstorage.dbus_init()).get_all_items())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", search],
        env={**os.environ, **session},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "0\n", done.stderr


def test_a_refresh_token_stays_in_the_keyring_when_it_rotates(
    ninjaone: Ninjaone, session: dict[str, str], sandbox: Sandbox, own_state: Path, tmp_path: Path
) -> None:
    app = ("--base-url", sandbox.base_url, "--client-id", "sandbox-web", "--secret-stdin", "--no-test")
    done = ninjaone("connection", "add", "acme", *app, stdin="sandbox-web-secret", **session)
    assert done.returncode == 0, done.stderr
    kind = ("--secret-kind", "refresh_token", "--secret-stdin")
    done = ninjaone("connection", "edit", "acme", *kind, stdin=sandbox.refresh_token, **session)
    assert done.returncode == 0, done.stdout + done.stderr
    first = shown(ninjaone, session)
    for token in (own_state / "ninjaone-connector").glob("token-*"):
        token.unlink()
    assert ninjaone("call", "get_device", "device_id=1", "-c", "acme", **session).returncode == 0
    kinds = [(one["grant_type"], one["status"]) for one in sandbox.log.signins()]
    assert kinds == [("refresh_token", 200)] * 2
    second = shown(ninjaone, session)
    assert first != second
    assert files_with("refresh-", own_state) == files_with("refresh-", tmp_path) == []
    lock(session)
    for token in (own_state / "ninjaone-connector").glob("token-*"):
        token.unlink()
    done = ninjaone("call", "get_device", "device_id=1", "-c", "acme", **session)
    assert done.returncode == 2
    assert "which cannot be used now: Failed to unlock" in done.stderr
    assert len(sandbox.log.signins()) == 2


def shown(ninjaone: Ninjaone, session: dict[str, str]) -> str:
    """The end of the refresh token, which is in the keyring."""
    about = json.loads(ninjaone("connection", "show", "acme", "--json", **session).stdout)
    assert about["secrets"] == "keyring"
    return str(about["refresh_token"])


def test_without_the_session_of_the_keyring_a_run_says_what_to_do(
    ninjaone: Ninjaone, session: dict[str, str], sandbox: Sandbox, add: tuple[str, ...]
) -> None:
    ninjaone(*add, stdin=sandbox.client_secret, **session)
    done = ninjaone("call", "get_device", "device_id=1", "-c", "acme")
    assert done.returncode == 2
    assert 'the client_secret of "acme" is in the keyring, which cannot be used now: this' in done.stderr
    assert "connection edit --no-keyring" in done.stderr
    mend = ("connection", "edit", "acme", "--no-keyring", "--secret-stdin")
    assert ninjaone(*mend, stdin=sandbox.client_secret).returncode == 0
    assert ninjaone("call", "get_device", "device_id=1", "-c", "acme").returncode == 0


def test_secrets_move_between_keyring_and_file(
    ninjaone: Ninjaone, session: dict[str, str], sandbox: Sandbox, add: tuple[str, ...], own_state: Path
) -> None:
    done = ninjaone(*add, "--no-keyring", stdin=sandbox.client_secret, **session)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    (file,) = files_with(sandbox.client_secret, own_state)
    for option, is_in in (("--keyring", []), ("--no-keyring", [file])):
        done = ninjaone("connection", "edit", "acme", option, **session)
        assert done.returncode == 0, done.stdout + done.stderr
        assert files_with(sandbox.client_secret, own_state) == is_in


def test_a_locked_keyring(
    ninjaone: Ninjaone, session: dict[str, str], sandbox: Sandbox, add: tuple[str, ...], own_state: Path
) -> None:
    ninjaone(*add, stdin=sandbox.client_secret, **session)
    lock(session)
    done = ninjaone("call", "get_device", "device_id=1", "-c", "acme", **session)
    assert done.returncode == 2
    assert "which cannot be used now: Failed to unlock the collection!" in done.stderr
    # Another connection may go to a file, which is said; one that is to be in the keyring does not.
    other = ["globex" if word == "acme" else word for word in add]
    done = ninjaone(*other, "--keyring", stdin=sandbox.client_secret, **session)
    assert done.returncode == 2
    assert "the keyring cannot store the client_secret: Failed to unlock" in done.stderr
    assert files_with(sandbox.client_secret, own_state) == []
    done = ninjaone(*other, stdin=sandbox.client_secret, **session)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning: no keyring found; the secret is stored in a file only you can read: " in done.stderr
    assert "Failed to unlock the collection" in done.stderr
    assert files_with(sandbox.client_secret, own_state) != []
    done = ninjaone("connection", "remove", "acme", "--yes", **session)
    assert done.returncode == 1
    assert "remove them by hand: acme/client_secret" in done.stderr
