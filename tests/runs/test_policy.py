"""Read-only runs and connections: only reads are sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.connections.connection import Connection, make_connection
from connector.errors import RowError, RunError
from connector.files.readers import InputRow
from connector.hosts.host import run_rows
from connector.http.messages import Request
from connector.runs.job import Job
from connector.runs.job_file import load_jobs
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare, prepare_all
from connector.runs.run import run
from connector.sandbox.ninjaone.server import Sandbox
from tests.declared import declare, invoker
from tests.fakes import CONNECTION, FakeClock, FakeTransport, make_client, reply, write_lines

READ_ONLY = replace(CONNECTION, read_only=True)


@pytest.fixture
def connection(service: Service, sandbox: Sandbox) -> Connection:
    return make_connection(service, {**sandbox.connection, "read_only": True}, "the sandbox")


def heard(sandbox: Sandbox) -> list[Any]:
    """Everything that arrived, sign-ins among it."""
    return [*sandbox.log.requests(), *sandbox.log.signins()]


@pytest.mark.parametrize("action", ["update_device", "reboot_device", "create_organization"])
def test_a_read_only_job_is_refused_when_it_is_prepared(catalog: Catalog, action: str) -> None:
    with pytest.raises(RunError, match=f"{action} has the effect .*, but the run is read-only"):
        prepare(Job(action=action, read_only=True), catalog)


def test_reads_pass(catalog: Catalog, connection: Connection, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    job = Job("get_device", input=str(rows), output=str(tmp_path / "out.jsonl"), delay_ms=0, read_only=True)
    assert run(prepare(job, catalog), connection=connection).succeeded == 1


def test_a_read_only_connection_is_not_even_signed_in_to_write(
    catalog: Catalog, connection: Connection, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1, "display_name": "x"}])
    job = Job("update_device", input=str(rows), output=str(tmp_path / "out.jsonl"))
    with pytest.raises(RunError, match=r"the connection is read-only \(the sandbox\)"):
        run(prepare(job, catalog), connection=connection)
    assert heard(sandbox) == []
    assert not (tmp_path / "out.jsonl.run").exists()


@pytest.mark.parametrize("door", ["job", "connection"])
def test_no_step_begins_before_all_of_them_may_pass(
    catalog: Catalog, connection: Connection, sandbox: Sandbox, tmp_path: Path, door: str
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    read = {"name": "read", "action": "get_device"}
    write = {"name": "renamed", "action": "update_device", "input": {"step": "read"}}
    data = {"input": "rows.jsonl", "output": "out", "read_only": door == "job", "steps": [read, write]}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(data))
    connection = replace(connection, read_only=door == "connection")
    with pytest.raises(RunError, match='step "renamed": update_device has the effect "write"'):
        list(run_all(prepare_all(load_jobs(tmp_path / "job.yaml"), catalog), connection=connection))
    assert not sandbox.log.requests()


def test_a_host_is_held_to_it_too(catalog: Catalog, connection: Connection, sandbox: Sandbox) -> None:
    prepared = prepare(Job("reboot_device"), catalog)
    with pytest.raises(RunError, match="read-only"):
        run_rows(prepared, connection, iter([InputRow(1, {})]), lambda envelope: None)
    assert heard(sandbox) == []


@pytest.mark.parametrize("effect", ["write", "destructive"])
def test_the_last_door_lets_reads_through_alone(
    service: Service, transport: FakeTransport, clock: FakeClock, effect: Any
) -> None:
    client = make_client(service, transport, clock, connection=READ_ONLY)
    with pytest.raises(RowError, match=f'DELETE /v2/x has the effect "{effect}".*not sent') as caught:
        client.send(Request("DELETE", "/v2/x", effect=effect))
    assert (caught.value.code, caught.value.refused) == ("forbidden", True)
    assert transport.sent == transport.signed_in == []


@pytest.mark.parametrize("door", ["job", "connection"])
def test_the_last_door_is_shut_by_either(
    connection: Connection, sandbox: Sandbox, tmp_path: Path, door: str
) -> None:
    handler = """
        from connector.handlers import request
        def handle(inputs):
            yield request("POST", "/v2/organizations", {}, body={"name": "x"})
    """
    declare(tmp_path, handler=handler)
    write_lines(tmp_path / "rows.jsonl", [{}])
    job = Job("probe", input=str(tmp_path / "rows.jsonl"), output=str(tmp_path / "out.jsonl"))
    prepared = prepare(replace(job, read_only=door == "job"), Catalog(tmp_path / "actions"))
    summary = run(prepared, connection=replace(connection, read_only=door == "connection"))
    assert summary.codes == {"forbidden": 1}
    assert sandbox.log.requests() == []


def test_a_handler_cannot_send_more_than_its_action_says(
    service: Service, transport: FakeTransport, clock: FakeClock, tmp_path: Path
) -> None:
    handler = """
        from connector.handlers import request
        def handle(inputs):
            yield inputs.request()
            yield request("DELETE", "/v2/probe", {}, effect="destructive")
    """
    action = declare(tmp_path, handler=handler)
    transport.answers.append(reply({}))
    client = make_client(service, transport, clock, connection=READ_ONLY)
    (envelope,) = invoker(action, client).envelopes(1, {})
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("forbidden", True)
    assert [sent[:2] for sent in transport.sent] == [("GET", "/v2/probe")]
