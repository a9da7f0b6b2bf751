"""The envelopes of a run, which runs its rows while they are read."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from threading import Event, RLock
from types import TracebackType
from typing import Any

from connector.client.client import Client
from connector.common.json_text import Json
from connector.errors import ActionError, InputError, RowError
from connector.files.envelope import Envelope
from connector.invocation.invoke import Invoker
from connector.library.values import json_value

logger = logging.getLogger(__name__)


def result_of(envelope: Envelope) -> Any:
    """Return the result of an envelope. Raises InputError or ActionError for a failed one."""
    meta = envelope.meta
    for warning in meta.get("warnings", ()):
        logger.warning("%s: %s", meta["action"], warning)
    if envelope.error is None:
        return envelope.result
    if meta["code"] in ("input_invalid", "template_error") and not meta["attempts"]:
        raise InputError(meta["code"], envelope.error)
    raise ActionError(envelope.error, envelope)


class Results(Iterator[Envelope]):
    """The envelopes of a run, in the order of its rows. Rows are run while the envelopes are read.

    With a concurrency of 1, a row is read and sent when its envelope is asked for, so that nothing is sent
    ahead. With more, at most so many rows are in progress. Rows are always read by the thread that reads the
    envelopes. An error in the iterator of the rows is raised after the envelopes of the rows before it.

    A program that stops early calls `close`, leaves the `with` block, or drops the object: rows in progress
    are finished, and their envelopes are lost. After `stop`, which any thread can call, they can still be
    read. Otherwise, one thread at a time can use the object.
    """

    def __init__(
        self,
        rows: Iterable[Mapping[str, Any]],
        invoker: Invoker,
        client: Client,
        concurrency: int,
        stop: Event,
    ) -> None:
        self._stop, self._turn, self._client = stop, RLock(), client
        self._envelopes = _settled(_envelopes(iter(rows), invoker, concurrency, stop), client)

    def __iter__(self) -> Results:
        return self

    def __next__(self) -> Envelope:
        with self._turn:
            return next(self._envelopes)

    def stop(self) -> None:
        """Start no further row. Rows in progress are finished, or `cancelled` if they would wait long."""
        self._stop.set()

    def close(self) -> None:
        """Start no further row, wait for those in progress, and close the connection. Can be repeated."""
        self._stop.set()
        with self._turn, suppress(ValueError):  # ValueError: the iterator of the rows calls this
            self._envelopes.close()
            self._client.close()  # A generator that was never started does not run its `finally`.

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


Envelopes = Generator[Envelope, None, None]


def _settled(envelopes: Envelopes, client: Client) -> Envelopes:
    """Yield the envelopes; at the end, write the audit log and close the client's connections."""
    try:
        yield from envelopes
    finally:
        client.close()
    client.flush_audit()


def _envelopes(rows: Iterator[Any], invoker: Invoker, concurrency: int, stop: Event) -> Envelopes:
    numbered = zip(count(1), rows, strict=False)
    if concurrency == 1:
        return _one_by_one(numbered, invoker, stop)
    return _in_parallel(numbered, invoker, concurrency, stop)


def _one_by_one(rows: Iterator[tuple[int, Any]], invoker: Invoker, stop: Event) -> Envelopes:
    while not stop.is_set():
        for number, row in rows:
            yield from _run(invoker, number, row)
            break
        else:
            return


def _in_parallel(
    rows: Iterator[tuple[int, Any]], invoker: Invoker, concurrency: int, stop: Event
) -> Envelopes:
    pending: deque[Future[list[Envelope]]] = deque()
    failure: list[BaseException] = []

    def start() -> bool:
        """Start the next row; return whether there is one."""
        if stop.is_set() or failure:
            return False
        try:
            number, row = next(rows)
        except StopIteration:
            return False
        except Exception as error:
            failure.append(error)
            return False
        pending.append(pool.submit(_run_whole, invoker, number, row))
        return True

    with ThreadPoolExecutor(concurrency, "rows") as pool:
        try:
            while True:
                while len(pending) < concurrency and start():
                    pass
                if not pending:
                    break
                yield from pending.popleft().result()
        finally:
            stop.set()
            for future in pending:
                future.cancel()
    for error in failure:
        raise error


def _run_whole(invoker: Invoker, number: int, row: Any) -> list[Envelope]:
    return list(_run(invoker, number, row))


def _run(invoker: Invoker, number: int, row: Any) -> Iterator[Envelope]:
    try:
        data = _read(row)
    except RowError as error:
        return iter((invoker.failed_row(number, {}, error),))
    return invoker.envelopes(number, data)


def _read(row: Any) -> dict[str, Json]:
    if not isinstance(row, Mapping):
        raise RowError(
            "input_invalid", f"a row must be a mapping, and this one is of the type {type(row).__name__}"
        )
    return {str(name): json_value(cell, str(name)) for name, cell in row.items()}
