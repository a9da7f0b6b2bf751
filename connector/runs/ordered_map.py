"""Work on several threads, and what comes of it in the order in which it was started.

    items -> begun one after the other -> worked on, on N threads -> written in order

The item that has waited longest leads: what comes of it is written as it comes, so that a long list streams.
What comes of the others is held until they lead, and whoever ends the leading one writes all that has become
ready behind it. There is no hand-over to another thread, which would cost more than most rows do.

A bound on the items that are begun behind the leading one, and on the bytes that are held, keeps memory flat
though one request hangs for a minute.
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

_LEAST_ROOM, _ROOM_A_THREAD = 64, 4
_MOST_HELD = 4 << 20
_LOOK_EVERY_S = 0.5


def run_in_order(
    items: Iterator[T],
    work: Callable[[T], Generator[R, None, None]],
    write: Callable[[Sequence[R]], None],
    *,
    threads: int,
    go_on: Callable[[], bool],
    size: Callable[[R], int],
) -> bool:
    """Work on every item, and write what comes of them in their order. Tell whether all items were begun.

    `write` is called from one thread at a time, with one or more results; `size` gives the bytes of one.
    Before an item is started `go_on` is asked; when it says no, what is in progress is finished and written.

    Raises what `items`, `work` or `write` raised first; no further item is started then, items in progress
    are finished, and those before the item that failed are written.
    """
    return _Window(items, work, write, threads, go_on, size).run()


class _Slot(Generic[R]):
    """An item's place in the order, and what came of it so far that is not written yet."""

    __slots__ = ("ended", "held", "leads", "place", "size")

    def __init__(self, place: int, leads: bool) -> None:
        self.place, self.leads = place, leads
        self.ended = False
        self.held: list[R] = []
        self.size = 0


class _Window(Generic[T, R]):
    """The items that are in progress. Whose slot leads may write, and nobody else."""

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
        self._room = max(_LEAST_ROOM, _ROOM_A_THREAD * threads)
        self._reading = Lock()
        """Held while an item is read, which may take its time; always taken before `_lock`."""
        self._lock = Lock()
        self._moved = Condition(self._lock)
        self._over = Condition(self._lock)
        self._slots: deque[_Slot[R]] = deque()
        self._begun = self._under_way = self._held = self._alive = 0
        self._closed = self._exhausted = False
        self._errors: list[BaseException] = []
        self._broken_at = float("inf")
        """The first place whose results cannot be written: those behind it cannot be, either."""

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
        """Start the threads, or as many as the system allows. They do not hold up the end of the process."""
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
        """Wait for the threads, but not for one that only waits for input that nobody wants any more."""
        with self._lock:
            while self._alive:
                # Looking up now and then lets signals in where a wait without an end keeps them out.
                ended = self._over.wait(_LOOK_EVERY_S)
                if not ended and not self._under_way and (self._closed or not self._go_on()):
                    return

    def _close(self, broken_at: float) -> None:
        """Begin nothing more, and write nothing behind a place."""
        with self._lock:
            self._closed = True
            self._broken_at = min(self._broken_at, broken_at)
            self._moved.notify_all()

    def _fail(self, error: BaseException, place: int) -> None:
        self._errors.append(error)
        self._close(place)

    def _live(self) -> None:
        """What a thread does."""
        try:
            while (begun := self._begin()) is not None:
                self._run(*begun)
        except BaseException as error:  # the items cannot be read: those that are in progress can be written
            self._fail(error, self._begun)
        finally:
            with self._lock:
                self._alive -= 1
                self._over.notify()

    def _begin(self) -> tuple[_Slot[R], T] | None:
        """Take the next item, when there is room for one. None when no more is to be begun."""
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
                    self._under_way += 1
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
                self._under_way -= 1

    def _put(self, slot: _Slot[R], result: R) -> bool:
        """Write a result or hold it. Tell whether there is any use in more of them."""
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
        """Hold a result until its slot leads, and wait for that when much is held. The lock is held, too."""
        size = self._size(result)
        slot.held.append(result)
        slot.size += size
        self._held += size
        while self._held > _MOST_HELD and not slot.leads and slot.place <= self._broken_at:
            self._moved.wait()
        return slot.place <= self._broken_at

    def _write_held(self, slot: _Slot[R]) -> None:
        """Write what was held before the slot came to lead."""
        if slot.held:
            self._write(slot.held)
            with self._lock:
                self._held -= slot.size
                slot.held, slot.size = [], 0
                self._moved.notify_all()

    def _end(self, slot: _Slot[R]) -> None:
        """End a slot. If it leads, write all that is ready, and let the next one lead that is not."""
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
