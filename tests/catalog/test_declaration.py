"""Declarations: read strictly from folders of YAML files; every mistake has a file, a line and a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.action import Action, load_action
from connector.catalog.declaration import load_declaration
from connector.catalog.service import Service, load_service
from connector.common.absent import ABSENT
from connector.errors import DeclarationError
from tests.catalog.declarations import ACTION, GONE, SERVICE, changed, write, write_action


def load(folder: Path, **changes: Any) -> Action:
    return load_action(write_action(folder, changed(ACTION, **changes)), {})


def fault(folder: Path, **changes: Any) -> str:
    with pytest.raises(DeclarationError) as caught:
        load(folder, **changes)
    return str(caught.value).removeprefix(str(folder / "acme" / "area") + "/")


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
