"""Runs an action for one row: values, requests and envelopes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timezone, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.client.client import Client
from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.common.zones import in_zone
from connector.errors import Code, RowError, RunStoppedError, kind_of
from connector.files.envelope import Envelope
from connector.invocation.bindings import Bindings
from connector.invocation.changes import require_change
from connector.invocation.exchange import Exchange, NoRecorder, Recorder
from connector.invocation.existing import Existing, ExistingRecords, create_if_missing, is_wanted
from connector.invocation.handlers import (
    Download,
    Handler,
    Inputs,
    Note,
    Page,
    PagedResult,
    Steps,
    find_handler,
)
from connector.invocation.lookups import Lookups
from connector.invocation.result_times import Times, time_converter
from connector.invocation.steps import steps_in_zone

if TYPE_CHECKING:
    from connector.files.long_list import LongList
    from connector.invocation.result_names import ResultNames

logger = logging.getLogger(__name__)

ResultMode = Literal["one", "each"]
"""Whether a list result is written as one envelope, or as one envelope per item."""


@dataclass(frozen=True, eq=False, repr=False)
class Invoker:
    """Runs one action for rows. Safe for threads.

    `tenant` is the connection's name in the envelopes of a run with several connections. `zone` is that of
    times without a zone in the row and its templates, and of the times in results with `times` "iso".
    `order_inputs` are the inputs that an envelope has in `meta.order`, until the outcome is known, unless its
    request had no effect. `lists` is the folder of the temporary files of long lists; None means the
    system's. `is_alone` is true if rows do not run in parallel. `checked` has the numbers of
    rows that are sent again after the user has checked that an earlier request had no effect.
    """

    action: Action
    service: Service
    bindings: Bindings
    client: Client
    uploads: Path
    files: Path | None = None
    lists: Path | None = None
    rows: ResultMode = "one"
    keep_row: bool = False
    reveal_secrets: bool = False
    tenant: str = ""
    zone: tzinfo = timezone.utc
    times: Times = "epoch"
    with_names: tuple[str, ...] = ()
    recorder: Recorder = field(default_factory=NoRecorder)
    lookups: Lookups = field(default_factory=Lookups)
    existing: ExistingRecords = field(default_factory=ExistingRecords)
    order_inputs: tuple[str, ...] = ()
    is_alone: bool = True
    checked: frozenset[int] = frozenset()

    def envelopes(
        self, number: int, row: Mapping[str, Json], *, in_blocks: bool = False
    ) -> Iterator[Envelope]:
        """Run the action for a row and yield its envelopes: one, or with `rows` "each" one per item.

        With `in_blocks`, the items of a list share an `EnvelopeBlock`, except for the last one, and one
        envelope of a paged list is a `ListEnvelope`.
        Raises only RunStoppedError (files cannot be written) and KeyboardInterrupt.
        """
        exchange = self._exchange(number, plain_numbers=in_blocks and bool(self.action.paging))
        writer = _RowWriter(self, number, row, exchange, in_blocks=in_blocks)
        try:
            try:
                values = self.bindings.values(row) if self._is_utc else self._values_in_zone(row)
                require_change(self.bindings, row, values)
                self._look_for_secrets(values, exchange)
                if self.order_inputs:
                    if self.action.has_names(values):
                        from connector.invocation.names import with_ids  # imported only if it is used

                        ids = with_ids(self.action, self.service, values, self.lookups)
                        values = yield from self._drive(ids, exchange, writer)
                    given = {name: values[name] for name in self.order_inputs if name in values}
                    writer.order = {"inputs": given, "is_alone": self.is_alone}
                if self.with_names:
                    from connector.invocation.result_names import read_names  # imported only if it is used

                    names = read_names(self.action, self.service, self.with_names, self.lookups)
                    writer.names = yield from self._drive(names, exchange, writer)
                exchange.warnings = self.bindings.warnings(values)
                inputs = Inputs(self.action, self.service, values, self.uploads, self.lookups)
                steps = self._handle(inputs)
                if is_wanted(self.action, values):
                    writer.is_looked_up = True
                    steps = self._only_if_missing(number, steps, values)
                if not self._is_utc:
                    steps = steps_in_zone(steps, self.zone)
                result = yield from self._drive(steps, exchange, writer)
                if isinstance(result, Download):
                    from connector.http.downloads import save  # imported only if it is used

                    folder, stem = self.files or Path(), f"{number}-{self.action.name}"
                    result = save(result.response, folder, stem, private=self.reveal_secrets)
                yield from writer.finish(result)
            except RowError as error:
                yield from writer.failed(exchange.explain(error))
        except RunStoppedError:
            raise
        except RecursionError:
            writer.drop_held()
            what = "the API's response" if exchange.last else "the row"
            code: Code = "bad_response" if exchange.last else "input_invalid"
            yield from writer.failed(RowError(code, f"{what} is nested too deeply"))
        except Exception as error:
            message = f"a bug in the connector, at {self.action.name}: {type(error).__name__}: {error}"
            _log_fault(exchange, message, error)
            yield from writer.failed(RowError("internal_error", message))

    def _values_in_zone(self, row: Mapping[str, Json]) -> dict[str, Json]:
        """Return the typed values of a row. Raises RowError."""
        with in_zone(self.zone):
            return self.bindings.values(row)

    @cached_property
    def _is_utc(self) -> bool:
        """Whether times without a zone are in UTC, which most rows' are: a row then needs no time zone."""
        return self.zone is timezone.utc

    @cached_property
    def _handle(self) -> Handler:
        """The action's handler, made once because wrapping it takes longer than calling it."""
        return find_handler(self.action)

    @cached_property
    def with_times(self) -> Callable[[Any], Any]:
        """Returns a result, or a list of items of one, with its times as text."""
        return time_converter(self.action.result, self.service.times, self.zone)

    def _only_if_missing(self, number: int, steps: Steps, values: Mapping[str, Json]) -> Steps:
        """Return the steps with a search for an existing record before them.

        There is no search if an interrupted run has already started to create the record.
        """
        if self.recorder.has_sent(number):
            return steps
        return create_if_missing(steps, self.action, self.service, values, self.existing)

    def _look_for_secrets(self, values: Mapping[str, Json], exchange: Exchange) -> None:
        """Hide the row's secrets in messages.

        Raises RowError if the row may not request secrets from the API.
        """
        if secrets := self.action.secret_inputs and self.action.secrets_in(values):
            exchange.redactor = exchange.redactor.with_secrets(secrets)
        if self.action.revealing_inputs and not self.reveal_secrets:
            for name in self.action.revealing_inputs:
                if values.get(name):
                    raise RowError(
                        "input_invalid",
                        f"{name}: requests values that the API marks as secret; this requires "
                        f"--reveal-secrets",
                    )

    def _drive(self, steps: Steps, exchange: Exchange, writer: _RowWriter) -> Generator[Envelope, None, Any]:
        """Send a handler's requests, yield envelopes of the items of its pages, and return its result."""
        pages = items = 0
        try:
            step = next(steps)
            while True:
                if isinstance(step, (Page, Note)):
                    if isinstance(step, Page):
                        pages, items = pages + 1, items + len(step.items)
                        self._log_page(exchange, pages, items)
                        yield from writer.items(step.items)
                    else:
                        exchange.warnings.append(step.text)
                    step = next(steps)
                    continue
                try:
                    response = exchange.send(step)
                except RowError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as stop:
            return stop.value
        finally:
            steps.close()  # The steps can have claimed a name, or a list of names, for which other rows wait.

    def _log_page(self, exchange: Exchange, pages: int, items: int) -> None:
        """Log the progress of a paged list."""
        if logger.isEnabledFor(logging.DEBUG):
            label = self.client.connection.label
            logger.debug("%s, row %d: page %d, %d items so far", label, exchange.row, pages, items)

    def _exchange(self, number: int, *, plain_numbers: bool = False) -> Exchange:
        name, of_run = self.action.name, (self.client, self.recorder, self.lookups)
        return Exchange(name, number, *of_run, plain_numbers=plain_numbers)

    def failed_row(self, number: int, row: Json, error: RowError) -> Envelope:
        """Return the envelope of a row that could not be read."""
        kept = row if isinstance(row, Mapping) else {}
        writer = _RowWriter(self, number, kept, self._exchange(number))
        (envelope,) = writer.failed(error)
        return envelope


