"""The adaptive pace: close to the limit of a service, rarely above it, and remembered for the next run."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from connector.catalog.service import Service
from connector.client.adaptive_pace import AdaptivePace, PaceState
from connector.client.adaptive_pacer import AdaptivePacer
from connector.client.pacing import Pacer
from connector.http.messages import Request
from tests.client.pace_simulation import Both, Bucket, Limit, Pending, Simulation, Window
from tests.client.starts import SleepyClock, begin
from tests.client.stores import Files, Store
from tests.fakes import FakeClock, FakeTransport, make_client, reply

WARM_UP = 3000
"""The requests in which the limit is found out."""

LIMITS: dict[str, tuple[Callable[[], Limit], float, bool]] = {
    "window": (lambda: Window(100, 10), 0.1, True),
    "window without Retry-After": (lambda: Window(100, 10), 0.1, False),
    "long window": (lambda: Window(600, 60), 0.5, False),
    "sliding window": (lambda: Window(700, 300, slides=True), 0.1, True),
    "bucket": (lambda: Bucket(10, 100), 0.5, True),
    "bucket without Retry-After": (lambda: Bucket(10, 10), 0.1, False),
    "bucket without reserve": (lambda: Bucket(12, 1), 0.1, False),
    "slow bucket": (lambda: Bucket(2, 5), 0.1, True),
    "pending": (lambda: Pending(10), 0.5, True),
    "pending without Retry-After": (lambda: Pending(2), 0.1, False),
    "window and slow responses": (lambda: Window(20, 1), 1.5, True),
    "few pending and slow responses": (lambda: Pending(2), 1.5, False),
}

OTHERS: dict[str, Callable[[], Limit]] = {
    "window of 1 s": lambda: Window(5, 1),
    "window of 1 s, many": lambda: Window(20, 1),
    "window of 5 s": lambda: Window(10, 5),
    "window of 10 s": lambda: Window(100, 10),
    "window of 60 s": lambda: Window(600, 60),
    "sliding window of 10 s": lambda: Window(50, 10, slides=True),
    "sliding window of 300 s": lambda: Window(700, 300, slides=True),
    "bucket without reserve": lambda: Bucket(12, 1),
    "slow bucket": lambda: Bucket(2, 5),
    "bucket of 1 s": lambda: Bucket(10, 10),
    "fast bucket": lambda: Bucket(30, 30),
    "bucket of 10 s": lambda: Bucket(10, 100),
    **{f"{number} pending": partial(Pending, number) for number in (2, 5, 10, 20)},
    "bucket and 4 pending": lambda: Both(Bucket(10, 10), Pending(4)),
    "bucket and 20 pending": lambda: Both(Bucket(10, 10), Pending(20)),
    "window and 8 pending": lambda: Both(Window(100, 10), Pending(8)),
    "window and 10 pending": lambda: Both(Window(20, 1), Pending(10)),
}
LATENCIES_S = (0.05, 0.1, 0.3, 0.5, 1.5)
AT_ONCE = ("window and 10 pending", 0.5)
"""Both limits allow 20 requests in a second. Together they allow less, because each is reached when the other
is not, and a refusal does not show which one it was."""


@pytest.mark.parametrize("name", LIMITS)
def test_two_processes_use_most_of_what_is_allowed(name: str) -> None:
    limit, latency_s, says_when = LIMITS[name]
    simulation = Simulation(limit(), latency_s, processes=2, says_when=says_when)
    simulation.run(WARM_UP)
    figures = simulation.run(4000)
    assert figures.share >= 0.9
    assert figures.refused <= 0.01


@pytest.mark.slow
@pytest.mark.parametrize("latency_s", LATENCIES_S)
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("says_when", [False, True])
def test_each_kind_of_limit_is_used_at_each_latency(name: str, latency_s: float, says_when: bool) -> None:
    simulation = Simulation(OTHERS[name](), latency_s, says_when=says_when)
    simulation.run(WARM_UP)
    figures = simulation.run(4000)
    assert figures.share >= (0.8 if (name, latency_s) == AT_ONCE else 0.9)
    assert figures.refused <= 0.01


def test_the_next_run_begins_at_the_pace_of_the_last_one() -> None:
    first = Simulation(Window(100, 10), 0.1)
    first.run(WARM_UP)
    for name in PaceState.NAMES[len(PaceState.LASTING) :]:  # the machine was restarted
        first.values[PaceState.NAMES.index(name)] = 0.0
    figures = Simulation(Window(100, 10), 0.1, values=first.values).run(1000)
    assert figures.share >= 0.9
    assert figures.refused <= 0.01


def test_a_limit_that_is_raised_is_found_and_one_that_is_lowered_is_kept_to() -> None:
    bucket = Bucket(5, 5)
    simulation = Simulation(bucket, 0.1)
    simulation.run(WARM_UP)
    for per_s in (20, 4):
        bucket.per_s = per_s
        simulation.run(2 * WARM_UP)
        figures = simulation.run(WARM_UP)
        assert figures.share >= 0.9
        assert figures.refused <= 0.01


def test_without_refusals_it_becomes_as_fast_as_allowed() -> None:
    simulation = Simulation(Window(10**9, 1), 0.05)
    assert simulation.run(500).interval_s == 0.02


def test_refusals_for_other_reasons_slow_it_down_to_about_twice_the_delay() -> None:
    simulation = Simulation(Window(10**9, 1), 0.05, noise=0.05)
    simulation.run(WARM_UP)
    assert simulation.run(WARM_UP).interval_s < 3 * 0.3


def test_a_pace_that_nothing_used_is_not_shortened() -> None:
    pace = AdaptivePace(0.3, 0.02)
    for second in range(100):
        pace.accepted(pace.started(second, 0), second + 0.1)
    assert pace.interval_s == 0.3


def test_after_a_refusal_one_request_is_tried_before_the_others() -> None:
    pace = AdaptivePace(0.3, 0.02)
    first, second = pace.started(10.0, 0), pace.started(10.3, 1)
    assert pace.refused(first, 10.5) == pytest.approx(8 * 0.3)
    pace.refused(second, 10.6)  # sent before: no longer wait
    assert pace.wait_s(10.6, 0) == pytest.approx(2.3)
    tried = pace.started(13.0, 0)
    assert pace.wait_s(13.5, 1) > 0
    assert pace.refused(tried, 14.0) == pytest.approx(2 * 8 * 0.3)
    tried = pace.started(19.0, 0)
    assert pace.wait_s(19.5, 1) > 0
    assert pace.wait_s(30.0, 1) == 0  # the first one may never end
    pace.accepted(tried, 31.0)
    assert pace.wait_s(31.0, 0) == 0
    assert pace.interval_s > 0.3


def test_the_hold_ends_if_each_response_takes_longer_than_the_next_request_waits() -> None:
    pace, now = AdaptivePace(0.3, 0.02), 13.0
    pace.refused(pace.started(10.0, 0), 10.5)
    pending = deque([pace.started(now, 0)])
    for _ in range(3):  # two are in flight at any time, and each takes 12 seconds
        now += 10.0
        assert pace.wait_s(now, len(pending)) == 0
        pending.append(pace.started(now, len(pending)))
        first = pending.popleft()
        pace.accepted(first, first.at + 12.0)
        assert pace.state.hold == 0


def test_the_hold_ends_after_lost_responses() -> None:
    pace = AdaptivePace(0.3, 0.02)
    pace.refused(pace.started(10.0, 0), 10.5)
    lost, late = pace.started(13.0, 0), pace.started(23.0, 1)
    pace.unknown(lost)
    assert pace.wait_s(24.0, 1) > 0  # the later one is still awaited
    pace.accepted(late, 25.0)
    assert pace.state.hold == 0


@pytest.mark.parametrize(("name", "value"), [("patience", 0.0), ("patience", 0.5), ("raises", 5000.0)])
def test_a_pace_with_an_impossible_number_starts_anew(name: str, value: float) -> None:
    simulation = Simulation(Window(100, 10), 0.1)
    simulation.run(400)
    simulation.values[PaceState.NAMES.index(name)] = value
    assert AdaptivePace(0.3, 0.02, simulation.values).interval_s == 0.3
    simulation.run(400)


def test_without_a_delay_of_the_service_it_becomes_as_slow_as_the_service_requires() -> None:
    simulation = Simulation(Window(60, 60, slides=True), 0.1, start_s=0.0)
    simulation.run(500)
    figures = simulation.run(500)
    assert figures.interval_s > 0.9
    assert figures.refused <= 0.02


def test_the_time_that_the_service_names_is_waited_for() -> None:
    pace = AdaptivePace(0.3, 0.02)
    assert pace.refused(pace.started(10.0, 0), 10.1, 30.0) == 30.0
    assert pace.wait_s(11.1, 0) == pytest.approx(29.0)


# Pacers


def pacers(clock: FakeClock, store: Store, number: int = 2) -> list[AdaptivePacer]:
    return [store.adaptive(300, 20, clock) for _ in range(number)]


def send(pacer: Pacer, clock: FakeClock, count: int = 1, took_s: float = 0.001) -> None:
    for _ in range(count):
        turn = begin(pacer)
        clock.time += took_s
        pacer.ended(turn, "accepted")


def test_processes_and_later_runs_share_the_pace(clock: FakeClock, store: Store) -> None:
    first, second = pacers(clock, store)
    send(first, clock, 40)
    assert first.delay_ms < 200
    send(second, clock)
    assert second.delay_ms <= first.delay_ms
    assert pacers(clock, store, 1)[0].delay_ms == pytest.approx(second.delay_ms)
    assert store.pacer(300, clock).delay_ms == 300  # others keep their own


def test_a_refusal_in_one_process_holds_the_others(clock: FakeClock, store: Store) -> None:
    first, second = pacers(clock, store)
    began = clock.time
    assert first.ended(begin(first), "throttled", 7.0) == 7.0
    begin(second)
    assert clock.time - began == pytest.approx(7.0)
    assert (first.throttled, second.throttled) == (1, 0)


def test_the_pace_is_known_after_the_machine_was_restarted_and_times_are_not(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pacers(clock, Files(tmp_path), 1)[0]
    send(first, clock, 40)
    first.ended(begin(first), "throttled", 3600.0)
    monkeypatch.setattr(clock, "monotonic", lambda: 50.0 + clock.time - 1_790_000_000)
    later, began = pacers(clock, Files(tmp_path), 1)[0], clock.time
    assert later.delay_ms == pytest.approx(first.delay_ms)
    begin(later)
    assert clock.time == began


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 400, b"\x00" * 8 * 60, b"\x01" * 8 * 60])
def test_a_damaged_file_or_one_of_another_layout_is_a_new_beginning(
    clock: FakeClock, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "pace").write_bytes(content)
    pacer = pacers(clock, Files(tmp_path), 1)[0]
    assert pacer.delay_ms == 300
    send(pacer, clock, 20)
    assert pacer.delay_ms < 300


def test_a_killed_process_does_not_count_for_long(clock: FakeClock, store: Store) -> None:
    killed, other = pacers(clock, store)
    killed._pace.state.most = 2
    begin(killed)
    begin(killed)
    began = clock.time
    begin(other)
    assert clock.time - began == pytest.approx(30, abs=1)


def test_a_client_retries_what_was_refused_when_the_pace_allows_it(
    service: Service, clock: FakeClock, tmp_path: Path
) -> None:
    page = reply(b"<html>Too many requests</html>", content_type="text/html")
    answers = [reply(b"", 429, retry_after="7"), page, reply({"ok": True})]
    transport = FakeTransport(list(answers))
    client = make_client(service, transport, clock)
    client.pacer = pacers(clock, Files(tmp_path), 1)[0]
    response = client.send(Request("GET", "/v2/devices"))
    assert (response.json(), response.attempts) == (json.loads('{"ok": true}'), 3)
    assert client.pacer.throttled == 2
    assert sum(clock.slept) == pytest.approx(7.0 + 2.4 * 2, abs=0.1)


def test_a_process_notices_that_anothers_first_request_after_a_refusal_succeeds(store: Store) -> None:
    clock = SleepyClock(lambda: 0.0)
    clock.time = 1000.0
    first, second = store.adaptive(300, 20, clock), store.adaptive(300, 20, clock)
    first.ended(begin(first), "throttled", 7.0)
    trial, began = begin(first), clock.time

    def meanwhile() -> float:
        if not succeeded and clock.time > began + 1:
            succeeded.append(first.ended(trial, "accepted"))
        return 0.0

    succeeded: list[float] = []
    clock.late = meanwhile
    begin(second)
    assert 1.0 < clock.time - began < 1.5
