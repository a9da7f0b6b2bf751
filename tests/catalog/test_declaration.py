"""Declarations: read strictly from folders of YAML files; every mistake has a file, a line and a key."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.action import Action, load_action
from connector.catalog.catalog import Catalog, Heading
from connector.catalog.declaration import load_declaration
from connector.catalog.service import Service, load_service
from connector.common.absent import ABSENT
from connector.errors import DeclarationError, RunError

ACTION: dict[str, Any] = {
    "name": "update_thing",
    "title": "Update Thing",
    "summary": "Change a thing.",
    "operation": "updateThing",
    "request": "PUT /v2/thing/{thing-id}/part",
    "effect": "write",
    "idempotent": True,
    "inputs": {
        "thing_id": {"title": "Thing ID", "type": "integer", "minimum": 1, "to": "path.thing-id"},
        "start": {"title": "Start", "type": "string", "as": "iso", "to": "body.when.start"},
        "note": {"title": "Note", "type": "string", "to": "body.note", "default": "x", "published": False},
        "limit": {"title": "Limit", "type": "integer"},
    },
    "required": ["thing_id"],
    "result": "none",
}
SERVICE: dict[str, Any] = {
    "name": "acme",
    "title": "Acme",
    "regions": {"eu": "https://eu.example.com"},
    "environment": "ACME_",
    "sign_in": {"token_path": "/token", "authorize_path": "/authorize", "revoke_path": "/revoke"},
    "errors": {"shapes": [{"when": "error", "code": "error"}], "statuses": {404: "not_found"}},
    "throttling": {"statuses": [429], "html_words": ["too fast"]},
    "request_id_header": "X-Request-Id",
    "pagers": {"after": {"items": "", "send": "query.after", "until": ["empty"]}},
    "secrets": ["password"],
    "inputs": {"reason": {"title": "Reason", "type": "string"}},
    "delay": {"title": "Delay", "default_ms": 300},
}
GONE = object()


def changed(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with members replaced (`a__b` is a member's member) or, with GONE, taken out."""
    result = copy.deepcopy(data)
    for place, value in changes.items():
        *above, last = place.split("__")
        holder = result
        for name in above:
            holder = holder.setdefault(name, {})
        if value is GONE:
            del holder[last]
        else:
            holder[last] = value
    return result


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), "utf-8")
    return path


def write_action(folder: Path, data: Any, name: str = "update_thing", area: str = "area") -> Path:
    return write(folder / "acme" / area / f"{name}.yaml", data)


def load(folder: Path, **changes: Any) -> Action:
    return load_action(write_action(folder, changed(ACTION, **changes)), {})


