"""A file is sent only if it was a regular file in the folder when it was read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector.errors import RowError
from connector.http import uploads
from connector.http.messages import MultipartPart, Request

on_posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes as POSIX has them")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    made = tmp_path / "uploads"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "sub" / "b.txt").write_text("b")
    return made


def sent(folder: Path, name: str) -> bytes:
    path = uploads.find(folder, name, "files")
    return Request("POST", "/x", parts=(MultipartPart("files", path=path, folder=folder),)).encoded[1] or b""


def test_a_file_below_the_folder_is_sent(folder: Path) -> None:
    assert b"\r\n\r\na\r\n" in sent(folder, "a.txt")
    assert b"\r\n\r\nb\r\n" in sent(folder, "sub/b.txt")
    assert b"\r\n\r\nb\r\n" in sent(folder, "sub/../sub/b.txt")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "sub/../../secret.txt",
        "/etc/hostname",
        "/dev/zero",
        "/proc/self/environ",
        "..",
        "",
        "\0",
    ],
)
def test_nothing_else_is_found(folder: Path, name: str) -> None:
    with pytest.raises(RowError) as caught:
        uploads.find(folder, name, "files")
    assert caught.value.code == "input_invalid"


@on_posix
def test_a_link_that_leads_out_and_a_pipe_are_not_found(folder: Path) -> None:
    (folder / "out").symlink_to(folder.parent / "secret.txt")
    (folder / "folder").symlink_to(folder.parent)
    (folder / "zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    for name in ("out", "folder/secret.txt", "zero", "pipe"):
        with pytest.raises(RowError):
            uploads.find(folder, name, "files")


@on_posix
def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "link").symlink_to("sub/b.txt")
    assert b"\r\n\r\nb\r\n" in sent(folder, "link")


@on_posix
@pytest.mark.parametrize("swap", ["file", "folder", "pipe", "device", "gone"])
def test_what_was_put_in_a_files_place_since_it_was_found_is_not_read(folder: Path, swap: str) -> None:
    (folder / "sub" / "secret.txt").write_text("harmless")
    path = uploads.find(folder, "sub/secret.txt", "files")
    path.unlink()
    if swap == "file":
        path.symlink_to(folder.parent / "secret.txt")
    elif swap == "folder":
        (folder / "sub").rename(folder / "was")
        (folder / "sub").symlink_to(folder.parent)
    elif swap == "pipe":
        os.mkfifo(path)
    elif swap == "device":
        path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match=r"below|regular|No such"):
        uploads.read(path, folder)
    with pytest.raises(RowError, match=r"^files: cannot read the file .*") as caught:
        _ = Request("POST", "/x", parts=(MultipartPart("files", path=path, folder=folder),)).encoded
    assert "None" not in str(caught.value)


def test_a_link_that_was_there_only_while_the_file_was_opened_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opens = uploads.find(folder, "a.txt", "files"), os.open
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda _, flags: opens(folder.parent / "secret.txt", flags))
        with pytest.raises(OSError, match="is no longer below"):
            uploads.read(path, folder)


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(uploads.MAX_FILE_BYTES + 1)
    path = uploads.find(folder, "large", "files")
    with pytest.raises(OSError, match="more than 1,073,741,824 bytes"):
        uploads.read(path, folder)
