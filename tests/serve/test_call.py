"""POST /actions/NAME and /preview/NAME: rows in, envelopes out, and what is refused."""

from __future__ import annotations

import errno
import json
import logging
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from connector.callers.sessions import REFUSED_S
from connector.catalog.catalog import Catalog
from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.errors import CODES, Code, RunError, kind_of
from connector.files.envelope import Envelope
from connector.sandbox.ninjaone.server import Sandbox
from connector.serve.bodies import Limits
from connector.serve.documents import PROBLEMS
from connector.serve.statuses import MIRRORED, status_of
from tests.loopback import PATIENCE_S
from tests.serve.web import ALL, Web, envelopes, problem, serving


def sent(sandbox: Sandbox) -> list[str]:
    return [f"{entry['method']} {entry['path']}" for entry in sandbox.log.requests()]


def test_a_json_object_is_one_row(web: Web, shared_sandbox: Sandbox) -> None:
    response = web.post("/actions/get_device", {"device_id": 1})
    assert (response.status_code, response.mimetype) == (200, "application/json")
    envelope = response.get_json()
    assert list(validator(schema("envelope.schema.json")).iter_errors(envelope)) == []
    assert envelope["result"]["id"] == 1
    assert sent(shared_sandbox) == ["GET /v2/device/1"]


def test_json_lines_get_an_envelope_a_line(web: Web) -> None:
    body = '{"device_id": 1}\n\n{"device_id": 999}\nbroken\n{"device_id": "1"}\n{"x": 1}\n{"device_id": 2}'
    found = envelopes(web.post("/actions/get_device", body))
    assert [one["row"] for one in found] == [1, 2, 3, 4, 5, 6]
    codes = [None, "not_found", "input_invalid", "input_invalid", "input_invalid", None]
    assert [one["meta"]["code"] for one in found] == codes
    assert "'1' is not of type 'integer'" in found[3]["error"]
    assert found[4]["error"] == 'no input "x"'


