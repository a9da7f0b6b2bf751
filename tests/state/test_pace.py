"""The pace of an account in a database: over processes, with late requests, and if the database is lost."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

from connector.catalog.service import Service
from connector.client.pacing import Turn
from connector.common.clock import SystemClock
from connector.errors import RunStoppedError
from connector.http.messages import Request
from connector.state import pace
from connector.state.database import Database
from connector.state.databases import open_database
from connector.state.server_clock import DRIFT, ServerClock
from tests.client.starts import SleepyClock, begin, gaps, start_times
from tests.client.stores import Rows
from tests.fakes import FakeClock, FakeTransport, make_client, reply
from tests.state.outage import Outage

PROCESS = """
import sys, time
from connector.common.clock import SystemClock
from connector.state.databases import open_database
from tests.client.stores import Rows
class Clock(SystemClock):
    def monotonic(self):
        self.said = time.monotonic()
        return self.said
clock = Clock()
pacer = Rows(open_database(sys.argv[1])).pacer(200, clock)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    turn = pacer.wait()
    pacer.leaving(turn)
    print(repr(clock.said))
"""


def test_processes_start_a_delay_apart_less_a_tenth(postgres: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, postgres],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    times = [float(line) for process in processes for line in process.communicate()[0].split()]
    assert len(times) == 6
    # The tolerance and the slack; with a short delay, a busy machine may never start a request within it.
    assert min(gaps(sorted(times))) >= 0.200 - 0.005 - 0.010 - 1e-5


def test_one_statement_for_each_request(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database, statements = open_database(postgres), []
    pacer = Rows(database).pacer(20, SystemClock())
    run = database.run
    monkeypatch.setattr(database, "run", lambda *a: (statements.append(a), run(*a))[1])
    for _ in range(5):
        pacer.wait()
    assert len(statements) == 5


def test_a_request_that_leaves_late_is_recorded_again(postgres: str) -> None:
    clock = SleepyClock(lambda: 0.0)
    rows = Rows(open_database(postgres))
    first, second = rows.pacer(100, clock), rows.pacer(100, clock)
    turn = first.wait()
    clock.time = 0.080
    first.leaving(turn)
    assert clock.time == 0.080  # nothing has started since
    begin(second)
    assert clock.time == pytest.approx(0.175, abs=1e-5)


class SlowDatabase:
    """A pacer whose database takes `takes_s` for each statement, of which there must be fewer than `most`."""

    def __init__(
        self,
        url: str,
        monkeypatch: pytest.MonkeyPatch,
        takes_s: float,
        most: int = 200,
        delay_ms: float = 100,
    ) -> None:
        self.clock, self.statements = SleepyClock(lambda: 0.0), 0
        database = open_database(url)
        self.pacer = Rows(database).pacer(delay_ms, self.clock)
        run = database.run

        def slow(*statement: object) -> list[tuple[object, ...]]:
            self.statements += 1
            assert self.statements < most
            rows = run(*statement)  # type: ignore[arg-type]
            self.clock.time += takes_s
            return rows

        self.slow_down = lambda: monkeypatch.setattr(database, "run", slow)


def test_where_recording_takes_long_a_late_request_is_recorded_ahead(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would be late each time, and never leave."""
    slow = SlowDatabase(postgres, monkeypatch, 0.010, most=5)
    turn = slow.pacer.wait()
    slow.clock.time = 0.080
    slow.slow_down()
    slow.pacer.leaving(turn)
    assert slow.statements == 2
    assert slow.clock.time == pytest.approx(0.080 + 0.010 + 0.025, abs=0.011)


@pytest.mark.parametrize("takes_s", [0.040, 0.200, 2.0])
def test_requests_leave_however_long_recording_takes(
    postgres: str, monkeypatch: pytest.MonkeyPatch, takes_s: float
) -> None:
    """As with a database on another continent. They are recorded that much ahead, after a few attempts."""
    slow = SlowDatabase(postgres, monkeypatch, takes_s)
    slow.slow_down()
    times = start_times(slow.pacer, slow.clock, 20)
    assert min(gaps(times)) >= 0.100 - 0.010 - 0.005 - 1e-5
    assert slow.statements < 50


