"""A service that limits the requests of a long window: waits that outlast it, and a pace that keeps to it."""

from __future__ import annotations

import logging
import struct
import threading
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.account_limit import FRESH, AccountLimit
from connector.client.factory import open_client as open_real_client
from connector.client.pacing import Pacer
from connector.client.shared_times import FileTimes
from connector.connections.connection import Connection
from connector.errors import RowError
from connector.http.messages import Request
from tests.client.starts import gaps
from tests.fakes import CONNECTION, FakeClock
from tests.halopsa.conftest import SECRET, Api, Asked, OpenClient, Says

READ = Request("GET", "/api/Client")
CREATE = Request("POST", "/api/Client", body=[{}], effect="write", idempotent=False)
TEXT = b"Rate Limit Reached - %d Requests per rolling 5 minute window"
OK = Says({"ok": True})
SAYS = "%s reports too many requests: continuing at %s, in %.0f s"


def throttled(number: int = 700, *headers: str) -> Says:
    return Says(TEXT % number, 429, headers)


def answering(*answers: Says) -> Api:
    """A server that gives these answers, and the last one from then on."""
    rest = deque(answers)
    return Api(lambda _: rest.popleft() if len(rest) > 1 else rest[0])


@pytest.mark.parametrize("request_", [READ, CREATE])
def test_the_waits_outlast_a_window(open_client: OpenClient, clock: FakeClock, request_: Request) -> None:
    api = answering(throttled(), throttled(), throttled(), throttled(), throttled(), OK)
    response = open_client(api, delay_ms=450).send(request_)
    assert (response.json(), response.attempts) == ({"ok": True}, 6)
    assert clock.slept == [pytest.approx(wait_s) for wait_s in (15, 30, 60, 90, 120)]
    assert sum(clock.slept) > 300


def test_after_the_last_wait_it_is_an_error(open_client: OpenClient, clock: FakeClock) -> None:
    api = answering(throttled())
    with pytest.raises(RowError, match="700 Requests per rolling 5 minute window") as raised:
        open_client(api).send(READ)
    assert (raised.value.code, raised.value.attempts, len(api.asked)) == ("rate_limited", 6, 6)
    assert "HaloPSA allows 700 requests in 5 minutes" in str(raised.value)


def test_a_window_that_others_have_filled_is_outlasted(open_client: OpenClient, clock: FakeClock) -> None:
    window: deque[float] = deque([clock.time] * 700)

    def respond(_: Asked) -> Says:
        while window and window[0] <= clock.time - 300:
            window.popleft()
        if len(window) >= 700:
            return throttled()
        window.append(clock.time)
        return OK

    client = open_client(Api(respond), delay_ms=450)
    for _ in range(5):
        assert client.send(READ).json() == {"ok": True}


@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7), ("250", 250), ("soon", 15)], ids=["short", "long", "unreadable"]
)
def test_retry_after_comes_first(
    open_client: OpenClient, clock: FakeClock, header: str, wait_s: float
) -> None:
    open_client(answering(throttled(700, f"Retry-After: {header}"), OK)).send(READ)
    assert clock.slept == [pytest.approx(wait_s)]


@pytest.mark.parametrize("delay_ms", [0, 450])
def test_the_number_in_the_text_is_kept_to(
    open_client: OpenClient, clock: FakeClock, delay_ms: float
) -> None:
    times: list[float] = []
    answers = [throttled(300)]

    def respond(_: Asked) -> Says:
        times.append(clock.time)
        return answers.pop() if answers else OK

    client = open_client(Api(respond), delay_ms=delay_ms)
    for _ in range(4):
        client.send(READ)
    assert gaps(times) == [pytest.approx(gap_s, abs=0.001) for gap_s in (15, 1.05, 1.05, 1.05)]


def test_a_number_never_shortens_the_delay_of_a_run(clock: FakeClock, halopsa: Service) -> None:
    limit = AccountLimit("Acme", clock)
    assert halopsa.throttling.says
    limit.learn(halopsa.throttling.says, "300 Requests per rolling 5 minute window")
    pacer = Pacer(2000, clock, limit=limit)
    for _ in range(3):
        pacer.wait()
    assert clock.slept == [pytest.approx(2)] * 2


@pytest.mark.parametrize(
    ("text", "delay_s"),
    [
        ("300 Requests per rolling 5 minute window", 1.05),
        ("700 Requests per rolling 5 minute window", 0.45),
        ("700 Requests per rolling 5 minute window, formerly 300 Requests per rolling 5 minute", 0.45),
        ("0 Requests per rolling 5 minute window", 0.45),
        ("1 Requests per rolling 500 minute window", 0.45),
        ("Too many requests", 0.45),
    ],
)
def test_what_is_learned_of_a_text(clock: FakeClock, halopsa: Service, text: str, delay_s: float) -> None:
    limit, says = AccountLimit("Acme", clock), halopsa.throttling.says
    assert says
    limit.learn(says, "700 Requests per rolling 5 minute window")
    limit.learn(says, text)
    assert limit.delay_s == pytest.approx(delay_s)


