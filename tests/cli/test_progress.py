"""The progress of a run: its numbers, by a fake clock; its bar at any width; its thread."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from connector.cli import progress
from connector.cli.progress import Gauge, Progress, View, bar, duration, log_line, rate_text
from connector.errors import RunError
from connector.files.readers import InputRow
from connector.runs.active_run import ActiveRun
from connector.runs.job import Job
from connector.runs.summary import Awaited, Summary
from tests.cli.conftest import screen
from tests.fakes import FakeClock, wait_until
from tests.loopback import PATIENCE_S


@dataclass
class Feed:
    """Rows of which only the number matters; None is not known."""

    total: int | None = None
    fault: Exception | None = None

    def rows(self) -> Iterator[InputRow]:
        raise AssertionError("to show a run is not to read its rows")

    def count(self, go_on: Callable[[], bool]) -> int | None:
        if self.fault:
            raise self.fault
        return self.total

    def passed(self, row: int) -> int:
        return row


@dataclass
class Watched:
    """A run that is told by hand how far it is."""

    total: int | None = None
    delay_ms: float = 0.0
    resumed: int = 0
    summary: Summary = field(default_factory=Summary)
    requests: int = 0
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.summary.last_row = self.summary.rows = self.resumed
        self.running = ActiveRun(
            Job("reboot_device"), Feed(self.total), self.summary, self.delay_ms, lambda: self.requests
        )
        self.gauge = Gauge(self.running, self.clock)
        self.gauge.count(lambda: True)

    def go_on(self, seconds: float, rows: int = 0, requests: int | None = None) -> View:
        self.clock.sleep(seconds)
        self.summary.last_row += rows
        self.requests += rows if requests is None else requests
        return self.gauge.look()


def test_a_run_that_has_just_begun() -> None:
    assert Watched(total=4000).go_on(0.2) == View("reboot_device", 0, 0, 4000)


def test_the_rate_and_the_time_left_are_those_of_the_last_minute() -> None:
    run = Watched(total=1000)
    for _ in range(10):
        run.go_on(1, rows=10)
    for _ in range(90):
        view = run.go_on(1, rows=2)
    assert (view.done, view.rate) == (280, pytest.approx(2))
    assert view.left_s == pytest.approx(360)


def test_where_rows_are_rare_the_rate_is_that_of_the_last_ones() -> None:
    run = Watched(total=10)
    for _ in range(3):
        run.go_on(60)
        view = run.go_on(60, rows=1)
    assert view.rate == pytest.approx(1 / 120)
    assert view.left_s == pytest.approx(7 * 120)


def test_rows_of_the_interrupted_run_are_done_and_make_nothing_faster() -> None:
    run = Watched(total=1000, resumed=900)
    view = run.go_on(10, rows=10)
    assert (view.done, view.share, view.rate, view.left_s) == (910, 0.91, 1.0, 90.0)


def test_the_pace_alone_is_that_of_all_requests_to_come() -> None:
    run = Watched(total=100, delay_ms=300)
    assert run.go_on(0.1).pace_s == pytest.approx(30)
    assert run.go_on(10, rows=20, requests=60).pace_s == pytest.approx(80 * 3 * 0.3)
    assert run.go_on(10, rows=80).pace_s == 0
    assert Watched(total=100).go_on(1, rows=1).pace_s is None
    assert Watched(delay_ms=300).go_on(1, rows=1).pace_s is None


def test_a_run_that_waits_says_since_when() -> None:
    run = Watched(total=10, delay_ms=1000)
    assert run.go_on(5, rows=1).waits_s is None
    assert run.go_on(2.9).waits_s is None
    assert run.go_on(0.1).waits_s == pytest.approx(3)
    assert run.go_on(60).waits_s == pytest.approx(63)
    assert "waiting for 1 min 3 s" in log_line(run.go_on(0))
    assert run.go_on(1, requests=1).waits_s is None  # another try is a sign of life
    assert run.go_on(4).waits_s == pytest.approx(4)
    assert run.go_on(1, rows=1, requests=0).waits_s is None


def test_a_run_that_waits_for_the_end_of_the_work_says_for_how_many() -> None:
    run = Watched(total=200)
    run.summary.failed = 2
    run.summary.awaited = {"a": Awaited(100), "b": Awaited(98, completed=80, failed=5, unclear=1)}
    assert log_line(run.go_on(60, rows=200)) == (
        "reboot_device: 100 %, 200/200 rows, waiting for the end of 112 rows, 80 completed, 7 failed"
    )


def test_a_length_that_is_not_known_or_cannot_be_found_out() -> None:
    run = Watched()
    assert log_line(run.go_on(10, rows=40)) == "reboot_device: 40 rows, 0 failed, 4.0/s"
    broken = Gauge(ActiveRun(Job("x"), Feed(fault=RunError("gone")), Summary(), 0, int), FakeClock())
    broken.count(lambda: True)
    assert broken.look() == View("x", 0, 0)


def test_more_rows_than_were_counted_are_no_more_than_all() -> None:
    view = Watched(total=10).go_on(1, rows=12)
    assert (view.share, view.left_s) == (1.0, 0.0)
    assert bar(view, 100).startswith("[" + "#" * 35 + "] ")
    assert Watched(total=0).go_on(1).share is None


FULL = View("update_device", 1234, 2, 4000, 3.3, 840.0, 720.0, 74.0)


def test_a_line_of_a_log_has_everything() -> None:
    assert log_line(FULL) == (
        "update_device: 30 %, 1234/4000 rows, 2 failed, waiting for 1 min 14 s, 14 min left "
        "(12 min of delays), 3.3/s"
    )


@pytest.mark.parametrize("view", [FULL, View("x", 0, 0), View("update_device", 1, 0, 2, None, None, 60.0)])
def test_a_bar_fits_in_every_terminal(view: View) -> None:
    for width in range(200):
        assert len(bar(view, width)) <= width
        assert bar(view, width).isascii()


def test_a_terminal_of_usual_width_has_room_for_bar_and_facts() -> None:
    usual = View("update_device", 1234, 2, 4000, 3.3, 840.0, 720.0)
    facts = "30 %, 1234/4000 rows, 2 failed, 14 min left (12 min of delays), 3.3/s"
    assert bar(usual, 79) == f"[#....] {facts}"
    assert bar(usual, 99) == f"[###.......] update_device: {facts}"
    assert bar(usual, 45) == "[###.......] 30 %, 1234/4000 rows, 2 failed"
    assert bar(usual, 25) == "30 %, 1234/4000 rows"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (10, "10 s"), (59.6, "60 s"), (60, "1 min"), (125, "2 min 5 s"),
     (599.6, "10 min"), (892, "15 min"), (3599.6, "60 min"), (7201, "2 h"), (7260, "2 h 1 min"),
     (11 * 3600 + 1700, "11 h"), (90000, "1 d 1 h"), (15 * 86400, "15 d")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_slow_rates_are_by_the_minute() -> None:
    assert (rate_text(12.34), rate_text(1), rate_text(0.5)) == ("12.3/s", "1.0/s", "30.0/min")


# The thread


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, text: str) -> None:
    """Wait until a stream has a text."""
    wait_until(lambda: text in stream.getvalue())


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "TERMINAL_INTERVAL_S", 0.001)
    monkeypatch.setattr(progress, "LOG_INTERVAL_S", 0.001)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("often")
def test_a_bar_is_cleared_and_its_thread_ends() -> None:
    stream = Terminal()
    watch = Progress(stream)
    for number in (1, 2):
        watch.begin(Watched(total=number).running)
        thread = watch._thread
        assert thread is not None
        assert thread.is_alive()
        shown(stream, f"0/{number} rows")
        watch.say("stopping")
        watch.end()
        assert not thread.is_alive()
        assert screen(stream.getvalue()) == ["stopping"] * number + [""]


def test_a_shorter_bar_leaves_nothing_of_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    watch = Progress(stream)
    for view in (FULL, View("x", 1, 0)):
        watch.show(view)
        assert screen(stream.getvalue()) == [bar(view, 79)]


@pytest.mark.usefixtures("often")
def test_elsewhere_it_writes_lines_and_no_control_characters() -> None:
    stream = io.StringIO()
    watch = Progress(stream)
    watch.begin(Watched(total=10).running)
    shown(stream, "reboot_device: 0 %, 0/10 rows, 0 failed\n")
    watch.end()
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.usefixtures("often")
def test_a_count_that_takes_long_does_not_hold_up_the_end() -> None:
    class Endless(Feed):
        def count(self, go_on: Callable[[], bool]) -> int | None:
            while go_on():
                counting.set()
            return None

    counting = threading.Event()
    watch = Progress(Terminal())
    watch.begin(ActiveRun(Job("x"), Endless(), Summary(), 0, int))
    assert counting.wait(PATIENCE_S)
    watch.end()


@pytest.mark.usefixtures("often")
def test_a_stream_that_nobody_reads_any_more_is_no_fault() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            written.set()
            raise BrokenPipeError

    written = threading.Event()
    watch = Progress(Gone())
    watch.begin(Watched(total=10).running)
    assert written.wait(PATIENCE_S)
    watch.end()
