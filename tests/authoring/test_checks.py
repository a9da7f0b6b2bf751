"""Problems that `catalog check` finds in declarations that load without an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from connector.authoring.checks import check_action, check_catalog, check_declaration, check_example
from connector.catalog.action import Action, load_action
from connector.catalog.catalog import Catalog
from connector.catalog.declaration import SCHEMA_KEYWORDS, Section
from connector.catalog.service import Service, load_service
from connector.common import strict_yaml
from connector.common.package_data import schema
from connector.errors import DeclarationError

PLAIN = {
    "name": "list_things",
    "title": "List Things",
    "summary": "List things.",
    "operation": "getThings",
    "request": "GET /v2/things",
    "effect": "read",
    "idempotent": True,
    "paging": "after",
    "inputs": {
        "kind": {"title": "Kind", "type": "string", "to": "query.kind"},
        "limit": {"title": "Limit", "type": "integer", "default": 5},
    },
    "result": {"type": "array", "items": {"$ref": "ninjaone/Device.json"}},
    "examples": [
        {
            "row": {"kind": "a"},
            "templates": {"kind": "{{ kind }}b"},
            "sends": [{"method": "GET", "path": "/v2/things", "query": {"kind": "ab", "pageSize": "6"}}],
        }
    ],
}
EXAMPLE = PLAIN["examples"][0]
HANDLER = "from connector.handlers import Inputs, Steps\n\ndef handle(inputs: Inputs) -> Steps:\n"

Make = Callable[..., Action]


@pytest.fixture
def folder(tmp_path: Path, catalog: Catalog) -> Path:
    """Return a separate catalog with NinjaOne's service and no actions."""
    service = tmp_path / "actions" / "ninjaone" / "service.yaml"
    service.parent.mkdir(parents=True)
    service.write_text((catalog.folder / "ninjaone" / "service.yaml").read_text("utf-8"), "utf-8")
    return tmp_path / "actions"


@pytest.fixture
def make(folder: Path, service: Service) -> Make:
    """Write and load an action with these changes."""

    def make_action(handler: str = "", **changes: object) -> Action:
        path = folder / "ninjaone" / "area" / "list_things.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({**PLAIN, **changes}), "utf-8")
        if handler:
            path.with_suffix(".py").write_text(HANDLER + handler, "utf-8")
        return load_action(path, service.inputs)

    return make_action


def test_a_sound_action_has_no_problems(make: Make, folder: Path) -> None:
    make()
    assert check_catalog(Catalog(folder)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": {"limit": {"title": "Limit", "type": "integer", "default": "5"}}}, "limit: default"),
        ({"inputs": {"limit": {"title": "Limit", "type": "whole"}}}, "limit: not a valid JSON Schema: $"),
        ({"inputs": {"limit": {"title": "Limit", "to": "query.limit"}}}, "limit: the input limits the items"),
        ({"rules": [{"description": "never", "if": {"minimum": "1"}}]}, "rules: not a valid JSON Schema: $"),
        ({"rules": [{"required": ["kind"]}]}, "'description' is a required property"),
        ({"result": {"type": "list"}}, "result: not a valid JSON Schema: $.type"),
        ({"result": {"items": {"$ref": "ninjaone/Devcie.json"}}}, 'schema "ninjaone/Devcie.json" not found'),
        ({"paging": "pages"}, 'ninjaone has no pager "pages"'),
        ({"examples": []}, "at least one is required"),
        ({"summary": ""}, "$.summary"),
        ({"summary": "TODO one sentence"}, "summary: still contains TODO"),
        ({"title": "List TODO"}, "title: still contains TODO"),
        ({"examples": [{**EXAMPLE, "sends": [{"path": "/v2/things"}]}]}, "'method' is a required"),
    ],
)  # fmt: skip
def test_what_an_action_gets_wrong(
    make: Make, service: Service, changes: dict[str, object], message: str
) -> None:
    problems = check_action(make(**changes), service)
    assert any(message in problem for problem in problems), problems
    assert all("list_things.yaml" in problem for problem in problems)


def test_a_handler_that_cannot_be_loaded(make: Make, service: Service) -> None:
    (problem,) = check_action(make(handler="    return )\n"), service)
    assert "the handler cannot be loaded" in problem


def example(make: Make, service: Service, uploads: Path, handler: str = "", **changes: object) -> list[str]:
    """Return the problems of an example with these changes."""
    action = make(handler, examples=[{**EXAMPLE, **changes}])
    return check_example(action, service, action.examples[0], uploads)


SENT = {"kind": "ab", "pageSize": "6"}


