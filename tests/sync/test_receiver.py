"""The receiver of webhooks over HTTP, under waitress."""

import logging
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.errors import RunError
from connector.sync.deliveries import HEADER, USER
from connector.sync.hook_key import HookKey
from connector.sync.receiver import MAX_BYTES, Receiver, Store, listen
from connector.sync.state import State, StateFullError
from connector.sync.state_queues import Inbox
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S

BODY = b'{"id": 1, "activityType": "CONDITION"}'


class Running:
    """A receiver that listens; `kept` counts new deliveries."""

    def __init__(self, folder: Path) -> None:
        self.secrets = HookKey.of(folder).secrets_of("rmm")
        self.store = Store(folder)
        self.kept = 0
        self.is_well = True
        hooks = {"rmm": self.secrets, "psa": HookKey.of(folder).secrets_of("psa")}
        receiver = Receiver(
            self.store, hooks, lambda: 1000.0, health=lambda: (self.is_well, {"inbox": 3}), kept=self.count
        )
        self._server = listen(receiver, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.effective_port}"

    def count(self) -> None:
        self.kept += 1

    def post(self, path: str, body: bytes = BODY, **more: Any) -> int:
        return requests.post(f"{self.url}{path}", data=body, timeout=PATIENCE_S, **more).status_code

    def close(self) -> None:
        self._server.close()
        self._thread.join(PATIENCE_S)
        self.store.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    found.close()


def inbox(folder: Path) -> list[tuple[str, bytes, float]]:
    with State(folder, write=False) as state:
        return [(d.source, d.raw, d.received) for d in Inbox(state).open()]


def test_a_delivery_with_any_of_the_secrets_is_kept_once(running: Running, tmp_path: Path) -> None:
    secrets = running.secrets
    assert running.post(f"/hooks/rmm/{secrets.token}") == 200
    assert running.post("/hooks/rmm", headers={HEADER: secrets.header_value}) == 200
    assert running.post("/hooks/rmm", auth=(USER, secrets.password)) == 200
    assert running.post("/hooks/rmm", b"[2]", auth=(USER, secrets.password)) == 200
    assert inbox(tmp_path) == [("rmm", BODY, 1000.0), ("rmm", b"[2]", 1000.0)]
    assert running.kept == 2


def test_a_wrong_secret_is_an_unknown_path(running: Running, tmp_path: Path) -> None:
    secrets = running.secrets
    other = HookKey.of(tmp_path).secrets_of("psa")
    answers = [
        running.post("/hooks/rmm"),
        running.post("/hooks/rmm/"),
        running.post(f"/hooks/rmm/{secrets.token[:-1]}"),
        running.post(f"/hooks/rmm/{other.token}"),
        running.post(f"/hooks/rmm/{secrets.header_value}"),
        running.post(f"/hooks/rmm/{secrets.token}/more"),
        running.post(f"/hooks/crm/{secrets.token}"),
        running.post(f"/hooks/{secrets.token}"),
        running.post("/hooks/rmm/%C3%A9"),
        running.post("/hooks/rmm", headers={HEADER: secrets.token}),
        running.post("/hooks/rmm", auth=(USER, secrets.token)),
        running.post("/hooks/rmm", auth=("other", secrets.password)),
        running.post("/hooks/rmm/wrong", headers={HEADER: secrets.header_value}),
        running.post("/"),
    ]
    assert set(answers) == {404}
    assert inbox(tmp_path) == []


