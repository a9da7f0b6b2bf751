"""Rows in, envelopes out: their order, when a run continues, when it stops, and what it counts."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.client.client import Client
from connector.common.package_data import schema
from connector.errors import RunError, RunStoppedError
from connector.files.envelope import Envelope
from connector.files.output_formats import OutputForm
from connector.files.readers import InputRow, RowSource
from connector.files.stream_output import StreamOutput
from connector.http.messages import Response
from connector.invocation.invoke import Invoker
from connector.runs.batch import require_first, run_batch
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, reply, write_lines
from tests.runs.batches import Kept, asked, read, rows


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
        "kinds": {"retry": 1, "fix": 1, "check": 0},
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
                raise RunStoppedError("the disk is full")
            super().write(lines)

    output = Full()
    with pytest.raises(RunStoppedError, match="the disk is full"):
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
    assert "line 3: a row must be a JSON object, not an array" in str(output.written[2].error)
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


@pytest.mark.parametrize(("item", "counts"), [(1, [100, 100, 50]), ("x" * (1 << 17), [2, 1])])
def test_the_envelopes_of_a_row_are_written_together_up_to_a_limit(
    client: Client, transport: FakeTransport, tmp_path: Path, item: Any, counts: list[int]
) -> None:
    class Counted(Kept):
        def write(self, lines: bytes) -> None:
            counted.append(lines.count(b"\n"))

    counted: list[int] = []
    transport.answers = [reply([item] * sum(counts))]
    run_batch(rows(1), invoker(declare(tmp_path), client, rows="each"), Counted(), FakeClock())
    assert counted == counts


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
        StreamOutput(OutputForm(), written),
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
        raise RunError("no header")
        yield InputRow(1, {})

    with pytest.raises(RunError, match="no header"):
        require_first(broken())
