"""Properties that are computed when they are first read."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from connector.common.lazy_property import lazy_property


class Body:
    """An object whose value is computed by `read`."""

    def __init__(self, read: object) -> None:
        self.read, self.calls = read, 0

    @lazy_property
    def value(self) -> int:
        """The value."""
        self.calls += 1
        return self.read()  # type: ignore[operator, no-any-return]


def test_it_is_computed_once() -> None:
    body = Body(lambda: 7)
    assert (body.value, body.value, body.calls) == (7, 7, 1)
    assert Body.value.__doc__ == "The value."


def test_an_error_is_not_kept() -> None:
    body = Body(lambda: 1 // 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            body.value  # noqa: B018
    body.read = lambda: 7
    assert (body.value, body.calls) == (7, 3)


def test_objects_do_not_wait_for_each_other() -> None:
    begun, other_is_done = Event(), Event()

    def wait() -> bool:
        begun.set()
        return other_is_done.wait(60)

    waiting = Body(wait)
    thread = Thread(target=lambda: waiting.value)
    thread.start()
    assert begun.wait(60)
    reading = Thread(target=lambda: Body(lambda: 7).value and other_is_done.set())
    reading.start()
    thread.join()
    reading.join()
    assert waiting.value is True
