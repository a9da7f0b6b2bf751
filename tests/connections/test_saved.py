"""Saved connections: their names, their files, and the one that is the default."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.service import Service
from connector.connections.connection import read_settings
from connector.connections.saved import SavedConnections, is_name
from connector.errors import ConnectionSetupError
from tests.examples import examples

SETTINGS = {"region": "eu", "client_id": "an-app"}


@pytest.fixture
def saved(tmp_path: Path) -> SavedConnections:
    return SavedConnections(tmp_path / "config")


@pytest.mark.parametrize("name", ["a", "7", "acme-eu", "acme.eu_2", "a" * 64, "console", "yaml", "com10"])
def test_names(saved: SavedConnections, name: str) -> None:
    saved.save(name, SETTINGS)
    assert saved.names() == [name]


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "-a", "_a", ".a", "Acme", "acme eu", "ä", "a/b", "../a", "a\\b", "a\n", "a:b"),
        *("a" * 65, "a.yaml", "a.yml", "con", "nul", "nul.txt", "com1", "lpt9", "prn", "aux"),
    ],
)
def test_names_that_no_file_could_have_everywhere(saved: SavedConnections, name: str, tmp_path: Path) -> None:
    assert not is_name(name)
    for use in (
        lambda: saved.save(name, SETTINGS),
        lambda: saved.path(name),
        lambda: saved.refuse_taken(name),
    ):
        with pytest.raises(
            ConnectionSetupError, match="is not a valid connection name: use up to 64 of a-z, 0-9"
        ):
            use()
    assert list(tmp_path.iterdir()) == []


ODD = ["007", "1e5", "true", "~", "${X}", "http://u:${P}@x", "-a", "a:b", "#", "2026-01-01", "=", "<<", "%x"]
TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1) | st.sampled_from(ODD)


@examples(60)
@given(
    st.fixed_dictionaries(
        {"client_id": TEXT, "scope": TEXT},
        optional={
            "timeout_s": st.integers(1, 10**9) | st.floats(1e-9, 1e12),
            "verify_tls": st.booleans(),
            "health_checks_off": st.lists(TEXT),
        },
    )
)
def test_what_is_saved_is_what_is_read(
    service: Service, tmp_path_factory: pytest.TempPathFactory, kept: dict[str, Any]
) -> None:
    saved = SavedConnections(tmp_path_factory.getbasetemp() / "saved")
    path = saved.save("a", {"service": "ninjaone", **kept})
    assert read_settings(service, path) == kept


def test_saving_again_replaces(saved: SavedConnections, service: Service) -> None:
    path = saved.save("acme", SETTINGS)
    assert saved.save("acme", {"region": "us"}) == path == saved.path("acme")
    assert read_settings(service, path) == {"region": "us"}
    with pytest.raises(
        ConnectionSetupError, match='the connection "acme" already exists: edit it, or remove it'
    ):
        saved.refuse_taken("acme")
    saved.refuse_taken("globex")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_settings_are_their_users_alone(saved: SavedConnections) -> None:
    path = saved.save("acme", SETTINGS)
    assert [stat.S_IMODE(of.stat().st_mode) for of in (path, path.parent)] == [0o600, 0o700]


def test_other_files_in_the_folder_are_no_connections(saved: SavedConnections) -> None:
    folder = saved.save("acme", SETTINGS).parent
    for name in ("acme.yaml~", "README.yaml", ".hidden.yaml", "notes.txt", "a b.yaml"):
        (folder / name).write_text("x")
    assert saved.names() == ["acme"]


def test_the_default(saved: SavedConnections) -> None:
    assert saved.default("ninjaone") is None
    saved.save("acme", SETTINGS)
    saved.save("globex", SETTINGS)
    assert saved.default("ninjaone") is None
    saved.make_default("acme")
    assert saved.default("ninjaone") == "acme"
    saved.make_default("globex")
    saved.remove("acme")
    assert (saved.default("ninjaone"), saved.names()) == ("globex", ["globex"])
    saved.remove("globex")
    assert (saved.default("ninjaone"), saved.names()) == (None, [])
    saved.save("globex", SETTINGS)
    assert saved.default("ninjaone") is None


def test_a_default_that_was_removed_by_hand_is_none(saved: SavedConnections) -> None:
    saved.save("acme", SETTINGS)
    saved.make_default("acme")
    saved.path("acme").unlink()
    assert saved.default("ninjaone") is None


def test_what_is_not_saved(saved: SavedConnections) -> None:
    saved.save("globex", SETTINGS)
    for use in (saved.path, saved.remove, saved.make_default):
        with pytest.raises(
            ConnectionSetupError, match=r'no saved connection "glob" \(did you mean "globex"\?\)'
        ):
            use("glob")


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(
        ConnectionSetupError, match=r"acme.yaml: cannot be written: (Not a directory|File exists)"
    ):
        SavedConnections(tmp_path / "config").save("acme", SETTINGS)
