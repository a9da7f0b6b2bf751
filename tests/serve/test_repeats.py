"""`Idempotency-Key`: a caller's own retry never sends twice, also after a crash at any stage."""

from __future__ import annotations

import json
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.catalog.catalog import Catalog
from connector.common.user_folders import lasting_folder
from connector.sandbox.ninjaone.server import Sandbox
from connector.serve.repeats import KEPT_S, InProgressError, RepeatStore
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S
from tests.serve.killed import STAGES
from tests.serve.web import ALL, LINES, Web, envelopes, problem, serving

FAST = ("request noted, not sent", "response noted, envelope not stored")


def created(sandbox: Sandbox) -> list[str]:
    """The names of the tags that the sandbox was asked to create."""
    return [entry["body"]["name"] for entry in sandbox.log.requests() if entry["method"] == "POST"]


def tag(web: Web, name: str, **headers: str) -> Any:
    return web.post("/actions/create_tag", {"name": name}, **headers)


def test_a_repeated_request_returns_its_envelope_and_sends_nothing(web: Web, shared_sandbox: Sandbox) -> None:
    first = tag(web, "once", Idempotency_Key="k-1")
    again = tag(web, "once", Idempotency_Key="k-1")
    assert first.get_json()["error"] is None
    assert again.get_json() == first.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert created(shared_sandbox) == ["once"]
    assert tag(web, "once", Idempotency_Key="k-2").get_json()["error"]  # the name is taken
    assert len(created(shared_sandbox)) == 2


def test_a_failure_that_needs_a_change_is_returned_and_a_transient_one_is_tried_again(
    web: Web, shared_sandbox: Sandbox
) -> None:
    busy = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
    shared_sandbox.set_faults(queue=[busy])
    first = tag(web, "busy", Idempotency_Key="k-busy").get_json()
    assert first["meta"]["transient"] is True
    again = tag(web, "busy", Idempotency_Key="k-busy").get_json()
    assert again["error"] is None
    assert tag(web, "busy", Idempotency_Key="k-busy").get_json() == again
    assert created(shared_sandbox) == ["busy", "busy"]
    shared_sandbox.set_faults(queue=["500"])
    doubtful = tag(web, "doubtful", Idempotency_Key="k-doubtful").get_json()
    assert doubtful["meta"]["repeatable"] is False
    assert tag(web, "doubtful", Idempotency_Key="k-doubtful").get_json() == doubtful
    assert created(shared_sandbox).count("doubtful") == 1


def test_the_same_key_with_another_request_is_refused(web: Web, shared_sandbox: Sandbox) -> None:
    tag(web, "a", Idempotency_Key="k")
    for path, body in (
        ("/actions/create_tag", {"name": "b"}),
        ("/actions/create_tag?lenient", {"name": "a"}),
        ("/actions/create_tag", '{"name": "a"}'),
        ("/actions/update_device", {"device_id": 1, "display_name": "a"}),
    ):
        assert "was used for another request" in problem(web.post(path, body, Idempotency_Key="k"), 422)
    other = web.keys.add("other", ALL, "2026-11-29")
    assert web.post("/actions/create_tag", {"name": "c"}, key=other, Idempotency_Key="k").status_code == 200
    assert created(shared_sandbox) == ["a", "c"]


def test_while_the_first_is_in_progress_the_second_is_refused(web: Web, shared_sandbox: Sandbox) -> None:
    shared_sandbox.set_faults(queue=["hold"])
    answers: list[Any] = []
    first = threading.Thread(target=lambda: answers.append(tag(web, "slow", Idempotency_Key="k").get_json()))
    first.start()
    wait_until(lambda: len(created(shared_sandbox)) == 1)
    other_process = RepeatStore(web.clock, web.store._given)
    for store in (web.store, other_process):
        web.app._calls._store = store
        second = tag(web, "slow", Idempotency_Key="k")
        assert "has not ended" in problem(second, 409)
        assert int(second.headers["Retry-After"]) > 0
    other_process.close()
    web.app._calls._store = web.store
    shared_sandbox.set_faults(queue=[])
    first.join(PATIENCE_S)
    assert tag(web, "slow", Idempotency_Key="k").get_json() == answers[0]
    assert created(shared_sandbox) == ["slow"]


def test_envelopes_are_kept_for_a_day(web: Web, shared_sandbox: Sandbox) -> None:
    first = tag(web, "day", Idempotency_Key="k").get_json()
    web.clock.time += KEPT_S - 1
    assert tag(web, "day", Idempotency_Key="k").get_json() == first
    web.clock.time += 2
    assert tag(web, "day", Idempotency_Key="k").get_json() != first
    assert len(created(shared_sandbox)) == 2
    rows = sqlite3.connect(web.store._path).execute("SELECT count(*) FROM envelopes").fetchone()
    assert rows == (1,)


def test_a_request_that_runs_for_longer_than_a_day_is_not_forgotten(web: Web) -> None:
    store = web.store
    with store.running("k", "long", "digest"):
        web.clock.time += KEPT_S + 1
        with store.running("k", "other", "digest"), pytest.raises(InProgressError):
            store._claimed("k", "long", "digest")
    web.clock.time += KEPT_S / 2
    with store.running("k", "long", "digest") as again:  # it was broken off, and begins again
        assert again.is_repeated
    web.clock.time += KEPT_S - 1
    with store.running("k", "long", "digest") as again:
        assert again.is_repeated
        first = again._id
    store.write("UPDATE requests SET process = 'crashed'", [()])
    web.clock.time += KEPT_S + 1
    with store.running("k", "long", "digest") as again:
        assert again.is_repeated
    web.clock.time += KEPT_S + 1
    with store.running("k", "long", "digest") as new:
        assert not new.is_repeated
        assert new._id != first


