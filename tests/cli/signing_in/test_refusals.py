"""The messages of refused sign-ins."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.signing_in.tokens import CALL
from tests.loopback import Server, Talk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a script is a program on POSIX alone")


def refused(in_process: Ninjaone, folder: Path, **settings: str) -> str:
    """What `call` says with a connection that cannot sign in."""
    (folder / "wrong.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    done = in_process(*CALL, "-c", "wrong.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    return str(done.stderr)


def test_a_scope_that_the_app_was_not_given(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    message = refused(in_process, tmp_path, **sandbox.connection, scope="monitoring everything")
    assert "the server responded with 400 (invalid_scope): the client app lacks a scope" in message
    assert "Remove the scope from the connection, or add it to the app under Administration > Apps" in message


def test_a_wrong_secret(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    message = refused(in_process, tmp_path, **{**sandbox.connection, "client_secret": "wrong-secret"})
    assert "the server responded with 400 (invalid_client): NinjaOne refuses the client secret" in message
    assert "generate a new one under Administration > Apps > API" in message
    assert "the app may belong to another region" in message
    assert "wrong-secret" not in message


def test_an_app_of_another_region(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    message = refused(in_process, tmp_path, **{**sandbox.connection, "client_id": "an-app-of-eu"})
    assert "the server responded with 404 (Client app not exist), incident WEB_MGMT" in message
    assert "the client id is wrong, or the app belongs to another region" in message
    assert len(sandbox.log.signins()) == 1


def test_an_app_that_allows_no_client_credentials(
    in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    app = {"client_id": "sandbox-web", "client_secret": "sandbox-web-secret"}
    message = refused(in_process, tmp_path, **{**sandbox.connection, **app})
    assert "(unauthorized_client): the client app does not allow this kind of sign-in. Under Admin" in message
    assert 'an "API Services (machine-to-machine)" app allows client credentials' in message


def test_a_host_that_is_not_the_instances(in_process: Ninjaone, tmp_path: Path) -> None:
    page = b"<!doctype html><title>404 Not Found</title>"

    def respond(talk: Talk) -> None:
        while talk.read():
            head = f"HTTP/1.1 404 Not Found\r\nContent-Length: {len(page)}\r\n\r\n"
            talk.send(head.encode() + page)

    with Server((respond,)) as server:
        app = {"client_id": "an-app", "client_secret": "a-secret"}
        message = refused(in_process, tmp_path, base_url=server.base_url, **app)
        assert (
            "the server responded with 404 (an HTML page): NinjaOne does not know this client app" in message
        )
        assert [one.target for one in server.received] == ["/ws/oauth/token"]


def test_a_write_whose_scope_is_missing(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {**sandbox.connection, "scope": "monitoring"}
    (tmp_path / "reader.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    write = ("call", "update_device", "device_id=1", "display_name=SRV", "-c", "reader.yaml")
    done = in_process(*write)
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["error"]
    assert 'The token carries the scopes "monitoring" and lacks "management"' in error
    assert "Add it to the client app (Administration > Apps > API)" in error
    # The next run does not go on with the token, as the scope may have been given by then.
    assert in_process(*write).returncode == 1
    assert len(sandbox.log.signins()) == 2
    assert in_process(*CALL, "-c", "reader.yaml").returncode == 0
