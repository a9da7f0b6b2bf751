"""`catalog serve` and `catalog export` as commands."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import pytest

from connector.catalog.catalog import Catalog
from connector.cli.main import main
from connector.web import export
from tests.loopback import PATIENCE_S

COMMAND = [sys.executable, "-m", "connector", "catalog"]


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command, and the address that it has printed."""
    command = subprocess.Popen(
        [*COMMAND, "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert command.stdout
        (address,) = re.findall(r"http://\S+", command.stdout.readline())
        yield command, address
    finally:
        command.kill()
        command.wait(PATIENCE_S)
        assert command.stdout
        command.stdout.close()


def test_the_printed_address_opens_and_no_other_one_does() -> None:
    with serving("--no-browser") as (command, address):
        with urlopen(address, timeout=PATIENCE_S) as response:
            assert "Open the catalog" in response.read().decode()
        with pytest.raises(HTTPError, match="403"):
            urlopen(address.partition("?")[0], timeout=PATIENCE_S)
        command.send_signal(signal.SIGINT)
        assert command.wait(PATIENCE_S) == 0


def test_the_browser_gets_a_ticket_and_not_the_token(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    pipe = os.open(opened, os.O_RDWR)  # both ways, so that opening it waits for nobody
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" > {opened}\n')
    script.chmod(0o700)
    with serving(BROWSER=f"{script} %s") as (_, address):
        assert select.select([pipe], [], [], PATIENCE_S)[0], "no browser was started"
        given = os.read(pipe, 4096).decode().strip()
        assert given.split("token=")[0] == address.split("token=")[0]
        assert given != address
        with urlopen(given, timeout=PATIENCE_S) as response:
            assert response.status == 200
        with pytest.raises(HTTPError, match="403"):
            urlopen(given, timeout=PATIENCE_S)
    os.close(pipe)


def test_a_browser_that_would_take_the_terminal_is_left_alone(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    script = tmp_path / "www-browser"
    script.write_text(f"#!/bin/sh\necho opened > {opened}\n")
    script.chmod(0o700)
    code = (
        "import sys, threading; from connector.web.server import CatalogServer\n"
        "with CatalogServer() as server:\n"
        "    server.open_browser()\n"
        "    [thread.join() for thread in threading.enumerate() if 'open' in thread.name]"
    )
    environment = {n: v for n, v in os.environ.items() if n not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    environment["PATH"] = str(tmp_path)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not opened.exists()


def test_a_port_that_is_taken_is_said() -> None:
    with serving("--no-browser") as (_, address):
        port = address.split(":")[2].split("/")[0]
        assert main(["catalog", "serve", "--no-browser", "--port", port]) == 2


def test_syncs_are_shown_by_their_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mapping.yaml").write_text("version: 1\nsource: a.yaml\ntarget: b.yaml\n")
        options += ["--sync", str(tmp_path / name)]
    with serving("--no-browser", *options) as (_, address):
        opener = build_opener(HTTPCookieProcessor())
        opener.open(address, timeout=PATIENCE_S).close()
        with opener.open(address.partition("?")[0] + "sync", timeout=PATIENCE_S) as response:
            page = response.read().decode()
    assert ('href="sync/one"' in page, 'href="sync/two"' in page) == (True, True)
    assert main(["catalog", "serve", "--no-browser", "--sync", str(tmp_path)]) == 2
    assert "there is no mapping.yaml" in capsys.readouterr().err


@pytest.fixture
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first pages alone: all of them take seconds."""
    pages = export.pages
    monkeypatch.setattr(export, "pages", lambda catalog: islice(pages(catalog), 3))


@pytest.mark.slow
def test_export_writes_the_folder_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "catalogue"
    assert main(["catalog", "export", str(folder)]) == 0
    assert capsys.readouterr().out.startswith(f"{folder / 'index.html'}: {len(Catalog().names)} actions, ")


@pytest.mark.usefixtures("few_pages")
def test_export_replaces_an_earlier_one(tmp_path: Path) -> None:
    assert main(["catalog", "export", str(tmp_path)]) == 0
    assert main(["catalog", "export", str(tmp_path)]) == 0
    assert len(list((tmp_path / "actions").iterdir())) == 2


@pytest.mark.usefixtures("few_pages")
def test_export_refuses_what_is_not_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("")
    assert main(["catalog", "export", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["catalog", "export", str(tmp_path), "--force"]) == 0
    assert (tmp_path / "mine.txt").exists()
