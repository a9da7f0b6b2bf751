"""HaloPSA from the command line: the same exit codes as for other services (K9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connector.sandbox.halopsa.server import HaloSandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process


@pytest.fixture
def halo(tmp_path: Path) -> Iterator[HaloSandbox]:
    """A sandbox, whose connection is `halo.yaml`, and read-only `reading.yaml`."""
    with HaloSandbox() as box:
        settings = dict(box.connection)
        (tmp_path / "halo.yaml").write_text(yaml.safe_dump(settings))
        (tmp_path / "reading.yaml").write_text(yaml.safe_dump({**settings, "read_only": True}))
        yield box


@pytest.mark.parametrize(
    ("connection", "tickets", "code", "closed"),
    [
        ("halo.yaml", [2001, 2002], 0, [True, True]),
        ("halo.yaml", [2001, 2999], 1, [True, None]),
        ("reading.yaml", [2001, 2002], 2, [None, None]),
        ("nowhere.yaml", [2001], 2, [None, None]),
    ],
)
def test_k9_the_exit_codes_are_those_of_the_command(
    ninjaone: Ninjaone,
    halo: HaloSandbox,
    tmp_path: Path,
    connection: str,
    tickets: list[int],
    code: int,
    closed: list[bool | None],
) -> None:
    (tmp_path / "rows.csv").write_text("ticket\n" + "".join(f"{number}\n" for number in tickets))
    inputs = ("-i", "rows.csv", "-o", "out.jsonl", "-t", "ticket_id={{ ticket }}", "--delay-ms", "0")
    done = ninjaone("run", "halopsa.close_ticket", *inputs, "-c", connection)
    assert done.returncode == code, done.stderr
    assert [halo.state.tickets[number]["hasbeenclosed"] for number in (2001, 2002)] == closed
    assert (tmp_path / "out.jsonl").exists() is (code < 2)


def test_neither_outputs_nor_logs_have_a_secret(
    ninjaone: Ninjaone, halo: HaloSandbox, tmp_path: Path
) -> None:
    inputs = ("-i", "rows.jsonl", "-o", "out.jsonl", "--delay-ms", "0", "-vv", "--log-file", "log")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"secret": "of the webhook"}) + "\n")
    templates = (
        "-t",
        "name=x",
        "-t",
        "url=http://127.0.0.1:1/",
        "-t",
        "username=u",
        "-t",
        "password={{ secret }}",
    )
    run = ("run", "halopsa.create_webhook", *inputs, *templates, "--audit", "audit")
    done = ninjaone(*run, "-c", "halo.yaml")
    assert done.returncode == 0, done.stderr
    assert halo.log.requests()[-1]["body"][0]["basic_password"] == "of the webhook"
    texts = [done.stdout, done.stderr]
    texts += [(tmp_path / name).read_text() for name in ("out.jsonl", "log", "audit")]
    assert all(texts[1:])
    for secret in ("of the webhook", halo.client_secret):
        assert [text for text in texts if secret in text] == []