def test_a_process_that_was_slower_than_another_one_records_its_next_start_further_ahead(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the one that knows how long recording takes would be faster each time."""
    slow = SlowDatabase(postgres, monkeypatch, 0.050, delay_ms=300)
    begin(slow.pacer)
    with closing(Database(postgres)) as database:
        other = Rows(database).pacer(300, slow.clock)
        begin(other)

        def sleep_while_other_begins(seconds: float) -> None:
            end = slow.clock.time + seconds
            monkeypatch.setattr(slow.clock, "sleep", sleep)
            begin(other)
            left.append(slow.clock.time)
            slow.clock.time = max(end, left[0])

        left: list[float] = []
        sleep = slow.clock.sleep
        slow.slow_down()
        monkeypatch.setattr(slow.clock, "sleep", sleep_while_other_begins)
        turn = slow.pacer.wait()
    statements = slow.statements
    slow.pacer.leaving(turn)
    assert slow.statements == statements  # It was not late, so its start was not recorded again.
    assert 0.285 <= slow.clock.time - left[0] < 0.6


def test_a_run_stops_if_recording_a_start_takes_too_long(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowDatabase(postgres, monkeypatch, 6.0, delay_ms=300)
    slow.slow_down()
    turn = slow.pacer.wait()
    with pytest.raises(RunStoppedError, match=r"needs more than 5 s to record"):
        slow.pacer.leaving(turn)


def test_a_machine_that_ends_sleeps_late_does_not_stop_a_run(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recording is quick enough then, and to record the start further ahead would not help."""
    slow = SlowDatabase(postgres, monkeypatch, 0.006)
    late = iter([0.020] * 20)
    slow.clock.late = lambda: next(late, 0.0)
    slow.slow_down()
    begin(slow.pacer)
    assert next(late, None) is None
    assert slow.clock.time < 2.0


def test_a_machine_that_ends_all_sleeps_late_stops_a_run(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each attempt would defer the requests of other machines, without an end."""
    slow = SlowDatabase(postgres, monkeypatch, 0.006)
    slow.clock.late = lambda: 0.020
    slow.slow_down()
    with pytest.raises(RunStoppedError, match=r"too busy to keep the delay of 100 ms"):
        begin(slow.pacer)


def test_a_request_does_not_leave_while_the_service_accepts_none(postgres: str) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer = Rows(open_database(postgres)).pacer(300, clock)
    turn = pacer.wait()
    assert pacer.limit
    pacer.limit.hold(60.0)
    assert pacer.leaving(turn)
    assert clock.time == pytest.approx(60.0, abs=1e-5)


def test_a_request_that_leaves_after_anothers_start_waits_for_another_turn(postgres: str) -> None:
    clock = SleepyClock(lambda: 0.0)
    rows = Rows(open_database(postgres))
    first, second = rows.pacer(100, clock), rows.pacer(100, clock)
    turn = first.wait()
    clock.time = 0.120
    begin(second)
    first.leaving(turn)
    assert clock.time == pytest.approx(0.220, abs=1e-5)


def test_a_start_within_the_slack_is_not_recorded_again(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer = Rows(open_database(postgres)).pacer(100, clock)
    turn = pacer.wait()
    clock.time = 0.0049
    monkeypatch.setattr(pacer, "_take", None)
    pacer.leaving(turn)


def test_the_next_request_of_a_process_keeps_its_distance_from_a_start_within_the_slack(
    postgres: str,
) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer = Rows(open_database(postgres)).pacer(300, clock)
    turn = pacer.wait()
    clock.time = 0.014
    pacer.leaving(turn)
    assert start_times(pacer, clock, 3) == pytest.approx([0.309, 0.604, 0.900], abs=1e-5)


def test_a_request_is_recorded_and_its_connection_opened_before_its_start(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SleepyClock(lambda: 0.0)
    database = open_database(postgres)
    pacer = Rows(database).pacer(100, clock)
    begin(pacer)
    turn = pacer.wait()
    assert clock.time == pytest.approx(0.075, abs=1e-5)
    monkeypatch.setattr(database, "run", None)
    clock.time += 0.015
    pacer.leaving(turn)
    assert clock.time == pytest.approx(0.100, abs=1e-5)


def test_a_start_in_the_future_is_forgotten_because_the_databases_clock_was_set(postgres: str) -> None:
    clock = SleepyClock(lambda: 0.0)
    rows = Rows(open_database(postgres))
    clock.time = 3600.0
    begin(rows.pacer(300, clock))
    clock.time = 0.0
    begin(rows.pacer(300, clock))
    assert clock.time == 0.0


def test_requests_without_a_delay_are_known_to_others_every_tenth_of_a_second(
    postgres: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, statements = open_database(postgres), []
    fast, slow = (Rows(database).pacer(delay, clock) for delay in (0, 300))
    run = database.run
    monkeypatch.setattr(database, "run", lambda *a: (statements.append(a), run(*a))[1])
    for _ in range(100):
        clock.time += 0.01
        fast.wait()
    assert 8 <= len(statements) <= 12
    begin(slow)
    assert sum(clock.slept) >= 0.3 - pace.UNPACED_S


def test_the_pace_of_long_delays_is_on_the_disk_and_that_of_short_ones_costs_no_wait(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, said = open_database(postgres), []
    run = database.run

    def noting(*statement: object) -> list[tuple[object, ...]]:
        rows = run(*statement)  # type: ignore[arg-type]
        said.append(rows[0][-1])
        return rows

    for delay_ms in (300, 60_000):
        pacer = Rows(database).pacer(delay_ms, SystemClock(), str(delay_ms))
        monkeypatch.setattr(database, "run", noting)
        pacer.wait()
        monkeypatch.setattr(database, "run", run)
    assert said == ["off", "on"]


def test_without_the_database_nothing_is_sent(
    outage: Outage, service: Service, transport: FakeTransport
) -> None:
    client = make_client(service, transport, FakeClock())
    client.pacer = Rows(open_database(outage.url)).pacer(300, SystemClock())
    transport.answers = [reply({}), reply({})]
    client.send(Request("GET", "/v2/devices"))
    outage.begin()
    for _ in range(2):
        with pytest.raises(RunStoppedError, match="the database cannot be used"):
            client.send(Request("GET", "/v2/devices"))
    assert len(transport.sent) == 1


def test_a_response_is_not_lost_with_the_database(outage: Outage, clock: FakeClock) -> None:
    rows = Rows(open_database(outage.url))
    pacer, limited = rows.adaptive(300, 20, SystemClock()), rows.pacer(300, SystemClock())
    turn = pacer.wait()
    outage.begin()
    assert pacer.ended(turn, "accepted") == 0.0
    assert limited.limit
    limited.limit.hold(60)
    with pytest.raises(RunStoppedError):
        limited.wait()


# The database's clock


def test_the_clock_of_the_database_is_known_as_well_as_the_quickest_statement_shows(clock: FakeClock) -> None:
    server = ServerClock(clock)

    def statement(took_s: float, ahead_s: float = 1000.0) -> None:
        began = server.begin()
        clock.time += took_s
        server.sample(began, began + took_s / 2 + ahead_s)

    statement(0.2)
    assert server.margin_s == pytest.approx(0.2, abs=1e-5)
    statement(0.002)
    assert server.margin_s == pytest.approx(0.002, abs=1e-5)
    statement(0.5)
    assert server.margin_s == pytest.approx(0.002 + 0.5 * 2 * DRIFT, abs=1e-5)
    late = clock.monotonic() + 1000.0 - server.now()
    assert 0 <= late <= server.margin_s
    clock.time += 10
    assert 0 <= clock.monotonic() + 1000.0 - server.now() <= server.margin_s < 0.025
    statement(0.002, 400.0)  # it was set
    assert server.margin_s == pytest.approx(0.002, abs=1e-5)
    assert server.now() == pytest.approx(clock.monotonic() + 400.0, abs=0.002)


def test_a_turn_without_effect_leaves_no_trace(postgres: str, clock: FakeClock) -> None:
    rows = Rows(open_database(postgres))
    fast, slow = rows.pacer(100, clock), rows.pacer(1000, clock)
    fast.wait()
    turn = Turn(clock.now(), 1.0)
    assert slow._try_start(turn) == pytest.approx(1.0 - 0.03, abs=1e-5)
    assert turn.delay_s == 1.0