@pytest.mark.parametrize(
    "sends",
    [
        [{"method": "POST", "path": "/v2/things", "query": SENT}],
        [{"method": "GET", "path": "/v2/thing", "query": SENT}],
        [{"method": "GET", "path": "/v2/things", "query": {"kind": "ab"}}],
        [{"method": "GET", "path": "/v2/things", "query": {"kind": "ab", "pageSize": 6}}],
        [{"method": "GET", "path": "/v2/things", "query": SENT, "body": {}}],
    ],
)
def test_another_request_than_promised(
    make: Make, service: Service, tmp_path: Path, sends: list[object]
) -> None:
    (problem,) = example(make, service, tmp_path, sends=sends)
    assert "request 1 is" in problem
    assert "example 1" in problem


def test_more_requests_than_promised(make: Make, service: Service, tmp_path: Path) -> None:
    (problem,) = example(make, service, tmp_path, sends=[])
    assert "the example sends 1 request, but `sends` has 0" in problem


def test_answers_that_nobody_asks_for(make: Make, service: Service, tmp_path: Path) -> None:
    (problem,) = example(make, service, tmp_path, answers=[[], []])
    assert "there are 2 answers for 1 request" in problem


def test_a_request_without_an_answer(make: Make, service: Service, tmp_path: Path) -> None:
    twice = "    yield inputs.request()\n    yield inputs.request()\n"
    (problem,) = example(make, service, tmp_path, twice, answers=[[]])
    assert "`answers` has no response for request 2" in problem


def test_a_result_that_is_not_declared(make: Make, service: Service, tmp_path: Path) -> None:
    (problem,) = example(make, service, tmp_path, answers=[[{"id": 1, "displayName": 5}]])
    assert "$[0].displayName: 5 is not of type 'string'" in problem


def test_a_read_whose_handler_sends_a_write(make: Make, service: Service, tmp_path: Path) -> None:
    imported = "    from connector.handlers import request\n"
    handler = imported + '    return (yield request("POST", "/v2/things", {})).json()\n'
    (problem,) = example(make, service, tmp_path, handler, sends=[{"method": "POST", "path": "/v2/things"}])
    assert 'the action reads, but POST /v2/things has the effect "write"' in problem


def test_a_value_that_the_input_refuses(make: Make, service: Service, tmp_path: Path) -> None:
    (problem,) = example(make, service, tmp_path, templates={"limit": "many"})
    assert "limit: an integer is expected" in problem


def test_a_handler_that_fails(make: Make, service: Service, tmp_path: Path) -> None:
    (problem,) = example(make, service, tmp_path, "    yield inputs.nothing\n")
    assert "the handler failed" in problem


def test_files_are_put_where_the_example_finds_them(make: Make, service: Service, tmp_path: Path) -> None:
    action = make(
        request="POST /v2/things",
        paging="",
        result="none",
        inputs={"file": {"title": "File", "type": "string", "to": "part.data"}},
        parts={"data": {"file": True}},
        examples=[
            {
                "row": {"file": "a.txt"},
                "files": {"a.txt": "content"},
                "sends": [
                    {"method": "POST", "path": "/v2/things", "parts": [{"name": "data", "file": "a.txt"}]}
                ],
            }
        ],
    )
    assert check_example(action, service, action.examples[0], tmp_path) == []
    assert (tmp_path / "a.txt").read_text() == "content"


def test_a_complete_catalog(make: Make, folder: Path) -> None:
    make(examples=[{**EXAMPLE, "sends": []}], paging="pages")
    with pytest.raises(DeclarationError):
        make(name="other")
    (problem,) = check_catalog(Catalog(folder))
    assert "must be the name of its file" in problem
    make(examples=[{**EXAMPLE, "sends": []}], paging="pages")
    assert len(check_catalog(Catalog(folder))) >= 2


