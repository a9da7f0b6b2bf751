"""The catalog: actions by name, and the headings in their files; each file is read only when it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog, Heading
from connector.errors import DeclarationError, RunError
from tests.catalog.declarations import ACTION, GONE, SERVICE, changed, write, write_action


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one service and two actions."""
    write(tmp_path / "acme" / "service.yaml", SERVICE)
    write_action(tmp_path, ACTION)
    other = changed(ACTION, name="list_things", title="List Things", summary="Every gadget.")
    write_action(tmp_path, other, "list_things", "other")
    return tmp_path


def test_the_catalog_finds_actions_by_name(folder: Path) -> None:
    catalog = Catalog(folder)
    assert catalog.names == ["list_things", "update_thing"]
    assert catalog.services == ["acme"]
    assert catalog.action("list_things").area == "other"
    assert "reason" in catalog.action("update_thing").inputs
    assert [action.name for action in catalog.actions()] == ["update_thing", "list_things"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["update_thing", "list_things"]),
        (["GADGET"], ["list_things"]),
        (["thing", "update_"], ["update_thing"]),
        (["reason"], ["update_thing", "list_things"]),
        (["/v2/thing", "gadget"], ["list_things"]),
        (["other"], ["list_things"]),
        (["nowhere"], []),
    ],
)
def test_a_search_finds_what_has_every_word(folder: Path, words: list[str], found: list[str]) -> None:
    assert [action.name for action in Catalog(folder).search(words)] == found


def heading(action: Action) -> Heading:
    return Heading(action.name, action.title, action.area, action.effect)


def test_the_headings_are_those_of_the_loaded_actions(folder: Path, catalog: Catalog) -> None:
    for any_catalog in (Catalog(folder), catalog):
        assert any_catalog.headings() == [heading(action) for action in any_catalog.actions()]


def test_headings_are_read_from_the_heads_of_files(folder: Path) -> None:
    write(folder / "acme" / "service.yaml", "name: [broken\n")
    write_action(folder, changed(ACTION, inputs={"NoName": 1}))
    assert [heading.name for heading in Catalog(folder).headings()] == ["update_thing", "list_things"]


def test_the_order_of_keys_is_anybodys_own(folder: Path) -> None:
    write_action(folder, dict(reversed(ACTION.items())))
    assert Heading("update_thing", "Update Thing", "area", "write") in Catalog(folder).headings()


def test_an_edited_added_or_removed_file_shows_at_once(folder: Path) -> None:
    Catalog(folder).headings()
    write_action(folder, changed(ACTION, title="Renew Thing"))
    write_action(folder, changed(ACTION, name="new_thing", effect="destructive"), "new_thing")
    (folder / "acme" / "other" / "list_things.yaml").unlink()
    assert Catalog(folder).headings() == [
        Heading("new_thing", "Update Thing", "area", "destructive"),
        Heading("update_thing", "Renew Thing", "area", "write"),
    ]


@pytest.mark.parametrize(
    "changes", [{"name": "another"}, {"title": GONE}, {"title": ["Thing"]}, {"effect": "reads"}]
)
def test_a_wrong_head_is_an_error(folder: Path, changes: dict[str, Any]) -> None:
    write_action(folder, changed(ACTION, **changes))
    with pytest.raises(DeclarationError, match=r"update_thing\.yaml, line "):
        Catalog(folder).headings()


def test_one_action_loads_whatever_is_wrong_with_the_others(folder: Path) -> None:
    write_action(folder, "name: [broken\n", "broken_thing")
    write(folder / "other" / "service.yaml", "name: [broken\n")
    catalog = Catalog(folder)
    assert catalog.action("update_thing").name == "update_thing"
    assert catalog.names == ["broken_thing", "list_things", "update_thing"]
    with pytest.raises(DeclarationError, match="broken_thing"):
        catalog.action("broken_thing")
    with pytest.raises(DeclarationError, match="broken_thing"):
        list(catalog.actions())


def test_one_action_reads_only_its_own_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Path.open

    def noted(path: Path, *args: Any, **kwargs: Any) -> Any:
        read.append(path.name)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", noted)
    catalog = Catalog(folder)
    catalog.action("update_thing")
    catalog.action("update_thing")
    assert sorted(set(read)) == ["service.yaml", "update_thing.yaml"]
    assert read.count("service.yaml") == 1


def test_two_actions_of_one_name_are_refused(folder: Path) -> None:
    write_action(folder, ACTION, area="zone")
    with pytest.raises(DeclarationError, match="two actions have the same name") as caught:
        Catalog(folder).action("list_things")
    assert "area/update_thing.yaml" in str(caught.value).replace("\\", "/")
    assert "zone/update_thing.yaml" in str(caught.value).replace("\\", "/")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("update_thin", 'no action "update_thin" (did you mean "update_thing"?)'),
        ("zzz", 'no action "zzz"; `ninjaone actions` lists them'),
        ("", 'no action ""'),
        ("../service", "no action"),
    ],
)
def test_an_unknown_action_is_a_fault_with_the_nearest_name(folder: Path, name: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        Catalog(folder).action(name)
    assert message in str(caught.value)


def test_an_unknown_service_is_a_fault_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(RunError, match=r'no service "acne" \(did you mean "acme"\?\)'):
        Catalog(folder).service("acne")


def test_every_action_of_the_project_loads(catalog: Catalog) -> None:
    for action in catalog.actions():
        assert action.own_name == action.file.stem
        assert action.service in catalog.services