def test_whatever_is_no_delivery_is_accepted_and_logged(
    running: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"/hooks/rmm/{running.secrets.token}"
    with caplog.at_level(logging.ERROR, "connector.sync.receiver"):
        for body in (b"", b"{", b'"text"', b"\xff", b"[" * 200_000, b"3"):
            assert running.post(path, body) == 200
        assert requests.get(running.url + path, timeout=PATIENCE_S).status_code == 200
    assert inbox(tmp_path) == []
    assert len(caplog.records) == 7
    assert "rmm is ignored: a POST of 0 bytes is not" in caplog.messages[0]
    assert running.secrets.token not in caplog.text


def test_the_largest_delivery_is_kept_and_a_larger_one_refused(running: Running, tmp_path: Path) -> None:
    path = f"/hooks/rmm/{running.secrets.token}"
    largest = b'["' + b"x" * (MAX_BYTES - 4) + b'"]'
    assert running.post(path, largest) == 200
    assert running.post(path, largest + b" ") == 413
    assert running.post(path, largest * 2) == 413
    assert [raw for _, raw, _ in inbox(tmp_path)] == [largest]


def test_a_delivery_that_cannot_be_stored_is_sent_again(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise StateFullError("state.db: cannot be written: disk I/O error")

    path = f"/hooks/rmm/{running.secrets.token}"
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "add", full)
        assert running.post(path) == 503
    assert running.post(path) == 200
    assert len(inbox(tmp_path)) == 1


def test_deliveries_are_kept_while_the_worker_has_a_transaction(running: Running, tmp_path: Path) -> None:
    with State(tmp_path, write=True) as state:
        started, done = threading.Event(), threading.Event()

        def post() -> None:
            started.set()
            assert running.post(f"/hooks/rmm/{running.secrets.token}") == 200
            done.set()

        thread = threading.Thread(target=post)
        with state.transaction():
            state.set_meta("a", "b")
            thread.start()
            assert started.wait(PATIENCE_S)
            assert not done.wait(0.2)
        thread.join(PATIENCE_S)
        assert done.is_set()
        assert Inbox(state).waiting() == 1


def test_health_needs_no_secret(running: Running) -> None:
    found = requests.get(f"{running.url}/health", timeout=PATIENCE_S)
    assert (found.status_code, found.json()) == (200, {"status": "ok", "inbox": 3})
    running.is_well = False
    found = requests.get(f"{running.url}/health", timeout=PATIENCE_S)
    assert (found.status_code, found.json()["status"]) == (503, "failing")


def test_the_key_is_made_once_and_only_its_user_can_read_it(tmp_path: Path) -> None:
    first = HookKey.of(tmp_path).secrets_of("rmm")
    assert HookKey.of(tmp_path).secrets_of("rmm") == first
    assert stat.S_IMODE((tmp_path / "webhook.key").stat().st_mode) == 0o600
    assert (
        len({first.token, first.header_value, first.password, HookKey.of(tmp_path).secrets_of("psa").token})
        == 4
    )
    (tmp_path / "webhook.key").write_text("short")
    with pytest.raises(RunError, match="damaged"):
        HookKey.of(tmp_path)


def test_a_port_in_use_is_an_error_before_anything_runs(running: Running) -> None:
    port = int(running.url.rpartition(":")[2])
    with pytest.raises(RunError, match=f"cannot be received on 127.0.0.1:{port}"):
        listen(Receiver(running.store, {}, lambda: 0.0), "127.0.0.1", port)


def test_the_file_of_the_state_holds_no_secret(running: Running, tmp_path: Path) -> None:
    assert running.post(f"/hooks/rmm/{running.secrets.token}") == 200
    text = "\n".join(sqlite3.connect(tmp_path / "state.db").iterdump())
    assert running.secrets.token not in text
    assert running.secrets.header_value not in text


def test_without_waitress_the_extra_is_named(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "waitress", None)
    with pytest.raises(RunError, match=r"ninjaone-connector\[sync\]"):
        listen(Receiver(running.store, {}, lambda: 0.0), "127.0.0.1", 0)


@pytest.mark.parametrize("is_full", [False, True])
def test_deliveries_that_wait_share_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    """Fails if each delivery is committed by itself, or if only one of them gets the error."""
    store, found = Store(tmp_path), list[object]()
    begun = 0
    transaction = store._state.transaction

    def counted() -> Any:
        nonlocal begun
        begun += 1
        if is_full:
            raise StateFullError("full")
        return transaction()

    monkeypatch.setattr(store._state, "transaction", counted)

    def add(number: int) -> None:
        try:
            found.append(store.add("rmm", b'{"id": %d}' % (number % 15), 1.0))
        except StateFullError as error:
            found.append(str(error))

    with store._lock:  # as if another delivery was being stored
        threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(store._pending) == 20)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert begun == 1
    assert sorted(map(str, found)) == (["full"] * 20 if is_full else ["False"] * 5 + ["True"] * 15)
    store.close()
    assert len(inbox(tmp_path)) == (0 if is_full else 15)