def test_a_key_of_one_connection_is_not_that_of_another(
    web: Web, acme: Path, tmp_path: Path, catalog: Catalog, shared_sandbox: Sandbox
) -> None:
    """Two servers of a user share the store; each has a default connection."""
    tag(web, "tenant", Idempotency_Key="k")
    globex = tmp_path / "globex.yaml"
    globex.write_text(acme.read_text().replace("127.0.0.1", "localhost"))
    other = Web(tmp_path / "other", catalog, connections=(str(globex),))
    other.app._calls._store = web.store
    assert "was used for another request" in problem(tag(other, "tenant", Idempotency_Key="k"), 422)
    other.app.close()


def test_what_a_refused_sign_in_prevented_is_tried_again(
    acme: Path, tmp_path: Path, catalog: Catalog, shared_sandbox: Sandbox
) -> None:
    right = acme.read_text()
    acme.write_text(right.replace(shared_sandbox.client_secret, "a wrong secret"))
    web = Web(tmp_path, catalog, connections=(str(acme),))
    assert tag(web, "refused", Idempotency_Key="k").get_json()["meta"]["code"] == "auth_failed"
    acme.write_text(right)
    assert tag(web, "refused", Idempotency_Key="k").get_json()["error"] is None
    assert created(shared_sandbox) == ["refused"]
    web.app.close()


def test_rows_of_a_body_are_continued_where_it_was_broken_off(web: Web, shared_sandbox: Sandbox) -> None:
    body = "".join(f'{{"name": "row {n}"}}\n' for n in range(1, 5))
    busy = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
    shared_sandbox.set_faults(queue=[None, busy])
    headers = {"Authorization": f"Bearer {web.key}", "Content-Type": LINES, "Idempotency-Key": "k"}
    broken = web.client.post("/actions/create_tag", data=body, headers=headers)
    lines = iter(broken.response)
    assert json.loads(next(lines))["row"] == 1
    assert json.loads(next(lines))["meta"]["transient"]
    broken.close()  # as waitress does when the client is gone
    assert created(shared_sandbox) == ["row 1", "row 2"]
    found = envelopes(web.post("/actions/create_tag", body, Idempotency_Key="k"))
    assert [(one["row"], one["error"]) for one in found] == [(n, None) for n in range(1, 5)]
    assert created(shared_sandbox) == ["row 1", "row 2", "row 2", "row 3", "row 4"]
    assert envelopes(web.post("/actions/create_tag", body, Idempotency_Key="k")) == found
    assert len(created(shared_sandbox)) == 5


def test_the_store_is_for_this_user_alone_and_holds_no_secret(web: Web, shared_sandbox: Sandbox) -> None:
    tag(web, "secret", Idempotency_Key="k")
    path = web.store._path
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stored = b"".join(one.read_bytes() for one in path.parent.iterdir())
    assert shared_sandbox.client_secret.encode() not in stored
    assert web.key.encode() not in stored


def test_a_store_of_the_first_version_is_converted(web: Web, shared_sandbox: Sandbox) -> None:
    first = tag(web, "kept", Idempotency_Key="k").get_json()
    web.store.close()
    with closing(sqlite3.connect(web.store._path)) as db:
        for statement in (
            "DROP INDEX by_started",
            "ALTER TABLE requests RENAME COLUMN started TO begun",
            "CREATE INDEX by_begun ON requests (begun)",
            "PRAGMA user_version=1",
        ):
            db.execute(statement)
    assert tag(web, "kept", Idempotency_Key="k").get_json() == first
    assert created(shared_sandbox) == ["kept"]


def test_nothing_is_sent_if_the_store_cannot_be_written(
    web: Web, shared_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(RepeatStore, "_claim", full)
    assert "disk is full" in problem(tag(web, "full", Idempotency_Key="k"), 500)
    assert created(shared_sandbox) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
@pytest.mark.parametrize(
    "stage", [pytest.param(s, marks=() if s in FAST else pytest.mark.slow, id=s) for s in STAGES]
)
def test_after_a_kill_at_any_stage_nothing_is_sent_twice(
    stage: str, acme: Path, tmp_path: Path, catalog: Catalog, shared_sandbox: Sandbox
) -> None:
    """The server is killed at a stage of the first request; its retry reaches a server on the same store."""
    name = f"killed {list(STAGES).index(stage)}"
    with serving("--connection", str(acme), main="tests.serve.killed", KILLED_AT=stage) as server:
        url = f"{server.address}/actions/create_tag"
        with pytest.raises(requests.ConnectionError):
            requests.post(url, json={"name": name}, headers={"Idempotency-Key": "k"}, timeout=60)
        server.process.wait(60)
    web = Web(tmp_path, catalog, connections=(str(acme),), requires_key=False)
    web.keys.path.unlink()
    web.app._calls._store = RepeatStore(web.clock, lasting_folder() / "serve")
    headers = {"Idempotency-Key": "k", "Host": "127.0.0.1"}
    data = json.dumps({"name": name}).encode()
    envelope = web.client.post(
        "/actions/create_tag", data=data, content_type="application/json", headers=headers
    ).get_json()
    web.app.close()
    in_doubt = stage in ("request noted, not sent", "response received, not noted")
    assert envelope["meta"]["code"] == ("outcome_unknown" if in_doubt else None)
    assert len(created(shared_sandbox)) == (0 if stage == "request noted, not sent" else 1)
