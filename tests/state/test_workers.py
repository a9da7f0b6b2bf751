"""Workers that are paused, killed or disconnected: no request is sent twice, each row has its envelope."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.connections.connection import make_connection
from connector.errors import RunError, RunStoppedError
from connector.files.envelope import Envelope
from connector.runs.job import Job
from connector.runs.prepared import prepare
from connector.runs.run import run
from connector.sandbox.ninjaone.server import Sandbox
from connector.state import database
from connector.state.database import DatabaseLostError
from connector.state.databases import open_database
from connector.state.setting import shown
from tests.fakes import write_lines
from tests.postgres import Server
from tests.state.proxy import Proxy
from tests.state.worker_process import POINTS
from tests.state.workers import Workers
from tests.torture.kinds import ONE_DEVICE, TICKET

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP and SIGKILL there")

ROWS = 6


@pytest.fixture
def workers(tmp_path: Path, sandbox: Sandbox, postgres: str) -> Workers:
    return Workers(tmp_path, sandbox, TICKET, ROWS, postgres)


def pause(workers: Workers, point: str) -> Popen[str]:
    """Start a worker that stops at a point of row 3, and wait until then."""
    paused = workers.start("a", point=f"{point}:3:SIGSTOP")
    seen = os.waitid(os.P_PID, paused.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert seen is not None
    assert seen.si_code == os.CLD_STOPPED
    return paused


def wake(paused: Popen[str]) -> None:
    """Let a worker continue after another one has taken over."""
    paused.send_signal(signal.SIGCONT)
    _, said = paused.communicate(timeout=60)
    assert paused.returncode == 3, said
    assert "another worker has taken over this run" in said


@pytest.mark.parametrize("point", [pytest.param(POINTS[0], marks=pytest.mark.slow), POINTS[1]])
def test_a_paused_worker_that_was_replaced_begins_no_further_request(workers: Workers, point: str) -> None:
    paused = pause(workers, point)
    in_doubt = workers.in_doubt()
    envelopes = workers.finish("b")
    late = len(workers.requests())
    wake(paused)
    workers.check(envelopes, in_doubt)
    sent_late = [TICKET.row_of(entry) for entry in workers.requests()[late:]]
    if point == "after the intent":  # its request leaves, and whoever took over has reported that
        assert sent_late == [3]
        assert [e["row"] for e in envelopes if e["meta"]["code"] == "outcome_unknown"] == [3]
    else:
        assert sent_late == []
        assert {e["meta"]["code"] for e in envelopes} == {None}


@pytest.mark.slow
def test_a_worker_that_is_paused_while_it_waits_to_retry_does_not_retry(
    workers: Workers, sandbox: Sandbox
) -> None:
    """Its request was refused with 429, but whoever took over has reported it as unknown."""
    sandbox.set_faults(queue=[None, None, "429"])
    paused = pause(workers, "before the wait")
    envelopes = workers.finish("b")
    before = workers.requests()
    wake(paused)
    assert workers.requests() == before
    assert [entry["status"] for entry in before if TICKET.row_of(entry) == 3] == [429]
    workers.check(envelopes, in_doubt={3})
    assert [e["row"] for e in envelopes if e["meta"]["code"] == "outcome_unknown"] == [3]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "faults"),
    [("before the update", ()), ("before the transport", ()), ("before the wait", ("429",))],
)
def test_a_paused_worker_overwrites_nothing_that_was_written_since(
    tmp_path: Path, sandbox: Sandbox, postgres: str, point: str, faults: Sequence[str]
) -> None:
    """A change that can be repeated is not recorded, but a later row may have changed the same value."""
    workers = Workers(tmp_path, sandbox, replace(ONE_DEVICE, once=("PATCH",)), ROWS, postgres)
    sandbox.set_faults(queue=[None, None, *faults])
    paused = pause(workers, point)
    envelopes = workers.finish("b")
    assert {e["meta"]["code"] for e in envelopes} == {None}
    before = workers.requests()
    wake(paused)
    assert workers.requests() == before
    assert ONE_DEVICE.row_of(before[-1]) == ROWS


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_the_run_of_a_killed_worker_is_continued_elsewhere(workers: Workers, point: str) -> None:
    killed = workers.start("a", point=f"{point}:3:SIGKILL")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    in_doubt = workers.in_doubt()
    assert in_doubt == ({3} if point in POINTS[1:3] else set())
    envelopes = workers.finish("b")
    workers.check(envelopes, in_doubt)
    assert sum(e["meta"]["code"] == "outcome_unknown" for e in envelopes) == len(in_doubt)


@pytest.fixture
def job(tmp_path: Path, service: Service, sandbox: Sandbox) -> tuple[Job, Any]:
    """A job in this process, and its connection."""
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, ROWS + 1)])
    output = str(tmp_path / "out.jsonl")
    job = Job(
        TICKET.action,
        templates=TICKET.templates,
        input=str(tmp_path / "rows.jsonl"),
        output=output,
        delay_ms=0,
    )
    return job, make_connection(service, sandbox.connection, "the sandbox")


def test_a_database_that_is_killed_stops_the_run_until_it_is_back(
    job: tuple[Job, Any], catalog: Catalog, sandbox: Sandbox, own_postgres: Server
) -> None:
    given, connection = job
    prepared = prepare(replace(given, state=own_postgres.url()), catalog)

    def kill(envelope: Envelope) -> None:
        if envelope.row == 3:
            own_postgres.kill()

    with pytest.raises(DatabaseLostError, match=r"the database cannot be used: "):
        run(prepared, connection=connection, listeners=(kill,))
    assert len(sandbox.log.requests()) == 3
    with pytest.raises(RunError, match=r"the database cannot be used: .*refused") as caught:
        run(prepared, "resume", connection=connection)
    assert caught.value.transient
    own_postgres.start()
    summary = run(prepared, "resume", connection=connection)
    assert (summary.rows, summary.resumed_rows, summary.failed) == (ROWS, 3, 0)
    assert len(sandbox.log.requests()) == ROWS


def test_a_database_behind_a_network_that_drops_everything_stops_the_run(
    job: tuple[Job, Any], catalog: Catalog, sandbox: Sandbox, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, connection = job
    port = int(postgres.rpartition(":")[2].partition("/")[0])
    connect, failed, late = database.Database._connect, list[Exception](), list[bool]()

    def watched(self: database.Database) -> Any:
        if self.shown != shown(state):  # Threads of other tests can still renew leases.
            return connect(self)
        late.append(bool(failed))
        try:
            return connect(self)
        except Exception as error:
            failed.append(error)
            raise

    monkeypatch.setattr(database, "LOST_S", 600.0)
    with closing(Proxy(port)) as proxy, monkeypatch.context() as patch:
        state = postgres.replace(f":{port}/", f":{proxy.port}/")
        patch.setattr(database.Database, "_connect", watched)
        prepared = prepare(replace(given, state=state), catalog)

        def cut(envelope: Envelope) -> None:
            if envelope.row == 3:  # Until then, the statements may take their time.
                patch.setattr(database, "RESPONSE_S", 0.5)
                patch.setattr(database, "_SLOW_S", 0.4)
                proxy.drops = True

        with pytest.raises(RunStoppedError, match=r"no response in 0\.5 s"):
            run(prepared, connection=connection, listeners=(cut,))
    assert failed
    assert not any(late)  # What is closed at the end of the run does not wait for the database again.
    assert len(sandbox.log.requests()) == 3
    # The name of the database is another one now, but the run in it is the same.
    summary = run(prepare(replace(given, state=postgres), catalog), "resume", connection=connection)
    assert (summary.rows, summary.resumed_rows, summary.failed) == (ROWS, 3, 0)
    assert len(sandbox.log.requests()) == ROWS
    lines = Path(given.output).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["row"] for line in lines] == list(range(1, ROWS + 1))
    open_database(postgres).check()
