"""Progress of a run: a bar on a terminal, otherwise a log line every few seconds.

A separate thread reads the state of the run, so that rows are not slowed down and waiting is shown, too.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Event, RLock, Thread
from typing import NamedTuple, TextIO

from connector.common.clock import Clock, SystemClock
from connector.errors import ConnectorError, count_of
from connector.runs.active_run import ActiveRun
from connector.runs.summary import Awaited, Pace

TERMINAL_INTERVAL_S = 0.2
LOG_INTERVAL_S = 10.0
_RECENT_S = 60.0
"""The time in seconds over which the rate is computed."""
_WAITS_S = 2.0
_MIN_BAR_WIDTH, _MAX_BAR_LENGTH = 5, 40


class View(NamedTuple):
    """The progress of a run at one moment. Times are in seconds, the rate is in rows per second.

    `left_s` is the estimated remaining time. `pace_s` is the part of it that is due to the delay between
    requests: if both are close, the delay limits the rate, otherwise the API does. `awaited` is the state of
    the wait for the end of queued work. `pace` is the one reached so far if it adapts to the service.
    """

    label: str
    done: int
    failed: int
    total: int | None = None
    rate: float | None = None
    left_s: float | None = None
    pace_s: float | None = None
    waits_s: float | None = None
    awaited: Awaited | None = None
    pace: Pace | None = None

    @property
    def share(self) -> float | None:
        """The share of processed rows, from 0 to 1; None if the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def facts(self) -> list[str]:
        """The texts to show, most important first."""
        facts = [count_of(self.done, "row") if self.total is None else f"{self.done}/{self.total} rows"]
        if self.share is not None:
            facts.insert(0, f"{int(100 * self.share)} %")
        if its := self.awaited:
            waiting = f"waiting for the end of {count_of(its.left, 'row')}"
            return [*facts, waiting, f"{its.completed} completed", f"{self.failed + its.failed} failed"]
        facts.append(f"{self.failed} failed")
        if self.waits_s is not None:
            facts.append(f"waiting for {duration(self.waits_s)}")
        delays = "" if self.pace_s is None else f"{duration(self.pace_s)} of delays"
        if self.left_s is not None:
            facts.append(f"{duration(self.left_s)} left" + (f" ({delays})" if delays else ""))
        elif delays:
            facts.append(delays)
        if self.rate is not None:
            facts.append(rate_text(self.rate))
        if self.pace:
            facts.append(self.pace.interval_text)
        return facts


class Gauge:
    """Computes the rate and the remaining time of one run."""

    def __init__(self, run: ActiveRun, clock: Clock) -> None:
        self._run, self._clock = run, clock
        self._total: int | None = None
        self._first_done, self._first_requests = self._done(), run.requests()
        self._seen = deque([(clock.monotonic(), self._first_done)])
        self._signs_of_life = (self._first_done, self._first_requests)
        self._alive_at = clock.monotonic()

    def count(self, go_on: Callable[[], bool]) -> None:
        """Count the rows of the input, until `go_on` returns false."""
        with suppress(ConnectorError, OSError):
            self._total = self._run.rows.count(go_on)

    def look(self) -> View:
        """Return the current progress of the run."""
        now, done, requests = self._clock.monotonic(), self._done(), self._run.requests()
        rate = self._rate(now, done)
        left = None if self._total is None else max(0, self._total - done)
        return View(
            self._run.job.label,
            done,
            self._run.summary.failed,
            self._total,
            rate,
            left / rate if left is not None and rate else None,
            self._pace_s(left, done, requests),
            self._waits_s(now, done, requests),
            sum(awaited, start=Awaited(0)) if (awaited := self._run.summary.awaited.values()) else None,
            self._run.pace,
        )

    def _done(self) -> int:
        return self._run.rows.passed(self._run.summary.last_row)

    def _rate(self, now: float, done: int) -> float | None:
        """Return the rate in rows per second over the last minute, or longer if rows are rare; else None."""
        if done > self._seen[-1][1]:
            self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _RECENT_S:
            self._seen.popleft()
        then, before = self._seen[0]
        return (done - before) / (now - then) if done > before and now > then else None

    def _pace_s(self, left: int | None, done: int, requests: int) -> float | None:
        if left is None or not self._run.interval_ms:
            return None
        rows = done - self._first_done
        each = (requests - self._first_requests) / rows if rows else 1.0
        return left * each * self._run.interval_ms / 1000

    def _waits_s(self, now: float, done: int, requests: int) -> float | None:
        """Return the seconds since a row ended or a request started, if that exceeds the delay; else None."""
        if (done, requests) != self._signs_of_life:
            self._signs_of_life, self._alive_at = (done, requests), now
        waits_s = now - self._alive_at
        return waits_s if waits_s >= _WAITS_S + self._run.interval_ms / 1000 else None