def fault(folder: Path, **changes: Any) -> str:
    with pytest.raises(DeclarationError) as caught:
        load(folder, **changes)
    return str(caught.value).removeprefix(str(folder / "acme" / "area") + "/")


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A folder with one service and two actions."""
    write(tmp_path / "acme" / "service.yaml", SERVICE)
    write_action(tmp_path, ACTION)
    other = changed(ACTION, name="list_things", title="List Things", summary="Every gadget.")
    write_action(tmp_path, other, "list_things", "other")
    return tmp_path


# --- an action ---------------------------------------------------------------------------------------------


def test_an_action_is_what_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "acme" / "area").mkdir(parents=True)
    (tmp_path / "acme" / "area" / "update_thing.py").write_text("")
    action = load(
        tmp_path,
        rules=[{"description": "both", "required": ["start"]}],
        paging="after",
        redirects=True,
        description="More.",
        result={"type": "object"},
        examples=[{"row": {"a": 1}, "sends": [{"method": "PUT"}], "templates": {"x": "{{ a }}"}}],
    )
    assert (action.service, action.area, action.name) == ("acme", "area", "update_thing")
    assert (action.method, action.path) == ("PUT", "/v2/thing/{thing-id}/part")
    assert (action.effect, action.idempotent, action.redirects) == ("write", True, True)
    assert action.required == ("thing_id",)
    assert action.rules == ({"description": "both", "required": ["start"]},)
    assert action.returns_json
    assert action.handler == action.file.with_suffix(".py")
    [example] = action.examples
    assert (example.row, example.templates, example.answers) == ({"a": 1}, {"x": "{{ a }}"}, ())
    thing, start, note, limit = action.inputs.values()
    assert (thing.place, thing.target, thing.schema) == (
        "path",
        ("thing-id",),
        {"type": "integer", "minimum": 1},
    )
    assert (start.place, start.target, start.unit) == ("body", ("when", "start"), "iso")
    assert (note.default, note.published, start.default) == ("x", False, ABSENT)
    assert (limit.place, limit.target) == ("", ())


def test_an_action_without_the_optional_keys(tmp_path: Path) -> None:
    action = load(tmp_path, inputs__note=GONE)
    assert action.handler is None
    assert not action.returns_json
    assert (action.examples, action.rules, dict(action.parts), action.paging) == ((), (), {}, "")


def test_a_services_inputs_stand_behind_the_actions_own(tmp_path: Path) -> None:
    service = load_service(write(tmp_path / "acme" / "service.yaml", SERVICE))
    path = write_action(tmp_path, ACTION)
    assert list(load_action(path, service.inputs).inputs)[-1] == "reason"
    own = changed(ACTION, inputs__reason={"title": "Mine", "type": "integer"})
    assert load_action(write_action(tmp_path, own), service.inputs).inputs["reason"].title == "Mine"


@pytest.mark.parametrize(
    "place", ["path.thing-id", "query.a", "header.X-A", "body", "body.a.b", "part.p", ""]
)
def test_every_place_of_an_input(tmp_path: Path, place: str) -> None:
    inputs = {"one": {"title": "One", **({"to": place} if place else {})}}
    action = load(
        tmp_path,
        inputs=inputs,
        required=["one"],
        request="PUT /v2/thing/{thing-id}" if place.startswith("path") else "PUT /v2/thing",
        parts={"p": {"media_type": "application/json"}},
    )
    assert ".".join(filter(None, (action.inputs["one"].place, *action.inputs["one"].target))) == place


@pytest.mark.parametrize(
    ("changes", "output"),
    [
        ({"nmae": "x"}, 'update_thing.yaml, line 31: nmae: unknown key "nmae" (did you mean "name"?)'),
        (
            {"inputs__note__minmum": 1},
            'line 25: inputs.note.minmum: unknown key "minmum" (did you mean "minimum"?)',
        ),
        ({"inputs__note__$ref": "x"}, 'inputs.note.$ref: unknown key "$ref"'),
        ({"parts": {"p": {"fiel": True}}}, 'parts.p.fiel: unknown key "fiel" (did you mean "file"?)'),
        ({"examples": [{"sends": [], "rwo": {}}]}, "examples.0.rwo: unknown key"),
        ({"title": GONE}, 'line 1: the key "title" is missing'),
        ({"inputs__note__title": GONE}, 'line 19: inputs.note: the key "title" is missing'),
        ({"examples": [{}]}, 'examples.0: the key "sends" is missing'),
        ({"title": 5}, "line 2: title: text is expected here, not an integer"),
        ({"title": None}, "title: text is expected here, not null"),
        ({"idempotent": "yes"}, "line 7: idempotent: a boolean is expected here, not text"),
        ({"idempotent": 1}, "idempotent: a boolean is expected here, not an integer"),
        ({"inputs": []}, "inputs: an object is expected here, not an array"),
        ({"inputs__note": "x"}, "inputs.note: a mapping is expected here, not text"),
        ({"required": "thing_id"}, "required: an array is expected here, not text"),
        ({"required": ["thing_id", 5]}, "required.1: text is expected here, not an integer"),
        ({"rules": ["x"]}, "rules.0: a mapping is expected here, not text"),
        ({"examples": {}}, "examples: an array is expected here, not an object"),
        ({"result": 5}, "result: text or an object is expected here, not an integer"),
        ({"result": "nothing"}, 'result: "none", "file" or a JSON Schema is expected'),
        ({"name": "other"}, 'line 1: name: "other" must be the name of its file'),
        ({"effect": "delete"}, 'effect: "delete" is not one of read, write, destructive'),
        (
            {"request": "FETCH /x"},
            "request: a method (GET, POST, PUT, PATCH, DELETE) and a path are expected",
        ),
        ({"request": "PUT v2/thing"}, "request: a method"),
        ({"request": "PUT"}, "request: a method"),
        (
            {"inputs__start__as": "epoch"},
            'line 17: inputs.start.as: "epoch" is not one of iso, date, epoch_s, epoch_ms',
        ),
        (
            {"inputs__list": {"title": "x", "items": {"properties": {"day": {"as": "epoch"}}}}},
            'inputs.list.items.properties.day.as: "epoch" is not one of iso, date, epoch_s, epoch_ms',
        ),
        ({"inputs__Bad": {"title": "x"}}, 'inputs.Bad: "Bad" is not a valid input name: use snake case'),
        ({"inputs__a-b": {"title": "x"}}, '"a-b" is not a valid input name'),
        ({"inputs": {5: {"title": "x"}}}, "the key 5 is an integer: put it in quotes"),
        ({"inputs": {True: {"title": "x"}}}, "the key true is a boolean: put it in quotes"),
        ({"inputs__note__to": "cookie.x"}, 'inputs.note.to: "cookie.x" is not a place in a request'),
        ({"inputs__note__to": "query"}, '"query" is not a place'),
        ({"inputs__note__to": "query."}, '"query." is not a place'),
        ({"inputs__note__to": "body.a..b"}, '"body.a..b" is not a place'),
        ({"inputs__note__to": "body."}, '"body." is not a place'),
        ({"required": ["thing_id", "nothing"]}, 'required: "nothing" is not an input'),
        ({"required": []}, 'required: "thing_id" is part of the path, so it must be required'),
        ({"request": "PUT /v2/thing"}, 'request: "thing-id" must be both in the path and in the `to`'),
        (
            {"request": "PUT /v2/{thing-id}/{more}"},
            'request: "more" must be both in the path and in the `to`',
        ),
        ({"inputs__note__to": "part.file"}, 'inputs.note: the part "file" is not declared under `parts`'),
        ({"inputs__note__to": "body"}, "inputs.note.to: it has the same `to` as"),
        ({"inputs__note__to": "body.when"}, "inputs.note.to: it has the same `to` as"),
        ({"inputs__note__to": "body.when.start"}, "inputs.note.to: it has the same `to` as"),
        ({"inputs__note__to": "part.p", "parts": {"p": {}}}, "inputs: a body is JSON or multipart"),
    ],
)
def test_a_wrong_action_names_file_line_and_key(tmp_path: Path, changes: dict[str, Any], output: str) -> None:
    message = fault(tmp_path, **changes)
    assert message.startswith("update_thing.yaml, line ")
    assert output in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: a mapping is expected here, not null"),
        ("- a\n", "line 1: a mapping is expected here, not an array"),
        ("name: a\nname: b\n", 'line 2: the key "name" is repeated'),
        ("name: [a\n", "line 2"),
    ],
)
def test_a_file_that_is_no_declaration(tmp_path: Path, text: str, message: str) -> None:
    path = write_action(tmp_path, text)
    with pytest.raises(DeclarationError) as caught:
        load_declaration(path)
    assert str(caught.value).startswith(f"{path}, ")
    assert message in str(caught.value)
    with pytest.raises(DeclarationError, match="cannot be read"):
        load_declaration(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("text", ["{" + "x" * 9000 + "}\n", "inputs: {a: {title: a, " + "x" * 9000 + "}}\n"])
def test_a_long_key_is_not_told_at_length(tmp_path: Path, text: str) -> None:
    path = tmp_path / "long.yaml"
    path.write_text("request: GET /x\n" + text if text.startswith("inputs") else text)
    for read in (lambda: load_declaration(path).finish(), lambda: load_action(path, {})):
        with pytest.raises(DeclarationError, match=r"long\.yaml, line [12]: ") as caught:
            read()
        assert len(str(caught.value)) < 2000


def test_a_time_in_an_example_stays_text(tmp_path: Path) -> None:
    text = yaml.safe_dump(ACTION, sort_keys=False)
    text += "examples:\n- row: {until: 2026-12-01T06:00:00Z}\n  sends: []\n"
    [example] = load_action(write_action(tmp_path, text), {}).examples
    assert example.row == {"until": "2026-12-01T06:00:00Z"}


# --- a service ---------------------------------------------------------------------------------------------


def test_a_service_is_what_its_file_says(tmp_path: Path) -> None:
    service = load_service(write(tmp_path / "service.yaml", SERVICE))
    assert (service.name, service.environment) == ("acme", "ACME_")
    assert dict(service.regions) == {"eu": "https://eu.example.com"}
    assert service.request_id_header == "x-request-id"
    assert service.errors.statuses == {404: "not_found"}
    assert service.errors.shapes[0].when == "error"
    assert service.throttling.statuses == (429,)
    assert (service.pagers["after"].page_size, service.pagers["after"].until) == (1000, ("empty",))
    assert (service.delay.title, service.delay.default_ms) == ("Delay", 300)
    assert (service.health_checks, dict(service.words)) == ((), {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": {}}, 'region: unknown key "region" (did you mean "regions"?)'),
        ({"name": GONE}, 'line 1: the key "name" is missing'),
        ({"sign_in": GONE}, 'the key "sign_in" is missing'),
        ({"sign_in__token_pth": "x"}, "sign_in.token_pth: unknown key"),
        ({"sign_in__grants": "x"}, "sign_in.grants: an array is expected here, not text"),
        ({"errors__shapes": [{"wen": "x"}]}, 'errors.shapes.0: the key "when" is missing'),
        ({"errors__shapes": [{"when": "x", "cod": "y"}]}, "errors.shapes.0.cod: unknown key"),
        ({"throttling__statuses": 429}, "throttling.statuses: an array is expected here"),
        ({"pagers__after__page_size": "9"}, "pagers.after.page_size: an integer is expected here, not text"),
        ({"pagers__after__page_size": True}, "pagers.after.page_size: an integer is expected here"),
        ({"pagers__after__untl": []}, "pagers.after.untl: unknown key"),
        ({"inputs__reason__titel": "x"}, "inputs.reason.titel: unknown key"),
        ({"inputs__delay_ms": {"title": "x"}}, "inputs.delay_ms: delay_ms is a setting of runs"),
        ({"delay__default_ms": -1}, "delay.default_ms: the delay cannot be negative"),
        ({"delay__default_ms": GONE}, 'delay: the key "default_ms" is missing'),
        ({"secrets": [1]}, "secrets.0: text is expected here"),
    ],
)
def test_a_wrong_service_names_file_line_and_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "service.yaml", changed(SERVICE, **changes))
    with pytest.raises(DeclarationError) as caught:
        load_service(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert message in str(caught.value)


def test_the_projects_own_service_loads(service: Service) -> None:
    assert service.environment == "NINJAONE_"


# --- the catalog -------------------------------------------------------------------------------------------


def test_the_catalog_finds_actions_by_name(catalogue: Path) -> None:
    catalog = Catalog(catalogue)
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
def test_a_search_finds_what_has_every_word(catalogue: Path, words: list[str], found: list[str]) -> None:
    assert [action.name for action in Catalog(catalogue).search(words)] == found


def heading(action: Action) -> Heading:
    return Heading(action.name, action.title, action.area, action.effect)


def test_the_headings_are_those_of_the_loaded_actions(catalogue: Path, catalog: Catalog) -> None:
    for any_catalog in (Catalog(catalogue), catalog):
        assert any_catalog.headings() == [heading(action) for action in any_catalog.actions()]


def test_headings_are_read_from_the_heads_of_files(catalogue: Path) -> None:
    write(catalogue / "acme" / "service.yaml", "name: [broken\n")
    write_action(catalogue, changed(ACTION, inputs={"NoName": 1}))
    assert [heading.name for heading in Catalog(catalogue).headings()] == ["update_thing", "list_things"]


def test_the_order_of_keys_is_anybodys_own(catalogue: Path) -> None:
    write_action(catalogue, dict(reversed(ACTION.items())))
    assert Heading("update_thing", "Update Thing", "area", "write") in Catalog(catalogue).headings()


def test_an_edited_added_or_removed_file_shows_at_once(catalogue: Path) -> None:
    Catalog(catalogue).headings()
    write_action(catalogue, changed(ACTION, title="Renew Thing"))
    write_action(catalogue, changed(ACTION, name="new_thing", effect="destructive"), "new_thing")
    (catalogue / "acme" / "other" / "list_things.yaml").unlink()
    assert Catalog(catalogue).headings() == [
        Heading("new_thing", "Update Thing", "area", "destructive"),
        Heading("update_thing", "Renew Thing", "area", "write"),
    ]


@pytest.mark.parametrize(
    "changes", [{"name": "another"}, {"title": GONE}, {"title": ["Thing"]}, {"effect": "reads"}]
)
def test_a_wrong_head_is_an_error(catalogue: Path, changes: dict[str, Any]) -> None:
    write_action(catalogue, changed(ACTION, **changes))
    with pytest.raises(DeclarationError, match=r"update_thing\.yaml, line "):
        Catalog(catalogue).headings()


def test_one_action_loads_whatever_is_wrong_with_the_others(catalogue: Path) -> None:
    write_action(catalogue, "name: [broken\n", "broken_thing")
    write(catalogue / "other" / "service.yaml", "name: [broken\n")
    catalog = Catalog(catalogue)
    assert catalog.action("update_thing").name == "update_thing"
    assert catalog.names == ["broken_thing", "list_things", "update_thing"]
    with pytest.raises(DeclarationError, match="broken_thing"):
        catalog.action("broken_thing")
    with pytest.raises(DeclarationError, match="broken_thing"):
        list(catalog.actions())


def test_one_action_reads_only_its_own_file(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Path.open

    def noted(path: Path, *args: Any, **kwargs: Any) -> Any:
        read.append(path.name)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", noted)
    catalog = Catalog(catalogue)
    catalog.action("update_thing")
    catalog.action("update_thing")
    assert sorted(set(read)) == ["service.yaml", "update_thing.yaml"]
    assert read.count("service.yaml") == 1


def test_two_actions_of_one_name_are_refused(catalogue: Path) -> None:
    write_action(catalogue, ACTION, area="zone")
    with pytest.raises(DeclarationError, match="two actions have the same name") as caught:
        Catalog(catalogue).action("list_things")
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
def test_an_unknown_action_is_a_fault_with_the_nearest_name(catalogue: Path, name: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        Catalog(catalogue).action(name)
    assert message in str(caught.value)


def test_an_unknown_service_is_a_fault_with_the_nearest_name(catalogue: Path) -> None:
    with pytest.raises(RunError, match=r'no service "acne" \(did you mean "acme"\?\)'):
        Catalog(catalogue).service("acne")


def test_every_action_of_the_project_loads(catalog: Catalog) -> None:
    for action in catalog.actions():
        assert action.own_name == action.file.stem
        assert action.service in catalog.services
