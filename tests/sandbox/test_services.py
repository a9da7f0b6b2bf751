"""The table of sandboxes by service."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from connector.sandbox.services import make_sandbox, sandbox_class, sandbox_services


def test_each_package_is_a_sandbox() -> None:
    assert "ninjaone" in sandbox_services()
    for service in sandbox_services():
        with make_sandbox(service) as running:
            assert running.connection["base_url"] == running.base_url
            assert all(isinstance(line, str) for line in running.hints)


def test_settings_reach_the_class() -> None:
    assert sandbox_class("ninjaone") is Sandbox
    with make_sandbox("ninjaone", devices=3) as running:
        assert isinstance(running, Sandbox)
        assert running.state.fleet.count == 3


@pytest.mark.parametrize(
    ("service", "settings", "message"),
    [
        ("other", {}, "the service 'other' has no sandbox; services with a sandbox: "),
        ("ninjaone", {"user_contexts": 1}, "the sandbox of ninjaone has no setting 'user-contexts'"),
        ("ninjaone", {"devices": -1}, "devices, token_lifetime_s and order_s must not be negative"),
    ],
)
def test_what_it_refuses(service: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_sandbox(service, **settings)


def test_the_table_imports_no_service() -> None:
    code = (
        "import sys; from connector.sandbox.services import sandbox_services; sandbox_services(); "
        "print([name for name in sys.modules if name.startswith('connector.sandbox.ninjaone')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
