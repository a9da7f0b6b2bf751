"""Several services: the names of their actions, and a service in a user's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import load_service
from connector.common.package_data import actions_folder
from connector.errors import DeclarationError, RunError
from tests.toy import CREATE_TICKET, LIST_TOYS, SERVICE, declare_toy


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return declare_toy(tmp_path / "own")


def test_a_qualified_service_precedes_its_actions_with_its_name(own: Path) -> None:
    catalog = Catalog(own=own)
    assert {"create_ticket", "toy.create_ticket", "toy.list_toys"} <= set(catalog.names)
    assert "list_toys" not in catalog.names
    theirs, ours = catalog.action("toy.create_ticket"), catalog.action("create_ticket")
    assert (theirs.name, theirs.own_name, theirs.service) == ("toy.create_ticket", "create_ticket", "toy")
    assert (ours.name, ours.own_name, ours.service) == ("create_ticket", "create_ticket", "ninjaone")


def test_bare_names_come_first(own: Path) -> None:
    catalog = Catalog(own=own)
    assert catalog.services[0] == catalog.default_service == "ninjaone"
    assert "toy" in catalog.services
    names = [heading.name for heading in catalog.headings()]
    assert [action.name for action in catalog.actions()] == names
    assert names[-2:] == ["toy.create_ticket", "toy.list_toys"]
    assert [heading.name for heading in catalog.headings("toy")] == names[-2:]
    assert [action.name for action in catalog.search(["ticket"], "toy")] == ["toy.create_ticket"]
    assert "toy.create_ticket" in [action.name for action in catalog.search(["toy", "ticket"])]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("list_toys", 'did you mean "toy.list_toys"?'),
        ("toy.list_toyz", 'did you mean "toy.list_toys"?'),
        ("ninjaone.get_device", 'did you mean "get_device"?'),
        ("toy.get_device", 'did you mean "get_device"?'),
        ("a.b.get_device", 'did you mean "get_device"?'),
        (".get_device", 'did you mean "get_device"?'),
    ],
)
def test_the_nearest_name_may_be_another_services(own: Path, name: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        Catalog(own=own).action(name)
    assert message in str(caught.value)


def test_one_action_reads_its_service_and_itself(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Path.open

    def noted(path: Path, *args: Any, **kwargs: Any) -> Any:
        read.append("/".join(path.parts[-2:]))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", noted)
    Catalog().action("list_devices")
    assert read == ["ninjaone/service.yaml", "devices/list_devices.yaml"]


def test_two_services_of_bare_names_cannot_share_a_name(tmp_path: Path) -> None:
    for service in ("a", "b"):
        (tmp_path / service / "area").mkdir(parents=True)
        text = SERVICE.replace("name: toy", f"name: {service}").replace("names: qualified", "names: bare")
        (tmp_path / service / "service.yaml").write_text(text)
        (tmp_path / service / "area/list_toys.yaml").write_text(LIST_TOYS)
    for look in (lambda: Catalog(tmp_path).names, lambda: Catalog(tmp_path).action("list_toys")):
        with pytest.raises(DeclarationError, match="two actions have the same name"):
            look()
    with pytest.raises(RunError, match="use --service NAME; the services are a, b"):
        Catalog(tmp_path).service()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names: qualified": "names: both"}, 'line 3: names: "both" is not one of bare, qualified'),
        ({"name: toy": "name: toys"}, 'name: "toys" must be the name of its folder'),
        ({"names: qualified\n": "", "throttling": "names: qualified\nthrottling"}, "must be above the"),
    ],
)
def test_a_wrong_name_of_a_service(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    text = SERVICE
    for old, new in changes.items():
        text = text.replace(old, new, 1)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/service.yaml").write_text(text)
    with pytest.raises(DeclarationError) as caught:
        load_service(tmp_path / "toy/service.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("ninjaone/service.yaml", SERVICE, "cannot declare a service of the built-in catalog"),
        ("other/service.yaml", SERVICE.replace("qualified", "bare"), "without `names: qualified`"),
        ("toy/desk/service.yaml", SERVICE, "a service must be at SERVICE/service.yaml"),
        ("Toy-2/service.yaml", SERVICE, "with a name in snake case"),
        ("toy/more/create_ticket.yaml", CREATE_TICKET, "two actions have the same name"),
        ("none/desk/list_toys.yaml", LIST_TOYS, "toy"),
    ],
)
def test_what_a_users_folder_cannot_declare(own: Path, path: str, text: str, message: str) -> None:
    (own / path).parent.mkdir(parents=True, exist_ok=True)
    (own / path).write_text(text)
    with pytest.raises(DeclarationError) as caught:
        Catalog(own=own).names  # noqa: B018
    assert str(own / path) in str(caught.value)
    assert message in str(caught.value)


def test_a_users_service_is_not_given_the_variables_of_another(tmp_path: Path) -> None:
    text = SERVICE.replace("TOY_", "NINJAONE_")
    catalog = Catalog(own=declare_toy(tmp_path / "own", service=text))
    for use in (lambda: catalog.service("toy"), lambda: catalog.action("toy.list_toys")):
        with pytest.raises(DeclarationError, match=r'service\.yaml: environment: "NINJAONE_" must be TOY_'):
            use()


def test_a_service_is_no_link_to_another_folder(own: Path, tmp_path: Path) -> None:
    (own / "toy/service.yaml").rename(tmp_path / "service.yaml")
    (own / "toy/service.yaml").symlink_to(tmp_path / "service.yaml")
    with pytest.raises(DeclarationError, match="is a link to a path outside"):
        Catalog(own=own).names  # noqa: B018


def test_the_catalogs_own_services_differ_in_their_variables() -> None:
    catalog = Catalog(actions_folder())
    prefixes = [catalog.service(name).environment for name in catalog.services]
    assert len(set(prefixes)) == len(prefixes)
