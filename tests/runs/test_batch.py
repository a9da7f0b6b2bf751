"""Rows in, envelopes out: their order, where a run goes on, where it stops, and what it counts."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.client.client import Client
from connector.common.absent import ABSENT
from connector.common.package_data import schema
from connector.errors import AnswerLost, RunFault, RunStopped
from connector.files.envelope import Envelope
from connector.files.output import StreamOutput
from connector.files.readers import InputRow, RowSource
from connector.http.messages import Response
from connector.invocation.invoke import Invoker
from connector.runs.batch import require_first, run_batch
from connector.runs.summary import FailureLimit, Listener, Summary
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, reply, write_lines


@dataclass
class Kept:
    """An output in memory; `finished` tells whether it was completed."""

    done_rows: int = 0
    written: list[Envelope] = field(default_factory=list)
    finished: bool = False

    def write(self, lines: bytes) -> None:
        self.written += [read(line) for line in lines.splitlines()]

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        """Nothing to let go of."""


def read(line: bytes) -> Envelope:
    """The envelope that stands on a line."""
    data = json.loads(line)
    return Envelope(data["row"], data["error"], data["result"], data["meta"], data.get("input", ABSENT))


def rows(count: int, first: int = 1) -> Iterator[InputRow]:
    return (InputRow(n, {"n": n}) for n in range(first, first + count))


def echo(method: str, target: str, body: Any) -> Response:
    """Answers with the number that was asked for; 13 is refused and 14 gets lost."""
    number = int(target.rpartition("=")[2])
    if number == 13:
        return reply({"resultCode": "unlucky"}, 400)
    if number == 14:
        raise AnswerLost("no whole answer", "timeout")
    return reply({"n": number})


@pytest.fixture
def run(client: Client, transport: FakeTransport, tmp_path: Path) -> Invoker:
    """Runs an action that sends the row's `n`."""

    transport.answers = [echo] * 1000
    return invoker(declare(tmp_path, inputs={"n": "query.n"}, required=["n"]), client)


def asked(transport: FakeTransport) -> list[int]:
    return [int(target.rpartition("=")[2]) for _, target, _ in transport.sent]


def test_every_row_has_its_envelope_in_order(
    run: Invoker, transport: FakeTransport, clock: FakeClock
) -> None:
    output = Kept()
    summary = run_batch(rows(20), run, output, clock)
    assert [e.row for e in output.written] == list(range(1, 21))
    assert [e.row for e in output.written if e.has_error] == [13, 14]
    assert [e.result for e in output.written[:3]] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert asked(transport) == [*range(1, 14), 14, 14, 14, *range(15, 21)]
    assert output.finished
    assert summary.as_json() == {
        "rows": 20,
        "succeeded": 18,
        "failed": 2,
        "repeatable": 2,
        "warned": 0,
        "truncated": 0,
        "resumed_rows": 0,
        "seconds": 3.0,
        "codes": {
            "api_error": {"rows": 1, "example": "row 13: GET /v2/probe: the API answered 400: unlucky"},
            "timeout": {"rows": 1, "example": "row 14: GET /v2/probe: no whole answer"},
        },
        "stopped": False,
        "too_many_errors": False,
    }


def test_no_rows_are_a_complete_run(run: Invoker, clock: FakeClock) -> None:
    output = Kept()
    assert run_batch(iter(()), run, output, clock).rows == 0
    assert output.finished


def test_each_row_is_written_before_the_next_one_is_read(run: Invoker, clock: FakeClock) -> None:
    output = Kept()

    def watched() -> Iterator[InputRow]:
        for row in rows(5):
            assert len(output.written) == row.number - 1
            yield row

    run_batch(watched(), run, output, clock)
    assert len(output.written) == 5


def test_a_resumed_run_sends_only_what_has_no_envelope(
    run: Invoker, transport: FakeTransport, clock: FakeClock
) -> None:
    output = Kept(done_rows=7)
    summary = run_batch(rows(10), run, output, clock)
    assert asked(transport) == [8, 9, 10]
    assert [e.row for e in output.written] == [8, 9, 10]
    assert (summary.rows, summary.resumed_rows, output.finished) == (3, 7, True)


def test_a_run_that_was_complete_sends_nothing(
    run: Invoker, transport: FakeTransport, clock: FakeClock
) -> None:
    output = Kept(done_rows=10)
    assert run_batch(rows(10), run, output, clock).rows == 0
    assert (transport.sent, output.finished) == ([], True)


