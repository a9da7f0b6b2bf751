"""The audit log: a complete line for every attempt, with concurrent writers; nothing is sent without one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.client.audit import Audit
from connector.client.client import Client
from connector.common.package_data import schema
from connector.common.redaction import HIDDEN, Redactor
from connector.connections.connection import Connection, make_connection
from connector.errors import NotSentError, ResponseLostError, RowError, RunError, RunStoppedError
from connector.http.messages import Request, Response
from tests.declared import declare, invoker
from tests.fakes import CONNECTION, FakeClock, FakeTransport, make_client, reply

READ = Request("GET", "/v2/x", query=(("q", "a-query"),))
CREATE = Request("POST", "/v2/x", body={"a": "a-body"}, effect="write", idempotent=False)


@dataclass
class By:
    """Who asks."""

    action: str
    row: int
    redactor: Redactor = field(default_factory=Redactor)


def lines(path: Path) -> list[dict[str, Any]]:
    """Read an audit; every line must be what its schema says."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    check = validator(schema("audit.schema.json"))
    for line in found:
        check.validate(line)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def audited(service: Service, transport: FakeTransport, clock: FakeClock, path: Path) -> Client:
    client = make_client(service, transport, clock)
    client._audit = Audit((str(path),), CONNECTION.label, client.redactor)
    return client


def test_every_try_has_a_line(
    audited: Client, transport: FakeTransport, clock: FakeClock, path: Path
) -> None:
    def slow(*_: Any) -> Response:
        clock.time += 0.25
        return reply({}, x_nj_request_id="id-4")

    transport.answers += [
        reply("broken", 500),
        NotSentError("no route"),
        reply("slower", 429, retry_after="7"),
        slow,
    ]
    clock.time = 1_790_000_000.125
    audited.send(READ, By("get_x", 12))
    first, second, third, last = lines(path)
    assert first == {
        "audit": 1, "time": "2026-09-21T14:13:20.125Z", "connection": "app.example.com",
        "action": "get_x", "row": 12, "method": "GET", "path": "/v2/x", "status": 500,
        "error": "api_error", "request_id": None, "duration_ms": 0, "attempt": 1,
    }  # fmt: skip
    assert (second["status"], second["error"], second["attempt"]) == (None, "network_error", 2)
    assert (third["status"], third["error"], third["time"][17:]) == (429, "rate_limited", "23.125Z")
    assert (last["status"], last["error"], last["attempt"]) == (200, None, 4)
    assert last["time"][14:] == "13:30.125Z"
    assert (last["request_id"], last["duration_ms"]) == ("id-4", 250)


def test_a_write_whose_answer_is_lost_is_in_it(audited: Client, transport: FakeTransport, path: Path) -> None:
    transport.answers.append(ResponseLostError("gone"))
    with pytest.raises(RowError):
        audited.send(CREATE)
    (line,) = lines(path)
    assert (line["status"], line["error"], line["method"]) == (None, "outcome_unknown", "POST")
    assert (line["action"], line["row"]) == (None, None)


def test_a_fault_of_ours_in_mid_request_is_in_it(
    audited: Client, transport: FakeTransport, path: Path
) -> None:
    def fails(*_: Any) -> Response:
        raise ZeroDivisionError

    transport.answers.append(fails)
    with pytest.raises(ZeroDivisionError):
        audited.send(CREATE)
    assert [line["error"] for line in lines(path)] == ["internal_error"]


def test_a_request_that_a_stopped_run_did_not_send_is_not_in_it(
    audited: Client, transport: FakeTransport, path: Path
) -> None:
    def stop(*_: Any) -> Any:
        raise RunStoppedError("another worker has taken over this run")

    with pytest.raises(RunStoppedError):
        audited.send(CREATE, at_send=stop)
    assert transport.sent == lines(path) == []
    transport.answers.append(stop)
    with pytest.raises(RunStoppedError):
        audited.send(CREATE)
    assert [line["method"] for line in lines(path)] == ["POST"]


def test_a_sign_in_is_not_and_its_renewal_is_a_try_more(
    audited: Client, transport: FakeTransport, path: Path
) -> None:
    transport.answers += [reply({"error": "invalid_token"}, 401), reply({})]
    audited.send(READ)
    assert len(transport.signed_in) == 2
    assert [(line["status"], line["error"]) for line in lines(path)] == [(401, "auth_failed"), (200, None)]


def test_neither_bodies_nor_queries_nor_secrets_are_in_it(
    audited: Client, transport: FakeTransport, path: Path
) -> None:
    transport.answers.append(reply({"b": "an-answer"}))
    audited.send(replace(CREATE, query=READ.query, path=f"/v2/{CONNECTION.client_secret}/x"))
    text = path.read_text()
    assert not [s for s in ("a-body", "a-query", "an-answer", CONNECTION.client_secret) if s in text]
    assert lines(path)[0]["path"] == f"/v2/{HIDDEN}/x"


