"""Files of rows and job files by the library: their summary, and runs that a later call continues."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from connector import ConnectionSetupError, NinjaOne, RunError
from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.client.factory import sign_in
from connector.common.package_data import schema
from connector.errors import CertificateError, FailureLimitError, NotSentError
from connector.library import session as session_module
from connector.runs import records
from connector.runs.job import Job
from connector.runs.prepared import naming
from connector.runs.summary_document import SummaryDocument
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import FakeClock, FakeTransport, make_client, reply, write_lines
from tests.library.conftest import paths
from tests.loopback import PATIENCE_S


def updates(folder: Path, *devices: int) -> Path:
    rows = folder / "rows.jsonl"
    write_lines(rows, [{"device_id": n, "display_name": f"desk {n}"} for n in devices])
    return rows


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """Return the single run of a summary, which must be as its schema says."""
    validator(schema("summary.schema.json")).validate(document)
    (run,) = document["runs"]
    return {**run, "exit_code": document["exit_code"], "state": document["state"]}


def patched(sandbox: Sandbox) -> list[str]:
    return [path for path in paths(sandbox) if path.startswith("PATCH")]


def test_a_file_gives_the_summary_and_the_envelopes(
    ninja: NinjaOne, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows, output = updates(tmp_path, 1, 9999, 2), tmp_path / "out.jsonl"
    templates = {"device_id": "{{ device_id }}", "display_name": "{{ display_name | upper }} {{ suffix }}"}
    run = checked(
        ninja.run_file(
            "update_device", rows, output, templates=templates, vars={"suffix": "x"}, concurrency=2
        )
    )
    assert (run["exit_code"], run["state"], run["rows"], run["failed"]) == (1, "finished", 3, 1)
    written = [json.loads(line) for line in output.read_text().splitlines()]
    assert [envelope["meta"]["code"] for envelope in written] == [None, "not_found", None]
    assert ninja.call("get_device", device_id=2)["displayName"] == "DESK 2 x"
    with pytest.raises(RunError, match=r"already exists; use another output$"):
        ninja.run_file("update_device", rows, output, templates=templates)
    assert len(patched(sandbox)) == 3


def test_a_run_is_resumed_and_nothing_is_sent_twice(
    ninja: NinjaOne, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, both_states: str
) -> None:
    updates(tmp_path, 1, 9999, 2)
    job = tmp_path / "job.yaml"
    job.write_text(
        "action: update_device\nmatch_fields: true\nconnection: no.yaml\ninput: rows.jsonl\non_error: stop\n"
        'output: "out-{{ night }}.jsonl"\n'
    )
    settings: dict[str, Any] = {"vars": {"night": "1"}, "resume": True}
    with NinjaOne(**sandbox.connection) as stopped, monkeypatch.context() as patch:
        patch.setattr(SummaryDocument, "begin", lambda *_: stopped.stop())
        document = stopped.run_job(job, **settings)
    assert (document["exit_code"], document["state"]) == (130, "interrupted")
    assert patched(sandbox) == []
    allowed = "1 row failed, more than the run allows; use resume=True to continue after the finished rows"
    with pytest.raises(FailureLimitError, match=allowed):
        ninja.run_job(job, **settings)
    with pytest.raises(RunError, match=r"use resume=True to continue it, or use another output$"):
        ninja.run_job(job, **{**settings, "resume": False})
    assert patched(sandbox) == ["PATCH /v2/device/1", "PATCH /v2/device/9999"]
    run = checked(ninja.run_job(job, **settings))
    assert (run["exit_code"], run["rows"], run["resumed_rows"], run["failed"]) == (1, 3, 2, 1)
    before = patched(sandbox)
    assert before[2:] == ["PATCH /v2/device/2"]

    # It is finished now: the same call sends nothing, and returns the same.
    document = ninja.run_job(job, **settings)
    assert document["message"] == "this run was finished before; nothing was sent"
    assert checked(document) == run
    settings["output"] = tmp_path / "out-1.jsonl"
    with pytest.raises(RunError, match="output of another run, which differs in its settings"):
        ninja.run_job(job, **{**settings, "vars": {"night": "2"}})
    records.forget(tmp_path / "out-1.jsonl")
    if both_states == "files":
        with pytest.raises(RunError, match="no record of its run"):
            ninja.run_job(job, **settings)
    else:  # as on another machine, which has the output on a shared disk
        assert checked(ninja.run_job(job, **settings))["resumed_rows"] == 3
    assert patched(sandbox) == before


def test_closing_waits_for_the_end_of_a_run_in_another_thread(
    ninja: NinjaOne, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, sent, goes_on = list[str](), Event(), Event()
    run_jobs = session_module.run_jobs

    def noted(*given: Any, **settings: Any) -> Any:
        document = run_jobs(*given, **settings)
        order.append(document["state"])
        return document

    def hold(_: Any) -> None:
        sent.set()
        goes_on.wait(PATIENCE_S)

    def close() -> None:
        ninja.close()
        order.append("closed")

    monkeypatch.setattr(session_module, "run_jobs", noted)
    sandbox.before_response(hold)
    rows = updates(tmp_path, 1, 2)
    run = Thread(target=ninja.run_file, args=("update_device", rows, tmp_path / "out.jsonl"))
    closing = Thread(target=close)
    run.start()
    sent.wait(PATIENCE_S)
    closing.start()
    closing.join(0.2)
    goes_on.set()
    for thread in (closing, run):
        thread.join(PATIENCE_S)
    assert order == ["interrupted", "closed"]
    assert patched(sandbox) == ["PATCH /v2/device/1"]


@pytest.mark.usefixtures("both_states")
def test_a_job_with_steps_continues_at_the_step_that_is_left(
    ninja: NinjaOne, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}, {"device_id": 2}])
    job = tmp_path / "job.yaml"
    job.write_text(
        "input: rows.jsonl\nsteps:\n- {name: device, action: get_device, match_fields: true}\n"
        "- {name: rename, action: update_device, input: {step: device}, on_error: stop,\n"
        '   templates: {device_id: "{{ 9999 if device.id == 1 else 2 }}", display_name: desk}}\n'
    )
    settings: dict[str, Any] = {"output": tmp_path / "out", "resume": True}
    with pytest.raises(FailureLimitError):
        ninja.run_job(job, **settings)
    document = ninja.run_job(job, **settings)
    assert document["runs"][0]["finished_before"]
    assert (document["exit_code"], document["runs"][1]["rows"]) == (1, 2)
    assert ninja.run_job(job, **settings)["runs"][0]["rows"] == 2
    assert len(paths(sandbox)) == 4


def test_what_a_session_cannot_run_is_refused(ninja: NinjaOne, sandbox: Sandbox, tmp_path: Path) -> None:
    rows, output = updates(tmp_path, 1), tmp_path / "out.jsonl"
    job = tmp_path / "job.yaml"

    def refused(reason: str, text: str = "", **given: Any) -> None:
        job.write_text(f"input: rows.jsonl\nmatch_fields: true\n{text}")
        with pytest.raises(RunError, match=reason):
            ninja.run_job(job, **{"output": output, **given})

    with pytest.raises(RunError, match="requires confirm=True"):
        ninja.run_file("reboot_device", rows, output)
    with pytest.raises(RunError, match="concurrency must be"):
        ninja.run_file("update_device", rows, output, concurrency=0)
    update = "action: update_device\n"
    refused("several connections", update + 'connection: "{{ tenant }}"\nallow_connections: [a.yaml]\n')
    refused("no output", update, output=None)
    refused("no input", update, input="-")
    refused("session has another service", "action: halopsa.get_ticket\n")
    refused("depends on the time", update, output=str(tmp_path / "{{ now }}.jsonl"), resume=True)
    refused("gives each run another output", update + "output_exists: number\n", resume=True)
    refused("not a valid name of a variable", update, vars={"now": 1})
    ninja.close()
    refused("the session is closed", update)
    assert paths(sandbox) == []


@pytest.mark.parametrize(
    ("answer", "transient"),
    [
        (reply({"error": "invalid_client"}, 400), False),
        (reply(b"<html>", 200), False),
        (reply(b"", 503), True),
        (reply(b"", 429), True),
        (NotSentError("the connection failed"), True),
        (CertificateError("the certificate has expired"), False),
    ],
)
def test_a_failed_sign_in_says_whether_a_retry_is_worth_it(
    service: Service, clock: FakeClock, answer: Any, transient: bool
) -> None:
    client = make_client(service, FakeTransport(sign_ins=[answer] * 3), clock)
    with pytest.raises(ConnectionSetupError) as failed:
        sign_in(client)
    assert failed.value.transient is transient
    with pytest.raises(ConnectionSetupError, match='step "a"') as named, naming(Job("x", step="a")):
        raise failed.value
    assert pickle.loads(pickle.dumps(named.value)).transient is transient
