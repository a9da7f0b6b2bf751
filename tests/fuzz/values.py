"""Input values of every action: converted or refused, and then part of exactly one request."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from connector.common import json_text
from connector.errors import RowError
from connector.http.http1 import header_lines, write_head
from connector.invocation.bindings import Bindings, bind
from connector.invocation.first_request import first_request
from tests.fuzz.target import JSON, Target, refused
from tests.kept_catalog import CATALOG

NAMES = sorted(CATALOG.names)
WRITTEN = [
    *(
        "1",
        "-1",
        "1.0",
        "1e3",
        "true",
        "no",
        "null",
        "[]",
        "{}",
        "[1, 2]",
        '{"a": 1}',
        "2026-12-01",
        "2026-12-01T06:00:00Z",
    ),
    *(
        "org = 1",
        "startTime after 1",
        "..",
        "a/b",
        "?",
        "#",
        "a\r\nb: c",
        "\0",
        "\ud800",
        "\u00e9",
        "[" * 3000,
        "9" * 4400,
    ),
]


@cache
def bound_action(name: str) -> Bindings:
    """An action whose inputs are bound to the row's fields of the same names."""
    return bind(CATALOG.action(name), {})


@st.composite
def inputs(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return an action, and a row with fields named like its inputs."""
    action = bound_action(draw(st.sampled_from(NAMES))).action
    row = {}
    for name, given in action.inputs.items():
        if name in action.required or draw(st.booleans()):
            allowed = given.schema.get("enum") or given.schema.get("examples") or [1]
            row[name] = draw(st.one_of(st.sampled_from(allowed), st.sampled_from(WRITTEN), JSON))
    return action.name, row


def check(given: tuple[str, dict[str, Any]]) -> None:
    """Convert each value, and build the request from all of them."""
    name, row = given
    bound = bound_action(name)
    service = CATALOG.service(bound.action.service)
    for field, value in row.items():
        typed = bound.action.inputs[field]
        try:
            read = typed.read(value)
        except RowError as error:
            refused(error)
            continue
        if read and not typed.unit:
            assert typed.read(read) == read
    try:
        request = first_request(bound.action, service, bound, Path("/nowhere"), row)
        described, body = request.encoded
        lines = header_lines(request.method, {**described, **request.headers})
        head = write_head(request.method, request.target, lines, body)
    except RowError:
        return
    assert (
        head.count(b"\n")
        == head.count(b"\r\n")
        == 2
        + len({**described, **request.headers})
        + (body is not None or request.method in ("POST", "PUT", "PATCH"))
    )
    assert "/../" not in request.path + "/"
    if request.body and described.get("content-type") == "application/json":
        assert body is not None
        json_text.loads(body.decode())


TARGET = Target("values", inputs(), check)