def test_a_stop_finishes_the_row_under_way_and_leaves_the_run_resumable(
    run: Invoker, transport: FakeTransport, clock: FakeClock
) -> None:
    stop, output = Event(), Kept()

    def listener(envelope: Envelope) -> None:
        if envelope.row == 4:
            stop.set()

    summary = run_batch(rows(10), run, output, clock, (listener,), stop)
    assert asked(transport) == [1, 2, 3, 4]
    assert (summary.stopped, summary.rows, output.finished) == (True, 4, False)
    assert summary.as_json()["stopped"] is True


def test_a_stop_after_the_last_row_comes_too_late(run: Invoker, clock: FakeClock) -> None:
    stop, output = Event(), Kept()

    def listener(envelope: Envelope) -> None:
        if envelope.row == 3:
            stop.set()

    summary = run_batch(rows(3), run, output, clock, (listener,), stop)
    assert (summary.stopped, output.finished) == (False, True)


def test_an_output_that_takes_no_more_ends_the_run(
    run: Invoker, transport: FakeTransport, clock: FakeClock
) -> None:
    class Full(Kept):
        def write(self, lines: bytes) -> None:
            if read(lines).row == 3:
                raise RunStopped("the disk is full")
            super().write(lines)

    output = Full()
    with pytest.raises(RunStopped, match="the disk is full"):
        run_batch(rows(10), run, output, clock)
    assert (asked(transport), output.finished) == ([1, 2, 3], False)


def test_broken_rows_have_envelopes_and_send_nothing(
    run: Invoker, transport: FakeTransport, clock: FakeClock, tmp_path: Path
) -> None:
    source = RowSource(str(write_lines(tmp_path / "in.jsonl", [{"n": 1}, "{broken", "[1]", {"n": 4}, '"x"'])))
    output = Kept()
    summary = run_batch(source.rows(), run, output, clock)
    assert asked(transport) == [1, 4]
    assert [e.meta["code"] for e in output.written] == [
        None,
        "input_invalid",
        "input_invalid",
        None,
        "input_invalid",
    ]
    assert "in.jsonl, line 2: not JSON" in str(output.written[1].error)
    assert "line 3: a row is a JSON object, and this is an array" in str(output.written[2].error)
    assert all(e.meta["repeatable"] for e in output.written if e.has_error)
    assert (summary.rows, summary.succeeded, summary.failed) == (5, 2, 3)
    assert summary.codes == {"input_invalid": 3}
    assert summary.examples["input_invalid"].startswith("row 2: ")


def test_rows_are_counted_and_not_their_items(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply([1, 2, 3]), reply([]), reply(b"", 404)]
    output = Kept()
    heard: list[Any] = []
    summary = run_batch(
        rows(3),
        invoker(declare(tmp_path), client, rows="each"),
        output,
        FakeClock(),
        (lambda envelope: heard.append((envelope.row, envelope.meta["item"])),),
    )
    assert heard == [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1)]
    assert [e.ends_row for e in output.written] == [False, False, True, True, True]
    assert (summary.rows, summary.succeeded, summary.failed) == (3, 2, 1)


# --- several rows at a time --------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [2, 8])
def test_with_any_concurrency_every_row_has_its_envelope_in_order(
    run: Invoker, transport: FakeTransport, clock: FakeClock, concurrency: int
) -> None:
    output, heard = Kept(), list[int]()
    listener: Listener = lambda envelope: heard.append(envelope.row)  # noqa: E731
    summary = run_batch(rows(200), run, output, clock, (listener,), concurrency=concurrency)
    assert [e.row for e in output.written] == heard == list(range(1, 201))
    assert [e.row for e in output.written if e.has_error] == [13, 14]
    assert all(e.result == {"n": e.row} for e in output.written if not e.has_error)
    assert sorted(asked(transport)) == sorted([*range(1, 201), 14, 14])
    assert (summary.rows, summary.failed, summary.stopped, output.finished) == (200, 2, False, True)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_resumed_run_of_any_concurrency_sends_only_what_has_no_envelope(
    run: Invoker, transport: FakeTransport, clock: FakeClock, concurrency: int
) -> None:
    output = Kept(done_rows=150)
    run_batch(rows(200), run, output, clock, concurrency=concurrency)
    assert sorted(asked(transport)) == list(range(151, 201))
    assert [e.row for e in output.written] == list(range(151, 201))