def test_rows_each_gives_an_envelope_for_each_item(web: Web) -> None:
    found = envelopes(web.post("/actions/list_organizations?rows=each"))
    assert len(found) > 3
    assert [one["meta"]["last"] for one in found] == [False] * (len(found) - 1) + [True]
    assert len(web.post("/actions/list_organizations").get_json()["result"]) == len(found)


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("get_device", {"device_id": 1}, 200, None),
        ("get_device", {"device_id": 999}, 404, "not_found"),
        ("get_organization?names=1", {"organization_id": "No Such"}, 404, "not_found"),
    ],
)
def test_the_status_mirrors_the_envelope_on_request(
    web: Web, action: str, body: Any, status: int, code: str | None
) -> None:
    separator = "&" if "?" in action else "?"
    mirrored = web.post(f"/actions/{action}{separator}status=mirror", body)
    assert mirrored.status_code == status
    assert mirrored.get_json()["meta"]["code"] == code
    assert web.post(f"/actions/{action}", body).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("500", 409, "api_error"), ("reset_after", 409, "outcome_unknown"), ("429", 429, "rate_limited")],
)
def test_only_what_is_worth_a_retry_has_a_status_that_is_retried(
    web: Web, shared_sandbox: Sandbox, fault: str, status: int, code: str
) -> None:
    shared_sandbox.set_faults(
        queue=[{"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}]
        if fault == "429"
        else [fault]
    )
    response = web.post("/actions/create_tag?status=mirror", {"name": f"tag {fault}"})
    assert (response.status_code, response.get_json()["meta"]["code"]) == (status, code)
    assert ("Retry-After" in response.headers) == (status == 429)
    assert len(sent(shared_sandbox)) == 1


def test_names_and_texts_are_accepted_on_request_only(web: Web) -> None:
    named = {"organization_id": "Alder Dental"}
    said = problem(web.post("/actions/get_organization", named), 422)
    assert "not of type 'integer'; names are accepted with ?names=1" in said
    assert web.post("/actions/get_organization?names=1", named).get_json()["result"]["id"] == 1
    assert web.post("/actions/get_device?lenient", {"device_id": "1"}).get_json()["result"]["id"] == 1
    assert problem(web.post("/actions/get_device?lenient", {"id": "1"}), 422).endswith('no input "id"')
    for nothing in ({"device_id": "1", "display_name": None}, {"device_id": "1"}):
        said = web.post("/actions/update_device?lenient", nothing).get_json()["error"]
        assert said.startswith("nothing to change: no value for ")


def test_a_condition_across_inputs_is_checked_before_anything_is_sent(web: Web) -> None:
    body = {"asset_type": "device", "asset_ids": [1]}
    said = problem(web.post("/actions/update_asset_tags", body), 422)
    assert said == "1 input is not valid: at least one of tag_ids_to_add and tag_ids_to_remove is required"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        ("/actions/get_devise", {}, {}, 404, 'no action "get_devise" (did you mean "get_device"?)'),
        ("/actions/get_device?row=each", {}, {}, 400, 'no parameter "row" (did you mean "rows"?)'),
        ("/actions/get_device?rows=two", {}, {}, 400, '"rows" must be one or each'),
        ("/actions/get_device?names=2", {}, {}, 400, '"names" must be 1 or 0'),
        ("/actions/get_device?names=1&names=0", {}, {}, 400, 'given 2 times'),
        ("/actions/list_devices?status=mirror&rows=each", {}, {}, 400, "several"),
        ("/actions/get_device?status=mirror", '{"device_id": 1}', {}, 400, "one row"),
        ("/actions/get_device", [1], {}, 422, "must be a JSON object"),
        ("/actions/get_device", {"delay_ms": 3, "device_id": 1}, {}, 422, 'no input "delay_ms"'),
        ("/actions/get_device", {}, {}, 422, "'device_id' is a required property"),
        ("/actions/list_device_activities", {"device_id": 1, "before": "soon"}, {}, 422, "before"),
        ("/actions/schedule_maintenance", {"end": ""}, {}, 422, "end: an empty text is not a time"),
        ("/actions/schedule_maintenance", {"end": "2036-01-01T12:99:00Z"}, {}, 422, "end: "),
        ("/actions/get_device", {}, {"Content_Type": "text/csv"}, 415, 'is "text/csv": use application/json'),
        ("/actions/get_device", {}, {"Content_Type": "application/json; charset=latin-1"}, 415, "use UTF-8"),
        ("/actions/get_device", {}, {"Content_Encoding": "gzip"}, 415, "compressed"),
        ("/actions/get_device?connection=other", {"device_id": 1}, {}, 403, 'the connection "other"'),
        ("/actions/halopsa.list_clients", {}, {}, 403, "no right to use a connection of halopsa"),
        ("/actions/get_device", {"device_id": 1}, {"Idempotency_Key": "a b"}, 400, "1 to 255 printable"),
        ("/nothing", {}, {}, 404, "no such path"),
    ],
)  # fmt: skip
def test_what_is_refused_before_anything_is_sent(
    web: Web, shared_sandbox: Sandbox, path: str, body: Any, headers: dict[str, str], status: int, said: str
) -> None:
    assert said in problem(web.post(path, body, **headers), status)
    assert sent(shared_sandbox) == []


def test_a_body_that_is_not_json_is_refused(web: Web) -> None:
    for text in ("", "{", "NaN", "[" * 100_000, "\ud800"):
        data = text.encode("utf-8", "surrogatepass")
        headers = {"Authorization": f"Bearer {web.key}", "Content-Type": "application/json"}
        assert "not JSON" in problem(web.client.post("/actions/get_device", data=data, headers=headers), 400)


def test_another_method_names_the_allowed_one(web: Web) -> None:
    response = web.get("/actions/get_device")
    problem(response, 405)
    assert response.headers["Allow"] == "POST"


def test_bodies_and_rows_are_limited(
    tmp_path: Path, acme: Path, catalog: Catalog, shared_sandbox: Sandbox
) -> None:
    limited = Web(tmp_path, catalog, connections=(str(acme),), limits=Limits(body=100, rows=2))
    assert len(envelopes(limited.post("/actions/get_device", '{"device_id": 1}\n' * 2))) == 2
    assert "3 rows; the limit is 2" in problem(limited.post("/actions/get_device", '{"a": 1}\n' * 3), 413)
    assert "larger than 100 bytes" in problem(limited.post("/actions/get_device", " " * 101), 413)
    assert len(sent(shared_sandbox)) == 2
    limited.app.close()


