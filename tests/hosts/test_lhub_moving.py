"""What differs for a playbook of the older connector: 156 templates, rendered by the SDK's Jinja and by us.

`docs/hosts.md` has the table that comes of it.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.errors import RowError
from connector.invocation.bindings import bind
from connector.sandbox.ninjaone.server import Sandbox
from tests.hosts.conftest import ByHand
from tests.hosts.logichub import MODES, LogicHub, Mode

SHAPES = (
    "{{ c }}",
    "x {{ c }}",
    "{{ c }}-{{ other }}",
    "{{ c | default('d') }}",
    "{{ c | upper }}",
    "{% if c %}y{% else %}n{% endif %}",
    "{{ c | tojson }}",
    "{{ c | int }}",
    "{{ c | length }}",
    "{{ c ~ '!' }}",
    '["{{ c }}"]',
    "{{ c | string | trim }}",
    "{{ 'y' if c == 'text' else 'n' }}",
)
CELLS: dict[str, dict[str, Any]] = {
    "text": {"c": "text"},
    "text with quotes": {"c": 'say "no"'},
    "empty text": {"c": ""},
    "NULL": {"c": None},
    "NULL, left out of the row": {},
    "column of no row": {},
    "true": {"c": True},
    "12": {"c": 12},
    "12.0": {"c": 12.0},
    "1.5": {"c": 1.5},
    "array": {"c": [1, "a", None]},
    "object": {"c": {"a": "b", "t": True}},
}
RENDER = """
import json, sys
from lhub_integ.params import JinjaTemplatedStr, convert
out = []
for template, row in json.load(sys.stdin):
    try:
        out.append(str(convert(JinjaTemplatedStr)(row, template)))
    except Exception as error:
        out.append(None)
print(json.dumps(out))
"""
SAME = {
    "text": 12,
    "text with quotes": 12,
    "empty text": 12,
    "NULL": 2,
    "NULL, left out of the row": 11,
    "column of no row": 3,
    "true": 6,
    "12": 13,
    "12.0": 13,
    "1.5": 13,
    "array": 3,
    "object": 5,
}


def by_the_sdk(python: Path, pairs: list[tuple[str, dict[str, Any]]]) -> list[str | None]:
    """Render templates as the SDK does; None where that fails."""
    done = subprocess.run([python, "-c", RENDER], input=json.dumps(pairs), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rendered: list[str | None] = json.loads(done.stdout)
    return rendered


def by_us(catalog: Catalog, template: str, row: dict[str, Any], columns: list[str]) -> str | None:
    """Render a template for a text input as this host does: absent is empty text, and an error None."""
    templates = {"device_id": "1", "display_name": template}
    bindings = bind(catalog.action("update_device"), templates, null_is_missing=True)
    try:
        value = replace(bindings, columns=lambda: columns).values(row).get("display_name", "")
    except RowError:
        return None
    return value if isinstance(value, str) else json.dumps(value)


def test_how_much_of_it_is_the_same(sdk_python: Path, catalog: Catalog) -> None:
    cases = [(name, shape, {**row, "other": "o"}) for name, row in CELLS.items() for shape in SHAPES]
    theirs = by_the_sdk(sdk_python, [(shape, row) for _, shape, row in cases])
    same: Counter[str] = Counter(dict.fromkeys(CELLS, 0))
    for (name, shape, row), rendered in zip(cases, theirs, strict=True):
        columns = ["other"] if name == "column of no row" else ["c", "other"]
        ours = by_us(catalog, shape, row, columns)
        same[name] += ours == rendered
    assert dict(same) == SAME
    assert len(cases) == 156


TABLES = [[name for name in CELLS if name != "column of no row"], ["column of no row"]]
ECHO = """
@action("Echo")
def echo(text: JinjaTemplatedStr):
    return {"text": text}
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_sdks_commands_render_so_and_send_so(
    ours: LogicHub, by_hand: ByHand, sandbox: Sandbox, catalog: Catalog, shape: str, mode: Mode
) -> None:
    hand = by_hand(ECHO)
    for names in TABLES:
        rows = [{"lhub_id": n, **CELLS[name], "other": "o"} for n, name in enumerate(names)]
        rendered = [e.get("text") for e in hand.run("echo", rows, {"text": shape}, mode).envelopes]
        assert rendered == by_the_sdk(ours.python, [(shape, row) for row in rows])
        before = len(sandbox.log.requests())
        form = {"device_id": "1", "display_name": shape, "user_data": '{"a": "b"}'}  # a change in every row
        ran = ours.run("update_device", rows, form, mode)
        sent = iter([r["body"].get("displayName", "") for r in sandbox.log.requests()[before:]])
        columns = ["c", "other"] if len(rows) > 1 else ["other"]
        due = [by_us(catalog, shape, row, columns) for row in rows]
        assert [None if e["has_error"] else next(sent) for e in ran.envelopes] == due
        assert list(sent) == []
