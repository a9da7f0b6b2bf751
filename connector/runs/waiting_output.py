"""An output whose rows get their outcomes before it is complete; see `wait.py`.

Until then, an envelope has `meta.order`: the inputs that identify the queued work, and whether rows ran in
parallel. A failed row has it, too, if its request may have arrived. Waiting sends only reads, so a run that
is interrupted while it waits continues to wait when it is resumed, and sends no request again. The same
applies if the outcomes cannot be read, for example because a permission was removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.client.client import Client
from connector.common import json_text
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.common.times import convert_time
from connector.errors import RowError, RunInterruptedError, WaitStoppedError, count_of
from connector.files.envelope import Envelope
from connector.files.envelope_lines import LongLine
from connector.files.file_output import FileOutput
from connector.files.list_envelope import ListEnvelope
from connector.files.output import Output
from connector.runs.distinct import shared_error
from connector.runs.outcomes import Ended, Order, is_traceable
from connector.runs.wait import Outcomes, Report, Waiter, WaitPlan, logger

SINCE_NAME = "waiting"
"""The name of what a run keeps with the newest event before its first request."""

_SHOWN_ROWS = 5

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
        self,
        output: Output,
        plan: WaitPlan,
        waiter: Waiter,
        clock: Clock,
        on_outcome: OnOutcome,
        report: Report,
        *,
        may_resume: bool,
    ) -> None:
        self._output, self._plan, self._waiter, self._clock = output, plan, waiter, clock
        self._on_outcome, self._report, self._may_resume = on_outcome, report, may_resume
        self._lines: list[bytes] = []
        self.cut_short = ""
        """Why the wait ended early in a run that cannot be resumed; empty if it did not."""
        self.done_rows = output.done_rows
        self._since = self._newest_event()

    def _newest_event(self) -> int:
        """Return the id of the newest event when the run began, also if it was resumed."""
        if not isinstance(self._output, FileOutput):
            return self._waiter.newest_event()
        kept = self._output.keep(SINCE_NAME, lambda: {"since": self._waiter.newest_event()})
        since: int = kept["since"]
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

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list, as `write` does."""
        if isinstance(self._output, FileOutput):
            self._output.write_list(envelope)
        else:
            self._lines.append(b"".join(envelope.blocks()))

    def finish(self) -> None:
        """Wait until the queued work has ended, add the outcomes, and complete the output.

        Raises RunInterruptedError if the run is stopping, and RunStoppedError if outcomes cannot be read or
        the output cannot be written. If the run cannot be resumed, its envelopes are written with unknown
        outcomes before the error is raised.
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
        if number := sum(order.is_sure for order in orders):
            logger.warning(
                "waiting for the end of the work of %s, at most %g s",
                *(count_of(number, "row"), self._plan.timeout_s),
                extra={"notice": True},
            )
        try:
            deadline = self._clock.now() + self._plan.timeout_s
            outcomes = self._waiter.wait(orders, self._since, deadline, self._report)
        except RowError as error:  # The run is stopping, and its output cannot be resumed.
            self.cut_short = str(error)
            return Outcomes(problem=self.cut_short)
        if outcomes.is_cut_short and self._may_resume:
            raise WaitStoppedError(
                f"the outcomes cannot be read: {outcomes.problem}. All requests of the rows were sent; after "
                "you have fixed this, --resume continues to wait, and sends none of them again"
            )
        return outcomes

    def _envelopes(self) -> Iterator[Envelope]:
        if isinstance(self._output, FileOutput):
            yield from self._output.earlier()
        for lines in self._lines:
            for line in lines.splitlines():
                yield Envelope.from_json(json_text.loads(line.decode()))

    def _orders(self) -> Iterator[Order]:
        for envelope in self._envelopes():
            if "order" in envelope.meta and "same_as" not in envelope.meta:
                yield _order_of(envelope)

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
    output: Output,
    plan: WaitPlan,
    client: Client,
    clock: Clock,
    on_outcome: OnOutcome,
    report: Report,
    *,
    may_resume: bool,
) -> Output:
    """Return an output that waits for outcomes. Raises RunError.

    `report` is called with the state of the wait; `may_resume` is false for a run that cannot be resumed.
    """
    waiter = Waiter(plan, client, clock)
    return WaitingOutput(output, plan, waiter, clock, on_outcome, report, may_resume=may_resume)


def call_and_wait(plan: WaitPlan, client: Client, clock: Clock, send: Callable[[], Envelope]) -> Envelope:
    """Return the envelope of a single call with its outcome. Raises RunError."""
    waiter = Waiter(plan, client, clock)
    since = waiter.newest_event()
    envelope = send()
    if "order" not in envelope.meta:
        return envelope
    try:
        outcomes = waiter.wait([_order_of(envelope)], since, clock.now() + plan.timeout_s)
    except KeyboardInterrupt:
        outcomes = Outcomes(problem="interrupted")
    return with_outcome(envelope, plan, outcomes)


def _order_of(envelope: Envelope) -> Order:
    order = envelope.meta["order"]
    return Order(
        envelope.row,
        _inputs_of(order),
        is_sure=not envelope.has_error,
        is_alone=order.get("is_alone", False),
    )


def _inputs_of(order: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the inputs in an envelope's `meta.order`; in an older version it had nothing else."""
    inputs: Mapping[str, Json] = order["inputs"] if "is_alone" in order else order
    return inputs