def test_a_preview_sends_nothing(web: Web, shared_sandbox: Sandbox) -> None:
    shown = web.post("/preview/update_device", {"device_id": 1, "display_name": "{{ x }}"}).get_json()
    assert (shown["method"], shown["body"]) == ("PATCH", {"displayName": "{{ x }}"})
    assert "secret" not in json.dumps(shown)
    assert problem(web.post("/preview/update_device", {"display_name": "x"}), 422)
    assert problem(web.post("/preview/update_device", '{"device_id": 1}'), 415)
    assert sent(shared_sandbox) == []


def test_a_destructive_action_is_confirmed_for_each_of_its_rows(web: Web, shared_sandbox: Sandbox) -> None:
    row = {"device_id": 1, "mode": "NORMAL"}
    said = problem(web.post("/actions/reboot_device", row), 403)
    assert "there is no X-Confirm: to confirm it, send `X-Confirm: 1`" in said
    lines = f"{json.dumps(row)}\n" * 2
    for given in ("yes", "1", "3", "2.0"):
        assert f"X-Confirm is {given}" in problem(
            web.post("/actions/reboot_device", lines, X_Confirm=given), 403
        )
    assert sent(shared_sandbox) == []
    assert [one["error"] for one in envelopes(web.post("/actions/reboot_device", lines, X_Confirm="2"))] == [
        None
    ] * 2
    assert web.post("/actions/reboot_device", row, X_Confirm="1").get_json()["error"] is None
    assert len(sent(shared_sandbox)) == 3


def test_a_member_that_is_given_twice_is_an_error(web: Web, shared_sandbox: Sandbox) -> None:
    twice = b'{"device_id": 1, "display_name": "a", "display_name": "b"}'
    headers = {"Authorization": f"Bearer {web.key}"}
    for path in ("/actions/update_device", "/preview/update_device"):
        answer = web.client.post(path, data=twice, headers=headers, content_type="application/json")
        assert 'the member "display_name" appears twice' in problem(answer, 400)
    (envelope,) = envelopes(web.post("/actions/update_device", twice.decode()))
    assert envelope["meta"]["code"] == "input_invalid"
    assert 'the member "display_name" appears twice' in envelope["error"]
    assert sent(shared_sandbox) == []


def test_a_byte_order_mark_is_ignored(web: Web) -> None:
    headers = {"Authorization": f"Bearer {web.key}"}
    row = b'\xef\xbb\xbf{"device_id": 1}'
    for media in ("application/json", "application/x-ndjson"):
        answer = web.client.post("/actions/get_device", data=row, headers=headers, content_type=media)
        assert json.loads(answer.text)["error"] is None


def test_texts_that_are_converted_are_no_names(web: Web, shared_sandbox: Sandbox) -> None:
    row = {"organization_id": "Alder Dental"}
    said = problem(web.post("/actions/get_organization?lenient=1", row), 422)
    assert "names are accepted with ?names=1" in said
    assert sent(shared_sandbox) == []
    both = web.post("/actions/get_organization?lenient=1&names=1", row)
    assert both.get_json()["result"]["id"] == 1
    number = web.post("/actions/get_organization?lenient=1", {"organization_id": "1"})
    assert number.get_json()["result"]["id"] == 1


