"""Secrets stay where they were put, are their user's alone, and are not lost; no error shows one."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from connector.common import user_folders
from connector.connections import secret_store
from connector.connections.secret_store import SecretStore, keyring_lacks
from connector.errors import ConnectionSetupError

SECRET = "S3cret-value-of-the-app"


class MemoryKeyring:
    """A keyring in memory, which a test can lock, or make forget what it is given.

    It is no KeyringBackend, as those are found and used by everything else in the process.
    """

    priority: float = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.asked = 0
        self.locked = self.forgets = False

    def _ask(self, password: str = "") -> None:
        self.asked += 1
        if self.locked:
            raise KeyringLocked(f"Failed to unlock the collection{password}!")

    def get_password(self, service: str, username: str) -> str | None:
        self._ask()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._ask(f" for {password}")
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._ask()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("No such password!")


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    return SecretStore(tmp_path / "config")


@pytest.fixture
def use_keyring(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    return lambda backend: monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


@pytest.fixture
def memory(use_keyring: Callable[[Any], None]) -> MemoryKeyring:
    backend = MemoryKeyring()
    use_keyring(backend)
    return backend


@pytest.fixture
def no_keyring(use_keyring: Callable[[Any], None]) -> None:
    use_keyring(fail.Keyring())


def fault(use: Callable[[], object]) -> str:
    with pytest.raises(ConnectionSetupError) as caught:
        use()
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__context__)
    return str(caught.value)


# --- in a file ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_secrets_are_in_a_file(store: SecretStore) -> None:
    assert store.get("acme", "client_secret") is None
    assert store.places("acme") == {}
    store.set("acme", "client_secret", SECRET)
    store.set("acme", "refresh_token", "ü\n\"'${X}")
    store.set("globex", "client_secret", "another")
    assert store.get("acme", "client_secret") == SECRET
    assert store.get("acme", "refresh_token") == "ü\n\"'${X}"
    assert store.get("acme", "access_token") is None
    assert store.places("acme") == {"client_secret": "file", "refresh_token": "file"}
    store.delete("acme", "refresh_token")
    assert store.places("acme") == {"client_secret": "file"}
    store.delete("acme")
    assert store.places("acme") == {}
    assert not store.path("acme").exists()
    assert store.get("globex", "client_secret") == "another"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_its_users_alone(store: SecretStore) -> None:
    before = os.umask(0)
    try:
        store.set("acme", "client_secret", SECRET, "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path("acme").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path("acme").parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o666])
def test_a_file_that_others_can_read_is_refused(store: SecretStore, mode: int) -> None:
    store.set("acme", "client_secret", SECRET, "file")
    store.path("acme").chmod(mode)
    for use in (
        lambda: store.get("acme", "client_secret"),
        lambda: store.places("acme"),
        lambda: store.set("acme", "client_secret", "new"),
    ):
        message = fault(use)
        assert message.startswith(f"{store.path('acme')}: other users can read this file (mode 0{mode:o}): ")
        assert "chmod 600" in message
    store.path("acme").chmod(0o400)
    assert store.get("acme", "client_secret") == SECRET


@pytest.mark.parametrize(
    "content", [SECRET, f'{{"client_secret": ["{SECRET}"]}}', f'["{SECRET}"]', "", "\xff"]
)
def test_a_damaged_file_is_a_fault(store: SecretStore, content: str) -> None:
    store.set("acme", "client_secret", SECRET, "file")
    store.path("acme").write_text(content, "latin-1")
    assert "acme.json: damaged. Remove it, and" in fault(lambda: store.get("acme", "client_secret"))
    assert "damaged" in fault(lambda: store.set("acme", "client_secret", SECRET, "file"))
    assert store.path("acme").read_text("latin-1") == content


def test_a_full_disk_is_a_fault_and_the_old_secret_stays(
    store: SecretStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set("acme", "refresh_token", "old", "file")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(user_folders, "sync_file", full)
    message = fault(lambda: store.set("acme", "refresh_token", SECRET))
    assert "acme.json: cannot be written: [Errno 28] No space left on device" in message
    assert store.get("acme", "refresh_token") == "old"


def test_a_writer_that_does_not_end_is_a_fault(store: SecretStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    store.set("acme", "refresh_token", "old", "file")
    monkeypatch.setattr(secret_store, "LOCK_WAIT_S", 0.01)
    with FileLock(store.path("acme").parent / ".lock"):
        message = fault(lambda: store.set("acme", "refresh_token", SECRET))
    assert message.endswith("another process is writing it; try again later")


SET_MANY = """
import sys
from pathlib import Path
from connector.connections.secret_store import SecretStore
store, field = SecretStore(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    store.set("acme", field, f"{field} {number}", "file")
"""


def test_processes_that_write_at_once_lose_nothing(store: SecretStore, tmp_path: Path) -> None:
    fields = [f"field_{letter}" for letter in "abcd"]
    command = [sys.executable, "-c", SET_MANY, str(tmp_path / "config")]
    running = [subprocess.Popen([*command, field, "20"]) for field in fields]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0, 0]
    assert {field: store.get("acme", field) for field in fields} == {field: f"{field} 19" for field in fields}


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_secret_that_was_set_outlasts_a_kill(store: SecretStore, tmp_path: Path) -> None:
    store.set("acme", "client_secret", SECRET, "file")
    killed = SET_MANY + "import os; os.kill(os.getpid(), 9)"
    done = subprocess.run(
        [sys.executable, "-c", killed, tmp_path / "config", "refresh_token", "5"], timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert store.get("acme", "refresh_token") == "refresh_token 4"
    assert store.get("acme", "client_secret") == SECRET
    store.set("acme", "refresh_token", "next")
    assert store.get("acme", "refresh_token") == "next"


def test_what_a_killed_process_left_half_written_goes_with_the_next_change(store: SecretStore) -> None:
    for change in (
        lambda: store.set("acme", "refresh_token", "1", "file"),
        lambda: store.delete("acme", "refresh_token"),
        lambda: store.delete("acme"),
    ):
        store.set("acme", "client_secret", SECRET, "file")
        left = store.path("acme").with_name(".acme.json.0a1b2c3d")
        left.write_text(SECRET)
        change()
        assert not left.exists()


def test_one_holds_the_secrets_of_a_connection_at_a_time(
    store: SecretStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.connections.secret_store.HELD_WAIT_S", 0.1)
    other = SecretStore(tmp_path / "config")
    with store.held("acme"):
        assert "another process has been signing in" in fault(lambda: hold(other, "acme"))
        hold(other, "globex")
        store.set("acme", "refresh_token", "1", "file")  # who holds them may change them
    hold(other, "acme")
    with pytest.raises(KeyError), store.held("acme"):
        raise KeyError
    hold(other, "acme")
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "config/secrets").iterdir())


def hold(store: SecretStore, name: str) -> None:
    with store.held(name):
        pass


def test_room_for_a_secret(store: SecretStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.require_room()
    assert list((tmp_path / "config/secrets").iterdir()) == []
    (tmp_path / "other").write_text("")
    assert "cannot be written: " in fault(SecretStore(tmp_path / "other").require_room)


# --- in a keyring ------------------------------------------------------------------------------------------


def test_with_a_keyring_secrets_are_there_and_in_no_file(
    store: SecretStore, memory: MemoryKeyring, tmp_path: Path
) -> None:
    store.set("acme", "client_secret", SECRET)
    assert memory.kept == {("ninjaone-connector", "acme/client_secret"): SECRET}
    assert store.get("acme", "client_secret") == SECRET
    assert store.places("acme") == {"client_secret": "keyring"}
    assert all(SECRET not in path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    store.delete("acme")
    assert memory.kept == {}
    assert store.places("acme") == {}


def test_a_keyring_is_not_asked_for_what_is_not_in_it(store: SecretStore, memory: MemoryKeyring) -> None:
    store.set("acme", "client_secret", SECRET, "file")
    store.get("acme", "client_secret")
    store.get("acme", "refresh_token")
    store.places("acme")
    store.delete("acme")
    assert memory.asked == 0


def test_a_secret_stays_where_the_connections_others_are(store: SecretStore, memory: MemoryKeyring) -> None:
    store.set("acme", "client_secret", SECRET, "file")
    store.set("acme", "refresh_token", "1")
    assert store.places("acme") == {"client_secret": "file", "refresh_token": "file"}
    store.set("globex", "client_secret", SECRET, "keyring")
    store.set("globex", "refresh_token", "1")
    assert store.places("globex") == {"client_secret": "keyring", "refresh_token": "keyring"}
    assert len(memory.kept) == 2


def test_a_secret_can_be_moved(store: SecretStore, memory: MemoryKeyring) -> None:
    store.set("acme", "client_secret", SECRET, "keyring")
    store.set("acme", "client_secret", SECRET, "file")
    assert (memory.kept, store.places("acme")) == ({}, {"client_secret": "file"})
    store.set("acme", "client_secret", SECRET, "keyring")
    assert store.places("acme") == {"client_secret": "keyring"}
    assert SECRET not in store.path("acme").read_text()
    assert store.get("acme", "client_secret") == SECRET


def test_a_locked_keyring_is_an_error_and_never_a_reason_to_use_a_file(
    store: SecretStore, memory: MemoryKeyring
) -> None:
    store.set("acme", "client_secret", SECRET)
    memory.locked = True
    message = fault(lambda: store.get("acme", "client_secret"))
    assert message.startswith(
        'the client_secret of "acme" is in the keyring, which cannot be used now: Failed to unlock the '
    )
    assert "connection edit --no-keyring" in message
    message = fault(lambda: store.set("acme", "client_secret", SECRET))
    assert message == "the keyring cannot store the client_secret: Failed to unlock the collection for •••!"
    assert "the keyring cannot store" in fault(lambda: store.set("globex", "client_secret", SECRET))
    assert store.places("globex") == {}
    assert not store.path("globex").exists()
    memory.locked = False
    assert store.get("acme", "client_secret") == SECRET


def test_out_of_a_locked_keyring_the_secret_can_be_given_again(
    store: SecretStore, memory: MemoryKeyring
) -> None:
    store.set("acme", "client_secret", "old")
    memory.locked = True
    store.set("acme", "client_secret", SECRET, "file")
    assert store.get("acme", "client_secret") == SECRET
    assert store.places("acme") == {"client_secret": "file"}


def test_what_cannot_be_deleted_from_a_keyring_is_named(store: SecretStore, memory: MemoryKeyring) -> None:
    store.set("acme", "client_secret", SECRET)
    memory.locked = True
    message = fault(lambda: store.delete("acme"))
    assert message.startswith(
        "entries of ninjaone-connector remain in the keyring; remove them by hand: acme/cli"
    )
    assert store.places("acme") == {}


def test_a_keyring_that_forgets_is_found_out_at_once(store: SecretStore, memory: MemoryKeyring) -> None:
    memory.forgets = True
    message = fault(lambda: store.set("acme", "client_secret", SECRET))
    assert message.endswith("the client_secret: the value read back differs from the saved one")
    assert store.places("acme") == {}


def test_an_entry_that_was_removed_from_the_keyring_by_hand(
    store: SecretStore, memory: MemoryKeyring
) -> None:
    store.set("acme", "client_secret", SECRET)
    memory.kept.clear()
    message = fault(lambda: store.get("acme", "client_secret"))
    assert (
        message
        == 'the keyring no longer contains the client_secret of "acme": enter it again (connection edit)'
    )
    store.delete("acme")
    assert store.places("acme") == {}


class Readable(MemoryKeyring):
    """A keyring that everyone can read says so by its priority."""

    priority = 0.5


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring(), Readable()])
def test_a_keyring_that_keeps_nothing_or_shows_it_is_none(
    store: SecretStore, use_keyring: Callable[[Any], None], backend: Any
) -> None:
    use_keyring(backend)
    assert keyring_lacks() == "this session has no keyring"
    store.set("acme", "client_secret", SECRET)
    assert store.places("acme") == {"client_secret": "file"}
    assert "this session has no keyring" in fault(
        lambda: store.set("acme", "client_secret", SECRET, "keyring")
    )


def test_a_keyring_that_cannot_even_be_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_dbus() -> None:
        raise RuntimeError("Unable to initialize SecretService")

    monkeypatch.setattr(keyring, "get_keyring", no_dbus)
    assert keyring_lacks() == "Unable to initialize SecretService"
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert keyring_lacks() == "a keyring requires `pip install 'ninjaone-connector[keyring]'`"


def test_with_a_keyring_nothing_is_lacking(memory: MemoryKeyring) -> None:
    assert keyring_lacks() == ""


def test_the_keyring_is_loaded_when_it_is_needed_and_not_before() -> None:
    code = (
        "import sys, connector.connections.secret_store, connector.connections.connection; "
        "print('keyring' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