def with_outcome(envelope: Envelope, plan: WaitPlan, outcomes: Outcomes) -> Envelope:
    """Return a row's envelope with `meta.outcome`.

    The row fails if its work has failed or not ended, or if its outcome is not known. If the API does not
    show the outcome of such work, the row has a warning.
    """
    meta: dict[str, Any] = dict(envelope.meta)
    order = meta.pop("order", None)
    if order is None or envelope.has_error:
        return replace(envelope, meta=meta)
    row = meta.get("same_as", envelope.row)
    ended, rivals = outcomes.found.ended.get(row), outcomes.found.unclear.get(row)
    if ended is None and (why := _why_not_shown(plan, _inputs_of(order), rivals)):
        meta["outcome"] = {"state": "unknown"}
        meta["warnings"] = [*meta.get("warnings", ()), f"outcome unknown: {why}"]
        return replace(envelope, meta=meta)
    if ended is None and (rivals or outcomes.is_cut_short):
        meta["outcome"] = {"state": "unknown"}
        return _failed(envelope, meta, "outcome_unknown", _not_known(plan, outcomes, row, rivals))
    if ended is None:
        meta["outcome"] = {"state": "timed_out"}
        message = _no_end(plan, outcomes.problem, is_offline=row in outcomes.offline)
        return _failed(envelope, meta, "execution_timeout", message)
    meta["outcome"] = _as_json(ended)
    if ended.succeeded and row in outcomes.values and isinstance(envelope.result, dict):
        return replace(envelope, result={**envelope.result, "after": outcomes.values[row]}, meta=meta)
    if ended.succeeded:
        return replace(envelope, meta=meta)
    code = "" if ended.exit_code is None else f", exit code {ended.exit_code}"
    return _failed(envelope, meta, "execution_failed", f"the device reports {ended.state}{code}")


def _why_not_shown(plan: WaitPlan, inputs: Mapping[str, Json], rivals: Sequence[int] | None) -> str:
    """Return why the API does not show the outcome of a row's work; empty if it does."""
    if not is_traceable(plan.outcome, inputs):
        return "the API does not show it"
    if rivals and plan.log is None:
        return f"the API shows only the state after the last of {_rows(rivals)}"
    return ""


def _not_known(plan: WaitPlan, outcomes: Outcomes, row: int, rivals: Sequence[int] | None) -> str:
    if rivals is None:
        why = f"the outcome cannot be read: {outcomes.problem}"
    elif len(rivals) > 1:
        why = f"the reports of the device do not show which of {_rows(rivals)} they belong to"
    else:
        why = "the device reports several such orders, and it is not known which is that of the row"
    return f"{why}: the request was sent; check in {plan.service.title} before you send it again"


def _rows(rows: Sequence[int]) -> str:
    shown = [str(row) for row in rows[:_SHOWN_ROWS]] + (["..."] if len(rows) > _SHOWN_ROWS else [])
    return f"the rows {', '.join(shown)}"


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
    error = shared_error(meta["same_as"], message) if "same_as" in meta else message
    return replace(envelope, error=error, meta={**meta, "code": code, "repeatable": False})