def test_a_file_of_a_connection_is_named_as_on_the_command_line(
    web: Web, acme: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(acme.parent)
    for name in (acme.name, f"./{acme.name}", str(acme)):
        answer = web.post(f"/actions/get_device?connection={name}", {"device_id": 1})
        assert answer.get_json()["error"] is None
    problem(web.post("/actions/get_device?connection=other.yaml", {"device_id": 1}), 403)


def test_files_need_a_folder_of_the_server(web: Web, tmp_path: Path, acme: Path, catalog: Catalog) -> None:
    takes = "upload_temporary_attachments"
    gives = next(a.name for a in catalog.actions() if a.returns_file)
    assert "start the server with --uploads" in problem(web.post(f"/actions/{takes}"), 403)
    assert "start the server with --files" in problem(web.post(f"/actions/{gives}"), 403)
    comment = {"ticket_id": 1001, "public": True, "body": "Cable replaced."}
    assert web.post("/actions/add_ticket_comment", comment).get_json()["error"] is None
    for path in (
        "actions/add_ticket_comment",
        "actions/add_ticket_comment?lenient",
        "preview/add_ticket_comment",
    ):
        said = problem(web.post(f"/{path}", {**comment, "files": ["pyproject.toml"]}), 422)
        assert "start the server with --uploads" in said
    for folder in ("uploads", "files"):
        (tmp_path / folder).mkdir()
    folders = {"uploads": tmp_path / "uploads", "files": tmp_path / "files"}
    other = Web(tmp_path / "other", catalog, connections=(str(acme),), **folders)
    assert problem(other.post(f"/actions/{takes}"), 422)
    assert problem(other.post(f"/actions/{gives}"), 422)
    other.app.close()


def test_a_refused_sign_in_is_an_envelope_and_is_tried_again_once_it_is_mended(
    tmp_path: Path, catalog: Catalog, shared_sandbox: Sandbox
) -> None:
    path = tmp_path / "wrong.yaml"
    settings = {**shared_sandbox.connection, "client_secret": "a-wrong-secret"}
    path.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    web = Web(tmp_path, catalog, connections=(str(path),))
    response = web.post("/actions/get_device?status=mirror", {"device_id": 1})
    assert (response.status_code, response.get_json()["meta"]["code"]) == (403, "auth_failed")
    assert "a-wrong-secret" not in response.text
    sessions, first = web.app._calls._sessions, len(shared_sandbox.log.signins())
    for seconds, count in (
        (0, first),
        (0, first),
        (REFUSED_S, first + 1),
        (1, first + 1),
        (REFUSED_S, first + 2),
    ):
        web.clock.time += seconds
        again = web.post("/actions/get_device", {"device_id": 1}).get_json()
        assert again["meta"]["code"] == "auth_failed"
        assert len(shared_sandbox.log.signins()) == count  # each one can lead to a locked account
    assert (len(sessions._open), sessions._replaced) == (1, [])
    path.write_text("".join(f"{name}: {value}\n" for name, value in shared_sandbox.connection.items()))
    assert web.post("/actions/get_device", {"device_id": 1}).get_json()["error"] is None
    path.unlink()
    assert "the connection cannot be used" in problem(web.post("/actions/get_device", {"device_id": 1}), 500)
    web.app.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("audit: .\n", "the audit log cannot be written"),
        ("ca_file: notes.txt\nbase_url: https://127.0.0.1:1\n", "notes.txt"),
    ],
)
def test_a_connection_that_cannot_be_used_is_a_problem_of_the_server(
    web: Web, acme: Path, settings: str, said: str
) -> None:
    (acme.parent / "notes.txt").write_text("no certificate")
    kept = [line for line in acme.read_text().splitlines() if line.partition(":")[0] not in settings]
    acme.write_text("\n".join([*kept, settings.replace("notes.txt", str(acme.parent / "notes.txt"))]))
    for _ in range(2):
        detail = problem(web.post("/actions/get_device", {"device_id": 1}), 500)
        assert detail.startswith("the connection cannot be used: ")
        assert said in detail


