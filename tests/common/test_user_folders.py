"""The user's folders, and files that are private and never seen half written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from connector.common import user_folders
from connector.common.user_folders import config_folder, write_whole
from connector.errors import RunError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_configuration_folder_is_the_users_own(own_state: Path) -> None:
    assert config_folder() == own_state / "config/ninjaone-connector"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_private_file_is_its_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_whole(tmp_path / "file", b"one")
    finally:
        os.umask(before)
    assert (tmp_path / "file").read_bytes() == b"one"
    assert mode(tmp_path / "file") == 0o600


def test_the_mode_of_a_file_that_was_there_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_whole(path, b"new", durable=True)
    assert mode(path) == 0o600


def test_the_disk_has_the_content_before_the_name_and_the_name_before_the_call_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace = os.replace

    def content() -> str:
        (new,) = tmp_path.iterdir()
        return new.read_text()

    def note_replace(source: Path, target: Path) -> None:
        done.append("name")
        replace(source, target)

    monkeypatch.setattr(user_folders, "sync_file", lambda descriptor: done.append(content()))
    monkeypatch.setattr(user_folders, "sync_folder", lambda folder: done.append(f"names in {folder.name}"))
    monkeypatch.setattr(os, "replace", note_replace)
    write_whole(tmp_path / "file", b"new", durable=True)
    assert done == ["new", "name", f"names in {tmp_path.name}"]
    done.clear()
    write_whole(tmp_path / "file", b"new")
    assert done == ["name"]


@pytest.mark.parametrize(("module", "call"), [(user_folders, "sync_file"), (os, "replace")])
def test_what_was_there_stays_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, call: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new", durable=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_named_state_folder_is_used_and_one_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(user_folders.STATE_DIR, str(tmp_path / "volume" / "state"))
    assert user_folders.state_folder.__wrapped__() == tmp_path / "volume" / "state"
    (tmp_path / "file").touch()
    monkeypatch.setenv(user_folders.STATE_DIR, str(tmp_path / "file" / "state"))
    with pytest.raises(RunError, match="the folder in NINJAONE_STATE_DIR cannot be written"):
        user_folders.state_folder.__wrapped__()
