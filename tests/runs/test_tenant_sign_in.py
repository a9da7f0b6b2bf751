"""Several sign-ins at the same time: a run begins with the first success, and ends early if all fail."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.errors import ConnectionSetupError, RowError, RunInterruptedError
from connector.runs.tenant_sign_in import SignIns
from tests.fakes import FakeClock, FakeTransport, make_client, reply
from tests.loopback import PATIENCE_S

WRONG = reply({"error": "invalid_client"}, 401)


@pytest.fixture
def others(service: Service, clock: FakeClock) -> Any:
    def make(response: Any = None) -> Client:
        return make_client(service, FakeTransport(sign_ins=[] if response is None else [response]), clock)

    return make


def test_one_that_succeeds_is_enough(others: Any) -> None:
    sign_ins = SignIns(3)
    refusal = sign_ins.try_one("acme", others(WRONG))
    assert refusal is not None
    assert refusal.code == "auth_failed"
    assert sign_ins.try_one("globex", others()) is None
    sign_ins.require_one(Event())  # though the third has not even begun


def test_none_that_succeeds_is_a_fault_that_names_them(others: Any) -> None:
    names = [f"tenant-{n}" for n in range(8)]
    sign_ins = SignIns(len(names))
    for name in names:
        sign_ins.try_one(name, others(WRONG))
    with pytest.raises(
        ConnectionSetupError, match=r"no tenant could sign in: tenant-0: signing in at .*; and 3 more$"
    ):
        sign_ins.require_one(Event())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionSetupError("its token cannot be kept"), "auth_failed"),
        (RunInterruptedError("stopped"), "cancelled"),
        (ZeroDivisionError("a bug"), "internal_error"),
        (RowError("timeout", "no answer"), "timeout"),
    ],
)
def test_whatever_goes_wrong_is_a_refusal(
    others: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    """Or the run would wait for it for good."""

    def fail(self: Client) -> None:
        raise error

    monkeypatch.setattr(Client, "sign_in", fail)
    sign_ins = SignIns(1)
    refusal = sign_ins.try_one("acme", others())
    assert refusal is not None
    assert (refusal.code, str(error) in str(refusal)) == (code, True)
    with pytest.raises(ConnectionSetupError, match="no tenant could sign in"):
        sign_ins.require_one(Event())


def test_it_waits_until_one_is_known_or_the_run_is_stopped(others: Any) -> None:
    sign_ins, stop = SignIns(2), Event()
    waited = Thread(target=sign_ins.require_one, args=(stop,))
    waited.start()
    sign_ins.try_one("acme", others(WRONG))
    waited.join(0.3)
    assert waited.is_alive()
    sign_ins.try_one("globex", others())
    waited.join(PATIENCE_S)
    assert not waited.is_alive()
    stop.set()
    with pytest.raises(RunInterruptedError):
        SignIns(2).require_one(stop)


@pytest.mark.parametrize(("second", "transient"), [("timeout", True), ("auth_failed", False)])
def test_a_fault_is_transient_if_all_sign_ins_can_succeed_later(
    others: Any, monkeypatch: pytest.MonkeyPatch, second: Any, transient: bool
) -> None:
    errors = iter([RowError("network_error", "no way"), RowError(second, "refused")])

    def fail(client: Client) -> None:
        raise next(errors)

    monkeypatch.setattr(Client, "sign_in", fail)
    sign_ins = SignIns(2)
    for name in ("acme", "globex"):
        sign_ins.try_one(name, others())
    with pytest.raises(ConnectionSetupError) as failure:
        sign_ins.require_one(Event())
    assert failure.value.transient is transient
