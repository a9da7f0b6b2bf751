"""Runs that pages start: real ones, recorded like any other run, and only after a confirmation."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.common.user_folders import work_folder
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.errors import RunError
from connector.runs.job import Job
from connector.runs.job_file import load_job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import find_by_id, list_records, save
from connector.sandbox.ninjaone.server import Sandbox
from connector.web.runs.control import RunControl
from connector.web.runs.job_files import resumed_job, write_job
from tests.web.guest import Guest, open_site, until

RENAME = {"device_id": "{{ n }}", "display_name": "PC {{ n }}"}
DELETE = {"tab_id": "{{ n }}"}
REFUSED = {"fault": "answer", "status": 409, "body": {"resultCode": "conflict"}}


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


@pytest.fixture
def acme(sandbox: Sandbox) -> Sandbox:
    """A saved connection of this name, which leads to a sandbox that is not the server's own."""
    settings = {"base_url": sandbox.base_url, "client_id": sandbox.client_id}
    SavedConnections().save("acme", settings)
    SecretStore().set("acme", "client_secret", sandbox.client_secret, "file")
    return sandbox


def rows(*numbers: int) -> str:
    return "".join(f'{{"n": {n}}}\n' for n in numbers)


def found(id: str) -> Record:
    record = find_by_id(id)
    assert record is not None
    return record


def written(record: Record) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record.output.read_text().splitlines()]


def sent(sandbox: Sandbox) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in sandbox.log.requests() if r["method"] != "GET"]