def test_a_body_that_cannot_be_stored_leaves_no_file_open(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    files = []

    class Full(SpooledTemporaryFile):  # type: ignore[type-arg]
        def write(self, _: object) -> int:
            files.append(self)
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("connector.serve.bodies.SpooledTemporaryFile", Full)
    detail = problem(web.post("/actions/get_device", {"device_id": 1}), 500)
    assert detail == "the body cannot be stored: No space left on device; nothing was sent"
    assert [file.closed for file in files] == [True]


@pytest.mark.parametrize("code", CODES)
def test_no_status_is_one_that_callers_retry_unless_a_retry_is_worth_it(code: Code) -> None:
    for repeatable in (True, False):
        for api_status in (None, 429, 503):
            meta = {"code": code, "status": api_status, "repeatable": repeatable}
            status = status_of(Envelope(1, "it failed", None, meta))
            assert (status in (429, 502, 503)) == (kind_of(meta) == "retry")
            assert status in MIRRORED
            assert str(status) in PROBLEMS


def test_an_edited_connection_is_read_again(web: Web, acme: Path) -> None:
    assert web.post("/actions/create_tag", {"name": "before"}).get_json()["error"] is None
    acme.write_text(f"{acme.read_text()}read_only: true\n")
    response = web.post("/actions/create_tag", {"name": "after"})
    assert "the connection is read-only" in response.text
    assert response.status_code == 403
    assert web.app._calls._sessions._replaced == []


def test_a_replaced_connection_is_closed_after_its_last_request(
    web: Web, acme: Path, catalog: Catalog
) -> None:
    sessions, action = web.app._calls._sessions, catalog.action("get_device")
    with sessions.using(action, ALL, None) as first:
        acme.write_text(f"{acme.read_text()}read_only: true\n")
        with sessions.using(action, ALL, None) as second:
            assert first is not second
        assert first.envelope("get_device", {"device_id": 1}).error is None
    with pytest.raises(RunError, match="the session is closed"):
        first.envelope("get_device", {"device_id": 1})
    assert second.envelope("get_device", {"device_id": 1}).error is None


def test_the_access_log_has_no_secret(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "connector"):
        web.post("/actions/get_device?connection=hidden-text", {"device_id": 1})
        web.post("/actions/get_device", {"device_id": 1}, Idempotency_Key="hidden-text")
        web.post("/actions/get_device", {"device_id": 1}, key="hidden-text")
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("access_log")]
    assert [line.rpartition(" in ")[0] for line in lines] == [
        "all: POST /actions/get_device: 403",
        "all: POST /actions/get_device: 200",
        "-: POST /actions/get_device: 401",
    ]
    assert "hidden-text" not in caplog.text
    assert web.key not in caplog.text


def test_the_server_streams_and_stops(acme: Path, shared_sandbox: Sandbox) -> None:
    """Over real HTTP, with waitress, as the command line starts it."""
    with serving("--connection", str(acme), "--max-body-mb", "0.002") as server:
        url = f"{server.address}/actions/get_device"
        assert requests.get(f"{server.address}/health", timeout=PATIENCE_S).json()["status"] == "ok"
        assert requests.post(url, json={"device_id": 1}, timeout=PATIENCE_S).json()["result"]["id"] == 1
        seen: list[int] = []
        shared_sandbox.before_response(lambda entry: seen.append(entry.n))
        body = b'{"device_id": 1}\n{"device_id": 2}\n{"device_id": 3}\n'
        shared_sandbox.set_faults(queue=[None, "hold"])
        headers = {"Content-Type": "application/x-ndjson"}
        with requests.post(url, data=body, headers=headers, stream=True, timeout=PATIENCE_S) as response:
            lines = response.iter_lines()
            assert json.loads(next(lines))["row"] == 1  # while the second row is held back
            shared_sandbox.set_faults(queue=[])
            assert [json.loads(line)["row"] for line in lines] == [2, 3]
        document = f"{server.address}/openapi.json?actions=get_device"
        other_host = requests.get(document, headers={"Host": "evil.example"}, timeout=PATIENCE_S)
        assert other_host.status_code == 403
        # A browser that a name of another site leads to 127.0.0.1 can set any header but Host.
        rebound = {"Host": "evil.example", "X-Forwarded-Host": urlsplit(server.address).netloc}
        assert requests.get(document, headers=rebound, timeout=PATIENCE_S).status_code == 403
        assert (
            requests.post(url, json={"device_id": 1}, headers=rebound, timeout=PATIENCE_S).status_code == 403
        )
        for name in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"):
            assert requests.get(document, headers={name: "x"}, timeout=PATIENCE_S).status_code == 403
        too_large = requests.post(url, json={"device_id": 1, "x": "x" * 4000}, timeout=PATIENCE_S)
        assert too_large.status_code == 413
    assert server.process.returncode == 0
