"""`ninjaone sandbox` for each service: what it prints, its traps, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import yaml

from .conftest import Ninjaone

TIMEOUT_S = 10


@contextmanager
def running(*options: str) -> Iterator[list[str]]:
    """Run `ninjaone sandbox` on a free port; give what it has printed when it is ready."""
    command = [sys.executable, "-m", "connector", "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Press Ctrl-C"):
                break
        try:
            yield lines
        finally:
            process.terminate()


def test_halopsa() -> None:
    traps = ("--trap", "tenant=optional", "--trap", "page_cap=ignored")
    with running("--service", "halopsa", "--assets", "120", "--clients", "3", *traps) as lines:
        settings = yaml.safe_load("\n".join(lines[1:6]))
        assert [*settings] == ["service", "base_url", "client_id", "client_secret", "tenant"]
        assert "    export HALOPSA_TENANT=sandbox" in lines
        assert "/_sandbox/agent/close -d" in lines[-2]
        url = settings["base_url"]
        form = {"grant_type": "client_credentials", "scope": "all"}
        form |= {name: settings[name] for name in ("client_id", "client_secret")}
        token = requests.post(f"{url}/auth/token", data=form, timeout=TIMEOUT_S).json()["access_token"]
        query = {"pageinate": "true", "page_size": "500"}
        headers = {"Authorization": f"Bearer {token}"}
        found = requests.get(f"{url}/api/Asset", params=query, headers=headers, timeout=TIMEOUT_S).json()
    assert (len(found["assets"]), found["record_count"]) == (120, 120)
    assert {asset["client_id"] for asset in found["assets"]} == {11, 12, 13}


def test_ninjaone_is_the_default() -> None:
    with running("--devices", "3") as lines:
        assert [line.split(":")[0].strip() for line in lines[1:4]] == [
            "base_url",
            "client_id",
            "client_secret",
        ]
        assert "    export NINJAONE_CLIENT_ID=sandbox-client" in lines


def test_traps_are_listed(in_process: Ninjaone) -> None:
    done = in_process("sandbox", "--service", "halopsa", "--list-traps")
    assert done.returncode == 0
    assert "page_cap=by_resource|ignored: whether pages have at most 50 assets" in done.stdout
    assert "has no traps" in in_process("sandbox", "--list-traps").stdout
    assert (
        "the service 'other' has no sandbox"
        in in_process("sandbox", "--list-traps", "--service", "other").stderr
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--service", "other"],
            "the service 'other' has no sandbox; services with a sandbox: halopsa, ninjaone",
        ),
        (["--trap", "closing=refused"], "the sandbox of ninjaone has no setting 'traps'"),
        (["--service", "halopsa", "--devices", "3"], "the sandbox of halopsa has no setting 'devices'"),
        (["--service", "halopsa", "--trap", "closing"], "'closing' is not of the form NAME=VALUE"),
        (
            ["--service", "halopsa", "--trap", "closed=no"],
            "there is no trap 'closed'; the traps are tenant, ",
        ),
        (
            ["--service", "halopsa", "--trap", "html=1"],
            "trap html has no value '1'; its values are no, page, ",
        ),
        (["--service", "halopsa", "--trap", "html=no", "--trap", "html=page"], "trap 'html' appears twice"),
        (["--service", "halopsa", "--assets", "-1"], "must not be negative"),
    ],
)
def test_what_it_refuses(in_process: Ninjaone, options: list[str], message: str) -> None:
    done = in_process("sandbox", "--port", "0", *options)
    assert done.returncode == 2
    assert message in done.stderr