class Progress:
    """Shows the progress of a command's runs on a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._every_s = TERMINAL_INTERVAL_S if self._terminal else LOG_INTERVAL_S
        self._lock = RLock()  # reentrant: a signal handler can print while a line is being written
        self._shown = 0
        self._ended = Event()
        self._thread: Thread | None = None

    def begin(self, run: ActiveRun) -> None:
        """Start showing a run, until `end` is called."""
        self._ended = Event()
        self._thread = Thread(target=self._watch, args=(Gauge(run, SystemClock()), self._ended), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop showing the progress of a run, and clear the progress bar."""
        self._ended.set()
        if self._thread:
            self._thread.join()
        self._thread = None
        self._clear()

    def say(self, text: str) -> None:
        """Print a line of text, above the progress bar if there is one."""
        with self._lock:
            self._clear()
            self._write(f"{text}\n")

    def show(self, view: View) -> None:
        """Show the current state of a run."""
        with self._lock:
            if not self._terminal:
                self._write(log_line(view) + "\n")
                return
            width = columns(self._stream) - 1  # some terminals wrap after a character in the last column
            line = bar(view, width)
            # Overwrites the old line without clearing it first, to avoid flicker.
            self._write("\r" + line.ljust(min(self._shown, width)))
            self._shown = len(line)

    def _watch(self, gauge: Gauge, ended: Event) -> None:
        if ended.wait(self._every_s):
            return
        gauge.count(lambda: not ended.is_set())
        while not ended.is_set():
            self.show(gauge.look())
            ended.wait(self._every_s)

    def _clear(self) -> None:
        with self._lock:
            if self._shown:
                self._write("\r" + " " * min(self._shown, columns(self._stream) - 1) + "\r")
                self._shown = 0

    def _write(self, text: str) -> None:
        # The run continues if the stream is closed, or a signal handler writes at the same time.
        with suppress(OSError, ValueError, RuntimeError):
            self._stream.write(text)
            self._stream.flush()


def columns(stream: TextIO) -> int:
    """Return the width of a terminal, in columns."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = 0
    return width or shutil.get_terminal_size().columns


def bar(view: View, width: int) -> str:
    """Return a progress bar of at most `width` columns; less important facts are omitted if needed."""
    facts = view.facts
    while len(facts) > 1 and len(", ".join(facts)) > width:
        facts.pop()
    text = ", ".join(facts)
    if len(view.label) + 2 + len(text) + _MIN_BAR_WIDTH + 3 <= width:
        text = f"{view.label}: {text}"
    room = min(width - len(text) - 3, _MAX_BAR_LENGTH)
    if view.share is None or room < _MIN_BAR_WIDTH:
        return text[:width]
    room -= room % _MIN_BAR_WIDTH  # so that the bar keeps its length when the text changes by a digit
    full = int(room * view.share)
    return f"[{'#' * full}{'.' * (room - full)}] {text}"


def log_line(view: View) -> str:
    """Return the progress of a run as a log line."""
    return f"{view.label}: {', '.join(view.facts)}"


def rate_text(rate: float) -> str:
    """Return a rate in rows per second as text, such as `2.5/s`."""
    return f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min"


def duration(seconds: float) -> str:
    """Return a duration in seconds as text, such as `2 min 5 s`, rounded to about 1 %."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit, part, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= 10 * size:
            return f"{round(seconds / size)} {unit}"
        if seconds >= size:
            whole, rest = divmod(round(seconds / part), size // part)
            return f"{whole} {unit} {rest} {part_unit}" if rest else f"{whole} {unit}"
    return f"{round(seconds)} s"
