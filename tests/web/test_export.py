"""The catalog as static files: complete, reproducible, and without overwriting other files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.errors import RunError
from connector.sandbox.ninjaone.server import Sandbox
from connector.web.export import MANIFEST, export
from tests.declared import declare


@pytest.fixture
def small(tmp_path: Path) -> Catalog:
    """A catalogue of one action."""
    declare(tmp_path, "get_thing", title="Get a thing", inputs={"thing_id": "query.id"})
    return Catalog(tmp_path / "actions")


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_two_exports_are_equal(catalog: Catalog, exported: Path, tmp_path: Path) -> None:
    assert export(tmp_path / "again", Catalog()) == len(content(exported)) - 1
    assert content(tmp_path / "again") == content(exported)


def test_every_action_has_a_page_and_nothing_of_the_server_is_in_it(catalog: Catalog, exported: Path) -> None:
    files = content(exported)
    for name in catalog.names:
        page = files[f"actions/{name}.html"]
        assert b"csrf" not in page
        assert b"<form" not in page
        assert b"/try" not in page
    assert b"csrf" not in files["index.html"]


def test_what_only_the_servers_pages_use_is_not_in_it(exported: Path) -> None:
    pages = "".join(path.read_text() for path in exported.glob("**/*.html"))
    for path in (exported / "static").glob("*.*"):
        assert f'static/{path.name}"' in pages, path.name


def test_nothing_of_this_machine_is_in_it(exported: Path) -> None:
    root = str(Path(__file__).parents[2]).encode()
    found = [
        name for name, text in content(exported).items() if root in text or str(exported).encode() in text
    ]
    assert found == []


def test_no_secret_is_in_it(exported: Path) -> None:
    text = b"\n".join(content(exported).values()).decode()
    assert Sandbox.client_secret not in text
    assert Sandbox.refresh_token not in text
    assert set(re.findall(r"Bearer ([^<&\s]+)", text)) == {"…", "$NINJAONE_TOKEN", "$HALOPSA_TOKEN"}


def test_an_export_replaces_an_earlier_one_and_leaves_the_rest_alone(small: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    export(folder, small)
    own = folder / "actions" / "get_thing.html"
    own.write_text("changed")
    (folder / "CNAME").write_text("docs.example.com")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / "actions" / "gone.html").write_text("of an older catalogue")
    (folder / MANIFEST).write_text(
        json.dumps({**manifest, "files": [*manifest["files"], "actions/gone.html"]})
    )
    export(folder, small)
    assert "Get a thing" in own.read_text()
    assert not (folder / "actions" / "gone.html").exists()
    assert (folder / "CNAME").read_text() == "docs.example.com"
    assert json.loads((folder / MANIFEST).read_text()) == manifest


def test_a_folder_of_something_else_is_refused(small: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    with pytest.raises(RunError, match="neither empty nor an export"):
        export(folder, small)
    assert content(folder) == {"index.html": b"mine"}
    export(folder, small, force=True)
    assert "Get a thing" in (folder / "index.html").read_text()


def test_a_file_that_no_export_has_written_is_not_replaced(small: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    export(folder, small)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"].remove("index.html")
    (folder / MANIFEST).write_text(json.dumps(manifest))
    (folder / "index.html").write_text("mine")
    with pytest.raises(RunError, match=r"index\.html: not written by an export"):
        export(folder, small)
    assert (folder / "index.html").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1}', '{"files": [], "written_by": "another"}'])
def test_a_manifest_that_is_none_makes_no_export(small: Catalog, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / MANIFEST).write_text(text)
    with pytest.raises(RunError):
        export(folder, small)


def test_a_manifest_cannot_remove_what_is_elsewhere(small: Catalog, tmp_path: Path) -> None:
    folder, other = tmp_path / "export", tmp_path / "other.txt"
    other.write_text("mine")
    folder.mkdir()
    names = ["../other.txt", str(other), "", 7]
    (folder / MANIFEST).write_text(json.dumps({"written_by": "ninjaone catalog export", "files": names}))
    export(folder, small)
    assert other.read_text() == "mine"


def test_links_are_not_followed(small: Catalog, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "export", tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.mkdir()
    os.symlink(elsewhere, folder / "actions")
    with pytest.raises(RunError, match="is a link to a folder outside"):
        export(folder, small, force=True)
    (folder / "actions").unlink()
    (elsewhere / "index.html").write_text("mine")
    (folder / "index.html").unlink()
    os.symlink(elsewhere / "index.html", folder / "index.html")
    export(folder, small, force=True)
    assert (elsewhere / "index.html").read_text() == "mine"


def test_a_fault_of_an_action_leaves_nothing_behind(small: Catalog, tmp_path: Path) -> None:
    path = small.folder / "ninjaone" / "area" / "get_thing.yaml"
    path.write_text(path.read_text() + "\nunknown_key: 1\n")
    with pytest.raises(RunError, match="unknown_key"):
        export(tmp_path / "export", Catalog(small.folder))
    assert not (tmp_path / "export").exists()


def test_a_folder_that_cannot_be_written_is_said(small: Catalog, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be written|neither empty"):
        export(tmp_path / "file" / "below", small)
    with pytest.raises(RunError, match=r"cannot be written|neither empty"):
        export(tmp_path / "file", small)
