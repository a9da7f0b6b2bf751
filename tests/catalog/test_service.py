"""`service.yaml`: the keys that only some services have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.authoring.checks import check_declaration
from connector.catalog.service import load_service
from connector.common.package_data import actions_folder
from connector.errors import DeclarationError
from tests.catalog.declarations import SERVICE, changed, write

EXTRA: dict[str, Any] = {
    "names": "qualified",
    "wrap": "array",
    "settings": {"tenant": {"title": "Tenant", "required": True}},
    "sign_in__query": {"tenant": "tenant"},
    "sign_in__default_scope": "all",
    "sign_in__discovery": {
        "path": "/info",
        "url": "at",
        "token_path": "/token",
        "settings": {"tenant": "id"},
    },
    "throttling__waits_s": [15, 30.5],
    "throttling__says": r"(\d+) requests in (\d+) minutes",
    "errors__warnings": ["_warning"],
    "pagers__counted": {
        "items": "things",
        "send": "query.page",
        "first": 1,
        "total": "count",
        "always": {"query.paged": True},
        "until": ["empty", "total"],
    },
}


def test_what_only_some_services_declare_is_read(tmp_path: Path) -> None:
    declared = {"names": "qualified", **changed(SERVICE, **EXTRA)}  # at the head, where it is read quickly
    path = write(tmp_path / "acme" / "service.yaml", declared)
    service = load_service(path)
    assert (service.names, service.wrap) == ("qualified", "array")
    assert (service.settings["tenant"].title, service.settings["tenant"].required) == ("Tenant", True)
    assert (service.sign_in.query, service.sign_in.default_scope) == ({"tenant": "tenant"}, "all")
    found = service.sign_in.discovery
    assert found
    assert (found.path, found.url, found.token_path) == ("/info", "at", "/token")
    assert found.settings == {"tenant": "id"}
    assert service.throttling.waits_s == (15, 30.5)
    assert service.throttling.says
    assert service.throttling.says.search("9 requests in 5 minutes")
    assert service.errors.warnings == ("_warning",)
    pager = service.pagers["counted"]
    assert (pager.first, pager.total, pager.always) == (1, "count", {"query.paged": True})
    assert check_declaration(path, "service.schema.json") == []


def test_without_them_a_service_has_none(tmp_path: Path) -> None:
    service = load_service(write(tmp_path / "acme" / "service.yaml", SERVICE))
    assert (service.names, service.wrap, service.settings) == ("bare", "", {})
    assert (service.sign_in.discovery, service.sign_in.query, service.sign_in.default_scope) == (None, {}, "")
    assert (service.throttling.waits_s, service.throttling.says, service.errors.warnings) == ((), None, ())
    assert (service.pagers["after"].first, service.pagers["after"].always) == (None, {})


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("names", "short", '"short" is not one of bare, qualified'),
        ("wrap", "object", '"object" is not one of array'),
        ("throttling__says", "(", "this is not a regular expression"),
        ("throttling__says", r"(\d+) requests", "two groups are expected"),
        ("sign_in__discovery", {"path": "/info"}, 'the key "url" is missing'),
        ("settings", {"tenant": {"title": "Tenant", "secret": True}}, 'unknown key "secret"'),
    ],
)
def test_a_wrong_value_of_one_is_refused(tmp_path: Path, place: str, value: Any, message: str) -> None:
    path = write(tmp_path / "acme" / "service.yaml", changed(SERVICE, **{place: value}))
    with pytest.raises(DeclarationError) as refused:
        load_service(path)
    assert message in str(refused.value)


HALOPSA = actions_folder() / "halopsa" / "service.yaml"


def test_the_file_of_halopsa_is_valid() -> None:
    assert check_declaration(HALOPSA, "service.schema.json") == []
    service = load_service(HALOPSA)
    assert set(service.pagers) == {"clients", "sites", "users", "assets", "tickets", "licenses"}
    assert sum(service.throttling.waits_s) > 300


THING: dict[str, Any] = {"path": "/things", "inputs": ["thing_id"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pager": "cusror"}, 'named.thing.pager: "cusror" is not declared'),
        ({"owned_by": "owner", "owner": "ownerId"}, 'named.thing.owned_by: "owner" is not declared'),
        ({"words": "things"}, 'named.thing.words: "things" is not declared'),
        ({"owner": "ownerId"}, 'named.thing: "owned_by" and "owner" must be given together'),
        ({"ids": "["}, "named.thing.ids: this is not a regular expression"),
        ({"name": "title"}, 'unknown key "name"'),
    ],
)
def test_a_wrong_kind_of_names_is_refused(tmp_path: Path, changes: Any, message: str) -> None:
    declared = {**SERVICE, "named": {"thing": {**THING, **changes}}}
    with pytest.raises(DeclarationError) as refused:
        load_service(write(tmp_path / "acme" / "service.yaml", declared))
    assert message in str(refused.value)


def test_a_kind_of_names_has_defaults(tmp_path: Path) -> None:
    path = write(tmp_path / "acme" / "service.yaml", {**SERVICE, "named": {"big_thing": THING}})
    kind = load_service(path).named["big_thing"]
    assert (kind.noun, kind.id, kind.names, kind.takes) == (
        *("big thing", "id", ("name",)),
        "an id or a unique name",
    )
    assert check_declaration(path, "service.schema.json") == []
