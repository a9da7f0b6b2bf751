"""Prism, a mock server made of an OpenAPI document, accepts every request of HaloPSA's examples.

It checks queries by the types of the vendor's document, once those are repaired. `make prism` installs it.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.authoring.openapi_repair import repaired
from tests.conftest import ROOT, SHARED
from tests.kept_catalog import CATALOG
from tests.loopback import free_port

PRISM = ROOT / "build" / "prism" / "node_modules" / ".bin" / "prism"
DOCUMENT = SHARED / "halo" / "halo-openapi.json"
PATIENCE_S = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PRISM.exists(), reason="Prism is not installed: run make prism"),
    pytest.mark.skipif(not DOCUMENT.exists(), reason="the published document is not available"),
]


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a mock of the repaired document, which answers a wrong request with 422."""
    folder = tmp_path_factory.mktemp("prism")
    # Prism makes responses of their schemas, and an empty one where there is none.
    service = CATALOG.service("halopsa")._replace(document_responses=True)
    document = repaired(json.loads(DOCUMENT.read_text("utf-8")), service)
    (folder / "halo.json").write_text(json.dumps(document))
    port = free_port()
    command = [str(PRISM), "mock", "--errors", "--port", str(port), str(folder / "halo.json")]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, running, folder / "log")
        yield url
    finally:
        running.terminate()
        running.wait(PATIENCE_S)


def _wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        assert running.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        try:
            requests.get(url, timeout=PATIENCE_S)
            return
        except requests.ConnectionError:
            time.sleep(0.1)


def send(url: str, sends: Any) -> requests.Response:
    given = {"json": sends["body"]} if "body" in sends else {}
    target = url + sends["path"]
    return requests.request(sends["method"], target, params=sends.get("query"), timeout=PATIENCE_S, **given)


def test_every_request_of_the_examples(prism: str) -> None:
    refused = {}
    count = 0
    for action in CATALOG.actions("halopsa"):
        for sends in (sends for example in action.examples for sends in example.sends if action.published):
            response = send(prism, sends)
            count += 1
            if response.status_code != 200:
                refused[f"{sends['method']} {sends['path']}"] = response.text
    assert refused == {}
    assert count > 60


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("/api/Client", {"toplevel_id": "one"}, "toplevel_id"),
        ("/api/Tickets", {"orderdesc": "1"}, "orderdesc"),
        ("/api/Asset", {"pageinate": "yes"}, "pageinate"),
    ],
)
def test_a_wrong_query_is_refused(prism: str, path: str, query: dict[str, str], message: str) -> None:
    response = send(prism, {"method": "GET", "path": path, "query": query})
    assert response.status_code == 422
    assert message in response.text