def test_a_run_in_the_sandbox_leaves_what_any_run_leaves(guest: Guest) -> None:
    id = guest.run("update_device", rows(1, 2, 9999), RENAME)
    page = guest.wait(id)
    record = found(id)
    assert "finished" in page
    assert "Rerun 1 failed row" in page
    assert [e["meta"]["code"] for e in written(record)] == [None, None, "not_found"]
    assert len(sent(guest.site.control.sandbox("ninjaone"))) == 3
    folder = record.output.parent
    assert folder.parent == work_folder()
    assert sorted(path.name for path in folder.iterdir()) == [
        "envelopes.jsonl", "files", "job.yaml", "log.txt", "rows.jsonl", "uploads",
    ]  # fmt: skip
    assert [r.id for r in list_records()] == [id]


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing here")
def test_what_a_run_leaves_is_its_users_alone(guest: Guest) -> None:
    id = guest.run("update_device", rows(1), RENAME)
    guest.wait(id)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found(id).output.parent.iterdir()}
    assert [modes.pop("files"), modes.pop("uploads")] == [0o700, 0o700]
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(found(id).output.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(work_folder().stat().st_mode) == 0o700


def test_no_secret_is_in_a_job_on_a_command_line_or_on_a_page(
    guest: Guest, acme: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    popen = subprocess.Popen

    def noting(command: list[str], **more: Any) -> Any:
        commands.append(command)
        return popen(command, **more)

    monkeypatch.setattr(subprocess, "Popen", noting)
    ids = [guest.run("update_device", rows(1), RENAME)]
    ids.append(guest.run("update_device", rows(1), RENAME, connection="acme", confirmed="1"))
    pages = [guest.wait(id) for id in ids] + [guest.get("/runs").text]
    pages.append(guest.get("/actions/update_device/try").text)
    files = [path for id in ids for path in found(id).output.parent.iterdir() if path.is_file()]
    for text in (*pages, *map(str, commands), *(path.read_text() for path in files)):
        assert acme.client_secret not in text
        assert acme.client_id not in text
    assert f"acme ({acme.base_url.removeprefix('http://')})" in pages[1]


def test_a_saved_connection_is_used_by_its_name_and_not_the_sandbox(guest: Guest, acme: Sandbox) -> None:
    id = guest.run("update_device", rows(1, 2), RENAME, connection="acme", confirmed="2")
    guest.wait(id)
    assert sent(acme) == ["PATCH /v2/device/1", "PATCH /v2/device/2"]
    assert guest.site.control.sandbox_url("ninjaone") == ""
    assert found(id).job.connection == "acme"


def test_the_sandbox_is_used_whatever_else_is_set_up(
    guest: Guest, acme: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NINJAONE_CONNECTION", "acme")
    SavedConnections().make_default("acme")
    guest.wait(guest.run("update_device", rows(1), RENAME))
    assert (sent(acme), len(sent(guest.site.control.sandbox("ninjaone")))) == ([], 1)


def test_a_job_of_a_run_runs_by_the_command_line_and_gives_the_same(guest: Guest, tmp_path: Path) -> None:
    id = guest.run("list_devices", '{"size": 1}\n{"size": 2}\n', {"filter": "class = WINDOWS_SERVER"})
    guest.wait(id)
    with zipfile.ZipFile(io.BytesIO(guest.get(f"/runs/{id}/job.zip").data)) as archive:
        archive.extractall(tmp_path)
    settings = guest.site.control.sandbox("ninjaone").connection
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "connector", "run", "job.yaml", "-c", "c.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    ours = [
        {**json.loads(line), "meta": 0} for line in (tmp_path / "envelopes.jsonl").read_text().splitlines()
    ]
    downloaded = guest.get(f"/runs/{id}/envelopes")
    assert downloaded.data == found(id).output.read_bytes()
    assert downloaded.headers["Content-Disposition"] == 'attachment; filename="list_devices.jsonl"'
    assert [{**json.loads(line), "meta": 0} for line in downloaded.text.splitlines()] == ours


def test_files_are_uploaded_and_saved(guest: Guest) -> None:
    form = guest.form("x", '{"f": "a.txt"}', {"files": '["{{ f }}"]'})
    where = f"/actions/upload_articles/upload?draft={form['draft']}"
    missing = guest.post("/actions/upload_articles/preview", form).text
    guest.post(where, b"hello", headers={"X-File-Name": "a.txt"})
    there = guest.post("/actions/upload_articles/preview", form).text
    for text in (missing, there):
        assert "a.txt" in text
        assert str(guest.site.drafts.uploads(form["draft"])) not in text
    response = guest.post("/actions/upload_articles/run", form)
    id = response.get_json()["location"].rpartition("/")[2]
    guest.wait(id)
    assert [e["has_error"] for e in written(found(id))] == [False]


# Consent


def test_without_consent_nothing_destructive_is_sent(guest: Guest) -> None:
    sandbox = guest.site.control.sandbox("ninjaone")
    tabs = list(range(1, 30))
    form = guest.form("delete_custom_tab", rows(*tabs), DELETE)
    for message in (None, "", "yes", "28", "true", "29 rows"):
        more = {} if message is None else {"confirmed": message}
        response = guest.post("/actions/delete_custom_tab/run", {**form, **more}).get_json()
        assert "Type <strong>29</strong>" in response["ask"]
        assert "Delete Custom Tab, on the sandbox" in response["ask"]
    assert (sent(sandbox), list(list_records()), list(work_folder().iterdir())) == ([], [], [])
    guest.wait(guest.run("delete_custom_tab", rows(*tabs), DELETE, confirmed="29"))
    assert len(sent(sandbox)) == 29


def test_the_number_that_was_agreed_to_is_held_against_the_rows(guest: Guest) -> None:
    form = guest.form("delete_custom_tab", rows(1, 2, 3), DELETE, confirmed="2")
    assert "3 rows" in guest.post("/actions/delete_custom_tab/run", form).get_json()["ask"]
    assert list(list_records()) == []


def test_what_is_run_is_what_was_counted_whatever_else_is_posted_meanwhile(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at what stood in the form before may still be under way when somebody starts a run."""
    form = guest.form("delete_custom_tab", rows(1, 2), DELETE, confirmed="2")
    start = RunControl.start

    def start_late(self: RunControl, *given: Any) -> str:
        guest.post("/actions/delete_custom_tab/preview", {**form, "rows": rows(7, 8, 9)})
        return start(self, *given)

    monkeypatch.setattr(RunControl, "start", start_late)
    response = guest.post("/actions/delete_custom_tab/run", form).get_json()
    guest.wait(response["location"].removeprefix("/runs/"))
    assert sent(guest.site.control.sandbox("ninjaone")) == ["DELETE /v2/tab/1", "DELETE /v2/tab/2"]


def test_a_write_is_asked_about_where_it_is_real(guest: Guest, acme: Sandbox) -> None:
    form = guest.form("update_device", rows(1), RENAME, connection="acme")
    response = guest.post("/actions/update_device/run", form).get_json()
    assert "Type <strong>" not in response["ask"]
    assert f"acme ({acme.base_url.removeprefix('http://')})" in response["ask"]
    assert sent(acme) == []


def test_a_read_is_never_asked_about(guest: Guest, acme: Sandbox) -> None:
    page = guest.wait(guest.run("list_devices", "{}", {}, connection="acme"))
    assert "finished" in page


def test_a_post_without_our_token_starts_nothing(guest: Guest) -> None:
    form = guest.form("update_device", rows(1), RENAME)
    for headers in ({"X-CSRF-Token": ""}, {"X-CSRF-Token": "x"}, {"Origin": "http://elsewhere.example"}):
        assert guest.post("/actions/update_device/run", form, headers=headers).status_code == 403
    assert list(work_folder().iterdir()) == []


def test_a_second_post_of_the_same_run_starts_no_second_one(guest: Guest) -> None:
    form = guest.form("update_device", rows(1), RENAME)
    ids = {guest.post("/actions/update_device/run", form).get_json()["location"] for _ in range(3)}
    (id,) = ids
    guest.wait(id.rpartition("/")[2])
    assert len(sent(guest.site.control.sandbox("ninjaone"))) == 1
    others = {guest.run("update_device", rows(1), RENAME, once="") for _ in range(2)}
    for other in others:
        guest.wait(other)
    assert len(others | {id.rpartition("/")[2]}) == 3


def test_a_delay_that_is_no_number_runs_nothing(guest: Guest) -> None:
    form = guest.form("update_device", rows(1), RENAME, delay_ms="soon")
    faults = guest.post("/actions/update_device/preview", form).get_json()["faults"]
    assert faults == {"delay_ms": 'a number is expected, not the text "soon"'}
    refused = guest.post("/actions/update_device/run", form)
    assert (refused.status_code, sent(guest.site.control.sandbox("ninjaone"))) == (400, [])


# What follows a run


def test_only_the_failed_rows_that_may_be_repeated_are_rerun(guest: Guest) -> None:
    sandbox = guest.site.control.sandbox("ninjaone")
    sandbox.set_faults(queue=[None, REFUSED, None, "reset_after"])
    templates = {"name": "Client {{ n }}"}
    id = guest.run("create_organization", rows(1, 2, 3, 4), templates)
    page = guest.wait(id)
    assert "Rerun 1 failed row" in page
    assert "1 of the failed rows may have taken effect" in page
    response = guest.post(f"/runs/{id}/rerun", {"once": "a"}).get_json()
    again = guest.post(f"/runs/{id}/rerun", {"once": "a"}).get_json()
    assert response == again
    rerun = response["location"].removeprefix("/runs/")
    guest.wait(rerun)
    record = found(rerun)
    assert record.rerun_of == found(id).output
    assert record.output.name == "envelopes.rerun.jsonl"
    assert [(e["row"], e["has_error"]) for e in written(record)] == [(2, False)]
    names = [r["body"]["name"] for r in sandbox.log.requests() if r["method"] == "POST"]
    assert names == ["Client 1", "Client 2", "Client 3", "Client 4", "Client 2"]


def test_a_run_is_stopped_and_resumed_and_nothing_is_sent_twice(guest: Guest) -> None:
    id = guest.run("update_device", rows(*range(1, 21)), RENAME, delay_ms="100")
    until(lambda: len(sent(guest.site.control.sandbox("ninjaone"))) >= 2)
    assert 'id="stop"' in guest.get(f"/runs/{id}").text
    guest.post(f"/runs/{id}/stop")
    page = guest.wait(id)
    assert "stopped, can be resumed" in page
    assert len(sent(guest.site.control.sandbox("ninjaone"))) < 20
    resumed = guest.post(f"/runs/{id}/resume", {"once": "r"}).get_json()
    assert resumed == {"location": f"/runs/{id}"}
    page = guest.wait(id)
    assert "finished" in page
    assert "Rows done before this run was resumed: " in page
    assert [e["row"] for e in written(found(id))] == list(range(1, 21))
    assert len(sent(guest.site.control.sandbox("ninjaone"))) == 20


def test_the_job_of_a_record_is_resumed_as_what_it_was(tmp_path: Path) -> None:
    """Every setting that a job file can have, but those of steps and of several services."""
    given: dict[str, Any] = {
        "action": "update_device", "connection": "{{ tenant }}",
        "input_format": "csv", "output_format": "json",
        "delimiter": ";", "encoding": "cp1252", "sheet": "2", "records": "data.items",
        "input": str(tmp_path / "rows.csv"), "output": str(tmp_path / "out.json"), "rows": "each",
        "uploads": tmp_path / "up", "files": tmp_path / "down", "audit": tmp_path / "audit.jsonl",
        "errors": tmp_path / "failed.jsonl", "summary": tmp_path / "s.json", "vars": {"a": 1},
        "distinct": "{{ b }}", "timezone": "Europe/Berlin", "times": "iso", "with_names": "organization",
        "wait_s": 5400.0,
        "templates": {"a": "{{ b }}", "c": {"template": "", "empty": "send"}, "d": None, "e": ["{{ x }}", 1]},
        "on_error": "stop", "empty": "send", "max_rows": 9, "expect_rows": "1-9",
        "delay_ms": 1.5, "min_delay_ms": 1.5, "max_errors": 7, "concurrency": 3,
        "allow_connections": {"acme": "acme", "other": "other"},
    }  # fmt: skip
    other = (
        "named_at",
        "output_exists",
        "step",
        "step_outputs",
        "follows",
        "only",
        "connections",
        "limit",
        "offset",
        "sample",
        "state",  # a URL that may have a password
    )
    for of in fields(Job):
        if of.name not in given and of.name not in other:
            given[of.name] = {"bool": True}[str(of.type)]
    save(Record(absolute(given["output"]), Job(**given), {}, 1.0))
    record = find_by_id(id_of(absolute(given["output"])))
    assert record is not None
    write_job(tmp_path, resumed_job(record.job))
    assert load_job(tmp_path / "job.yaml") == record.job == Job(**given)


@pytest.mark.parametrize("part", [{"limit": 5}, {"offset": 1}, {"sample": 3}])
def test_a_part_of_an_input_is_resumed_on_the_command_line(part: dict[str, int]) -> None:
    with pytest.raises(RunError, match="Resume this run on the command line"):
        resumed_job(Job("update_device", **part))  # type: ignore[arg-type]


def test_what_follows_a_destructive_run_is_asked_about(guest: Guest) -> None:
    id = guest.run("delete_custom_tab", rows(9999), {**DELETE, "tab_id": "{{ n }}x"}, confirmed="1")
    guest.wait(id)
    response = guest.post(f"/runs/{id}/rerun", {"once": "x"}).get_json()
    assert "Type <strong>1</strong>" in response["ask"]
    assert len(list(list_records())) == 1


def test_what_cannot_follow_is_refused(guest: Guest) -> None:
    id = guest.run("update_device", rows(1), RENAME)
    guest.wait(id)
    for what in ("rerun", "resume"):
        assert guest.post(f"/runs/{id}/{what}", {"once": what}).status_code == 400
    assert guest.post(f"/runs/{'0' * 32}/rerun").status_code == 400


def test_a_run_in_a_sandbox_that_has_ended_is_not_sent_elsewhere(
    guest: Guest, catalog: Catalog, acme: Sandbox
) -> None:
    SavedConnections().make_default("acme")
    id = guest.run("update_device", rows(9999), RENAME)
    guest.wait(id)
    with open_site(catalog) as later:
        page = later.get(f"/runs/{id}").text
        assert "a sandbox that was stopped" in page
        assert 'id="rerun"' not in page
        assert later.post(f"/runs/{id}/rerun", {"once": "1"}).status_code == 400
    assert sent(acme) == []


def test_a_run_outlives_the_server(catalog: Catalog, acme: Sandbox) -> None:
    with open_site(catalog) as guest:
        to = {"connection": "acme", "confirmed": "10", "delay_ms": "50"}
        id = guest.run("update_device", rows(*range(1, 11)), RENAME, **to)
        until(lambda: sent(acme))
        started = guest.site.control.started(id)
        assert started is not None
        if os.name != "nt":  # this terminal's Ctrl-C does not reach it
            assert os.getsid(started.process.pid) == started.process.pid
    record = until(lambda: (r := find_by_id(id)) and r.ended and r)
    assert len(written(record)) == 10


# What goes wrong


def test_a_run_that_cannot_begin_says_why(guest: Guest, acme: Sandbox) -> None:
    SecretStore().set("acme", "client_secret", "another", "file")
    id = guest.run("list_devices", "{}", {}, connection="acme")
    page = guest.wait(id)
    assert "Nothing was sent" in page
    assert "not started" in page
    assert "ninjaone: " in page
    assert find_by_id(id) is None
    assert f'href="runs/{id}"' in guest.get("/runs").text


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        ("", {}, "No rows to run."),
        ("{}", {"connection": "nosuch"}, 'no saved connection "nosuch"'),
        ("{}", {"connection": "../acme"}, "../acme"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_begins(
    guest: Guest, rows: str, more: dict[str, str], message: str
) -> None:
    response = guest.post("/actions/list_devices/run", guest.form("list_devices", rows, {}, **more))
    assert (response.status_code, message in response.get_json()["error"]) == (400, True)
    assert list(work_folder().iterdir()) == []


def test_a_connection_that_only_reads_is_not_written_to(guest: Guest, acme: Sandbox) -> None:
    settings = yaml.safe_load(SavedConnections().path("acme").read_text())
    SavedConnections().save("acme", {**settings, "read_only": True})
    form = guest.form("update_device", rows(1), RENAME, connection="acme", confirmed="1")
    response = guest.post("/actions/update_device/run", form)
    assert response.status_code == 400
    assert sent(acme) == []


def test_closing_ends_the_sandbox_and_needs_none() -> None:
    control = RunControl()
    control.close()
    port = control.sandbox("ninjaone").port
    control.close()
    with Sandbox(port=port):
        pass
