"""A run of several tenants that ends at known places, and what it reports to observers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as threads
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.cli.progress import Gauge
from connector.client.client import Client
from connector.errors import ConnectionSetupError, RowError, RunError, RunInterruptedError, RunStoppedError
from connector.files.envelope import Envelope
from connector.files.file_output import FileOutput
from connector.files.readers import InputRow
from connector.files.work_folder import Start
from connector.runs import merge, tenant_runs, tenant_split
from connector.runs.active_run import ActiveRun
from connector.runs.job import Job
from connector.runs.prepared import Prepared, prepare
from connector.runs.records import find
from connector.runs.run_stores import store_of
from connector.runs.summary import Summary
from connector.runs.tenant_accounts import account_of, tenant_connections
from connector.runs.tenant_runs import run_tenants
from connector.runs.tenant_split import Split
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import FakeClock, wait_until, write_lines
from tests.loopback import PATIENCE_S

COUNT = 12


class Stage:
    """Two tenants, and a job over rows that are theirs by turns; every fifth is nobody's."""

    def __init__(self, folder: Path, catalog: Catalog, acme: Sandbox, globex: Sandbox) -> None:
        self.folder, self.catalog, self.sandboxes = folder, catalog, (acme, globex)
        names = ["acme.yaml", "globex.yaml"]
        self.allowed = {name: str(folder / name) for name in names}
        for name, sandbox in zip(names, self.sandboxes, strict=True):
            self.connect(name, sandbox.connection)
        rows = [{"n": n, "tenant": "x" if n % 5 == 0 else names[n % 2]} for n in range(1, COUNT + 1)]
        write_lines(folder / "rows.jsonl", rows)
        self.output = folder / "out.jsonl"

    def connect(self, name: str, settings: dict[str, str]) -> None:
        (self.folder / name).write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))

    def prepared(self, **settings: Any) -> Prepared:
        job = {
            "action": "create_organization",
            "templates": {"name": "Client {{ n }}"},
            "connection": "{{ tenant }}",
            "allow_connections": self.allowed,
            "input": str(self.folder / "rows.jsonl"),
            "output": str(self.output),
            "delay_ms": 0,
        }
        return prepare(Job(**{**job, **settings}), self.catalog)

    def run(self, start: Start = "new", settings: dict[str, Any] | None = None, **options: Any) -> Summary:
        return run_tenants(self.prepared(**(settings or {})), start, **options)

    def sent(self) -> list[int]:
        """The rows that were sent, by their numbers."""
        posts = [r for sandbox in self.sandboxes for r in sandbox.log.requests() if r["method"] == "POST"]
        return sorted(int(r["body"]["name"].split()[1]) for r in posts)

    def assert_complete(self) -> None:
        found = [json.loads(line) for line in self.output.read_text().splitlines()]
        assert [e["row"] for e in found] == list(range(1, COUNT + 1))
        assert [e["row"] for e in found if e["has_error"]] == [5, 10]
        assert self.sent() == [n for n in range(1, COUNT + 1) if n % 5]
        assert not self.output.with_name("out.jsonl.run").exists()


@pytest.fixture
def stage(tmp_path: Path, catalog: Catalog) -> Iterator[Stage]:
    with Sandbox() as acme, Sandbox() as globex:
        yield Stage(tmp_path, catalog, acme, globex)


def test_the_pace_of_several_accounts_is_that_of_the_slowest(stage: Stage) -> None:
    stage.sandboxes[0].set_faults(queue=["429_bare"])
    seen: list[ActiveRun] = []
    prepared = stage.prepared(delay_ms="auto", min_delay_ms=5)
    quick = prepared.service._replace(delay=prepared.service.delay._replace(default_ms=20))
    summary = run_tenants(replace(prepared, service=quick), observer=seen.append)
    assert summary.pace is not None
    assert (summary.pace.accounts, summary.pace.throttled) == (2, 1)
    assert summary.pace.requests == len(stage.sent())
    slowest, fastest = sorted((pacer.delay_ms for pacer in seen[0].pacers), reverse=True)
    assert summary.pace.delay_ms == slowest > fastest
    assert summary.pace.interval_text == f"at most {slowest:.0f} ms between requests of an account"
    assert seen[0].interval_ms < fastest  # both accounts send at the same time
    assert Gauge(seen[0], FakeClock()).look().pace == summary.pace


def test_a_run_that_was_ended_while_it_merged_goes_on_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "_BLOCK", 1)
    write, written = FileOutput.write, []

    def end_at_the_seventh(self: FileOutput, lines: bytes) -> None:
        if self.path == stage.output:
            if len(written) == 6:
                raise RunStoppedError("no room")
            written.append(lines)
        write(self, lines)

    with monkeypatch.context() as patched:
        patched.setattr(FileOutput, "write", end_at_the_seventh)
        with pytest.raises(RunStoppedError, match="no room"):
            stage.run()
    assert not stage.output.exists()
    assert store_of("").is_interrupted(stage.output)
    assert len((stage.output.with_name("out.jsonl.run") / "envelopes.jsonl").read_bytes().splitlines()) == 6
    summary = stage.run("resume")
    assert (summary.rows, summary.resumed_rows, summary.failed) == (COUNT, COUNT, 2)
    stage.assert_complete()


