"""Runs on Temporal from end to end: real servers, and workers that are killed, paused and stopped."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.state.run_envelopes import RunEnvelopes
from tests.fakes import wait_until
from tests.temporal.server import TemporalServer
from tests.temporal.stage import SECRET, Process, Stage

pytestmark = pytest.mark.slow

Open = Callable[..., Stage]


@pytest.fixture
def open_stage(tmp_path: Path, temporal: TemporalServer, postgres: str) -> Iterator[Open]:
    """Create a stage: of so many tenants and rows."""
    with ExitStack() as stack:

        def make(
            tenants: int = 4, rows: int = 80, on: TemporalServer = temporal, order_s: float = 0.0
        ) -> Stage:
            sandboxes = [stack.enter_context(Sandbox(order_s=order_s)) for _ in range(tenants)]
            return Stage(tmp_path / "stage", sandboxes, postgres, on.url(tmp_path.name), rows)

        yield make


def test_two_workers_run_a_job_and_its_history_has_no_values(open_stage: Open) -> None:
    stage = open_stage()
    stage.write_job()
    with stage.worker("one"), stage.worker("two"), stage.run() as run:
        assert run.wait() == 0, run.said()
    stage.check_complete()
    ((id,),) = open_database(stage.state).run("SELECT id FROM connector_run")
    lines = RunEnvelopes(stage.state, id).lines()  # as the pages of other machines read them
    assert b"".join(lines) == (stage.starter / "out.jsonl").read_bytes()
    history = stage.history()
    assert "run_chunk" in history
    for secret in (SECRET, stage.sandboxes[0].connection["client_secret"], "Client ", "open-sesame"):
        assert secret not in history


def test_a_killed_worker_is_replaced(open_stage: Open) -> None:
    stage = open_stage(tenants=4, rows=160)
    stage.write_job()
    with stage.worker("one") as one, stage.worker("two"), stage.run() as run:
        wait_until(lambda: len(stage.sent()) > 30)
        one.kill()
        assert run.wait() in (0, 1), run.said()
    stage.check_complete(most_unknown=4)


def test_a_killed_worker_is_replaced_while_it_waits_for_queued_work(open_stage: Open) -> None:
    """Its replacement waits, too, and sends nothing again."""
    stage = open_stage(tenants=2, rows=2, order_s=5.0)
    device = {"device_id": "{{ 1 if n == 1 else 4 }}", "type": "SCRIPT", "script_id": "1"}
    stage.write_job(action="run_script", templates=device, wait="2m")

    def scripts() -> int:
        logs = [sandbox.log.requests() for sandbox in stage.sandboxes]
        return sum(request["method"] == "POST" for log in logs for request in log)

    with stage.worker("one") as one, stage.run("--yes") as run:
        wait_until(lambda: scripts() == 2)
        database = open_database(stage.state)
        wait_until(lambda: database.run("SELECT count(*) FROM connector_envelopes") == [(2,)])
        one.kill()
        with stage.worker("two"):
            assert run.wait() == 0, run.said()
    assert [envelope["meta"]["outcome"]["state"] for envelope in stage.envelopes()] == ["completed"] * 2
    assert scripts() == 2


def test_a_paused_worker_that_was_replaced_sends_nothing_more(open_stage: Open) -> None:
    stage = open_stage(tenants=2, rows=80)
    stage.write_job(delay_ms=200)
    with stage.worker("one") as one, stage.run() as run:
        wait_until(lambda: len(stage.sent()) > 5)
        one.send(signal.SIGSTOP)
        with stage.worker("two"):
            before = len(stage.sent())
            wait_until(lambda: len(stage.sent()) > before + 10, 60)
            one.send(signal.SIGCONT)
            assert run.wait() in (0, 1), run.said()
    stage.check_complete(most_unknown=2)


def test_a_stopped_run_continues_where_it_was(open_stage: Open) -> None:
    stage = open_stage(rows=160)
    stage.write_job(delay_ms=200)
    with stage.worker("one"), stage.worker("two"):
        with stage.run() as run:
            wait_until(lambda: len(stage.sent()) > 15)
            run.send(signal.SIGINT)
            assert run.wait() == 130, run.said()
        sent = len(stage.sent())
        assert sent < 120
        with stage.run() as refused:
            assert refused.wait() == 2
            assert "use --resume to continue it" in refused.said()
        with Process(stage.starter, stage.state, "run", "job.yaml", "--resume") as local:
            assert local.wait() == 2
            assert "differs from the unfinished one in its engine" in local.said()
        with stage.run("--resume", "--json") as run:
            assert run.wait() == 0, run.said()
            assert f'"resumed_rows": {sent}' in run.said()
    stage.check_complete()


def test_a_starter_that_was_killed_can_watch_its_run_again(open_stage: Open) -> None:
    stage = open_stage(rows=80)
    stage.write_job(delay_ms=100)
    with stage.worker("one"):
        with stage.run() as run:
            wait_until(lambda: len(stage.sent()) > 5)
            run.kill()
        sent = len(stage.sent())
        wait_until(lambda: len(stage.sent()) > sent + 10)
        with stage.run("--resume") as run:
            assert run.wait() == 0, run.said()
    stage.check_complete()


def test_the_workflow_of_a_run_that_is_discarded_is_cancelled(open_stage: Open) -> None:
    from connector.temporal.address import read_address
    from connector.temporal.engine import Engine

    stage = open_stage(tenants=1, rows=40)
    stage.write_job(delay_ms=100)
    with stage.worker("one") as one, stage.run() as run:
        wait_until(lambda: len(stage.sent()) > 2)
        run.kill()
        one.kill()
    database = open_database(stage.state)
    database.run("UPDATE connector_part SET seen = NULL")  # as after the end of their leases
    ((id,),) = database.run("SELECT workflow::text FROM connector_shared_run")
    with Process(stage.starter, stage.state, "rerun", "out.jsonl", "--discard", "--yes") as discard:
        assert discard.wait() == 0, discard.said()
    assert f"the workflow run-{id} is cancelled" in discard.said()
    with stage.worker("two"), closing(Engine(read_address(stage.on, ""))) as engine:
        wait_until(lambda: engine.state(f"run-{id}") == "cancelled", 60)


def test_a_worker_that_is_stopped_leaves_its_rows_to_others(open_stage: Open) -> None:
    stage = open_stage(rows=80)
    stage.write_job(delay_ms=100)
    with stage.worker("one") as one, stage.run() as run:
        wait_until(lambda: len(stage.sent()) > 10)
        one.send(signal.SIGTERM)
        assert one.wait() == 0, one.said()
        with stage.worker("two"):
            assert run.wait() == 0, run.said()
    stage.check_complete()


def test_a_run_survives_a_restart_of_the_server(open_stage: Open, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with TemporalServer(tmp_path / "server") as server:
        stage = open_stage(rows=100, on=server)
        stage.write_job(delay_ms=200)
        with stage.worker("one"), stage.worker("two"), stage.run() as run:
            wait_until(lambda: len(stage.sent()) > 15)
            server.kill()
            wait_until(lambda: len(stage.sent()) > 30)  # workers continue
            server.start()
            assert run.wait() == 0, run.said()
        stage.check_complete()


def test_rows_of_one_connection_run_in_ranges(open_stage: Open) -> None:
    stage = open_stage(tenants=1, rows=2100)
    stage.write_job(connection=stage.names[0], allow_connections=None, delay_ms=0, concurrency=4)
    with stage.worker("one"), stage.worker("two"), stage.run() as run:
        assert run.wait() == 0, run.said()
    stage.check_complete()


def test_failed_rows_of_all_workers_count(open_stage: Open) -> None:
    stage = open_stage(tenants=4, rows=400)
    templates = {"organization_id": "{{ 100000 + n }}"}
    stage.write_job(action="get_organization", delay_ms=200, max_errors=30, templates=templates)
    two = ("--chunks", "2")
    with stage.worker("one", *two), stage.worker("two", *two), stage.run("--json") as run:
        assert run.wait() == 3, run.said()
    failed = int(re.findall(r'"failed": (\d+)', run.said())[0])
    assert 30 < failed < 100  # each chunk by itself would allow 31
    assert f"{failed} rows failed, more than the run allows" in run.said()
    assert not (stage.starter / "out.jsonl").exists()


def test_a_chunk_goes_to_a_worker_that_has_its_connection(open_stage: Open) -> None:
    stage = open_stage(tenants=2, rows=20)
    stage.write_job()
    one, two = stage.names
    with (
        stage.worker("one", connections=[one]),
        stage.worker("two", connections=[two]),
        stage.run() as run,
    ):
        assert run.wait() == 0, run.said()
    stage.check_complete()


def test_the_steps_of_a_job_run_one_after_the_other(open_stage: Open) -> None:
    stage = open_stage(tenants=1, rows=20)
    names = {"name": "Client {{ n }}"}
    steps = [
        {"name": "create", "action": "create_organization", "templates": names},
        {
            "name": "read",
            "action": "get_organization",
            "input": {"step": "create", "only": "{{ n > 5 }}"},
            "templates": {"organization_id": "{{ create.id }}"},
        },
    ]
    stage.write_job(
        **dict.fromkeys(("action", "templates", "allow_connections")),
        connection=stage.names[0],
        steps=steps,
        output="out",
    )
    with stage.worker("one"), stage.worker("two"), stage.run() as run:
        assert run.wait() == 0, run.said()
    lines = (stage.starter / "out" / "read.jsonl").read_text().splitlines()
    assert [json.loads(line)["result"]["name"] for line in lines] == [f"Client {n}" for n in range(6, 21)]
    assert set(stage.sent().values()) == {1}


def test_a_job_of_steps_is_followed_again_while_workers_run_a_step(open_stage: Open) -> None:
    stage = open_stage(tenants=1, rows=100)
    step = {"name": "create", "action": "create_organization", "templates": {"name": "Client {{ n }}"}}
    stage.write_job(
        **dict.fromkeys(("action", "templates", "allow_connections")),
        connection=stage.names[0],
        steps=[step],
        output="out",
        delay_ms=200,
    )
    with stage.worker("one"):
        with stage.run() as run:
            wait_until(lambda: len(stage.sent()) > 5)
            run.kill()
        with stage.run("--resume") as run:
            assert run.wait() == 0, run.said()
    assert set(stage.sent().values()) == {1}


def test_the_result_is_that_of_a_run_on_one_machine(open_stage: Open) -> None:
    stage = open_stage(rows=20)
    stage.write_rows(
        [{"n": n, "tenant": "nobody" if n % 5 == 0 else stage.names[n % 4]} for n in range(1, 21)]
    )
    stage.write_job(output_format="csv", keep_row=True, templates={"name": "{{ n if n != 7 else missing }}"})
    with stage.worker("one"), stage.worker("two"), stage.run("--json") as run:
        assert run.wait() == 1, run.said()
    shared = (stage.starter / "out.jsonl").read_text()
    shared_summary = json.loads(run.said().splitlines()[-1])
    for sandbox in stage.sandboxes:
        sandbox.reset()
    with Process(stage.starter, "", "run", "job.yaml", "--restart", "--json") as local:
        assert local.wait() == 1, local.said()
    assert (stage.starter / "out.jsonl").read_text() == shared
    summary = json.loads(local.said().splitlines()[-1])
    assert {**summary, "seconds": 0} == {**shared_summary, "seconds": 0}


OPTIONS = [
    ("out.csv", "--limit", "9", "--offset", "3", "--keep-row", "--bom", "--output-format", "csv"),
    ("out.jsonl", "--sample", "7", "--results", "--errors", "errors.jsonl", "--times", "iso"),
    ("out.json", "--with-names", "policy", "--concurrency", "3", "--var", "more=1", "--max-errors", "99"),
]
ONCE = re.compile(r'incident [\w-]+|"(request_id|time)": ?"[^"]*"')
"""What differs from request to request."""


def test_options_have_the_effect_that_they_have_on_one_machine(open_stage: Open) -> None:
    stage = open_stage(tenants=2, rows=20)
    stage.write_job(
        action="get_organization",
        templates={"organization_id": "{{ n % 4 * 1000 + 1 + (more | default(0) | int) }}"},
        delay_ms=0,
    )
    files = []
    with stage.worker("one"):
        for name, *options in OPTIONS:
            for at_once in (stage.run, stage.run_here):
                for old in files:
                    old.unlink(missing_ok=True)
                with at_once("-o", name, *options, "--json") as run:
                    assert run.wait() == 1, run.said()
                files = [stage.starter / name, stage.starter / "errors.jsonl"]
                written = [ONCE.sub("", file.read_text()).splitlines() for file in files if file.exists()]
                if at_once == stage.run:
                    expected = written
            assert written == expected


def test_failed_rows_are_rerun_on_this_machine_or_by_workers(open_stage: Open) -> None:
    stage = open_stage(tenants=2, rows=20)
    templates = {"organization_id": "{{ n % 3 + 1 if n % 4 else 9999 }}"}
    stage.write_job(action="get_organization", templates=templates, delay_ms=0)
    failed = [4, 8, 12, 16, 20]
    with stage.worker("one"):
        with stage.run() as run:
            assert run.wait() == 1, run.said()
        assert [e["row"] for e in stage.envelopes() if e["has_error"]][-5:] == failed
        rerun = ("rerun", "out.jsonl", "--delay-ms", "0")
        for name, on in (("here.jsonl", ()), ("there.jsonl", ("--on", stage.on))):
            with Process(stage.starter, stage.state, *rerun, "-o", name, *on) as again:
                assert again.wait() == 1, again.said()
            lines = (stage.starter / name).read_text().splitlines()
            assert [json.loads(line)["row"] for line in lines][-5:] == failed
    assert "get_organization" not in stage.history()