def test_rows_and_actions_are_told_also_of_what_is_asked_once(
    audited: Client, transport: FakeTransport, path: Path, tmp_path: Path
) -> None:
    handler = """
        from connector.handlers import lookup
        def handle(inputs):
            yield lookup("/v2/all")
            yield inputs.request()
    """
    run = invoker(declare(tmp_path, handler=handler), audited)
    transport.answers += [reply({}), reply({}), reply({})]
    for row in (7, 8):
        list(run.envelopes(row, {}))
    message = [(line["action"], line["row"], line["path"]) for line in lines(path)]
    assert message == [("probe", 7, "/v2/all"), ("probe", 7, "/v2/probe"), ("probe", 8, "/v2/probe")]


# --- the file ----------------------------------------------------------------------------------------------

_APPENDING = """
import sys
from connector.client.audit import Audit
from connector.http.messages import Request, Response
from connector.common.redaction import Redactor
audit = Audit([sys.argv[1]], "acme", Redactor())
for row in range(1, 301):
    request = Request("GET", "/v2/" + sys.argv[2] * 300)
    audit.note(request, Response(200), action=sys.argv[2], row=row, began=1.0, seconds=0.0)
"""


def test_processes_append_whole_lines_to_one_file(path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", _APPENDING, str(path), name]) for name in "abcd"]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    found = lines(path)
    for name in "abcd":
        its = [line for line in found if line["action"] == name]
        assert [line["row"] for line in its] == list(range(1, 301))
        assert {line["path"] for line in its} == {f"/v2/{name * 300}"}


def test_threads_append_whole_lines(path: Path) -> None:
    audit = Audit((str(path),), "acme", Redactor())

    def note(row: int) -> None:
        audit.note(READ, Response(200), action="a", row=row, began=1.0, seconds=0.0)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(note, range(1, 501)))
    assert sorted(line["row"] for line in lines(path)) == list(range(1, 501))


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_new_file_is_its_users_alone_and_an_old_one_keeps_its_mode(path: Path) -> None:
    before = os.umask(0)
    try:
        Audit((str(path),), "acme", Redactor())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    Audit((str(path),), "acme", Redactor())
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_is_moved_away_is_begun_anew(
    audited: Client, transport: FakeTransport, path: Path
) -> None:
    transport.answers += [reply({}), reply({})]
    audited.send(READ, By("a", 1))
    path.rename(path.with_name("audit.1"))
    audited.send(READ, By("a", 2))
    assert [line["row"] for line in lines(path)] == [2]
    assert [line["row"] for line in lines(path.with_name("audit.1"))] == [1]


@pytest.mark.parametrize("kind", ["folder", "missing/audit.jsonl", "pipe"])
def test_what_cannot_be_written_is_found_before_anything_is_sent(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("there are no pipes")
        os.mkfifo(path)
    with pytest.raises(RunError, match=f"{kind}: the audit log cannot be written"):
        Audit((str(path),), "acme", Redactor())


def test_a_pipe_with_a_reader_is_no_file_either(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(RunError, match="not a regular file"):
            Audit((str(tmp_path / "pipe"),), "acme", Redactor())
    finally:
        os.close(reader)


def test_a_line_behind_a_torn_one_is_whole(path: Path) -> None:
    path.write_text('{"audit": 1, "ti')
    Audit((str(path),), "acme", Redactor()).note(READ, Response(200), action="a", row=1, began=1, seconds=0)
    _torn, whole = path.read_text().splitlines()
    assert json.loads(whole)["row"] == 1


def test_nothing_is_sent_while_a_line_is_owed(
    audited: Client, transport: FakeTransport, path: Path, tmp_path: Path
) -> None:
    transport.answers += [reply({"id": 1}), reply({"id": 2})]
    path.unlink()
    path.mkdir()  # what was a file cannot be written any more
    assert audited.send(CREATE, By("a", 1)).json() == {"id": 1}  # and is known to have succeeded all the same
    with pytest.raises(
        RunStoppedError,
        match=r'the audit log cannot be written: .*These lines are missing: \{"audit":1.*"row":1,',
    ):
        audited.send(CREATE, By("a", 2))
    with pytest.raises(RunStoppedError):
        audited.flush_audit()
    assert len(transport.sent) == 1
    path.rmdir()
    audited.flush_audit()
    audited.send(CREATE, By("a", 3))
    assert [line["row"] for line in lines(path)] == [1, 3]


# --- where it is asked for ---------------------------------------------------------------------------------


def test_a_connection_can_have_one(service: Service, tmp_path: Path) -> None:
    settings = {"region": "eu", "access_token": "x", "audit": str(tmp_path / "a")}
    assert make_connection(service, settings, "here").audit == (str(tmp_path / "a"),)
    assert Connection("ninjaone", "https://eu.example.com").audit == ()
