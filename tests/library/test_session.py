"""Sessions: calls from a program, with native values, and errors that differ by their cause."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import connector
from connector import (
    ActionError,
    Catalog,
    ConnectionSetupError,
    ConnectorError,
    HaloPSA,
    InputError,
    NinjaOne,
    NotStartedError,
    RunError,
    RunStoppedError,
    Session,
)
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.library import session as session_module
from connector.library.values import json_value
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import HurriedClock, make_unwritable
from tests.library.conftest import paths
from tests.toy import declare_toy, toy_connection, toy_server

UNTIL = "2036-07-16T06:00:00Z"
CYCLE: list[Any] = []
CYCLE.append(CYCLE)


def test_the_example_of_the_design(
    ninja: NinjaOne, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    device = ninja.call("get_device", device_id=12)
    assert device["systemName"] == "DSK-0012"
    listed = [one["systemName"] for one in ninja.each("list_devices", filter="class = WINDOWS_SERVER")]
    assert listed[:2] == ["SRV-0001", "SRV-0008"]
    ninja.call("reboot_device", device_id=12, mode="NORMAL", confirm=True)
    rows = [{"device": 1, "until": UNTIL}, {"device": 9999, "until": UNTIL}]
    templates = {"device_id": "{{ device }}", "disabled_features": '["ALERTS"]', "end": "{{ until }}"}
    found = list(ninja.run("schedule_maintenance", rows, concurrency=4, templates=templates))
    assert [(e.row, e.has_error, e.meta["code"]) for e in found] == [(1, False, None), (2, True, "not_found")]
    before = paths(sandbox)
    shown = ninja.preview("update_device", device_id=12, display_name="x")
    assert (shown["method"], shown["url"]) == ("PATCH", f"{sandbox.base_url}/v2/device/12")
    assert shown["body"] == {"displayName": "x"}
    assert "Bearer" in shown["headers"]["authorization"]
    assert "sandbox" not in shown["headers"]["authorization"]
    assert ninja.actions("maintenance") == ["cancel_maintenance", "schedule_maintenance"]
    assert ninja.describe("schedule_maintenance")["additionalProperties"] is False
    assert paths(sandbox) == before
    assert "POST /v2/device/12/reboot/NORMAL" in before
    assert capfd.readouterr() == ("", "")


def test_a_missing_input_a_404_and_a_wrong_sign_in_are_three_errors(
    ninja: NinjaOne, sandbox: Sandbox
) -> None:
    with pytest.raises(InputError, match="a required input has no value: device_id"):
        ninja.call("get_device")
    assert paths(sandbox) == []
    with pytest.raises(ActionError, match="device_not_found") as caught:
        ninja.call("get_device", device_id=9999)
    error = caught.value
    assert (error.code, error.status, error.transient) == ("not_found", 404, False)
    assert error.envelope.meta["action"] == "get_device"
    wrong = NinjaOne(**{**sandbox.connection, "client_secret": "not-the-secret"})
    with pytest.raises(ConnectionSetupError, match="refuses the client secret"):
        wrong.call("get_device", device_id=1)
    assert not issubclass(InputError, ActionError)
    assert all(issubclass(kind, ConnectorError) for kind in (InputError, ActionError, ConnectionSetupError))


def test_what_can_succeed_later_is_transient(
    ninja: NinjaOne, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.library.session.SystemClock", HurriedClock)
    sandbox.set_faults(queue=[{"fault": "answer", "status": 500, "body": {}}] * 9)
    with pytest.raises(ActionError) as caught:
        ninja.call("get_device", device_id=1)
    assert (caught.value.code, caught.value.status, caught.value.transient) == ("api_error", 500, True)


@pytest.mark.parametrize(
    ("action", "inputs", "message"),
    [
        ("get_device", {"device_idd": 1}, 'get_device has no input "device_idd" (did you mean "device_id"?)'),
        ("get_device", {"device_id": 1, "delay_ms": 0}, '"delay_ms": it is a setting of the whole run'),
        ("get_device", {"device_id": 1.5}, "device_id: "),
        ("get_device", {"device_id": object()}, "a value of the type object cannot be converted"),
        ("get_device", {"device_id": 1, "device_id_": 2}, "device_id appears twice, also as device_id_"),
        ("get_device", {"device_id": Decimal("Infinity")}, "device_id: Infinity cannot be converted to JSON"),
        ("get_device", {"device_id": Decimal("sNaN")}, "device_id: sNaN cannot be converted to JSON"),
        ("get_device", {"device_id": float("nan")}, "device_id: nan cannot be converted to JSON"),
        ("get_device", {"device_id": Decimal("1e999999")}, "1E+999999 cannot be converted to JSON"),
        ("get_device", {"device_id": CYCLE}, "device_id: it contains itself, or is nested too deeply"),
        ("get_device", {"device_id": {1: "a", "1": "b"}}, "device_id: two of its names have the same text"),
        ("get_device", {"device_id": b"1"}, "a value of the type bytes cannot be converted"),
        ("reboot_device", {"device_id": 1, "mode": "GENTLE"}, "GENTLE"),
        ("run_script", {"device_id": 1, "type": "SCRIPT"}, "with type SCRIPT, script_id is required"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_is_sent(
    ninja: Session, sandbox: Sandbox, action: str, inputs: dict[str, Any], message: str
) -> None:
    for refused in (ninja.call, ninja.preview):
        confirm = {"confirm": True} if refused == ninja.call else {}
        with pytest.raises(InputError) as caught:
            refused(action, **inputs, **confirm)
        assert message in str(caught.value)
    assert paths(sandbox) == []


def test_values_are_native_and_never_templates(ninja: Session) -> None:
    shown = ninja.preview(
        "update_device", device_id=1, display_name="{{ 7*7 }}", user_data={"a": ["{{ b }}"]}
    )
    assert shown["body"] == {"displayName": "{{ 7*7 }}", "userData": {"a": ["{{ b }}"]}}
    end = datetime(2036, 7, 16, 6, tzinfo=timezone.utc)
    inputs = {"device_id": 1, "disabled_features": ("ALERTS",)}
    for time in (end, UNTIL, end.timestamp()):
        body = ninja.preview("schedule_maintenance", **inputs, end=time)["body"]
        assert body == {"disabledFeatures": ["ALERTS"], "end": UNTIL}


def test_python_values_as_json() -> None:
    given = {"d": date(2026, 1, 2), "p": Path("a/b"), "t": (1, Decimal("2.50")), 5: [Decimal(7), None, True]}
    assert json_value(given, "x") == {"d": "2026-01-02", "p": "a/b", "t": [1, 2.5], "5": [7, None, True]}


def test_empty_text_is_sent_and_none_is_null_where_the_api_takes_it(ninja: Session) -> None:
    def body(**inputs: Any) -> Any:
        return ninja.preview("update_device", device_id=1, **inputs)["body"]

    assert body(display_name="") == {"displayName": ""}
    assert body(policy_id=None) == {"policyId": None}
    assert body(display_name="x", organization_id=None) == {"displayName": "x"}
    assert body(display_name=None, policy_id=None) == {"policyId": None}
    shown = ninja.preview("update_organization", organization_id=1, name=None, description="x")
    assert shown["body"] == {"description": "x"}


def test_an_update_of_nothing_is_refused(ninja: Session, sandbox: Sandbox) -> None:
    for nothing in ({}, {"display_name": None}):
        for refused in (ninja.call, ninja.preview):
            with pytest.raises(InputError, match=r"^nothing to change: no value for "):
                refused("update_device", device_id=11, **nothing)
        (envelope,) = ninja.run("update_device", [{"device_id": 11, **nothing}])
        assert str(envelope.error).startswith("nothing to change: no value for ")
    assert [path for path in paths(sandbox) if path.startswith("PATCH")] == []


def test_a_name_that_python_reserves(ninja: NinjaOne) -> None:
    assert ninja.preview("list_activities", class_="DEVICE")["query"]["class"] == "DEVICE"


def test_a_name_stands_for_an_id(ninja: NinjaOne) -> None:
    assert ninja.call("get_device", device_id="DSK-0012")["id"] == 12


def test_a_destructive_action_has_to_be_confirmed(ninja: Session, sandbox: Sandbox) -> None:
    for refused in (
        lambda: ninja.call("reboot_device", device_id=1, mode="NORMAL"),
        lambda: ninja.envelope("reboot_device", {"device_id": 1, "mode": "NORMAL"}),
        lambda: ninja.run("reboot_device", [{"device_id": 1, "mode": "NORMAL"}]),
    ):
        with pytest.raises(RunError, match="reboot_device is destructive: it requires confirm=True"):
            refused()
    assert paths(sandbox) == []


def test_a_read_only_session_changes_nothing(sandbox: Sandbox) -> None:
    with Session(**sandbox.connection, read_only=True) as session:
        for refused in (
            lambda: session.call("update_device", device_id=1, display_name="x"),
            lambda: session.run("update_device", []),
        ):
            with pytest.raises(RunError, match="read-only"):
                refused()
        assert session.call("get_device", device_id=1)["id"] == 1


def test_connections_by_name_file_and_environment(
    sandbox: Sandbox, connection_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"base_url": sandbox.base_url, "client_id": sandbox.client_id}
    SavedConnections().save("acme", settings)
    SecretStore().set("acme", "client_secret", sandbox.client_secret, "file")
    for given in ("acme", connection_file, str(connection_file)):
        assert NinjaOne(given).call("get_device", device_id=1)["id"] == 1
    for name, text in sandbox.connection.items():
        monkeypatch.setenv(f"NINJAONE_{name.upper()}", text)
    assert NinjaOne().connection.base_url == sandbox.base_url


@pytest.mark.parametrize(
    ("given", "settings", "message"),
    [
        ("nobody", {}, 'no saved connection "nobody"'),
        (None, {}, "no connection: save one with"),
        (None, {"regionn": "eu"}, 'the keywords: unknown setting "regionn" (did you mean "region"?)'),
        (None, {"region": "eu"}, "the keywords: no credentials"),
        (None, {"region": 5}, "the keywords: region must be text, not an integer"),
        ("acme", {"region": "eu"}, "give either a connection or its settings (region), not both"),
        ("acme", {"delay_ms": -1}, "delay_ms must be auto or a non-negative number of milliseconds"),
        ("acme", {"delay_ms": "0"}, "delay_ms must be auto or a non-negative number of milliseconds"),
        ("acme", {"min_delay_ms": 0}, "min_delay_ms must be a number of milliseconds, at least 1"),
        ("acme", {"times": "is"}, 'times: "is" is not one of epoch, iso'),
        ("acme", {"service": "acme"}, 'no service "acme"'),
    ],
)
def test_a_connection_that_cannot_be_used(given: str | None, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError) as caught:
        Session(given, **settings)
    assert message in str(caught.value)


def test_an_unknown_action_and_what_is_no_list(ninja: Session) -> None:
    with pytest.raises(RunError, match=r'no action "get_devic" \(did you mean "get_device"\?\)'):
        ninja.call("get_devic")
    with pytest.raises(RunError, match="get_device does not return a list; use call"):
        ninja.each("get_device", device_id=1)


def test_an_action_of_another_service_names_its_session(ninja: Session, sandbox: Sandbox) -> None:
    said = r"halopsa.list_clients is an action of HaloPSA, and .* session of NinjaOne; use HaloPSA\(\.\.\.\)"
    for refused in (ninja.call, ninja.preview, ninja.each, ninja.describe, lambda name: ninja.run(name, [])):
        with pytest.raises(RunError, match=said):
            refused("halopsa.list_clients")
    assert paths(sandbox) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": "2"}, "concurrency must be an integer between 1 and "),
        ({"concurrency": 1.5}, "concurrency must be an integer between 1 and "),
        ({"results": "nope"}, 'results: "nope" is not one of one, each'),
    ],
)
def test_a_run_with_an_option_that_is_not_valid(ninja: Session, options: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        ninja.run("get_device", [], **options)


def test_halopsa_without_the_prefix_of_its_names() -> None:
    with HaloSandbox() as sandbox:
        settings = {name: value for name, value in sandbox.connection.items() if name != "service"}
        with HaloPSA(**settings, delay_ms=0) as halo:
            clients = list(halo.each("list_clients"))
            first = clients[0]["id"]
            assert halo.call("get_client", client_id=first)["id"] == first
            assert (
                halo.envelope("halopsa.get_client", {"client_id": first}).meta["action"]
                == "halopsa.get_client"
            )
            assert "list_clients" in halo.actions()
            assert halo.describe("get_client") == halo.catalog.describe("halopsa.get_client", names=True)
            with pytest.raises(RunError, match=r'no action "halopsa\.get_device"'):
                halo.envelope("get_device", {})


def test_custom_actions_of_a_third_service(tmp_path: Path) -> None:
    catalog = Catalog(own=declare_toy(tmp_path / "own"))
    with (
        toy_server() as server,
        Session(toy_connection(tmp_path, server), service="toy", catalog=catalog) as toy,
    ):
        assert [item["name"] for item in toy.each("list_toys")] == ["Bear", "Kite"]


def test_a_closed_session_sends_nothing(ninja: NinjaOne, sandbox: Sandbox) -> None:
    ninja.close()
    ninja.close()
    with pytest.raises(RunError, match="the session is closed"):
        ninja.call("get_device", device_id=1)
    assert paths(sandbox) == []


def test_a_stopped_session_starts_no_further_call_or_row(
    ninja: NinjaOne, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = ninja.run("get_device", [{"device_id": 1}, {"device_id": 2}])
    assert next(results).result["id"] == 1

    def event() -> Event:  # the session is stopped while another thread starts a run
        ninja.stop()
        return Event()

    monkeypatch.setattr(session_module, "Event", event)
    with pytest.raises(RunError, match="the session is closed"):
        ninja.run_file("get_device", tmp_path / "rows.jsonl", tmp_path / "out.jsonl")
    assert list(results) == []
    with pytest.raises(RunError, match="the session is closed"):
        ninja.call("get_device", device_id=1)
    assert paths(sandbox) == ["GET /v2/device/1"]


def test_a_refused_sign_in_is_not_repeated_and_leaves_no_client_open(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    opening = session_module.open_client
    monkeypatch.setattr(session_module, "open_client", lambda *a, **k: opened.append(1) or opening(*a, **k))
    with Session(**{**sandbox.connection, "client_secret": "a-wrong-secret"}, delay_ms=0) as session:
        for refused in (
            lambda: session.call("get_device", device_id=1),
            lambda: session.envelope("get_device", {"device_id": 1}),
            lambda: session.each("list_devices"),
            lambda: session.run("get_device", [{"device_id": 1}]),
        ):
            with pytest.raises(ConnectionSetupError, match="signing in at"):
                refused()
    assert (len(sandbox.log.signins()), len(opened)) == (1, 1)
    assert paths(sandbox) == []


def test_an_audit_log_that_cannot_be_written_says_whether_the_request_was_sent(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    audit = tmp_path / "audit.jsonl"
    session = Session(**sandbox.connection, delay_ms=0, audit=audit)
    sandbox.before_response(lambda _: make_unwritable(audit))
    with pytest.raises(RunStoppedError, match="The request was sent: check whether it took effect") as caught:
        session.call("create_tag", name="sent")
    assert not isinstance(caught.value, NotStartedError)
    with pytest.raises(NotStartedError, match="Nothing was sent"):
        session.call("create_tag", name="not sent")
    assert paths(sandbox) == ["POST /v2/tag"]
    with pytest.raises(RunStoppedError, match="the audit log cannot be written"):
        session.close()


def test_threads_share_a_session_in_a_running_event_loop(ninja: NinjaOne, sandbox: Sandbox) -> None:
    async def ids() -> list[int]:
        assert ninja.call("get_device", device_id=1)["id"] == 1  # as in a cell of a notebook
        calls = [asyncio.to_thread(ninja.call, "get_device", device_id=n) for n in range(1, 21)]
        return [device["id"] for device in await asyncio.gather(*calls)]

    assert asyncio.run(ids()) == list(range(1, 21))
    assert len(sandbox.log.requests()) == 21


def test_a_program_runs_without_a_warning_and_prints_nothing(connection_file: Path) -> None:
    """Its session and its run are dropped without being closed."""
    program = f"""if True:
        from connector import NinjaOne
        ninja = NinjaOne({str(connection_file)!r}, delay_ms=0)
        assert ninja.call("get_device", device_id=1)["id"] == 1
        next(ninja.each("list_devices"))
        next(ninja.run("get_device", [{{"device_id": 1}}] * 9, concurrency=3))
        """
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_names_of_the_package() -> None:
    for name in connector.__all__:
        assert getattr(connector, name)
        assert name in dir(connector)
    with pytest.raises(AttributeError, match="has no attribute 'NinjaTwo'"):
        connector.NinjaTwo  # noqa: B018
