"""The examples of the actions, by the SDK's real commands: what is sent to a recording server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connector.catalog.action import Example
from connector.hosts.lhub_build import DOCUMENTED, PRESETS, build
from tests.hosts.logichub import MODES, LogicHub, Mode
from tests.kept_catalog import CATALOG
from tests.loopback import Received, Server, Talk

LAST = {"GET": [], "PUT": None, "POS": None, "PAT": None, "DEL": None}
"""What is answered when an example says no more, by the start of the method."""
TOKEN = b'{"access_token": "a-token", "expires_in": 3600}'


@pytest.fixture(scope="session")
def soar_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the integration with the preset `soar`, which has the seventeen, too."""
    folder = tmp_path_factory.mktemp("soar")
    build(folder, PRESETS["soar"])
    return folder


def answering(answers: list[Any]) -> Callable[[Talk], None]:
    """Return what signs in, and gives these answers in turn, then empty lists and no content."""
    left = list(answers)

    def talk(talk: Talk) -> None:
        while request := talk.read():
            if request.target.endswith("/ws/oauth/token"):
                talk.answer(TOKEN)
            elif (response := left.pop(0) if left else LAST[request.line[:3]]) is None:
                talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")
            else:
                talk.answer(json.dumps(response).encode())

    return talk


def can_be_given(example: Example) -> bool:
    """Return whether a form can have these templates: not `empty: send`, and not none over named fields."""
    if example.row and not example.templates:
        return False
    return not any(isinstance(t, dict) and "empty" in t for t in example.templates.values())


def _examples() -> Iterator[Any]:
    """Yield every example in both modes; by default, one of each third action runs, in one of them.

    That the requests of all examples are what they say is tested without the SDK, too (tests/contract).
    """
    for number, name in enumerate(PRESETS["soar"]):
        for index, example in enumerate(CATALOG.action(name).examples):
            for mode in MODES:
                quick = index == number % 3 == 0 and mode == MODES[number % 2]
                if can_be_given(example):
                    yield pytest.param(
                        name,
                        example,
                        mode,
                        id=f"{name}-{index}-{mode}",
                        marks=[] if quick else [pytest.mark.slow],
                    )


@pytest.mark.parametrize(("name", "example", "mode"), list(_examples()))
def test_an_example_sends_what_it_says(
    sdk_python: Path, soar_folder: Path, tmp_path: Path, name: str, example: Example, mode: Mode
) -> None:
    templates = {n: t if isinstance(t, str) else json.dumps(t) for n, t in example.templates.items()}
    with Server((answering(list(example.answers)),)) as server:
        there = {"BASE_URL": server.base_url, "CLIENT_ID": "an-id", "CLIENT_SECRET": "a-secret"}
        variables = {f"NINJAONE_{key}": value for key, value in there.items()}
        soar = LogicHub(sdk_python, soar_folder, tmp_path, variables)
        ran = soar.run(name, [{"lhub_id": 5, **example.row}], templates, mode)
    assert {(lhub_id, e["error"]) for lhub_id, e in ran.answers} == {(5, None)}
    _, *came = server.received
    assert [as_declared(request) for request in came] == [
        (s["method"], s["path"], s.get("query", {}), s.get("body")) for s in example.sends
    ]


def as_declared(request: Received) -> tuple[str, str, dict[str, str], Any]:
    """Return a request as an example declares it, once its bytes are what they should be."""
    method, target, _ = request.line.split(" ")
    url = urlsplit(target)
    assert request.headers["authorization"] == "Bearer a-token"
    body = json.loads(request.body) if request.body else None
    if request.body:
        assert request.headers["content-type"] == "application/json"
        assert request.body == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return method, url.path, dict(parse_qsl(url.query)), body


def test_the_preset_begins_with_the_seventeen() -> None:
    assert PRESETS["soar"][: len(DOCUMENTED)] == tuple(DOCUMENTED)
