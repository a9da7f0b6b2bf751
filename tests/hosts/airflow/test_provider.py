"""The provider with a stand-in for Airflow, over a real session with the sandbox."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sys
import threading
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from connector import (
    ActionError,
    ConnectionSetupError,
    Envelope,
    FailureLimitError,
    NotStartedError,
    RunError,
    RunStoppedError,
)
from connector.sandbox.ninjaone.server import Sandbox
from connector.sandbox.services import make_sandbox
from tests.conftest import ROOT
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S

FOLDER = ROOT / "integrations" / "airflow"


class AirflowException(Exception):
    pass


class AirflowFailException(AirflowException):
    pass


class BaseOperator:
    log = logging.getLogger("airflow.task")

    def __init__(self, *, task_id: str, do_xcom_push: bool = True) -> None:
        self.task_id, self.do_xcom_push = task_id, do_xcom_push

    @property
    def output(self) -> str:  # which no operator of Airflow can replace
        return f"result of {self.task_id}"


class BaseHook:
    connections: dict[str, Any] = {}  # noqa: RUF012

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        return cls.connections[conn_id]


@pytest.fixture(scope="module")
def provider() -> Any:
    """The provider's modules, over modules of Airflow that have only what it uses."""
    fake = {name: ModuleType(name) for name in ("airflow", "airflow.sdk", "airflow.sdk.bases")}
    fake["airflow.sdk.bases.hook"], fake["airflow.sdk.exceptions"] = (
        ModuleType("hook"),
        ModuleType("exceptions"),
    )
    fake["airflow.sdk"].BaseOperator = BaseOperator  # type: ignore[attr-defined]
    fake["airflow.sdk.bases.hook"].BaseHook = BaseHook  # type: ignore[attr-defined]
    for kind in (AirflowException, AirflowFailException):
        setattr(fake["airflow.sdk.exceptions"], kind.__name__, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name, module in fake.items():
            patch.setitem(sys.modules, name, module)
        names = ("forms", "hooks", "operators", "results", "stopping")
        found = {name: import_module(f"airflow_provider_ninjaone.{name}") for name in names}
        yield SimpleNamespace(**found, info=import_module("airflow_provider_ninjaone").get_provider_info())
    for name in [name for name in sys.modules if name.startswith("airflow_provider_ninjaone")]:
        del sys.modules[name]


def connect(name: str, **fields: Any) -> None:
    empty = dict.fromkeys(("host", "port", "login", "password"))
    BaseHook.connections[name] = SimpleNamespace(**{**empty, "extra_dejson": {}, **fields})


@pytest.fixture
def connected(sandbox: Sandbox) -> Sandbox:
    account = {"host": sandbox.base_url, "login": sandbox.client_id, "password": sandbox.client_secret}
    connect("ninjaone_default", **account, extra_dejson={"delay_ms": 0, "region": ""})
    connect("wrong", **{**account, "password": "wrong-secret"}, extra_dejson={"delay_ms": 0})
    return sandbox


def context(run: str = "one") -> dict[str, Any]:
    return {"ti": SimpleNamespace(dag_id="nightly", task_id="patch", run_id=run, map_index=-1)}


def test_a_connection_has_the_settings_of_a_session(provider: Any, connected: Sandbox) -> None:
    hook = provider.hooks.NinjaOneHook
    connect(
        "a", host="acme.example.com", port=8443, login="id", password="pw", extra_dejson={"timezone": "UTC"}
    )
    expected = {"base_url": "https://acme.example.com:8443", "client_id": "id", "client_secret": "pw"}
    assert hook("a").settings() == {**expected, "timezone": "UTC"}
    connect("b", login="id", extra_dejson={"region": "eu", "client_id": "other"})
    with pytest.raises(ConnectionSetupError, match="client_id is both in a field and in the extra"):
        hook(conn_id="b").settings()
    assert hook().test_connection()[0]
    ok, message = hook("wrong").test_connection()
    assert (ok, "invalid_client" in message, "wrong-secret" in message) == (False, True, False)


def test_an_operator_returns_a_small_result_and_writes_a_large_one(
    provider: Any, connected: Sandbox, tmp_path: Path
) -> None:
    operator = provider.operators.NinjaOneOperator
    assert operator(task_id="a", action="get_device", inputs={"device_id": "12"}).execute({})["id"] == 12
    with pytest.raises(AirflowFailException, match=r"result has [\d,]+ bytes, and XCom is for at most 100"):
        operator(task_id="a", action="list_devices", xcom_bytes=100).execute({})
    assert len(operator(task_id="a", action="list_devices", xcom_bytes=1, do_xcom_push=False).execute({})) > 9
    path = tmp_path / "new" / "devices.json"
    written = operator(task_id="a", action="list_devices", output_file=str(path)).execute({})
    assert written == {"output_file": str(path), "bytes": path.stat().st_size, "items": 23}
    assert [one["id"] for one in json.loads(path.read_bytes())][:2] == [1, 2]
    assert list(path.parent.iterdir()) == [path]

    # What was sent must not be sent again, whatever happens to its result, and whatever text is in it.
    broken = provider.results.write_result("\ud800", "list_devices", str(path))
    assert (broken["bytes"], json.loads(path.read_bytes())) == (8, "\ud800")
    with pytest.raises(
        AirflowFailException, match="list_devices succeeded, but its result cannot be written"
    ):
        operator(task_id="a", action="list_devices", output_file=str(tmp_path)).execute({})

    def fails(reason: str, action: str, **inputs: Any) -> None:
        with pytest.raises(AirflowFailException, match=reason):
            operator(task_id="a", action=action, inputs=inputs).execute({})

    fails("code not_found", "get_device", device_id=9999)
    fails("no input", "get_device", device=1)
    fails("requires confirm=True", "reboot_device", device_id=1, mode="NORMAL")


def test_the_same_for_halopsa(provider: Any) -> None:
    with make_sandbox("halopsa") as sandbox:
        settings = {name: value for name, value in sandbox.connection.items() if name != "service"}
        account = {"host": settings.pop("base_url"), "login": settings.pop("client_id")}
        secret = settings.pop("client_secret")
        connect("halopsa_default", **account, password=secret, extra_dejson={**settings, "delay_ms": 0})
        ok, message = provider.hooks.HaloPSAHook().test_connection()
        assert ok, message
        operator = provider.operators.HaloPSAOperator(task_id="a", action="list_clients", inputs={"limit": 2})
        assert len(operator.execute({})) == 2


@pytest.mark.parametrize(
    ("meta", "kind"),
    [
        ({"code": "timeout", "transient": True}, AirflowException),
        ({"code": "outcome_unknown", "repeatable": False}, AirflowFailException),
        ({"code": "not_found", "repeatable": True}, AirflowFailException),
    ],
)
def test_the_envelope_decides_whether_airflow_retries(
    provider: Any, monkeypatch: pytest.MonkeyPatch, meta: dict[str, Any], kind: type[Exception]
) -> None:
    envelope = Envelope(1, "no", None, {"status": None, **meta})
    session = SimpleNamespace(envelope=lambda *_, **__: envelope, stop=lambda: None)
    monkeypatch.setattr(provider.hooks.NinjaOneHook, "session", lambda self: nullcontext(session))
    with pytest.raises(AirflowException) as raised:
        provider.operators.NinjaOneOperator(task_id="a", action="get_device").execute({})
    assert type(raised.value) is kind
    session.envelope = lambda *_, **__: 1 / 0
    with pytest.raises(AirflowFailException, match="ZeroDivisionError"):
        provider.operators.NinjaOneOperator(task_id="a", action="get_device").execute({})


def test_a_retry_helps_only_with_errors_that_can_pass(provider: Any) -> None:
    def kind(error: Exception, *, resumes: bool = True) -> type[Exception]:
        return type(provider.operators._failure(error, resumes=resumes))

    busy, refused = RunError("x"), RunStoppedError("x")
    busy.transient = True
    refused.__cause__ = ConnectionSetupError("x")
    failed = ActionError("x", Envelope(1, "no", None, {"code": "partial", "status": None}))
    assert {kind(busy), kind(RunStoppedError("x")), kind(NotStartedError("x"), resumes=False)} == {
        AirflowException
    }
    finals = (RunError("x"), ConnectionSetupError("x"), FailureLimitError("x"), refused, failed)
    # A call whose audit log cannot be written may have been sent.
    assert {*map(kind, finals), kind(RunStoppedError("x"), resumes=False)} == {AirflowFailException}


def test_a_batch_returns_its_summary_and_is_resumed_by_its_own_run_alone(
    provider: Any, connected: Sandbox, tmp_path: Path
) -> None:
    rows, output = tmp_path / "rows.jsonl", tmp_path / "new" / "out.jsonl"
    write_lines(rows, [{"device": 1}, {"device": 9999}])
    settings: dict[str, Any] = {
        "action": "update_device",
        "input_file": str(rows),
        "output_file": str(output),
        "templates": {"device_id": "{{ device }}", "display_name": "{{ airflow_run }} {{ suffix }}"},
        "vars": {"suffix": "x"},
    }
    batch = provider.operators.NinjaOneBatchOperator
    with pytest.raises(AirflowFailException, match=r"1 of 2 rows failed: 1 not_found, for example row 2"):
        batch(task_id="a", **settings).execute(context())
    assert json.loads(output.read_text().splitlines()[0])["error"] is None
    sent = len(connected.log.requests())
    summary = batch(task_id="a", **settings, allow_failed_rows=True).execute(context())
    assert (summary["message"][:13], summary["runs"][0]["failed"]) == ("this run was ", 1)
    with pytest.raises(AirflowFailException, match="output of another run"):
        batch(task_id="a", **settings, allow_failed_rows=True).execute(context("two"))
    assert len(connected.log.requests()) == sent

    job = tmp_path / "job.yaml"
    job.write_text("action: get_device\ntemplates: {device_id: '{{ device }}'}\nconnection: other.yaml\n")
    settings = {"job_file": str(job), "input_file": str(rows), "allow_failed_rows": True}
    operator = batch(task_id="a", **settings, output_file=str(tmp_path / "2.jsonl"))
    assert operator.execute(context())["runs"][0]["rows"] == 2
    for wrong in ({}, {"action": "get_device"}, {"action": "x", "job_file": "x"}):
        with pytest.raises(ValueError, match=r"job_file|input_file"):
            batch(task_id="a", output_file="x", **wrong)


class Interrupted(BaseException):
    """What Airflow 2 raises for a signal, in the main thread."""


def interrupt(*_: object) -> None:
    raise Interrupted


def test_signals_do_not_interrupt_what_is_being_sent(provider: Any) -> None:
    stopped, main = threading.Semaphore(0), threading.get_ident()

    def work() -> str:
        for _ in range(2):
            signal.pthread_kill(main, signal.SIGUSR1)
            assert stopped.acquire(timeout=PATIENCE_S)
        return "sent"

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        assert provider.stopping.run_stoppable(work, stopped.release) == "sent"
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_may_interrupt_the_stop(provider: Any) -> None:
    """A second signal comes as soon as the first one has begun to stop the work."""
    stopped, calls = threading.Event(), []

    def work() -> str:
        signal.pthread_kill(main, signal.SIGUSR1)
        assert stopped.wait(PATIENCE_S)
        return "sent"

    def stop() -> None:
        calls.append("stop")
        if len(calls) == 1:
            signal.raise_signal(signal.SIGUSR1)
        stopped.set()

    main, before = threading.get_ident(), signal.signal(signal.SIGUSR1, interrupt)
    try:
        assert provider.stopping.run_stoppable(work, stop) == "sent"
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert calls == ["stop", "stop"]


def test_a_batch_that_is_killed_early_can_be_retried(
    provider: Any, connected: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    files = {"input_file": str(tmp_path / "rows.jsonl"), "output_file": str(tmp_path / "out.jsonl")}
    operator = provider.operators.NinjaOneBatchOperator(task_id="a", action="get_device", **files)
    run = operator._run_rows

    def killed(session: Any, *rest: Any) -> Any:
        operator.on_kill()
        return run(session, *rest)

    monkeypatch.setattr(operator, "_run_rows", killed)
    with pytest.raises(AirflowException, match="stopped before") as raised:
        operator.execute(context())
    assert type(raised.value) is AirflowException
    monkeypatch.setattr(operator, "_run_rows", run)
    assert operator.execute(context())["exit_code"] == 0


def test_a_batch_with_its_state_in_a_database_continues_on_another_machine(
    provider: Any, connected: Sandbox, tmp_path: Path, postgres: str
) -> None:
    connect("state", get_uri=lambda: postgres.replace("postgresql:", "postgres:"))
    write_lines(tmp_path / "rows.jsonl", [{"device_id": n, "display_name": f"PC {n}"} for n in (1, 2, 3)])
    output = tmp_path / "disk" / "out.jsonl"
    operator = provider.operators.NinjaOneBatchOperator(
        task_id="a",
        action="update_device",
        input_file=str(tmp_path / "rows.jsonl"),
        output_file=str(output),
        state_conn_id="state",
    )
    connected.before_response(lambda _: operator.on_kill())
    with pytest.raises(AirflowException, match="a retry continues"):
        operator.execute(context())
    connected.before_response(lambda _: None)
    shutil.rmtree(output.parent)
    assert operator.execute(context())["exit_code"] == 0
    before = output.read_bytes()
    assert [json.loads(line)["row"] for line in before.splitlines()] == [1, 2, 3]
    for _ in range(2):  # cleared on the same machine, and on a third one
        assert operator.execute(context())["exit_code"] == 0
        assert output.read_bytes() == before
        shutil.rmtree(output.parent)
    with pytest.raises(AirflowFailException, match="this run differs from the finished one"):
        operator.execute(context("two"))
    sent = [entry["path"] for entry in connected.log.requests() if entry["method"] == "PATCH"]
    assert sent == [f"/v2/device/{n}" for n in (1, 2, 3)]


def test_the_information_of_the_provider_names_what_there_is(provider: Any) -> None:
    for given in provider.info["connection-types"]:
        module, _, name = given["hook-class-name"].rpartition(".")
        hook = getattr(import_module(module), name)
        assert (hook.conn_type, hook.hook_name) == (given["connection-type"], given["hook-name"])
        # Airflow 2 looks for the form in the class itself.
        assert {"get_connection_form_widgets", "get_ui_field_behaviour"} <= vars(hook).keys()
        assert hook.get_ui_field_behaviour()["relabeling"]["login"] == "Client ID"
    named = (FOLDER / "pyproject.toml").read_text(encoding="utf-8")
    assert 'provider_info = "airflow_provider_ninjaone:get_provider_info"' in named
    assert f'name = "{provider.info["package-name"]}"' in named