def test_rows_are_under_way_at_the_same_time(
    client: Client, transport: FakeTransport, clock: FakeClock, tmp_path: Path
) -> None:
    together = Barrier(5)

    def wait_for_the_others(method: str, target: str, body: Any) -> Response:
        together.wait(20)
        return reply({})

    transport.answers = [wait_for_the_others] * 20
    summary = run_batch(rows(20), invoker(declare(tmp_path), client), Kept(), clock, concurrency=5)
    assert summary.succeeded == 20


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_stop_finishes_and_writes_the_rows_under_way(
    run: Invoker, transport: FakeTransport, clock: FakeClock, concurrency: int
) -> None:
    stop, output = Event(), Kept()
    listener: Listener = lambda envelope: stop.set() if envelope.row == 40 else None  # noqa: E731
    summary = run_batch(rows(200), run, output, clock, (listener,), stop, concurrency=concurrency)
    assert summary.stopped
    assert not output.finished
    assert [e.row for e in output.written] == sorted(set(asked(transport)))
    assert 40 <= summary.rows < 40 + 70  # no further than the window


@pytest.mark.parametrize("concurrency", [1, 2, 8])
@pytest.mark.parametrize(("allowed", "last"), [(0, 13), (1, 14)])
def test_after_too_many_errors_no_row_is_begun(
    run: Invoker, transport: FakeTransport, clock: FakeClock, allowed: int, last: int, concurrency: int
) -> None:
    output = Kept()
    summary = run_batch(rows(900), run, output, clock, concurrency=concurrency, limit=FailureLimit(allowed))
    assert (summary.stopped, summary.too_many_errors, output.finished) == (True, True, False)
    written = [e.row for e in output.written]
    assert written == sorted(set(asked(transport))) == list(range(1, len(written) + 1))
    assert last <= len(written)
    if concurrency == 1:
        assert len(written) == last
        assert summary.failed == allowed + 1


@pytest.mark.parametrize(("count", "allowed", "too_many"), [(13, 0, True), (14, 1, True), (14, 2, False)])
def test_errors_in_the_last_rows_leave_nothing_to_stop(
    run: Invoker, clock: FakeClock, count: int, allowed: int, too_many: bool
) -> None:
    output = Kept()
    summary = run_batch(rows(count), run, output, clock, limit=FailureLimit(allowed))
    assert (summary.stopped, summary.too_many_errors, output.finished) == (False, too_many, True)
    assert summary.as_json()["too_many_errors"] is too_many


def test_a_row_fails_as_a_whole_whatever_its_items_do(
    client: Client, transport: FakeTransport, clock: FakeClock, tmp_path: Path
) -> None:
    handler = "def handle(inputs):\n    yield inputs.request()\n    return [object(), 1]\n"
    transport.answers = [reply({})] * 2
    output = Kept()
    run = invoker(declare(tmp_path, handler=handler), client, rows="each")
    summary = run_batch(rows(2), run, output, clock, limit=FailureLimit(0))
    assert [(e.row, e.has_error) for e in output.written] == [(1, True), (1, False), (2, True), (2, False)]
    assert (summary.succeeded, summary.stopped) == (2, False)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_errors_are_counted_behind_a_row_that_hangs(
    client: Client, transport: FakeTransport, clock: FakeClock, tmp_path: Path, concurrency: int
) -> None:
    """Envelopes wait for the rows before them; the count does not."""
    failed = Event()

    def answer(method: str, target: str, body: Any) -> Response:
        if target.endswith("n=1"):
            assert concurrency == 1 or failed.wait(20)
            return reply({})
        failed.set()
        return reply(b"", 404)

    transport.answers = [answer] * 100
    action = declare(tmp_path, inputs={"n": "query.n"}, required=["n"])
    output = Kept()
    summary = run_batch(
        rows(100), invoker(action, client), output, clock, concurrency=concurrency, limit=FailureLimit(0)
    )
    assert summary.too_many_errors
    assert len(output.written) == 2 if concurrency == 1 else len(output.written) <= 6


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_cannot_be_written_stops_a_run_and_all_that_waits(
    run: Invoker, clock: FakeClock, concurrency: int
) -> None:
    class Full(Kept):
        def write(self, lines: bytes) -> None:
            if any(read(line).row >= 5 for line in lines.splitlines()):
                raise RunStopped("the disk is full")
            super().write(lines)

    stop, output = Event(), Full()
    with pytest.raises(RunStopped, match="the disk is full"):
        run_batch(rows(100), run, output, clock, stop=stop, concurrency=concurrency)
    assert stop.is_set()
    assert not output.finished
    assert [e.row for e in output.written] == list(range(1, len(output.written) + 1))


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_listener_that_fails_ends_the_run(run: Invoker, clock: FakeClock, concurrency: int) -> None:
    def listener(envelope: Envelope) -> None:
        if envelope.row == 5:
            raise BrokenPipeError

    output = Kept()
    with pytest.raises(BrokenPipeError):
        run_batch(rows(100), run, output, clock, (listener,), concurrency=concurrency)
    assert not output.finished


