"""Run handlers with given responses, and keep their requests, notes, and results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.errors import RowError
from connector.invocation.bindings import bind
from connector.invocation.handlers import Inputs, Note, Request, find_handler
from tests.fakes import reply
from tests.kept_catalog import CATALOG


@dataclass
class Fed:
    """The outcome of a row: requests, notes, and the result or the error."""

    sent: list[Request] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    result: Any = None
    error: RowError | None = None

    @property
    def lines(self) -> list[str]:
        """Return the requests as method and target."""
        return [f"{request.method} {request.target}" for request in self.sent]

    @property
    def body(self) -> Any:
        """Return the body of the last request."""
        return self.sent[-1].body


def refusal(status: int, code: str = "api_error", said: str = "no") -> RowError:
    """Return the error that the client raises for an error response."""
    return RowError(code, f"the API answered {status}: {said}", status=status, request_id="r-1", attempts=1)


def feed(name: str, /, *answers: Any, **values: Any) -> Fed:
    """Run the handler of an action for one row; a response is JSON, or the error of its request."""
    action = CATALOG.action(name)
    service = CATALOG.service("ninjaone")
    fed, waiting = Fed(), iter(answers)
    inputs = Inputs(action, service, bind(action, {}).values(values), Path())
    steps = find_handler(action)(inputs)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Note):
                fed.notes.append(step.text)
                step = next(steps)
                continue
            assert isinstance(step, Request)
            fed.sent.append(step)
            response = _next(waiting, step)
            step = (
                steps.throw(response) if isinstance(response, RowError) else steps.send(_response(response))
            )
    except StopIteration as stop:
        fed.result = stop.value
    except RowError as error:
        fed.error = error
    assert list(waiting) == [], "not all answers were asked for"
    return fed


def _next(waiting: Iterator[Any], step: Request) -> Any:
    for response in waiting:
        return response
    raise AssertionError(f"no answer is left for {step}")


def _response(answer: Any) -> Any:
    return reply(b"", 204) if answer is None else reply(answer)
