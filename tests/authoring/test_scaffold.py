"""Drafts of published operations are valid and agree with the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.authoring.checks import check_action, check_example
from connector.authoring.openapi_facts import Facts, published_facts
from connector.authoring.published_check import check_published
from connector.authoring.scaffold import SUMMARY, draft
from connector.authoring.scaffold_example import known_values, plausible
from connector.catalog.action import Action, load_action
from connector.catalog.catalog import Catalog
from connector.catalog.naming import is_id, singular, snake, title
from connector.catalog.service import Service
from connector.common import strict_yaml, yaml_dump
from connector.common.package_data import schema
from connector.errors import RunError
from tests.conftest import SHARED

DOCUMENT = SHARED / "api" / "ninjaone-openapi.json"
NAMES = sorted(schema("ninjaone/operations.json")["operations"])


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema_: Any, media_type: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema_, **more}}}


def operation(name: str, answer: Any = None, **more: Any) -> dict[str, Any]:
    return {"operationId": name, "tags": ["Small Things"], "responses": {"200": answer or {}}, **more}


def query(name: str, **schema_: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": "PROSE", "schema": schema_}


ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "format": "int32"}}
INTEGER = {"type": "integer", "format": "int32"}
NEW_DEVICE = {
    "type": "object",
    "description": "PROSE",
    "required": ["displayName"],
    "properties": {
        "displayName": {"type": "string", "minLength": 0, "maxLength": 20, "description": "PROSE"},
        "uid": {"type": "string", "format": "uuid", "readOnly": True},
        "roleId": {"type": "integer", "format": "int32", "nullable": True},
        "kind": {"type": "string", "enum": ["A", "B"], "default": "A"},
        "dueDate": {"type": "number", "format": "double"},
        "boughtDate": {"type": "integer", "format": "int64"},
        "owner": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "tagIds": {"type": "array", "uniqueItems": True, "items": INTEGER},
    },
}
DEVICE = "NodeWithDetailedReferences"
"""The known result of getDevices, of which some members are enough."""
REPORT = {
    "type": "object",
    "properties": {
        "cursor": {"type": "object"},
        "results": {"type": "array", "items": ref(DEVICE)},
    },
}
COMMENT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
UPLOAD = {
    "type": "object",
    "properties": {
        "comment": COMMENT,
        "folderId": INTEGER,
        "files": {"type": "array", "items": ref("FormDataBodyPart")},
    },
}
FILE_CLASS = {
    "type": "object",
    "properties": {
        name: {"type": "object"} for name in ("contentDisposition", "entity", "mediaType", "parent")
    },
}
PAGE = [query("pageSize", **INTEGER)]
SMALL: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"version": "1"},
    "paths": {
        "/v2/devices": {
            "get": operation(
                "getDevices",
                content({"type": "array", "items": ref(DEVICE)}),
                parameters=[query("df", type="string"), query("after", **INTEGER), *PAGE],
            ),
            "post": operation("createDevice", content(ref(DEVICE)), requestBody=content(ref("NewDevice"))),
        },
        "/v2/device/{id}": {
            "parameters": [ID],
            "patch": operation("updateDevice", requestBody=content(ref("NewDevice"))),
            "delete": operation("delete_1", {"content": {"application/json": {}}}),
        },
        "/v2/device/{id}/files": {
            "post": operation("upload", parameters=[ID], requestBody=content(UPLOAD, "multipart/form-data"))
        },
        "/v2/devices/delete": {
            "post": operation("deleteDevices", requestBody=content({"type": "array", "items": INTEGER}))
        },
        "/v2/device/{id}/custom-fields": {
            "patch": operation(
                "setFields",
                content({"type": "string"}, "*/*"),
                parameters=[ID],
                requestBody=content({"type": "object", "additionalProperties": {"type": "object"}}),
            )
        },
        "/v2/queries/things": {
            "get": operation(
                "getReport",
                content(ref("Report")),
                parameters=[query("cursor", type="string"), *PAGE, query("lang", type="string")],
            )
        },
    },
    "components": {
        "schemas": {
            DEVICE: {
                "type": "object",
                "properties": {"id": INTEGER, "systemName": {"type": "string"}},
            },
            "NewDevice": NEW_DEVICE,
            "Report": REPORT,
            "FormDataBodyPart": FILE_CLASS,
        }
    },
}


def made(name: str, service: Service) -> dict[str, Any]:
    text = draft(SMALL, name, service).text
    assert "PROSE" not in text
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_a_paged_list(service: Service) -> None:
    assert draft(SMALL, "getDevices", service, name="list_devices").text == (
        "name: list_devices\n"
        "title: List Devices\n"
        f"summary: {SUMMARY}\n"
        "operation: getDevices\n"
        "request: GET /v2/devices\n"
        "effect: read\n"
        "idempotent: true\n"
        "paging: after\n"
        "\n"
        "inputs:\n"
        "  device_filter: {title: Device Filter, type: string, to: query.df}\n"
        "  limit: {title: Limit, description: Maximum number of items to return., "
        "type: integer, minimum: 1}\n"
        "\n"
        "required: []\n"
        "result: {type: array, items: {$ref: ninjaone/NodeWithDetailedReferences.json}}\n"
        "\n"
        "examples:\n"
        "  - row: {device_filter: org = 1}\n"
        '    templates: {device_filter: "{{ device_filter }}"}\n'
        "    sends:\n"
        '      - {method: GET, path: /v2/devices, query: {df: org = 1, pageSize: "1000"}}\n'
    )


def test_a_report_is_paged_by_its_cursor(service: Service) -> None:
    report = made("getReport", service)
    assert report["paging"] == "cursor"
    assert list(report["inputs"]) == ["language", "limit"]
    assert report["result"] == {"type": "array", "items": {"$ref": f"ninjaone/{DEVICE}.json"}}


def test_a_body_becomes_an_input_for_each_member(service: Service) -> None:
    update = made("updateDevice", service)
    assert (update["effect"], update["idempotent"], update["result"]) == ("write", True, "none")
    assert update["required"] == ["device_id", "display_name"]
    a_time = {"type": "string", "format": "date-time"}
    assert update["inputs"] == {
        "device_id": {"title": "Device ID", **INTEGER, "minimum": 1, "to": "path.id"},
        "display_name": {
            "title": "Display Name", "type": "string", "maxLength": 20, "to": "body.displayName",
        },
        "role_id": {"title": "Role ID", **INTEGER, "minimum": 1, "to": "body.roleId"},
        "kind": {"title": "Kind", "type": "string", "enum": ["A", "B"], "to": "body.kind"},
        "due_date": {"title": "Due Date", **a_time, "as": "epoch_s", "to": "body.dueDate"},
        "bought_date": {"title": "Bought Date", **a_time, "as": "epoch_ms", "to": "body.boughtDate"},
        "owner": {
            "title": "Owner",
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "to": "body.owner",
        },
        "tag_ids": {
            "title": "Tag IDs",
            "type": "array",
            "items": {**INTEGER, "minimum": 1},
            "uniqueItems": True,
            "to": "body.tagIds",
        },
    }  # fmt: skip
    assert update["examples"] == [
        {
            "row": {"device": 1, "display_name": "Example display name"},
            "templates": {"device_id": "{{ device }}", "display_name": "{{ display_name }}"},
            "sends": [
                {"method": "PATCH", "path": "/v2/device/1", "body": {"displayName": "Example display name"}}
            ],
        }
    ]


def test_an_array_or_a_map_is_the_whole_body(service: Service) -> None:
    delete = made("deleteDevices", service)
    assert (delete["effect"], delete["idempotent"]) == ("write", False)
    assert delete["inputs"] == {
        "device_ids": {
            "title": "Device IDs", "type": "array", "items": {**INTEGER, "minimum": 1}, "minItems": 1,
            "to": "body",
        }
    }  # fmt: skip
    assert delete["examples"][0]["sends"][0]["body"] == [1]
    fields = made("setFields", service)
    assert fields["inputs"]["fields"] == {
        "title": "Fields", "type": "object", "minProperties": 1, "to": "body",
    }  # fmt: skip
    assert fields["required"] == ["device_id", "fields"]
    assert fields["result"] == {"type": "string"}


def test_parts_are_typed_and_files_are_named(service: Service) -> None:
    upload = made("upload", service)
    assert upload["parts"] == {
        "comment": {"media_type": "application/json"}, "folderId": {}, "files": {"file": True},
    }  # fmt: skip
    places = {name: given["to"] for name, given in upload["inputs"].items()}
    assert places == {
        "device_id": "path.id",
        "text": "part.comment.text",
        "folder_id": "part.folderId",
        "files": "part.files",
    }
    assert upload["inputs"]["files"]["items"] == {"type": "string"}
    assert upload["required"] == ["device_id", "text"]


def test_what_json_an_operation_answers_may_be_unknown(service: Service) -> None:
    delete = made("delete_1", service)
    assert (delete["effect"], delete["idempotent"], delete["result"]) == ("destructive", True, {})


def test_values_that_exist_are_used(service: Service, catalog: Catalog) -> None:
    known = known_values([catalog.action("reboot_device")])
    assert known == {"device_id": 8}
    text = draft(SMALL, "delete_1", service, known=known).text
    assert "/v2/device/8}" in text
    assert draft(SMALL, "delete_1", service, known={"device_id": "no"}).text.count("/v2/device/1}") == 1


def test_an_unknown_operation_is_refused(service: Service) -> None:
    with pytest.raises(RunError, match=r'no operation "getDevice" .did you mean "getDevices"'):
        draft(SMALL, "getDevice", service)


def check(text: str, action_file: Path, service: Service, facts: Facts, uploads: Path) -> Action:
    """Load a draft and check everything; only its summary is missing."""
    action_file.parent.mkdir(parents=True, exist_ok=True)
    action_file.write_text(text, "utf-8")
    action = load_action(action_file, service.inputs)
    assert check_action(action, service) == [f"{action_file}: summary: still contains TODO"]
    for example in action.examples:
        assert check_example(action, service, example, uploads) == []
    assert check_published(action, service, facts) == []
    # Other YAML parsers return the same value.
    assert yaml.safe_load(text) == strict_yaml.load(action_file)
    assert max(map(len, text.splitlines())) <= 120
    return action


@pytest.mark.parametrize("name", sorted(published_facts(SMALL)))
def test_a_draft_is_sound(service: Service, tmp_path: Path, name: str) -> None:
    made = draft(SMALL, name, service)
    assert made.area == "small_things"
    path = tmp_path / "ninjaone" / made.area / f"{made.name}.yaml"
    path.parent.mkdir(parents=True)
    assert check(made.text, path, service, published_facts(SMALL), tmp_path).operation == name


@pytest.fixture(scope="module")
def published() -> Any:
    if not DOCUMENT.exists():
        pytest.skip("the published document is not available")
    return json.loads(DOCUMENT.read_text("utf-8"))


@pytest.fixture(scope="module")
def known(catalog: Catalog) -> Any:
    return known_values(catalog.actions())


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if n % 8 == 0 else pytest.mark.slow) for n, name in enumerate(NAMES)],
)
def test_a_published_operation(
    published: Any, known: Any, service: Service, tmp_path: Path, name: str
) -> None:
    made = draft(published, name, service, name="do_this", area="area", known=known)
    path = tmp_path / "ninjaone" / "area" / "do_this.yaml"
    facts = schema("ninjaone/operations.json")["operations"]
    action = check(made.text, path, service, facts, tmp_path)
    message = {sentence for sentence in descriptions(published["paths"]) if len(sentence) > 20}
    assert not [sentence for sentence in message if sentence in made.text]
    assert bool(action.paging) == (name in paged())


def descriptions(value: Any) -> set[str]:
    if isinstance(value, dict):
        here = {value["description"]} if isinstance(value.get("description"), str) else set()
        return here.union(*map(descriptions, value.values()))
    return set().union(*map(descriptions, value)) if isinstance(value, list) else set()


def paged() -> set[str]:
    return set(json.loads((SHARED / "api" / "paging.json").read_text("utf-8"))["operations"])


def test_names() -> None:
    assert snake("getOSPatches") == "get_os_patches"
    assert snake("scan-group-id") == "scan_group_id"
    assert title("device_ids") == "Device IDs"
    assert [singular(n) for n in ("policies", "devices", "statuses", "status", "address")] == [
        "policy", "device", "status", "status", "address",
    ]  # fmt: skip
    assert [is_id(n) for n in ("id", "tagIds", "policy_id", "scan-group-id", "paid", "uid")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schema_", "value"),
    [
        ({"type": "boolean"}, True),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "array", "minItems": 2, "items": {"enum": ["x"]}}, ["x", "x"]),
        ({"type": "string", "format": "date"}, "2036-12-01"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"example": 1}),
        ({"type": "object", "properties": {n: {"type": "boolean"} for n in "abc"}}, {"a": True, "b": True}),
    ],
)
def test_plausible_values(schema_: Any, value: Any) -> None:
    assert plausible("thing", schema_) == value


def test_yaml_is_written_so_that_every_reader_reads_the_same() -> None:
    texts = [
        "yes",
        "007",
        "1e3",
        "2036-12-01",
        "{{ a }}",
        "a: b",
        "a #b",
        "",
        "~",
        "=",
        "on",
        "ok, so",
        "x\ny",
    ]
    value = {
        "texts": texts,
        "yes": None,
        "long": ["LONG_WORD"] * 40,
        "deep": [{"a": ["y" * 90, {"b": "z" * 90}]}],
    }
    text = yaml_dump.dump(value)
    assert yaml.safe_load(text) == value
    assert max(map(len, text.splitlines())) < 120