# --- the summary -------------------------------------------------------------------------------------------


def test_the_summary_keeps_one_example_of_each_code() -> None:
    summary = Summary()
    for row in range(1, 4):
        summary.count(Envelope(row, f"error {row}", None, {"code": "api_error"}))
    assert summary.as_json()["codes"] == {"api_error": {"rows": 3, "example": "row 1: error 1"}}


def test_the_summary_counts_what_somebody_has_to_know() -> None:
    summary = Summary()
    failed = {"code": "timeout", "repeatable": True}
    for envelope in (
        Envelope(3, None, [], {"code": None, "truncated": True, "warnings": ["first", "second"]}),
        Envelope(5, None, {}, {"code": None, "item": 1, "last": False, "warnings": ["third"]}),
        Envelope(5, "e", None, {**failed, "item": 2, "last": True, "warnings": ["third"]}),
        Envelope(7, "e", None, {**failed, "code": "outcome_unknown", "repeatable": False}),
    ):
        summary.count(envelope)
    counts = (summary.rows, summary.failed, summary.repeatable, summary.warned, summary.truncated)
    assert counts == (3, 2, 1, 2, 1)
    assert (summary.warning, summary.last_row) == ("row 3: first", 7)


@pytest.mark.parametrize(
    "result", ["{1, 2}", "float('nan')", "{(1, 2): 3}", "object()", "b'bytes'", "inputs", "[object()]"]
)
@pytest.mark.parametrize("shape", ["one", "each"])
def test_a_result_that_no_json_can_hold_costs_its_row_only(
    client: Client, transport: FakeTransport, tmp_path: Path, clock: FakeClock, result: str, shape: Any
) -> None:
    handler = f"def handle(inputs):\n    yield inputs.request()\n    return {result}\n"
    transport.answers = [reply({})] * 2
    output = Kept()
    heard: list[Envelope] = []
    action = declare(tmp_path, handler=handler, request="POST /v2/x", effect="write")
    summary = run_batch(rows(2), invoker(action, client, rows=shape), output, clock, (heard.append,))
    assert [e.row for e in output.written] == [1, 2]
    assert heard == output.written
    envelope_schema = validator(schema("envelope.schema.json"))
    for envelope in output.written:
        envelope_schema.validate(json.loads(envelope.line()))
        assert envelope.ends_row
        assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("internal_error", False)
        assert "cannot be written as JSON" in str(envelope.error)
    assert summary.failed == 2


def test_rows_of_any_depth_make_one_envelope_each(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    def always(method: str, target: str, body: Any) -> Response:
        transport.answers.append(always)
        return reply({})

    transport.answers = [always]
    depths = [*range(1, 1200, 7), 5_000, 100_000]
    path = write_lines(tmp_path / "in.jsonl", ['{"n": ' + "[" * d + "]" * d + "}" for d in depths])
    written = io.BytesIO()
    action = declare(tmp_path, inputs={"n": {"to": "body.n"}}, request="PUT /v2/x", effect="write")
    summary = run_batch(
        RowSource(str(path)).rows(),
        invoker(action, client, keep_row=True),
        StreamOutput("jsonl", written),
        FakeClock(),
    )
    lines = written.getvalue().splitlines()
    assert len(lines) == summary.rows == len(depths)
    assert lines[0].startswith(b'{"has_error":false')
    assert b"nested too deeply" in lines[-1]


def test_the_first_row_is_read_before_anything_else() -> None:
    read: list[int] = []

    def source() -> Iterator[InputRow]:
        for row in rows(3):
            read.append(row.number)
            yield row

    ready = require_first(source())
    assert read == [1]
    assert [row.number for row in ready] == [1, 2, 3]
    assert list(require_first(iter(()))) == []


def test_an_input_that_cannot_be_read_is_a_fault_of_the_run() -> None:
    def broken() -> Iterator[InputRow]:
        raise RunFault("no header")
        yield InputRow(1, {})

    with pytest.raises(RunFault, match="no header"):
        require_first(broken())
