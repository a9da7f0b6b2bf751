"""Makes `sandbox_answers.json` of `connector/web/catalog`: the response to each action's first example.

python -m tests.web.make_answers
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.factory import open_client
from connector.connections.connection import make_connection
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker
from connector.sandbox.services import make_sandbox, sandbox_services
from connector.web.catalog import sandbox_answers
from tests.halopsa.sandboxes import fill

MAX_ITEMS = 2
"""How many items of a list are kept."""
PREPARE = {"halopsa": fill}
"""By service: what adds the records that the examples are about."""
_BASE_URL = "https://app.ninjarmm.com"
_NOW, _NOW_TEXT = 1_795_000_000, "2026-11-18T11:06:40Z"
"""The time that stands for that of the run, so that two runs give the same."""


def make_answers(catalog: Catalog, folder: Path) -> dict[str, Any]:
    """Run the first example of every action; downloads and uploads are below `folder`."""
    made: dict[str, Any] = {}
    for name in catalog.services:
        if name in sandbox_services():
            made |= _made_by(catalog, catalog.service(name), folder)
    return made


def _made_by(catalog: Catalog, service: Service, folder: Path) -> dict[str, Any]:
    made, began = {}, time.time()
    with make_sandbox(service.name) as account:
        settings = {name: text for name, text in account.connection.items() if name != "service"}
        client = open_client(service, make_connection(service, settings, "the sandbox"), 0)
        prepare = PREPARE.get(service.name, lambda account: None)
        for name in catalog.names_of(service.name):
            action = catalog.action(name)
            example = action.examples[0]
            account.reset()
            prepare(account)
            for file, content in example.files.items():
                (folder / file).write_text(content)
            bindings = bind(action, example.templates)
            invoker = Invoker(action, service, bindings, client, folder, folder)
            (envelope,) = invoker.envelopes(1, example.row)
            assert envelope.error is None, f"{name}: {envelope.error}"
            made[name] = _kept(envelope.as_json(), account.base_url, folder, began)
    return made


def _kept(envelope: dict[str, Any], base_url: str, folder: Path, began: float) -> dict[str, Any]:
    text = json.dumps(envelope).replace(base_url, _BASE_URL).replace(json.dumps(str(folder))[1:-1], ".")
    today = time.strftime("%Y-%m-%d", time.gmtime(began))
    text = re.sub(rf'"{today}T[\d:.]+Z?"', json.dumps(_NOW_TEXT), text)
    envelope = json.loads(text, parse_float=lambda number: _fixed(float(number), began))
    meta = {name: value for name, value in envelope["meta"].items() if name != "action"}
    kept = {"meta": {**meta, "request_id": "206993417a534ec7"}, "result": _cut(envelope["result"])}
    if isinstance(envelope["result"], list) and len(envelope["result"]) > MAX_ITEMS:
        kept["items"] = len(envelope["result"])
    return kept


def _fixed(number: float, began: float) -> float:
    """Return a time since the run began as one since `_NOW`, to the minute."""
    return number if number < began else float(_NOW + round((number - began) / 60) * 60)


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(item) for item in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        return {name: _cut(member) for name, member in value.items()}
    return value


def written(made: dict[str, Any]) -> str:
    """Write the file: one line an action."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(kept)}" for name, kept in made.items())
    return "{\n" + lines + "\n}\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        made = make_answers(Catalog(), Path(scratch))
    sandbox_answers.FILE.write_text(written(made), encoding="utf-8")
