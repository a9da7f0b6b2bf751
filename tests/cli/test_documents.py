"""`new` and `catalog drift`, which read the vendor's document."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Ninjaone
from tests.conftest import SHARED

pytestmark = pytest.mark.in_process


REBOOT = {
    "operationId": "rebootDevices",
    "tags": ["management"],
    "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "format": "int32"}}
    ],
    "responses": {"204": {}},
}
DOCUMENT = {"openapi": "3.0.1", "paths": {"/v2/device/{id}/reboot": {"post": REBOOT}}}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "api.json"
    path.write_text(json.dumps(DOCUMENT))
    return path


def test_new_writes_a_declaration(ninjaone: Ninjaone, document: Path, tmp_path: Path) -> None:
    arguments = ("new", "--from-spec", document, "rebootDevices", "--name", "restart_device")
    done = ninjaone(*arguments)
    assert (done.returncode, done.stdout) == (0, "management/restart_device.yaml\n")
    assert "reboot_device already declares this operation" in done.stderr
    made = yaml.safe_load((tmp_path / "management" / "restart_device.yaml").read_text())
    assert (made["name"], made["title"]) == ("restart_device", "Restart Device")
    assert made["inputs"]["device_id"]["to"] == "path.id"

    again = ninjaone(*arguments)
    assert again.returncode == 2
    assert "already exists" in again.stderr


def test_new_takes_an_area_and_a_folder_and_prints(
    ninjaone: Ninjaone, document: Path, tmp_path: Path
) -> None:
    arguments = ("new", "--from-spec", document, "rebootDevices", "--area", "devices", "--output")
    assert ninjaone(*arguments, tmp_path / "out").returncode == 0
    written = tmp_path / "out" / "devices" / "reboot_devices.yaml"
    printed = ninjaone(*arguments, "-")
    assert printed.returncode == 0
    assert printed.stdout == written.read_text()


def test_new_refuses_what_it_cannot_use(ninjaone: Ninjaone, document: Path, tmp_path: Path) -> None:
    unknown = ninjaone("new", "--from-spec", document, "rebootDevice")
    assert unknown.returncode == 2
    assert 'did you mean "rebootDevices"' in unknown.stderr
    bad = ninjaone("new", "--from-spec", document, "rebootDevices", "--name", "../x")
    assert bad.returncode == 2
    assert "is not a valid name" in bad.stderr
    blocked = ninjaone("new", "--from-spec", document, "rebootDevices", "--output", document)
    assert (blocked.returncode, "cannot be written" in blocked.stderr) == (2, True)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"paths": {}}', '{"openapi": "3", "paths": []}', "\xff"]
)
def test_an_unreadable_document(ninjaone: Ninjaone, tmp_path: Path, content: str) -> None:
    path = tmp_path / "api.json"
    path.write_bytes(content.encode("latin-1"))
    for arguments in (("catalog", "drift", "--spec", path), ("new", "x", "--from-spec", path)):
        done = ninjaone(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert str(path) in done.stderr
    path.unlink()
    assert ninjaone("catalog", "drift", "--spec", path).returncode == 2


def test_drift_tells_people_and_programs(ninjaone: Ninjaone, document: Path) -> None:
    page = ninjaone("catalog", "drift", "--spec", document)
    assert page.returncode == 1
    assert "removed from the document: 309" in page.stdout
    assert "    path: changed from /v2/device/{id}/reboot/{mode} to /v2/device/{id}/reboot\n" in page.stdout
    assert "  reboot_device: the document declares the request POST /v2/device/{id}/reboot\n" in page.stdout

    found = json.loads(ninjaone("catalog", "drift", "--json", "--spec", document).stdout)
    assert len(found["removed"]) == 309
    assert found["missing"] == found["added"] == []
    changed = found["changed"]["rebootDevices"]
    assert {
        "where": "path",
        "was": "/v2/device/{id}/reboot/{mode}",
        "now": "/v2/device/{id}/reboot",
    } in changed


def test_the_published_document_has_not_drifted(ninjaone: Ninjaone) -> None:
    published = SHARED / "api" / "ninjaone-openapi.json"
    if not published.exists():
        pytest.skip("the published document is not available")
    found = json.loads(ninjaone("catalog", "drift", "--json", "--spec", published).stdout)
    missing = found.pop("missing")
    assert found == {"added": [], "removed": [], "changed": {}, "resources": {}, "actions": []}
    assert not [name for name in missing if name.startswith("rebootDevices ")]


class Instance(BaseHTTPRequestHandler):
    """Serves the document where a NinjaOne does, and notes who asked."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("authorization")))
        found = self.path == "/apidocs/NinjaRMM-API-v2.json"
        content = json.dumps(DOCUMENT).encode() if found else b"no"
        self.send_response(200 if found else 404)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def instance() -> Iterator[str]:
    Instance.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Instance) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_drift_asks_an_instance_without_a_sign_in(ninjaone: Ninjaone, instance: str, tmp_path: Path) -> None:
    connection = tmp_path / "connection.yaml"
    connection.write_text(f"base_url: {instance}\nclient_id: a\nclient_secret: b\n")
    done = ninjaone("catalog", "drift", "--connection", connection)
    assert done.returncode == 1, done.stderr
    assert "removed from the document: 309" in done.stdout
    assert Instance.asked == [("/apidocs/NinjaRMM-API-v2.json", None)]


def test_drift_reads_a_url(ninjaone: Ninjaone, instance: str) -> None:
    url = f"{instance}/apidocs/NinjaRMM-API-v2.json"
    assert ninjaone("catalog", "drift", "--spec", url).returncode == 1
    missing = ninjaone("catalog", "drift", "--spec", f"{instance}/other.json")
    assert missing.returncode == 2
    assert "returned status 404" in missing.stderr
    nobody = ninjaone("catalog", "drift", "--spec", "http://127.0.0.1:1/x")
    assert nobody.returncode == 2