@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_a_run_that_was_ended_when_its_output_had_its_name(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    def end(self: FileOutput) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FileOutput, "close", end)
        patched.setattr(tenant_runs._TenantOutput, "close", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            stage.run(settings={"output_format": format})
    assert stage.output.exists()
    assert store_of("").is_interrupted(stage.output)
    (stage.output.with_name("out.jsonl.run") / "lock").unlink()  # what the end of a process lets go of
    summary = stage.run("resume", {"output_format": format})
    assert summary.rows == COUNT
    if format == "jsonl":
        stage.assert_complete()
    else:
        assert [e["row"] for e in json.loads(stage.output.read_text())] == list(range(1, COUNT + 1))
    assert len(stage.sent()) == len(set(stage.sent()))


@pytest.mark.usefixtures("each_state")
def test_a_run_that_was_ended_before_or_while_it_was_split(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_split, "_BLOCK", 1)
    for rows in (0, 4):
        with monkeypatch.context() as patched:
            patched.setattr(tenant_split, "assign", _ending(tenant_split.assign, rows))
            with pytest.raises(KeyboardInterrupt):
                stage.run("resume" if store_of("").is_interrupted(stage.output) else "new")
        assert stage.sent() == []
    with pytest.raises(RunError, match="an unfinished run is in"):
        stage.run()
    stage.run("resume")
    stage.assert_complete()


def _ending(function: Any, calls: int) -> Any:
    """A function that ends the process at a call."""
    left = iter(range(calls))

    def call(*given: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*given)

    return call


@pytest.mark.usefixtures("each_state")
def test_a_stop_before_the_first_row_sends_nothing_and_can_be_resumed(stage: Stage) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(RunInterruptedError):
        stage.run(stop=stop)
    assert stage.sent() == []
    stage.run("resume")
    stage.assert_complete()


@pytest.mark.usefixtures("both_states")
def test_a_restart_replaces_what_tenants_had_been_answered(stage: Stage) -> None:
    limited = stage.run(settings={"max_errors": 1})
    assert (limited.stopped, limited.too_many_errors, limited.rows) == (True, True, 2)
    resumed = stage.run("resume", {"max_errors": 0})
    assert resumed.rows == COUNT
    stage.assert_complete()
    for sandbox in stage.sandboxes:
        sandbox.reset()
        sandbox.log.clear("requests")
    again = stage.run("restart")
    assert (again.rows, again.resumed_rows) == (COUNT, 0)
    stage.assert_complete()


@pytest.mark.usefixtures("each_state")
def test_a_fault_leaves_an_interrupted_run_as_it_was(stage: Stage) -> None:
    """A new run that cannot sign in leaves nothing; one that goes on can go on once more."""
    stage.sandboxes[0].set_faults(queue=[{"fault": "answer", "status": 409}] * 2)
    assert stage.run(settings={"max_errors": 3}).stopped
    begun = stage.sent()
    for name, sandbox in zip(stage.allowed, stage.sandboxes, strict=True):
        stage.connect(name, {**sandbox.connection, "client_secret": "no-such-secret"})
    with pytest.raises(ConnectionSetupError, match="no tenant could sign in: acme"):
        stage.run("resume")
    assert store_of("").is_interrupted(stage.output)
    for name, sandbox in zip(stage.allowed, stage.sandboxes, strict=True):
        stage.connect(name, sandbox.connection)
    summary = stage.run("resume")
    assert (summary.rows, summary.failed) == (COUNT, 4)
    assert begun == [n for n in begun if n % 5]
    assert stage.sent() == [n for n in range(1, COUNT + 1) if n % 5]


def test_who_looks_on_sees_all_rows_and_every_request(stage: Stage) -> None:
    seen: list[ActiveRun] = []
    heard: list[Envelope] = []
    summary = stage.run(observer=seen.append, listeners=(heard.append,), settings={"delay_ms": 1})
    (running,) = seen
    assert running.rows.count(lambda: True) == COUNT
    assert running.rows.passed(3) == COUNT  # rows of several tenants end in any order
    assert running.requests() == 10
    assert running.delay_ms == 0.5
    assert running.summary is summary
    assert len(list(running.rows.rows())) == COUNT
    assert sorted(envelope.row for envelope in heard) == list(range(1, COUNT + 1))
    for name in stage.allowed:
        its = [envelope.row for envelope in heard if envelope.meta.get("connection") == name]
        assert its == sorted(its)
    record = find(stage.output)
    assert record is not None
    assert record.job.allow_connections == stage.allowed
    assert record.summary is not None
    assert record.summary["connections"] == {name: {"rows": 5, "failed": 0} for name in stage.allowed}
    assert not [thread for thread in threads() if thread.name in stage.allowed]


def test_the_lock_of_the_run_is_that_of_all_tenants(stage: Stage) -> None:
    locks: list[Path] = []
    refusals: list[str] = []

    def heard(envelope: Envelope) -> None:
        if envelope.row == 1:
            locks.extend(stage.folder.rglob("lock"))
            for start in ("resume", "restart"):
                with pytest.raises(RunError) as raised:
                    stage.run(start)
                refusals.append(str(raised.value))

    stage.run(listeners=(heard,))
    assert locks == [stage.folder / "out.jsonl.run" / "lock"]
    assert refusals == [f"{stage.output}: another run is writing this file"] * 2
    stage.assert_complete()


def test_a_fault_of_ours_in_one_tenant_is_raised_and_stops_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(envelope: Envelope) -> None:
        if envelope.meta.get("connection"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage.run(listeners=(fail,))
    for thread in threads():
        if thread.name in stage.allowed:  # one that is still signing in is not waited for by the run
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
    assert len(stage.sent()) < 10
    done = stage.run("resume")
    assert done.rows == COUNT
    stage.assert_complete()


def test_what_stops_one_tenant_stops_all(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here its rows cannot be read any more, while the other one waits for an answer."""
    rows, stop = Split.rows, Event()

    def break_off(self: Split, tenant: str) -> Iterator[InputRow]:
        for number, row in enumerate(rows(self, tenant)):
            if tenant == "globex.yaml" and number == 2:
                wait_until(lambda: len(stage.sandboxes[0].log.requests()) == 1)
                raise RunStoppedError("the disk is gone")
            yield row

    def let_go() -> None:
        stop.wait(PATIENCE_S)
        stage.sandboxes[0].set_faults(queue=[])

    monkeypatch.setattr(Split, "rows", break_off)
    stage.sandboxes[0].set_faults(queue=["hold"])
    thread = Thread(target=let_go)
    thread.start()
    with pytest.raises(RunStoppedError, match="the disk is gone"):
        stage.run(stop=stop)
    thread.join()
    assert len(stage.sandboxes[0].log.requests()) == 1
    assert len(stage.sandboxes[1].log.requests()) == 2
    monkeypatch.undo()
    stage.run("resume")
    stage.assert_complete()


def test_after_a_sign_in_that_failed_a_tenant_is_not_asked_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its rows might have to wait for a minute."""
    sign_in = Client.sign_in

    def fail(self: Client) -> tuple[str, ...]:
        if self.connection.base_url == stage.sandboxes[1].base_url:
            raise RowError("timeout", "no answer within 60 s")
        return sign_in(self)

    monkeypatch.setattr(Client, "sign_in", fail)
    summary = stage.run()
    assert summary.codes == {"input_invalid": 2, "timeout": 5}
    assert summary.repeatable == 7
    assert not stage.sandboxes[1].log.signins()
    assert not stage.sandboxes[1].log.requests()


def test_connections_are_known_in_any_order_and_two_are_never_one_account(stage: Stage) -> None:
    first, second = stage.allowed
    turned = stage.prepared(allow_connections={name: stage.allowed[name] for name in (second, first)})
    assert list(tenant_connections(turned)) == [first, second]
    assert account_of(turned) == account_of(stage.prepared())
    assert account_of(turned) != account_of(stage.prepared(connection="{{ tenant | trim }}"))
    twin = stage.prepared(allow_connections={**stage.allowed, "b": stage.allowed[first]})
    with pytest.raises(ConnectionSetupError, match=f"{first} and b are the same account: http://"):
        tenant_connections(twin)


def test_the_secret_of_any_tenant_is_hidden_where_a_row_says_it(stage: Stage) -> None:
    stage.connect(
        "a.yaml", {**stage.sandboxes[0].connection, "client_id": "a", "client_secret": "of-another"}
    )
    write_lines(stage.folder / "rows.jsonl", [{"n": 1, "tenant": stage.sandboxes[1].client_secret}])
    stage.run(settings={"allow_connections": {"a.yaml": str(stage.folder / "a.yaml"), **stage.allowed}})
    (envelope,) = map(json.loads, stage.output.read_text().splitlines())
    assert 'connection: "•••" is not allowed' in envelope["error"]


def test_read_only_holds_for_every_tenant(stage: Stage) -> None:
    stage.connect("globex.yaml", {**stage.sandboxes[1].connection, "read_only": "true"})
    with pytest.raises(RunError, match="the connection is read-only"):
        stage.run()
    assert stage.sent() == []
    assert not stage.output.with_name("out.jsonl.run").exists()


def test_the_audit_names_the_connection_of_every_request(stage: Stage, tmp_path: Path) -> None:
    stage.run(settings={"audit": tmp_path / "audit.jsonl"})
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert sorted(line["row"] for line in lines) == stage.sent()
    assert len({line["connection"] for line in lines}) == 2
