"""The connection to a Temporal server, without a server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connector.errors import RunError
from tests.loopback import closed_port

pytest.importorskip("temporalio", reason="the package temporalio is not installed")

from connector.temporal.address import read_address
from connector.temporal.engine import Engine

_PROGRAM = """
import asyncio, sys, threading, time
wake = asyncio.SelectorEventLoop._write_to_self
def wake_and_return_late(loop):
    wake(loop)
    if threading.get_ident() != threading.main_thread().ident:
        time.sleep(0.3)
        print("returned", flush=True)
asyncio.SelectorEventLoop._write_to_self = wake_and_return_late
from connector.errors import RunError
from connector.temporal.address import read_address
from connector.temporal.engine import Engine
try:
    Engine(read_address(sys.argv[1], "q"))
except RunError as error:
    print(error)
"""
"""A program that ends as soon as a thread of the SDK, which is slow to return, has reported an error."""


def test_the_end_of_a_program_waits_for_threads_of_the_sdk() -> None:
    """Otherwise Python can abort the process."""
    address = f"temporal://127.0.0.1:{closed_port()}/default"
    done = subprocess.run([sys.executable, "-c", _PROGRAM, address], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "returned\n" in done.stdout
    assert "the Temporal server cannot be reached" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("TEMPORAL_PROFILE", "other", "Profile 'other' not found"),
        ("TEMPORAL_CONFIG_FILE", "settings.toml", "TOML parse error"),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", "none.pem", "No such file or directory"),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", "settings.toml", "private key"),
    ],
)
def test_invalid_settings_of_temporal_are_an_error_without_their_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.toml").write_text('[profile.default]\napi_key = "geheim\n')
    monkeypatch.setenv(name, value)
    with pytest.raises(RunError, match=reason) as refused:
        Engine(read_address(f"temporal://127.0.0.1:{closed_port()}", "q"))
    assert "geheim" not in str(refused.value)
    assert not refused.value.transient
