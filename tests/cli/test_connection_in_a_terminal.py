"""`ninjaone connection` on a pseudo-terminal: what is asked, and what is not shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.saved_connections import APP, SECRET, add, listed, shown

pytestmark = pytest.mark.usefixtures("own_state")
on_a_terminal = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")


@on_a_terminal
def test_what_is_missing_is_asked_for_and_the_secret_is_not_echoed(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(
        ("connection", "add", "acme"),
        [
            ("a custom host: ", "mars"),
            ('no region "mars"', ""),
            ("a custom host: ", sandbox.base_url),
            ("Client id: ", ""),
            ("a value is required", ""),
            ("Client id: ", sandbox.client_id),
            ("Client secret (not shown): ", sandbox.client_secret),
        ],
        tmp_path,
    )
    assert code == 0, screen
    assert "ok      Sign-in" in screen
    assert sandbox.client_secret not in screen
    assert shown(ninjaone, "acme")["client_secret"] == "•••cret"


@on_a_terminal
def test_only_what_is_missing_is_asked_for(in_process: Ninjaone, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    arguments = ("connection", "add", "acme", "--region", "eu", "--secret-kind", "access_token", "--no-test")
    code, screen = on_terminal(arguments, [("Access token (not shown): ", SECRET)], tmp_path)
    assert code == 0, screen
    assert "Client id" not in screen
    assert shown(in_process, "acme")["access_token"] == "•••-app"


@on_a_terminal
def test_an_edit_asks_and_an_empty_answer_keeps(in_process: Ninjaone, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    add(in_process, "acme", *APP, "--scope", "monitoring")
    before = shown(in_process, "acme")
    kept = [
        ("a custom host [eu]: ", ""),
        ("Client id [an-app]: ", ""),
        ("(not shown) [unchanged]: ", ""),
    ]
    code, screen = on_terminal(("connection", "edit", "acme", "--no-test"), kept, tmp_path)
    assert code == 0, screen
    assert shown(in_process, "acme") == before
    changed = [("[eu]: ", "ca"), ("[an-app]: ", "new"), ("[unchanged]: ", "another-secret")]
    code, screen = on_terminal(("connection", "edit", "acme", "--no-test"), changed, tmp_path)
    assert code == 0, screen
    assert "another-secret" not in screen
    assert shown(in_process, "acme") == {
        **before, "region": "ca", "client_id": "new", "client_secret": "•••cret",
    }  # fmt: skip


@on_a_terminal
@pytest.mark.parametrize(("response", "code"), [("", 2), ("n", 2), ("yess", 2), ("y", 0), ("YES", 0)])
def test_removing_asks(in_process: Ninjaone, tmp_path: Path, response: str, code: int) -> None:
    from tests.cli.terminal import on_terminal

    add(in_process, "acme")
    found, screen = on_terminal(
        ("connection", "remove", "acme"), [("its secrets? [y/N]: ", response)], tmp_path
    )
    assert found == code, screen
    assert len(listed(in_process)) == (0 if code == 0 else 1)


@on_a_terminal
def test_a_secret_on_standard_input_is_not_typed_where_it_shows(tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(("connection", "add", "acme", *APP, "--secret-stdin"), [], tmp_path)
    assert code == 2
    assert "standard input is a terminal" in screen


@on_a_terminal
def test_a_terminal_that_is_closed_saves_nothing(ninjaone: Ninjaone, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal

    code, screen = on_terminal(
        ("connection", "add", "acme", "--region", "eu"), [("Client id: ", "\x04")], tmp_path
    )
    assert code == 2
    assert "the terminal was closed before all prompts were answered" in screen
    assert listed(ninjaone) == []