def _log_fault(exchange: Exchange, message: str, error: Exception) -> None:
    """Log the traceback of an error, without values."""
    lines = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    logger.warning("row %d: %s\n%s", exchange.row, exchange.redactor.said(message), lines)


_BLOCK = 50
"""The maximum number of items of an `EnvelopeBlock`."""


class _RowWriter:
    """Creates a row's envelopes. If each item has an envelope, it delays one item, to mark the last one.

    `is_looked_up` is true if the row looks for an existing record before it creates one, so that it can be
    repeated even if the outcome of an attempt is unknown.
    """

    def __init__(
        self,
        invoker: Invoker,
        number: int,
        row: Mapping[str, Json],
        exchange: Exchange,
        *,
        in_blocks: bool = False,
    ) -> None:
        self._invoker, self._number, self._row, self._exchange = invoker, number, row, exchange
        # Without a custom handler, all values of a page were parsed from JSON.
        self._in_blocks = in_blocks and invoker.action.handler is None
        self._each = invoker.rows == "each"
        self._keeps_text = in_blocks and not self._each
        self._list: LongList | None = None
        self._held: list[Json] = []
        self._count = 0
        self.is_looked_up = False
        self.order: Mapping[str, Json] = {}
        self.names: ResultNames | None = None

    def items(self, items: list[Json]) -> Iterator[Envelope]:
        """Add a page's items; yield the envelopes that can be written now."""
        items = self._completed(self._shown_items(items))
        if self._keeps_text:
            from connector.files.long_list import LongList  # imported only for lists

            self._list = self._list or LongList(self._invoker.lists)
            # A page of a custom handler can have values that were not parsed from JSON.
            is_parsed = self._invoker.action.handler is None
            dumped = json_text.dump_parsed(items) if is_parsed else map(json_text.dump_bytes, items)
            self._list.add(list(dumped))
            return
        self._held += items
        if self._each and self._held:
            *ready, kept = self._held
            self._held = [kept]
            if self._in_blocks:
                yield from self._blocks(ready)
            else:
                for item in ready:
                    yield self._item(item, last=False)

    def _blocks(self, items: list[Json]) -> Iterator[Envelope]:
        from connector.files.list_envelope import EnvelopeBlock  # imported only for lists

        for start in range(0, len(items), _BLOCK):
            first = self._item(items[start], last=False)
            some = items[start : start + _BLOCK]
            try:
                block = EnvelopeBlock.of_items(first, json_text.dump_parsed(some))
            except (TypeError, ValueError):  # its reader reports it, for each envelope
                yield first
                yield from (self._item(item, last=False) for item in some[1:])
            else:
                self._count += len(some) - 1
                yield block

    def finish(self, result: Any) -> Iterator[Envelope]:
        """Yield the remaining envelopes, with the handler's result."""
        extra: dict[str, Any] = {"order": self.order} if self.order else {}
        if isinstance(result, Existing):
            result, extra["existed"] = result.result, True
        if isinstance(result, PagedResult):
            if result.page:
                extra["page"] = self._shown(dict(result.page))
            if result.truncated:
                extra["truncated"] = True
            result = self._list or self._held
        elif self._each and isinstance(result, list):
            yield from self.items(result)
            result = self._held
        else:
            result = self._completed(self._shown(result))
        if not self._each:
            yield self._envelope(None, result, extra)
        elif isinstance(result, list):
            yield self._item(result[-1] if result else None, last=True, extra=extra)
        else:
            yield self._item(result, last=True, extra=extra)

    def _completed(self, result: Any) -> Any:
        """Return a result, or a list of items of one, with times as text and names, if wanted."""
        if self._invoker.times == "iso":
            result = self._invoker.with_times(result)
        return self.names.added(result) if self.names else result

    def failed(self, error: RowError) -> Iterator[Envelope]:
        """Yield the envelope of the delayed item, and the row's error envelope, which is its last one."""
        repeatable = self._exchange.repeatable and error.code not in ("outcome_unknown", "internal_error")
        if self.is_looked_up and error.code not in ("partial", "internal_error"):
            repeatable = True
        extra: dict[str, Any] = {"repeatable": repeatable}
        if self.order and not error.refused:
            extra["order"] = self.order
        if self._each:
            for item in self._held:
                yield self._item(item, last=False)
            self._count += 1
            extra |= {"item": self._count, "last": True}
        about = {"code": error.code, "status": error.status, "repeatable": repeatable}
        if kind_of(about) == "retry":
            extra["transient"] = not error.lasting
        yield self._envelope(error, self._shown(error.result), extra)

    def drop_held(self) -> None:
        """Discard the delayed item, which cannot be written."""
        self._held = []

    def _item(self, item: Json, *, last: bool, extra: Mapping[str, Any] | None = None) -> Envelope:
        self._count += 1
        return self._envelope(None, item, {**(extra or {}), "item": self._count, "last": last})

    def _envelope(self, error: RowError | None, result: Json, extra: Mapping[str, Any]) -> Envelope:
        """Return an envelope for a result without secrets."""
        about: Any = self._exchange.last
        if error is not None and (error.attempts or error.status is not None):
            about = error
        meta: dict[str, Any] = {
            "action": self._invoker.action.name,
            "status": about.status if about else None,
            "code": error.code if error else None,
            "attempts": about.attempts if about else 0,
            "request_id": about.request_id if about else None,
            **extra,
        }
        if self._number in self._invoker.checked:
            meta["checked"] = True
        if self._invoker.tenant:
            meta["connection"] = self._invoker.tenant
        if self._exchange.warnings:
            meta["warnings"] = [self._exchange.redactor.said(text) for text in self._exchange.warnings]
        message = None
        if error is not None:
            message = self._exchange.redactor.said(str(error)) or error.code
        kept = self._row if self._invoker.keep_row else ABSENT
        if self._list is not None and result is self._list:
            from connector.files.list_envelope import ListEnvelope  # imported only for lists

            return ListEnvelope(self._number, message, None, meta, kept, result)
        return Envelope(self._number, message, result, meta, kept)

    def _shown_items(self, items: list[Json]) -> list[Json]:
        """Return a page's items without secrets. A quick search of the response's text avoids most work.

        A custom handler can have created items from more than the last response.
        """
        last, may_hide = self._exchange.last, self._exchange.redactor.may_hide
        if self._invoker.action.handler is None and last is not None and not may_hide(last.text):
            return items
        shown: list[Json] = self._shown(items)
        return shown

    def _shown(self, value: Json) -> Json:
        return value if self._invoker.reveal_secrets else self._exchange.redactor.json(value)
