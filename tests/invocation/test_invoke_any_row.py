"""Any row and any response result in valid envelopes, however deeply they are nested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.client.client import Client
from connector.errors import NotSentError, ResponseLostError
from connector.http.messages import Response
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply
from tests.invocation.rows import CREATE, HANDLER, LOST, READ, UPDATE, ran


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("rows", ["one", "each"])
@pytest.mark.parametrize("declared", [READ, CREATE])
def test_an_answer_that_is_nested_too_deeply(
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any, rows: Any
) -> None:
    for depth in (400, 900, 5_000, 100_000):
        transport.answers = [Response(200, {}, b"[" * depth + b"]" * depth)]
        last = ran(invoker(declare(tmp_path, **declared), client, rows=rows))[-1]
        assert last.meta["code"] in (None, "bad_response")
        # Some Pythons read 5,000 levels; `ran` has then written them, too.
        assert depth < 100_000 or "nested too deeply" in str(last.error)
        assert not last.has_error or last.meta["repeatable"] is (declared is READ)


def test_a_deep_answer_before_a_failure(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply({"id": 5, "deep": nested(700)}), reply(b"", 400)]
    (envelope,) = ran(invoker(declare(tmp_path, **CREATE, handler=HANDLER), client))
    assert envelope.has_error
    assert envelope.meta["repeatable"] is False


@pytest.mark.parametrize("depth", [100, 400, 600])
def test_a_row_that_is_nested_deeply(
    client: Client, transport: FakeTransport, tmp_path: Path, depth: int
) -> None:
    transport.answers = [reply({})] * 2
    action = declare(tmp_path, inputs={"q": "query.q"})
    for templates in ({}, {"q": "{{ q }}"}):
        list(invoker(action, client, templates, keep_row=True).envelopes(1, {"q": nested(depth)}))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FITTING: dict[str, Any] = {
    "id": st.integers(1, 99) | st.text("ab/.é", min_size=1, max_size=4),
    "q": st.text(max_size=6) | st.integers(0, 9),
    "when": st.datetimes().map(lambda time: time.isoformat()) | st.integers(0, 10**12),
    "body": st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=3),
    "many": st.lists(st.integers(), max_size=3),
    "flag": st.booleans() | st.sampled_from(["yes", "0"]),
    "file": JSON_VALUES,
}
"""Values that mostly suit the inputs of `MIXED`, by name."""
ROWS_OF_ANY_KIND = st.one_of(
    st.fixed_dictionaries(FITTING),
    st.fixed_dictionaries({}, optional=FITTING),
    st.dictionaries(st.sampled_from([*FITTING]) | st.text(max_size=3), JSON_VALUES, max_size=8),
)
TEMPLATES = {
    "id": "{{ id }}",
    "q": "x{{ q }}y",
    "when": "{{ when }}",
    "body": '{"a": {{ body }}, "b": "{{ q }}"}',
    "many": "[{% for m in many %}{{ m }}{{ '' if loop.last else ',' }}{% endfor %}]",
    "flag": "{{ flag }}",
    "file": "{{ file }}",
}
MIXED: dict[str, Any] = {
    "request": "POST /v2/x/{id}",
    "inputs": {
        "id": {"type": ["integer", "string"], "to": "path.id"},
        "q": {"type": "string", "maxLength": 9, "to": "query.q"},
        "when": {"type": "string", "format": "date-time", "as": "epoch_ms", "to": "header.When"},
        "body": {"type": "object", "to": "body.object"},
        "many": {"type": "array", "items": {"type": "integer"}, "to": "body.many"},
        "flag": {"type": "boolean", "to": "query.flag", "published": False},
        "file": {"to": "body.file"},
    },
    "required": ["id"],
}
ANSWERS = st.one_of(
    st.builds(
        Response,
        st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503]),
        st.fixed_dictionaries(
            {}, optional={"content-type": st.sampled_from(["application/json", "text/html", "x"])}
        ),
        st.binary(max_size=20) | JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    ),
    st.builds(
        ResponseLostError, st.text(max_size=9), st.sampled_from(["timeout", "network_error", "bad_response"])
    ),
    st.builds(NotSentError, st.text(max_size=9)),
)


def test_any_row_and_any_answer_make_good_envelopes(service: Service, mixed: Mapping[str, Action]) -> None:
    codes: set[str | None] = set()

    @settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        row=ROWS_OF_ANY_KIND,
        answers=st.lists(ANSWERS, max_size=3),
        templated=st.booleans(),
        rows=st.sampled_from(["one", "each"]),
        effect=st.sampled_from([READ, UPDATE, CREATE]),
        keep_row=st.booleans(),
    )
    # What no Python version's draw may miss.
    @example(row={"id": 1}, answers=[LOST], templated=False, rows="one", effect=CREATE, keep_row=True)
    @example(
        row={"id": 1}, answers=[reply(b"", 400)], templated=False, rows="each", effect=READ, keep_row=False
    )
    @example(
        row={"id": 1}, answers=[reply(b"", 404)], templated=False, rows="one", effect=READ, keep_row=False
    )
    @example(
        row={"id": 1}, answers=[reply(b"", 403)], templated=False, rows="one", effect=READ, keep_row=False
    )
    def check(row: Any, answers: list[Any], templated: bool, rows: Any, effect: Any, keep_row: bool) -> None:
        def rest(*_: Any) -> Response:
            transport.answers.append(rest)
            return reply([{"id": 1}, "text"])

        transport = FakeTransport([*answers, rest])
        client = make_client(service, transport, FakeClock())
        action = mixed[str(effect.get("request"))]
        run = invoker(action, client, TEMPLATES if templated else {}, rows=rows, keep_row=keep_row)
        envelopes = ran(run, row)
        codes.add(envelopes[-1].meta["code"])
        assert [e.meta.get("last", True) for e in envelopes] == [False] * (len(envelopes) - 1) + [True]
        assert len(envelopes) == 1 or rows == "each"
        assert envelopes[-1].meta["code"] != "internal_error"
        if keep_row:
            assert json.loads(envelopes[-1].line())["input"] == row
        if effect is CREATE:
            sent_again_after = answers[: max(0, len(transport.sent) - 1)]
            assert all(isinstance(a, NotSentError) or a.status in (401, 429) for a in sent_again_after)

    check()
    assert {None, "input_invalid", "template_error", "outcome_unknown", "api_error"} <= codes
    assert len(codes) >= 7


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Action]:
    """The mixed action with each effect, by its request."""
    made = {}
    for effect in (READ, UPDATE, CREATE):
        folder = tmp_path_factory.mktemp("mixed")
        made[str(effect.get("request"))] = declare(folder, **{**MIXED, **effect, "request": MIXED["request"]})
    return made
