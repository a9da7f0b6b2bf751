"""What slow tests need is installed once for the same pins, and only a refusal of the index fails."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.loopback import closed_port

pytestmark = pytest.mark.slow


class Index:
    """An index of packages on this machine, and the paths that it was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.asked = files, list[str]()
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                content = files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header(
                    "Content-Type", "text/html" if self.path.endswith("/") else "application/json"
                )
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Index]:
    index = Index(files)
    Thread(target=index.server.serve_forever, daemon=True).start()
    try:
        yield index
    finally:
        index.server.shutdown()
        index.server.server_close()


def wheel(name: str) -> bytes:
    """A wheel without a module."""
    info, made = f"{name}-1.0.dist-info", BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return made.getvalue()


def for_pip() -> dict[str, bytes]:
    """An index with two packages, one of which is that of the probe."""
    files = {}
    for name in ("tiny", "iniconfig"):
        file = f"{name}-1.0-py3-none-any.whl"
        files[f"/{name}/"] = f'<a href="{file}">{file}</a>'.encode()
        files[f"/{name}/{file}"] = wheel(name)
    return files


def fill_for_npm(index: Index) -> None:
    """Put two packages into a registry, one of which is that of the probe."""
    for name in ("tiny", "wrappy"):
        made = BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as archive:
            text = json.dumps({"name": name, "version": "1.0.0"}).encode()
            entry = tarfile.TarInfo("package/package.json")
            entry.size = len(text)
            archive.addfile(entry, BytesIO(text))
        packed = made.getvalue()
        digest = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
        dist = {"tarball": f"{index.url}/{name}.tgz", "integrity": digest}
        versions = {"1.0.0": {"name": name, "version": "1.0.0", "dist": dist}}
        about = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": versions}
        index.files.update({f"/{name}": json.dumps(about).encode(), f"/{name}.tgz": packed})


def install(url: str, *arguments: object) -> tuple[int, str]:
    """Run the installer with this index; return the exit code and what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "npm_"))}
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": url, "PIP_RETRIES": "0"}
    settings |= {"npm_config_registry": url, "npm_config_fetch_retries": "0"}
    with tempfile.TemporaryDirectory() as cache:
        settings["npm_config_cache"] = cache
        done = subprocess.run(
            [sys.executable, "-m", "tests.install", *map(str, arguments)],
            cwd=ROOT,
            env={**clean, **settings},
            capture_output=True,
            text=True,
            timeout=120,
        )
    return done.returncode, done.stdout


def test_packages_are_installed_once_for_the_same_pins(tmp_path: Path) -> None:
    folder, pins = tmp_path / "tiny", tmp_path / "pins.txt"
    pins.write_text("tiny==1.0\n")
    wanted = ("wheels", folder, "Tiny", "-r", pins)
    with serving(for_pip()) as index:
        assert install(index.url, *wanted) == (0, "")
        assert [path.name for path in folder.glob("*.whl")] == ["tiny-1.0-py3-none-any.whl"]
        index.asked.clear()
        assert install(index.url, *wanted) == (0, "")
        assert index.asked == []
        pins.write_text("tiny==1.0\niniconfig==1.0\n")
        assert install(index.url, *wanted) == (0, "")
        assert len(list(folder.glob("*.whl"))) == 2


def test_a_refused_pin_fails_if_the_index_can_be_reached(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    with serving(for_pip()) as index:
        assert install(index.url, "wheels", folder, "Tiny", "tiny==1.0") == (0, "")
        code, printed = install(index.url, "wheels", folder, "Tiny", "tiny==2.0")
    assert code == 1
    assert printed.startswith("Tiny: its packages cannot be installed, and their index can be reached")
    assert not folder.exists()


def test_an_index_out_of_reach_is_no_failure(tmp_path: Path) -> None:
    code, printed = install(
        f"http://127.0.0.1:{closed_port()}", "venv", tmp_path / "tiny", "Tiny", "tiny==1.0"
    )
    assert code == 0
    assert printed == (
        "skipped: the tests with Tiny: its packages cannot be installed, as their index cannot be reached\n"
    )
    assert not (tmp_path / "tiny").exists()


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
def test_packages_of_npm(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    with serving({}) as registry:
        fill_for_npm(registry)
        assert install(registry.url, "npm", folder, "Tiny", "tiny@1.0.0") == (0, "")
        assert (folder / "node_modules" / "tiny" / "package.json").exists()
        registry.asked.clear()
        assert install(registry.url, "npm", folder, "Tiny", "tiny@1.0.0") == (0, "")
        assert registry.asked == []
        code, printed = install(registry.url, "npm", folder, "Tiny", "tiny@2.0.0")
        assert (code, folder.exists()) == (1, False)
        assert "and their index can be reached" in printed
    code, printed = install(registry.url, "npm", folder, "Tiny", "tiny@1.0.0")
    assert (code, folder.exists()) == (0, False)
    assert printed.startswith("skipped: the tests with Tiny: ")
