"""An output whose rows get their outcomes before it is complete; see `wait.py`.

Until then, an envelope has `meta.order`: the inputs that identify the queued work. Waiting sends only reads,
so a run that is interrupted while it waits continues to wait when it is resumed, and sends no request again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connector.client.client import Client
from connector.common import json_text
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.common.times import convert_time
from connector.common.user_folders import write_whole
from connector.errors import RowError, RunInterruptedError, count_of
from connector.files.envelope import Envelope
from connector.files.output import FileOutput, Output
from connector.runs.outcomes import Ended, Order, is_traceable
from connector.runs.wait import Outcomes, Waiter, WaitPlan, logger

SINCE_NAME = "waiting.json"
"""The file in a run's work folder with the newest event before its first request."""

OnOutcome = Callable[[Envelope], None]
"""Called with the envelope of each row whose work has failed or not ended, or whose outcome is unknown."""


def is_waiting(output: Output) -> bool:
    """Return whether an interrupted run was waiting for the outcome of a row."""
    return any("order" in envelope.meta for envelope in output.earlier())


class WaitingOutput:
    """An output that waits in `finish` and then adds the outcomes to the envelopes.

    It is opened before the first request, because it reads the newest event. Raises RunError.
    """

    def __init__(
        self, output: Output, plan: WaitPlan, waiter: Waiter, clock: Clock, on_outcome: OnOutcome
    ) -> None:
        self._output, self._plan, self._waiter, self._clock = output, plan, waiter, clock
        self._on_outcome = on_outcome
        self._lines: list[bytes] = []
        self.cut_short = ""
        """Why the wait ended early in a run that cannot be resumed; empty if it did not."""
        self.done_rows = output.done_rows
        self._since = self._newest_event()

    def _newest_event(self) -> int:
        """Return the id of the newest event when the run began, also if it was resumed."""
        if not isinstance(self._output, FileOutput):
            return self._waiter.newest_event()
        path = self._output.folder / SINCE_NAME
        with suppress(FileNotFoundError):
            since: int = json_text.loads(path.read_text())["since"]
            return since
        since = self._waiter.newest_event()
        write_whole(path, json_text.dump_bytes({"since": since}))
        return since

    def earlier(self) -> Iterator[Envelope]:
        """Yield the envelopes that the interrupted run had written."""
        return self._output.earlier()

    def write(self, lines: bytes) -> None:
        """Write envelopes; those for standard output are kept until their outcomes are known."""
        if isinstance(self._output, FileOutput):
            self._output.write(lines)
        else:
            self._lines.append(lines)

    def finish(self) -> None:
        """Wait, add the outcomes, and complete the output.

        Raises RunInterruptedError if the run is stopping, and RunStoppedError. If it cannot be resumed, its
        envelopes are written before, with unknown outcomes.
        """
        orders = list(self._orders())
        if orders:
            lines = self._with_outcomes(self._wait(orders))
            if isinstance(self._output, FileOutput):
                self._output.revise(lines)
            else:
                self._lines = list(lines)
        self._write_held()
        self._output.finish()
        if self.cut_short:
            raise RunInterruptedError(self.cut_short)

    def close(self) -> None:
        """Write what was kept for standard output, and close the output."""
        self._write_held()
        self._output.close()

    def _wait(self, orders: list[Order]) -> Outcomes:
        logger.warning(
            "waiting for the end of the work of %s, at most %g s",
            *(count_of(len(orders), "row"), self._plan.timeout_s),
            extra={"notice": True},
        )
        try:
            return self._waiter.wait(orders, self._since, self._clock.now() + self._plan.timeout_s)
        except RowError as error:  # The run is stopping, and its output cannot be resumed.
            self.cut_short = str(error)
            return Outcomes({}, frozenset(), self.cut_short)

    def _envelopes(self) -> Iterator[Envelope]:
        if isinstance(self._output, FileOutput):
            yield from self._output.earlier()
        for lines in self._lines:
            for line in lines.splitlines():
                yield Envelope.from_json(json_text.loads(line.decode()))

    def _orders(self) -> Iterator[Order]:
        for envelope in self._envelopes():
            if "order" in envelope.meta:
                yield Order(envelope.row, envelope.meta["order"])

    def _with_outcomes(self, found: Outcomes) -> Iterator[bytes]:
        for envelope in self._envelopes():
            revised = with_outcome(envelope, self._plan, found)
            failed = revised.has_error and not envelope.has_error
            if failed or ("warnings" in revised.meta and "warnings" not in envelope.meta):
                self._on_outcome(revised)
            yield revised.line()

    def _write_held(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._output.write(b"".join(lines))


def waiting(
    output: Output, plan: WaitPlan | None, client: Client, clock: Clock, on_outcome: OnOutcome
) -> Output:
    """Return an output that waits for outcomes; the given one without a plan. Raises RunError."""
    if plan is None:
        return output
    return WaitingOutput(output, plan, Waiter(plan, client, clock), clock, on_outcome)


def call_and_wait(plan: WaitPlan, client: Client, clock: Clock, send: Callable[[], Envelope]) -> Envelope:
    """Return the envelope of a single call with its outcome. Raises RunError."""
    waiter = Waiter(plan, client, clock)
    since = waiter.newest_event()
    envelope = send()
    if "order" not in envelope.meta:
        return envelope
    orders = [Order(envelope.row, envelope.meta["order"])]
    try:
        found = waiter.wait(orders, since, clock.now() + plan.timeout_s)
    except KeyboardInterrupt:
        found = Outcomes({}, frozenset(), "interrupted")
    return with_outcome(envelope, plan, found)


def with_outcome(envelope: Envelope, plan: WaitPlan, found: Outcomes) -> Envelope:
    """Return a row's envelope with `meta.outcome`; the row fails if its work has failed or not ended."""
    meta: dict[str, Any] = dict(envelope.meta)
    inputs = meta.pop("order", None)
    if inputs is None:
        return envelope
    ended = found.ended.get(envelope.row)
    if not is_traceable(plan.outcome, inputs) or (ended is None and found.problem and not found.is_late):
        why = f"the outcome cannot be read: {found.problem}" if found.problem else "the API does not show it"
        meta["outcome"] = {"state": "unknown"}
        meta["warnings"] = [*meta.get("warnings", ()), f"outcome unknown: {why}"]
        return replace(envelope, meta=meta)
    if ended is None:
        meta["outcome"] = {"state": "timed_out"}
        message = _no_end(plan, found.problem, is_offline=envelope.row in found.offline)
        return _failed(envelope, meta, "execution_timeout", message)
    meta["outcome"] = _as_json(ended)
    if ended.succeeded and envelope.row in found.values and isinstance(envelope.result, dict):
        return replace(envelope, result={**envelope.result, "after": found.values[envelope.row]}, meta=meta)
    if ended.succeeded:
        return replace(envelope, meta=meta)
    code = "" if ended.exit_code is None else f", exit code {ended.exit_code}"
    return _failed(envelope, meta, "execution_failed", f"the device reports {ended.state}{code}")


def _no_end(plan: WaitPlan, problem: str, *, is_offline: bool) -> str:
    where = " (the device is offline)" if is_offline else ""
    if problem:
        where += f" (the last poll failed: {problem})"
    return (
        f"no end was reported within {plan.timeout_s:g} s{where}: the device may still do the work; check "
        f"in {plan.service.title} before you send it again"
    )


def _as_json(ended: Ended) -> dict[str, Json]:
    values = {
        "state": "completed" if ended.succeeded else "failed",
        "exit_code": ended.exit_code,
        "at": None if ended.at is None else convert_time(ended.at, "iso"),
        "activity_id": ended.id,
    }
    return {name: value for name, value in values.items() if value is not None}


def _failed(envelope: Envelope, meta: dict[str, Any], code: str, message: str) -> Envelope:
    return replace(envelope, error=message, meta={**meta, "code": code, "repeatable": False})
