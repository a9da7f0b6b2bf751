"""Runs a handler one step at a time, so that other code can act between its requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timezone, tzinfo
from typing import Any

from connector.common.zones import in_zone
from connector.errors import RowError
from connector.invocation.handlers import Note, Page, Steps


class StepByStep:
    """The steps of a handler, which are run one at a time.

    At the end, `step` is None and `result` is the handler's result. Within the handler, times without a time
    zone are in `zone`.
    """

    def __init__(self, steps: Steps, zone: tzinfo = timezone.utc) -> None:
        self._steps, self._zone = steps, zone
        self.step: Any = None
        self.result: Any = None
        self._advance(lambda: next(steps))

    def _advance(self, ask: Callable[[], Any]) -> None:
        try:
            with in_zone(self._zone):
                self.step = ask()
        except StopIteration as end:
            self.step, self.result = None, end.value

    def skip(self) -> None:
        """Continue the handler without yielding the step."""
        self._advance(lambda: next(self._steps))

    def pass_on(self) -> Steps:
        """Yield the step, and pass the response, or the error, to the handler."""
        step, steps = self.step, self._steps
        if isinstance(step, (Page, Note)):
            yield step
            self.skip()
            return
        try:
            response = yield step
        except RowError as error:
            refusal = error
        else:
            self._advance(lambda: steps.send(response))
            return
        self._advance(lambda: steps.throw(refusal))


def steps_in_zone(steps: Steps, zone: tzinfo) -> Steps:
    """Return the steps of a handler, in which times without a time zone are in `zone`."""
    handler = StepByStep(steps, zone)
    try:
        while handler.step is not None:
            yield from handler.pass_on()
        return handler.result
    finally:
        steps.close()
