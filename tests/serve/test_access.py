"""Who may call what over HTTP, with a key and without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from connector.callers.keys import Keys, Rights
from connector.catalog.catalog import Catalog
from connector.cli.main import main
from connector.errors import RunError, RunStoppedError
from connector.http.waitress_server import Listener
from connector.sandbox.ninjaone.server import Sandbox
from connector.serve import server
from connector.serve.app import Application
from connector.serve.server import create_app
from connector.serve.settings import Settings
from connector.serve.turns import Turns
from tests.serve.web import Web, problem

DAY = "2026-11-29"


def test_a_key_for_reads_cannot_write_whatever_the_action(
    web: Web, catalog: Catalog, shared_sandbox: Sandbox
) -> None:
    key = web.keys.add("reader", Rights(), DAY)
    for action in catalog.actions():
        answer = web.post(f"/actions/{action.name}", {"no such": 1}, key=key, X_Confirm="1")
        if action.effect == "read":
            detail = answer.get_json()["detail"]
            assert (
                "start the server with --files" in detail or "halopsa" in detail or answer.status_code == 422
            )
            continue
        said = f'{action.name} has the effect "{action.effect}", for which the key "reader" has no right'
        assert problem(answer, 403) == said
        assert problem(web.post(f"/preview/{action.name}", {}, key=key), 403) == said
    assert shared_sandbox.log.requests() == []


def test_the_session_of_a_read_refuses_every_other_request(web: Web, catalog: Catalog) -> None:
    using = web.app._calls._sessions.using(catalog.action("get_device"), Rights(), None)
    with using as session, pytest.raises(RunError, match="read-only"):
        session.envelope("create_tag", {"name": "x"})


def test_rights_are_those_of_actions_and_connections(
    web: Web, acme: Path, tmp_path: Path, catalog: Catalog
) -> None:
    some = web.keys.add("some", Rights(("read", "write"), ("get_*", "update_device")), DAY)
    assert web.post("/actions/get_device", {"device_id": 1}, key=some).status_code == 200
    row = {"device_id": 1, "display_name": "x"}
    assert web.post("/actions/update_device", row, key=some).status_code == 200
    for other in ("create_tag", "list_devices", "reboot_device"):
        assert problem(web.post(f"/actions/{other}", {}, key=some), 403).startswith(
            'the key "some" has no right'
        )
    other_file = tmp_path / "other.yaml"
    other_file.write_text(acme.read_text())
    elsewhere = web.keys.add("elsewhere", Rights(connections=(str(other_file),)), DAY)
    assert "no right to use a connection" in problem(
        web.post("/actions/get_device", {"device_id": 1}, key=elsewhere), 403
    )
    two = Web(tmp_path / "two", catalog, connections=(str(acme), str(other_file)))
    limited = two.keys.add("limited", Rights(connections=(str(other_file),)), DAY)
    named = f"/actions/get_device?connection={other_file}"
    assert two.post(named, {"device_id": 1}, key=limited).status_code == 200
    assert problem(two.post(f"/actions/get_device?connection={acme}", {"device_id": 1}, key=limited), 403)
    two.app.close()


def test_a_missing_or_wrong_key_is_refused_and_a_removed_one_at_once(web: Web) -> None:
    key = web.keys.add("short-lived", Rights(), DAY)
    assert web.post("/actions/get_device", {"device_id": 1}, key=key).status_code == 200
    plain = web.client.post("/actions/get_device", json={"device_id": 1}, headers={"X-API-Key": key})
    assert plain.status_code == 200
    Keys(web.keys.path.parent).remove("short-lived")  # as another process does
    for headers in (
        {},
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"Basic {web.key}"},
        {"Authorization": "Bearer "},
        {"X-API-Key": "wrong \u00e9"},
    ):
        refused = web.client.post("/actions/get_device", json={"device_id": 1}, headers=headers)
        problem(refused, 401)
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert key not in refused.text
    problem(web.client.get("/openapi.json"), 401)
    assert web.client.get("/health").status_code == 200


def test_without_any_key_this_machine_may_read_and_write_and_nobody_else(
    tmp_path: Path, catalog: Catalog, acme: Path
) -> None:
    web = Web(tmp_path, catalog, connections=(str(acme),), requires_key=False)
    row, headers = {"device_id": 1}, {"Host": "127.0.0.1:8700"}
    web.keys.path.unlink()
    assert web.client.post("/actions/get_device", json=row, headers=headers).status_code == 200
    confirmed = {**headers, "X-Confirm": "1"}
    assert problem(web.client.post("/actions/reboot_device", json=row, headers=confirmed), 403)
    for host in ("evil.example", "evil.example:8700", "127.0.0.1.evil.example", "192.0.2.1:80", ""):
        problem(web.client.post("/actions/get_device", json=row, headers={"Host": host}), 403)
    simple = web.client.post(
        "/actions/get_device", data="{}", headers={**headers, "Content-Type": "text/plain"}
    )
    problem(simple, 415)  # what a page of another site can send without consent
    web.app.close()


def test_once_there_was_a_key_every_request_needs_one(tmp_path: Path, catalog: Catalog, acme: Path) -> None:
    web = Web(tmp_path, catalog, connections=(str(acme),), requires_key=False)

    def status(**headers: str) -> int:
        given = {"Host": "127.0.0.1:8700", **headers}
        return web.client.post("/actions/get_device", json={"device_id": 1}, headers=given).status_code

    assert (status(), status(Authorization=f"Bearer {web.key}")) == (401, 200)
    web.keys.remove("all")
    assert (status(), status(Authorization=f"Bearer {web.key}")) == (401, 401)
    assert Keys(web.keys.path.parent).are_required()  # also for a server that is started now
    web.keys.path.unlink()
    assert status() == 401
    web.keys.path.write_text("{")
    refused = web.client.post("/actions/get_device", json={"device_id": 1})
    assert problem(refused, 500) == "the keys cannot be read: see the log of the server"
    web.app.close()


def test_the_application_for_another_server_needs_a_key_everywhere(acme: Path) -> None:
    app = create_app([str(acme)], delay_ms=0)
    client = Client(app)
    row, headers = {"device_id": 1}, {"Host": "127.0.0.1"}
    assert client.post("/actions/get_device", json=row, headers=headers).status_code == 401
    secret = Keys().add("all", Rights(), DAY)
    headers["X-API-Key"] = secret
    assert client.post("/actions/get_device", json=row, headers=headers).status_code == 200
    app.close()


def test_an_address_that_others_reach_needs_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "listening on 0.0.0.0 requires keys" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-wait", "-1"), "must be finite and greater than 0"),
        (("--max-wait", "inf"), "must be finite and greater than 0"),
        (("--max-rows", "0"), "must be finite and greater than 0"),
        (("--max-body-mb", "nan"), "must be finite and greater than 0"),
        (("--max-body-mb", "inf"), "must be finite and greater than 0"),
        (("--delay-ms", "inf"), "argument --delay-ms: must be auto or a non-negative number"),
        (("--uploads", "no-such-folder"), "no-such-folder: no such folder"),
        (("--connection", "no_such"), 'no saved connection "no_such"'),
        (("--port", "70000"), "70000 is not a port number"),
    ],
)
def test_a_wrong_option_starts_nothing(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: Any = main(["serve", *options])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_the_command_has_the_options_of_a_run(
    acme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Settings] = []
    listen = server.listen

    def listening(application: Application, settings: Settings, host: str, port: int) -> Listener:
        seen.append(settings)
        return listen(application, settings, host, port)

    monkeypatch.setattr(server, "listen", listening)
    monkeypatch.setattr(Listener, "run", lambda _: None)
    audit = tmp_path / "audit.jsonl"
    options = ("-c", str(acme), "--delay-ms", "auto", "--audit", str(audit), "--max-wait", "1e300")
    assert main(["serve", *options, "--port", "0"]) == 3
    assert "the server has ended because of an error" in capsys.readouterr().err
    (settings,) = seen
    assert (settings.connections, settings.delay_ms, settings.audit) == ((str(acme),), "auto", audit)
    with Turns(settings.max_wait_s, running=1).turn("acme"):
        pass


def test_the_address_is_released_also_if_an_audit_log_cannot_be_written(
    acme: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[Listener] = []
    close_listener, close_application = Listener.close, Application.close

    def close(application: Application) -> None:
        close_application(application)
        raise RunStoppedError("the audit log cannot be written")

    monkeypatch.setattr(Listener, "run", lambda _: None)
    monkeypatch.setattr(Listener, "close", lambda one: (closed.append(one), close_listener(one)))
    monkeypatch.setattr(Application, "close", close)
    assert main(["serve", "-c", str(acme), "--port", "0"]) == 3
    assert "stopped: the audit log cannot be written" in capsys.readouterr().err
    assert len(closed) == 1
