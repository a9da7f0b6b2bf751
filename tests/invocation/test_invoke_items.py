"""One envelope for each item of a list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.common import json_text
from connector.errors import RowError
from connector.files.envelope import Envelope
from connector.files.list_envelope import EnvelopeBlock, ListEnvelope
from connector.invocation.invoke import Invoker
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply
from tests.invocation.rows import ran


def flat(envelopes: list[Envelope]) -> list[Any]:
    return [(e.result, e.meta["item"], e.meta["last"], e.meta["code"]) for e in envelopes]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], [(None, 1, True, None)]),
        (["a"], [("a", 1, True, None)]),
        (["a", "b", "c"], [("a", 1, False, None), ("b", 2, False, None), ("c", 3, True, None)]),
        ([None, []], [(None, 1, False, None), ([], 2, True, None)]),
    ],
)
@pytest.mark.parametrize("paging", ["", "limit"])
def test_one_envelope_an_item(
    client: Client, transport: FakeTransport, tmp_path: Path, items: list[Any], expected: Any, paging: str
) -> None:
    transport.answers = [reply({"devices": items, "query": "q"} if paging else items)]
    envelopes = ran(invoker(declare(tmp_path, paging=paging), client, rows="each"), number=7)
    assert flat(envelopes) == expected
    pages = [envelope.meta.get("page") for envelope in envelopes]
    assert pages == [*[None] * (len(envelopes) - 1), {"query": "q"} if paging else None]


def test_a_result_that_is_no_list_is_one_item(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply({"a": 1})]
    assert flat(ran(invoker(declare(tmp_path), client, rows="each"))) == [({"a": 1}, 1, True, None)]


def test_a_failed_row_is_one_last_item(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply(b"", 404)]
    run = invoker(declare(tmp_path), client, rows="each")
    assert flat(ran(run)) == [(None, 1, True, "not_found")]
    broken = run.failed_row(2, {}, RowError("input_invalid", "x"))
    assert flat([broken]) == [(None, 1, True, "input_invalid")]


def test_a_walk_that_fails_in_the_middle_keeps_what_it_had(
    service: Service, clock: FakeClock, tmp_path: Path
) -> None:
    action = declare(tmp_path, paging="anchor_natural_id")
    page = [{"naturalId": f"n{n}"} for n in range(50)]

    def start(rows: Any) -> Invoker:
        transport = FakeTransport([reply(page), reply(b"", 403)])
        return invoker(action, make_client(service, transport, clock), rows=rows)

    envelopes = ran(start("each"))
    assert [e.result for e in envelopes] == [*page, None]
    assert [e.meta["item"] for e in envelopes] == list(range(1, 52))
    assert [e.meta["last"] for e in envelopes] == [False] * 50 + [True]
    assert [e.has_error for e in envelopes] == [False] * 50 + [True]
    assert (envelopes[-1].meta["code"], envelopes[-1].meta["repeatable"]) == ("forbidden", True)
    # As one envelope, a part of the list is no result.
    (envelope,) = ran(start("one"))
    assert (envelope.meta["code"], envelope.result) == ("forbidden", None)


def test_a_capped_list_says_so_on_its_last_item(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(tmp_path, paging="limit", inputs={"limit": {"type": "integer"}})
    transport.answers = [reply({"devices": [1, 2, 3]})]
    envelopes = ran(invoker(action, client, rows="each"), {"limit": 2})
    assert [(e.result, e.meta.get("truncated")) for e in envelopes] == [(1, None), (2, True)]


ITEM = {"naturalId": "n", "created": 1700000000.5, "size": 1e22, "name": "\u00e9\u2028\n", "tags": [None, {}]}


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        ({}, [reply([])]),
        ({"keep_row": True, "tenant": "acme"}, [reply([])]),
        ({"times": "iso"}, [reply([ITEM]), reply([])]),
        ({}, [reply(b"", 403)]),
        ({}, [reply([{**ITEM, "naturalId": "last", "password": "p-1"}]), reply([])]),
        ({}, [reply(b'[{"naturalId": "x", "half": "\\ud800", "twice": 1, "twice": 2.50}]'), reply([])]),
    ],
)
@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("rows", ["each", "one"])
def test_blocks_have_the_lines_of_the_envelopes_of_their_items(
    service: Service,
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: Any,
    ends: Any,
    is_compiled: bool,
    rows: str,
) -> None:
    monkeypatch.setattr(json_text, "_LARGE", 0)
    if not is_compiled:
        monkeypatch.setattr(json_text, "_compiled", lambda: None)
    action = declare(tmp_path, paging="anchor_natural_id")
    page = reply([{**ITEM, "naturalId": f"n{n}"} for n in range(120)])

    def envelopes(*, in_blocks: bool) -> list[Envelope]:
        transport = FakeTransport([page, *ends])
        run = invoker(action, make_client(service, transport, clock), rows=rows, **options)
        return list(run.envelopes(7, {"a": "\u00fc"}, in_blocks=in_blocks))

    blocks, single = envelopes(in_blocks=True), envelopes(in_blocks=False)
    if rows == "each":
        assert [type(block) for block in blocks[:3]] == [EnvelopeBlock] * 3
        assert len(blocks) < len(single)
    else:
        assert [type(envelope) for envelope in blocks] == [
            Envelope if ends[0].status == 403 else ListEnvelope
        ]
    written = [json.loads(line) for block in blocks for line in block.line().splitlines()]
    assert written == [json.loads(envelope.line()) for envelope in single]
    assert not any(block.ends_row or block.has_error for block in blocks[:-1])


@pytest.mark.parametrize("rows", ["each", "one"])
def test_the_pages_of_a_list_in_blocks_are_read_without_the_spelling_of_numbers(
    service: Service, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    texts: list[str] = []

    def loads(text: str) -> Any:
        texts.append(text)
        return json.loads(text)

    monkeypatch.setattr(json_text, "loads_plain", loads)
    action = declare(tmp_path, paging="anchor_natural_id")
    for in_blocks, expected in ((False, 0), (True, 1)):
        transport = FakeTransport([reply([{"naturalId": "n"}])])
        run = invoker(action, make_client(service, transport, clock), rows=rows)
        assert not list(run.envelopes(7, {}, in_blocks=in_blocks))[-1].has_error
        assert len(texts) == expected