def test_a_page_of_html_is_throttling_too(open_client: OpenClient, clock: FakeClock) -> None:
    page = Says(b"<html>Rate Limit Reached - 300 Requests per rolling 5 minute window</html>", 200)
    client = open_client(answering(page, OK))
    assert client.send(READ).json() == {"ok": True}
    assert clock.slept == [pytest.approx(15)]
    assert client.pacer.limit
    assert client.pacer.limit.delay_s == pytest.approx(1.05)


# Other requests to the account


@pytest.mark.parametrize("delay_ms", [0, 450])
def test_other_requests_wait_too(
    open_client: OpenClient, clock: FakeClock, tmp_path: Path, delay_ms: float
) -> None:
    other = open_client(answering(OK), limits=tmp_path / "limit", delay_ms=delay_ms)
    busy = open_client(answering(throttled(700, "Retry-After: 100"), OK), limits=tmp_path / "limit")
    began = clock.time
    waiting = threading.Event()
    sleep = clock.sleep

    def let_the_other_go_first(seconds: float) -> None:
        if not waiting.is_set():
            waiting.set()
            other.send(READ)
            assert clock.time - began == pytest.approx(100)
        sleep(seconds)

    clock.sleep = let_the_other_go_first  # type: ignore[method-assign]
    busy.send(READ)
    assert waiting.is_set()


def test_another_process_keeps_to_the_limit_and_a_new_start_of_the_machine_forgets_it(
    clock: FakeClock, halopsa: Service, tmp_path: Path
) -> None:
    path, says = tmp_path / "limit", halopsa.throttling.says
    assert says
    first = AccountLimit("Acme", clock, FileTimes(path, clock, FRESH))
    first.learn(says, "300 Requests per rolling 5 minute window")
    first.hold(60)
    second = AccountLimit("Acme", clock, FileTimes(path, clock, FRESH))
    assert (second.delay_s, second.held_s) == (pytest.approx(1.05), pytest.approx(60))
    began, *_ = struct.unpack("=ddd", path.read_bytes())
    path.write_bytes(struct.pack("=ddd", began - 4000, 1.05, clock.monotonic() + 60))
    third = AccountLimit("Acme", clock, FileTimes(path, clock, FRESH))
    assert (third.delay_s, third.held_s) == (0, float("-inf"))


@pytest.mark.parametrize("has_limit", [True, False])
def test_only_a_service_with_a_window_shares_a_limit(
    halopsa: Service, service: Service, clock: FakeClock, own_state: Path, has_limit: bool
) -> None:
    one = Connection("halopsa", "http://127.0.0.1:1", "an-app", SECRET) if has_limit else CONNECTION
    client = open_real_client(halopsa if has_limit else service, one, 450, clock=clock)
    assert (client.pacer.limit is not None) is has_limit
    assert bool([path for path in own_state.rglob("*") if path.name.startswith("limit")]) is has_limit


# What is said


def test_a_run_that_waits_says_until_when(open_client: OpenClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        open_client(answering(throttled(300), throttled(300), OK)).send(READ)
    noticed = [record for record in caplog.records if getattr(record, "notice", False)]
    assert [record.msg for record in noticed].count(SAYS) == 2
    assert [record.args[2] for record in noticed if record.msg == SAYS] == [  # type: ignore[index]
        pytest.approx(15),
        pytest.approx(30),
    ]
    assert noticed[0].getMessage() == (
        "HaloPSA allows 300 requests in 5 min: the interval between requests is now at least 1050 ms"
    )
    assert sum("HaloPSA allows" in record.getMessage() for record in noticed) == 1


@pytest.mark.parametrize("delay_ms", [0, 450])
def test_also_one_that_was_told_no_number_says_until_when(
    open_client: OpenClient, caplog: pytest.LogCaptureFixture, delay_ms: float
) -> None:
    with caplog.at_level(logging.WARNING):
        open_client(answering(Says(b"", 429), OK), delay_ms=delay_ms).send(READ)
    assert [record.msg for record in caplog.records if getattr(record, "notice", False)] == [SAYS]


def test_without_its_own_waits_a_service_has_the_short_ones(
    open_client: OpenClient, clock: FakeClock, halopsa: Service
) -> None:
    short: Any = halopsa.throttling._replace(waits_s=(), says=None)
    client = open_client(answering(throttled(), OK), service=halopsa._replace(throttling=short))
    client.send(READ)
    assert clock.slept == [1]