def asked_keys(load: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Records the keys that a loader reads, by the place of their mapping; names and numbers become `*`."""
    asked: dict[str, set[str]] = {}
    finish = Section.finish

    def noting(section: Section) -> None:
        named = ("inputs", "parts", "pagers", "examples", "shapes")
        at = tuple(map(str, section.at))
        place = ".".join("*" if i and at[i - 1] in named else part for i, part in enumerate(at))
        asked.setdefault(place, set()).update(section._asked)
        finish(section)

    monkeypatch.setattr(Section, "finish", noting)
    load()
    return asked


def keys_of(schema_: dict[str, object]) -> set[str]:
    assert schema_["additionalProperties"] is False
    return set(schema_["properties"])


def test_the_schema_of_an_action_has_the_keys_that_loading_takes(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"data": {"file": True}}
    asked = asked_keys(lambda: make(parts=parts), monkeypatch)
    ours = schema("action.schema.json")
    assert keys_of(ours) == asked[""]
    assert keys_of(ours["$defs"]["example"]) == asked["examples.*"]
    assert keys_of(ours["$defs"]["input"]) == asked["inputs.*"] | SCHEMA_KEYWORDS
    assert keys_of(ours["properties"]["parts"]["additionalProperties"]) == asked["parts.*"]
    body = {"a": {"title": "A", "to": "body.a"}}
    lookup = {"request": "GET /v2/a", "match": {"a": "a"}}
    asked = asked_keys(lambda: make(request="POST /v2/a", inputs=body, if_missing=lookup), monkeypatch)
    assert keys_of(ours["properties"]["if_missing"]) == asked["if_missing"]
    outcome = {"match": {"id": "a"}, "state": "s", "name": {"input": "a", "action": "x"}}
    inputs = {"a": {"title": "A", "to": "query.a"}}
    asked = asked_keys(lambda: make(inputs=inputs, outcome=outcome), monkeypatch)
    assert keys_of(ours["properties"]["outcome"]) == asked["outcome"]
    assert keys_of(ours["properties"]["outcome"]["properties"]["name"]) == asked["outcome.name"]


def test_the_schema_of_a_service_has_the_keys_that_loading_takes(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = catalog.folder / "ninjaone" / "service.yaml"
    asked = asked_keys(lambda: load_service(path), monkeypatch)
    ours = schema("service.schema.json")
    assert keys_of(ours) == asked[""]
    for name in ("sign_in", "errors"):
        assert keys_of(ours["$defs"][name]) == asked[name]
    for name in ("event_log", "offline"):
        assert keys_of(ours["properties"][name]) == asked[name]
    assert keys_of(ours["properties"]["throttling"]) == asked["throttling"]
    assert keys_of(ours["$defs"]["pager"]) == asked["pagers.*"]
    assert keys_of(ours["$defs"]["errors"]["properties"]["shapes"]["items"]) == asked["errors.shapes.*"]


def test_an_unknown_key_is_against_the_schema(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump({**PLAIN, "tittle": "x"}))
    (problem,) = check_declaration(path, "action.schema.json")
    assert "'tittle' was unexpected" in problem
    assert strict_yaml.load(path)["tittle"] == "x"


# --- what handlers import ----------------------------------------------------------------------------------


def imports(make: Make, service: Service, text: str) -> list[str]:
    """Return the problems of a handler with this import, without the file's name."""
    action = make(handler="    yield inputs.request()\n")
    assert action.handler
    action.handler.write_text(f"{text}\n{action.handler.read_text('utf-8')}", "utf-8")
    return [problem.replace(str(action.handler), "FILE") for problem in check_action(action, service)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("from connector.errors import RowError", "import RowError from connector.handlers"),
        ("from connector.http.messages import Request, Response", "import Request, Response from"),
        (
            "import connector.common.times",
            "a handler can import only connector.handlers, which has AlertNews,",
        ),
        ("import connector", "a handler can import only connector.handlers, which has AlertNews,"),
        (
            "from connector.errors import *",
            "a handler can import only connector.handlers, which has AlertNews,",
        ),
        (
            "from connector.errors import nearest, ConnectorError",
            "import nearest from connector.handlers; a handler ",
        ),
    ],
)
def test_internal_modules_work_and_are_a_problem(
    make: Make, service: Service, text: str, problem: str
) -> None:
    module = text.split()[1]
    (found,) = imports(make, service, text)
    assert found.startswith(f"FILE, line 1: {module} is internal; {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("from connector.paging import walk", "connector.paging no longer exists; import walk from"),
        (
            "from connector.json_text import Json, kind",
            "connector.json_text no longer exists; import Json, kind",
        ),
        ("from connector.times import convert_time", "connector.times no longer exists; import convert_time"),
        (
            "from connector.typed_values import typed_value",
            "connector.typed_values no longer exists; import ty",
        ),
        (
            "from connector.http import query_text",
            "connector.http no longer has query_text; import query_text",
        ),
        (
            "import connector.paging",
            "connector.paging no longer exists; a handler can import only connector.handlers",
        ),
        ("from connector.handlers import Walk", "connector.handlers has no Walk (did you mean "),
    ],
)
def test_what_is_gone_is_named_with_what_took_its_place(
    make: Make, service: Service, text: str, problem: str
) -> None:
    (found,) = imports(make, service, text)
    assert found.startswith(f"FILE, line 1: {problem}")


def test_every_import_that_is_wrong_is_found(make: Make, service: Service) -> None:
    text = "from connector.paging import walk\ndef later():\n    from connector.errors import RowError\n"
    found = imports(make, service, f"{text}    import connector.window\n")
    assert [problem[:26] for problem in found] == [
        "FILE, line 1: connector.pa",
        "FILE, line 4: connector.wi",
        "FILE, line 3: connector.er",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import connector.handlers as h",
        "from connector import handlers",
        "from connector.handlers import *",
        "from connector.actions.ninjaone import lookups",
        "from connector.actions.ninjaone.lookups import listing",
        "import json",
    ],
)
def test_what_handlers_may_import(make: Make, service: Service, text: str) -> None:
    assert imports(make, service, text) == []
