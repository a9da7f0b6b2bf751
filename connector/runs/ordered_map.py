"""Processes items on several threads and writes their results in the original order.

    items -> started one after the other -> processed on N threads -> written in order

The oldest unfinished item is the leader: its results are written immediately, so that a long list streams.
Results of other items are buffered. The thread that finishes the leader also writes the buffered results of
finished items after it. There is no separate writer thread, because passing results to it would take longer
than processing most rows.

Memory stays bounded even if one request takes very long, because the number of items started after the leader
and the size of buffered results are limited.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import takewhile
from threading import Condition, Lock, Thread
from typing import Generic, TypeVar

from connector.errors import RunInterruptedError, RunStoppedError

T = TypeVar("T")
R = TypeVar("R")

_MIN_ROOM, _ROOM_PER_THREAD = 64, 4
_MAX_HELD = 4 << 20
_POLL_INTERVAL_S = 0.5


def run_in_order(
    items: Iterator[T],
    work: Callable[[T], Generator[R, None, None]],
    write: Callable[[Sequence[R]], None],
    *,
    threads: int,
    go_on: Callable[[], bool],
    size: Callable[[R], int],
) -> bool:
    """Process all items and write their results in order; return whether all items were started.

    `write` is called from one thread at a time, with one or more results; `size` returns the bytes of one.
    `go_on` is called before an item is started; if it returns false, only items in progress are finished.

    Raises the first error of `items`, `work` or `write`. No further item is started then; items in progress
    are finished, and the results of items before the failed one are written.
    """
    return _Window(items, work, write, threads, go_on, size).run()


class _Slot(Generic[R]):
    """An item's position in the order, and its buffered results."""

    __slots__ = ("ended", "held", "leads", "place", "size")

    def __init__(self, place: int, leads: bool) -> None:
        self.place, self.leads = place, leads
        self.ended = False
        self.held: list[R] = []
        self.size = 0


class _Window(Generic[T, R]):
    """The items in progress. Only the thread of the leading item writes results."""

    def __init__(
        self,
        items: Iterator[T],
        work: Callable[[T], Generator[R, None, None]],
        write: Callable[[Sequence[R]], None],
        threads: int,
        go_on: Callable[[], bool],
        size: Callable[[R], int],
    ) -> None:
        self._items, self._work, self._write, self._go_on, self._size = items, work, write, go_on, size
        self._threads = threads
        self._room = max(_MIN_ROOM, _ROOM_PER_THREAD * threads)
        self._reading = Lock()
        """Acquired to read an item, which can take long; always acquired before `_lock`."""
        self._lock = Lock()
        self._moved = Condition(self._lock)
        self._over = Condition(self._lock)
        self._slots: deque[_Slot[R]] = deque()
        self._begun = self._in_progress = self._held = self._alive = 0
        self._closed = self._exhausted = False
        self._errors: list[BaseException] = []
        self._broken_at = float("inf")
        """The position after which no results are written, because an item failed there."""

    def run(self) -> bool:
        try:
            self._start()
            self._wait()
        finally:
            self._close(float("-inf"))
        if self._errors:
            raise next((e for e in self._errors if not isinstance(e, RunInterruptedError)), self._errors[0])
        return self._exhausted

    def _start(self) -> None:
        """Start the threads, or as many as the system allows. They are daemons: they do not block exit."""
        for number in range(1, self._threads + 1):
            thread = Thread(target=self._live, name=f"rows-{number}", daemon=True)
            with self._lock:
                self._alive += 1
            try:
                thread.start()
            except RuntimeError as error:
                with self._lock:
                    self._alive -= 1
                if number == 1:
                    raise RunStoppedError(f"no thread can be started: {error}") from error
                return

    def _wait(self) -> None:
        """Wait for all threads, unless no item is in progress and no further item is to be started."""
        with self._lock:
            while self._alive:
                # A timeout lets Python handle signals; an unlimited wait would block them on some systems.
                ended = self._over.wait(_POLL_INTERVAL_S)
                if not ended and not self._in_progress and (self._closed or not self._go_on()):
                    return

    def _close(self, broken_at: float) -> None:
        """Start no further items, and write no results of items after the position `broken_at`."""
        with self._lock:
            self._closed = True
            self._broken_at = min(self._broken_at, broken_at)
            self._moved.notify_all()

    def _fail(self, error: BaseException, place: int) -> None:
        self._errors.append(error)
        self._close(place)

    def _live(self) -> None:
        """Process items until there are no more; the target function of each thread."""
        try:
            while (begun := self._begin()) is not None:
                self._run(*begun)
        except BaseException as error:
            # Reading an item failed. Items in progress are still finished, and their results written.
            self._fail(error, self._begun)
        finally:
            with self._lock:
                self._alive -= 1
                self._over.notify()

    def _begin(self) -> tuple[_Slot[R], T] | None:
        """Wait until another item may start; return it with its slot, or None if no item is left to start."""
        with self._reading:
            with self._lock:
                while not self._closed and len(self._slots) >= self._room:
                    self._moved.wait()
                if self._closed:
                    return None
            for item in self._items:
                with self._lock:
                    if self._closed or not self._go_on():
                        self._closed = True
                        return None
                    slot: _Slot[R] = _Slot(self._begun, leads=not self._slots)
                    self._begun += 1
                    self._in_progress += 1
                    self._slots.append(slot)
                    return slot, item
            self._closed = self._exhausted = True
            return None

    def _run(self, slot: _Slot[R], item: T) -> None:
        results = self._work(item)
        try:
            for result in results:
                if not self._put(slot, result):
                    return
            self._end(slot)
        except BaseException as error:
            self._fail(error, slot.place)
        finally:
            results.close()
            with self._lock:
                self._in_progress -= 1

    def _put(self, slot: _Slot[R], result: R) -> bool:
        """Write or buffer a result; return whether the next result of this item is also to be written."""
        if not slot.leads:
            with self._lock:
                if not slot.leads:
                    return self._hold(slot, result)
        if slot.place > self._broken_at:
            return False
        self._write_held(slot)
        self._write([result])
        return True

    def _hold(self, slot: _Slot[R], result: R) -> bool:
        """Buffer a result; while the buffer is full, wait until the item leads.

        The caller has acquired `_lock`.
        """
        size = self._size(result)
        slot.held.append(result)
        slot.size += size
        self._held += size
        while self._held > _MAX_HELD and not slot.leads and slot.place <= self._broken_at:
            self._moved.wait()
        return slot.place <= self._broken_at

    def _write_held(self, slot: _Slot[R]) -> None:
        """Write the results that this item buffered before it became the leader."""
        if slot.held:
            self._write(slot.held)
            with self._lock:
                self._held -= slot.size
                slot.held, slot.size = [], 0
                self._moved.notify_all()

    def _end(self, slot: _Slot[R]) -> None:
        """Finish an item. If it leads, write all finished items after it; the next unfinished item leads."""
        with self._lock:
            slot.ended = True
            ready = self._ready() if slot.leads else []
        while ready:
            if results := [result for ended in ready for result in ended.held]:
                self._write(results)
            with self._lock:
                for ended in ready:
                    self._slots.popleft()
                    self._held -= ended.size
                if self._slots:
                    self._slots[0].leads = True
                self._moved.notify_all()
                ready = self._ready()

    def _ready(self) -> list[_Slot[R]]:
        return list(takewhile(lambda slot: slot.ended, self._slots))
