"""Several rows in parallel: their order, when a run continues, and when it stops."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from connector.client.client import Client
from connector.errors import RunStoppedError
from connector.files.envelope import Envelope
from connector.http.messages import Response
from connector.invocation.invoke import Invoker
from connector.runs.batch import run_batch
from connector.runs.summary import FailureLimit, Listener
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, reply
from tests.loopback import PATIENCE_S
from tests.runs.batches import Kept, asked, read, rows


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
        together.wait(PATIENCE_S)
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

    def respond(method: str, target: str, body: Any) -> Response:
        if target.endswith("n=1"):
            assert concurrency == 1 or failed.wait(PATIENCE_S)
            return reply({})
        failed.set()
        return reply(b"", 404)

    transport.answers = [respond] * 100
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
                raise RunStoppedError("the disk is full")
            super().write(lines)

    stop, output = Event(), Full()
    with pytest.raises(RunStoppedError, match="the disk is full"):
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
