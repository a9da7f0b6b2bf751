"""Runs the work of a task in a thread, so that a signal for the task does not interrupt a request."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def run_stoppable(work: Callable[[], Result], stop: Callable[[], None]) -> Result:
    """Return the result of `work`, or raise its error. `stop` makes it end early.

    An exception in this thread (Airflow 2 raises one for SIGTERM and for a timeout) calls `stop`, and so does
    a further one. The request in progress is finished, and its outcome is that of the task: a write that has
    been executed must not look like one that can be sent again.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    thread = Thread(target=run, name="connector")
    # Signals wait until the thread has started, because an exception in `start` would leave it unclear.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    thread.start()
    is_finished = must_stop = False
    while not is_finished:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            if must_stop:  # here, and not in `except`, because a further signal can interrupt it
                stop()
                must_stop = False
            while thread.is_alive():
                thread.join(1)  # A signal that comes just before a wait is noticed after it.
            is_finished = True
        except BaseException:
            must_stop = True
    return done.result()
