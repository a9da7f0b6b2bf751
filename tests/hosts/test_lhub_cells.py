"""What a table's cells become: NULL, missing and empty ones, arrays as text, options, invalid JSON."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.catalog import Catalog
from connector.errors import RowError
from connector.hosts.host import prepare_form
from connector.runs.job import Job
from connector.sandbox.ninjaone.server import Sandbox
from tests.examples import examples
from tests.hosts.logichub import MODES, LogicHub, Mode, line


def bodies(sandbox: Sandbox) -> list[Any]:
    return [request["body"] for request in sandbox.log.requests()]


UPDATE = {
    "device_id": "{{ device }}",
    "display_name": "{{ a }}-{{ b }}",
    "policy_id": "{{ p }}",
    "user_data": '{"f1": "{{ a }}", "f2": {{ p }}, "f3": "is {{ a }}"}',
}


@pytest.mark.parametrize("mode", MODES)
def test_null_is_no_value_and_clears_nothing(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    rows: list[dict[str, Any]] = [
        {"lhub_id": 1, "device": 1, "a": "x", "b": "y", "p": 61},
        {"lhub_id": 2, "device": 2, "a": None, "b": "y", "p": None},
        {"lhub_id": 3, "device": 3, "b": "y"},
        {"lhub_id": 4, "device": 4, "a": "", "b": "", "p": ""},
    ]
    ran = ours.run("update_device", rows, UPDATE, mode)
    assert [(e["error"], e["meta"].get("warnings")) for e in ran.envelopes] == [(None, None)] * 4
    full = {"displayName": "x-y", "policyId": 61, "userData": {"f1": "x", "f2": 61, "f3": "is x"}}
    null = {"displayName": "-y", "userData": {"f3": "is "}}
    assert bodies(sandbox) == [full, null, null, {**null, "displayName": "-"}]


@pytest.mark.parametrize("mode", MODES)
def test_only_the_null_that_a_template_writes_clears(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    rows = [{"lhub_id": 1, "p": None}, {"lhub_id": 2, "p": "null"}]
    templates = {"device_id": "1", "policy_id": "null", "user_data": '{"a": null, "b": {{ p }}}'}
    assert [e["error"] for e in ours.run("update_device", rows, templates, mode).envelopes] == [None, None]
    assert bodies(sandbox) == [{"policyId": None, "userData": {"a": None}}] * 2


@pytest.mark.parametrize("mode", MODES)
def test_a_column_of_no_row_is_an_error(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    rows = [{"lhub_id": 1, "device": 1}, {"lhub_id": 2, "device": 2, "late": "x"}]
    templates = {"device_id": "{{ device }}", "display_name": "{{ device }} {{ late }}"}
    assert [e["error"] for e in ours.run("update_device", rows, templates, mode).envelopes] == [None, None]
    assert [body["displayName"] for body in bodies(sandbox)] == ["1 ", "2 x"]
    ran = ours.run("update_device", rows, {**templates, "display_name": "{{ lat }}"}, mode)
    assert ['the row has no field "lat" (did you mean "late"?)' in e["error"] for e in ran.envelopes] == [
        True,
        True,
    ]


def test_a_column_of_another_part_is_known(ours: LogicHub, sandbox: Sandbox) -> None:
    parts = {"part-0": line({"lhub_id": 1}), "part-1": b"broken\n" + line({"lhub_id": 2, "name": "x"})}
    ran = ours.run_files("update_device", parts, {"device_id": "1", "display_name": "{{ name }}!"})
    assert [e["has_error"] for e in ran.envelopes] == [False, True, False]
    assert [body["displayName"] for body in bodies(sandbox)] == ["!", "x!"]


@pytest.mark.parametrize("mode", MODES)
def test_arrays_come_as_text_and_options_in_any_case(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    cells = ["[2, 3]", "2, 3", [2, 3], "", None, "[]"]
    rows = [{"lhub_id": n, "ids": cell, "mode": " approve "} for n, cell in enumerate(cells)]
    devices = {"mode": "{{ mode }}", "devices": "[1, {{ ids }}]"}
    ran = ours.run("approve_devices", rows, devices, mode)
    assert [e["error"] for e in ran.envelopes] == [None] * 6
    assert bodies(sandbox) == [{"devices": [1, 2, 3]}] * 3 + [{"devices": [1]}] * 3
    assert {r["path"] for r in sandbox.log.requests()} == {"/v2/devices/approval/APPROVE"}
    window = {"device_id": "1", "disabled_features": '["{{ f }}", "ALERTS"]', "end": "2036-01-01"}
    rows = [{"lhub_id": 1, "f": ""}, {"lhub_id": 2}, {"lhub_id": 3, "f": "patching"}]
    ran = ours.run("schedule_maintenance", rows, window, mode)
    assert [e["error"] for e in ran.envelopes] == [None] * 3
    sent = [body["disabledFeatures"] for body in bodies(sandbox)[6:]]
    assert sent == [["ALERTS"], ["ALERTS"], ["PATCHING", "ALERTS"]]


# Windows, installers, lists


WINDOW = {"device_id": "1", "disabled_features": '["ALERTS"]', "start": "{{ start }}", "end": "{{ end }}"}


@pytest.mark.parametrize("mode", MODES)
def test_a_window_without_time_is_refused_and_not_sent(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    rows = [
        {"lhub_id": 1, "start": None, "end": "2017-07-16T00:00:00-4:00"},
        {"lhub_id": 2, "start": "2036-07-16T00:00:01", "end": "2036-07-16T00:00:00"},
        {"lhub_id": 3, "start": "2036-07-16", "end": "2036-07-16"},
        {"lhub_id": 4, "start": "2036-07-16", "end": "2036-07-17"},
        {"lhub_id": 5, "start": "", "end": None},
        {"lhub_id": 6, "start": "2026-07-16", "end": ""},
    ]
    past = {"__execution_end_time_ms": "1767225600000"}
    ran = ours.run("schedule_maintenance", rows, WINDOW, mode, **past)
    refused = "end: this time has passed, and a window needs an end to come"
    batch = (
        f'{refused}. "Maintenance window end" is empty here, so it is the end of the platform\'s batch, '
        "2026-01-01T00:00:00Z: give another end, such as {{ (now + 7200) | iso }} for two hours from now"
    )
    order = "end: this time is not after the start of the window"
    assert [e["error"] for e in ran.envelopes] == [refused, order, order, None, batch, batch]
    assert bodies(sandbox) == [
        {"disabledFeatures": ["ALERTS"], "start": "2036-07-16T00:00:00Z", "end": "2036-07-17T00:00:00Z"}
    ]
    hours = {**WINDOW, "start": "", "end": "{{ end or (now + 7200) | iso }}"}
    ran = ours.run("schedule_maintenance", [{"lhub_id": 1, "end": None}], hours, mode, **past)
    assert ran.envelope["error"] is None


@pytest.mark.parametrize("mode", MODES)
def test_an_installer_is_generated_by_the_operation_for_monitoring(
    ours: LogicHub, sandbox: Sandbox, mode: Mode
) -> None:
    rows = [{"lhub_id": 1, "org": 1, "place": 1, "type": "windows_msi", "role": None}]
    rows.append({**rows[0], "lhub_id": 2, "role": 101})
    templates = {
        "organization_id": "{{ org }}",
        "location_id": "{{ place }}",
        "installer_type": "{{ type }}",
        "node_role_id": "{{ role }}",
    }
    ran = ours.run("generate_installer", rows, templates, mode)
    assert [e["error"] for e in ran.envelopes] == [None, None]
    assert [(r["method"], r["path"]) for r in sandbox.log.requests()] == [
        ("GET", "/v2/organization/1/location/1/installer/WINDOWS_MSI"),
        ("POST", "/v2/organization/generate-installer"),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_a_list_gives_a_row_for_each_item_and_any_id_gets_its_answer(ours: LogicHub, mode: Mode) -> None:
    ids = [[1, 2], {"a": 1}, True, 1.5, "", "x", None]
    rows = [{"lhub_id": id, "filter": "id in (1, 2)"} for id in ids]
    ran = ours.run("list_devices", rows, {"filter": "{{ filter }}"}, mode)
    assert [e["result"]["id"] for e in ran.envelopes] == [1, 2] * len(ids)
    answered = ["[1, 2]", '{"a": 1}', *ids[2:]] if mode == "file" else ids
    assert [lhub_id for lhub_id, _ in ran.answers] == [id for id in answered for _ in range(2)]


# Errors

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("action", "templates", "reason"),
    [
        (
            "update_organization",
            {"fields": "{{ v }}"},
            "fields: the template renders invalid JSON (Unterminated",
        ),
        ("update_organization", {"fields": '{"a": {{ v }}}'}, "fields: the template renders invalid JSON"),
        ("update_organization", {"user_data": "[{{ v }}]"}, "invalid JSON"),
        ("update_organization", {"device_approval_mode": "{{ v }}"}, "text is not one of AUTOMATIC, MANUAL"),
        ("update_device", {"node_role_id": "{{ v }}"}, "node_role_id: an integer is expected, not text"),
        ("update_device", {"node_role_id": "{{ '%d' | format(v) }}"}, "the template fails"),
        ("update_device", {"warranty_end": "{{ v }}"}, "warranty_end: this is not a time"),
        ("list_devices", {"filter": "{{ v }}"}, "this is not a device filter; write it like"),
        ("create_organization", {"template_organization_id": "{{ v }}", "name": "x"}, "(value not shown)"),
    ],
)
def test_an_error_shows_no_value_of_the_row(
    ours: LogicHub, mode: Mode, action: str, templates: dict[str, str], reason: str
) -> None:
    required = {"update_organization": "organization_id", "update_device": "device_id"}
    fixed = {required[action]: "1"} if action in required else {}
    row = {"lhub_id": 1, "v": '{"pw": "' + SECRET} if "fields" in templates else {"lhub_id": 1, "v": SECRET}
    ran = ours.run(action, [row], {**fixed, **templates}, mode)
    assert reason in ran.envelope["error"]
    assert SECRET[:6].encode() not in ran.results
    assert SECRET[:6] not in ran.said


@pytest.mark.parametrize("mode", MODES)
def test_a_broken_line_is_not_shown(ours: LogicHub, mode: Mode) -> None:
    lines = f'{{"lhub_id": 1, "pw": "{SECRET}\n'.encode()
    if mode == "pipe":
        ran = ours.pipe("cancel_maintenance", lines, {"device_id": "1"})
    else:
        ran = ours.run_files("cancel_maintenance", {"part-0": lines}, {"device_id": "1"})
    assert "line 1: not JSON" in ran.envelope["error"]
    assert SECRET[:6].encode() not in ran.results


# Any table

TEMPLATES: dict[str, dict[str, str]] = {
    "create_organization": {
        "template_organization_id": "{{org_id}}",
        "name": "{{name}}",
        "description": "{{description}}",
        "user_data": "{{user_data}}",
        "tags": '["tag1", {{tags}}]',
        "locations": "{{locations}}",
        "policies": "{{policies}}",
    },
    "update_organization": {
        "organization_id": "{{org_id}}",
        "name": "{{name}}",
        "description": "{{description}}",
        "user_data": "{{user_data}}",
    },
    "create_location": {
        "organization_id": "{{org_id}}",
        "name": "{{name}}",
        "address": "{{address}}",
        "description": "{{description}}",
        "user_data": "{{user_data}}",
    },
    "list_devices": {"filter": "{{filter}}"},
    "get_device_link": {"device_id": "{{device_id}}"},
    "update_device": {
        "device_id": "{{device_id}}",
        "display_name": "{{display_name}}",
        "user_data": "{{user_data}}",
        "node_role_id": "{{node_role_id}}",
        "policy_id": "{{policy_id}}",
    },
    "approve_devices": {"mode": "APPROVE", "devices": "[1, {{device_ids}}]"},
    "reboot_device": {"device_id": "{{device_id}}", "mode": "NORMAL", "reason": "{{reason}}"},
    "list_windows_services": {"device_id": "{{device_id}}", "service_name": "{{service_name}}"},
    "run_script": {
        "device_id": "{{device_id}}",
        "script_id": "{{script_id}}",
        "type": "SCRIPT",
        "parameters": "{{params}}",
        "run_as": "{{run_as}}",
    },
    "schedule_maintenance": {
        "device_id": "{{device_id}}",
        "disabled_features": '["{{feature1}}", "ALERTS"]',
        "end": "2036-07-16T00:00:00-4:00",
    },
    "list_alerts": {"source_type": "{{source_type}}", "language": "{{language}}"},
}
"""Templates of the older connector's document. Its forms for custom fields send a request of their own."""

IDS = ("org_id", "device_id", "script_id", "node_role_id", "policy_id")
OBJECTS = ("user_data", "locations", "policies")
COLUMNS = sorted(
    {part.split("}}")[0] for t in TEMPLATES.values() for text in t.values() for part in text.split("{{")[1:]}
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
NOTHING = st.sampled_from([None, "", " "])
SCALARS = st.one_of(NOTHING, WORDS, st.integers(1, 99), st.booleans())


def cells(column: str) -> st.SearchStrategy[Any]:
    if column in IDS:
        return st.one_of(NOTHING, st.integers(1, 99), st.integers(1, 99).map(str))
    if column in OBJECTS:
        objects = st.dictionaries(WORDS, SCALARS, max_size=3)
        return st.one_of(NOTHING, objects, objects.map(json.dumps), st.lists(objects, max_size=2))
    if column in ("tags", "device_ids"):
        lists = st.lists(st.one_of(st.none(), st.integers(1, 99)), max_size=3)
        return st.one_of(NOTHING, lists, lists.map(json.dumps), st.just("2, 3"))
    return SCALARS


ROWS = st.fixed_dictionaries({}, optional={name: cells(name) for name in COLUMNS})


def leaves(value: Any) -> list[Any]:
    """Return what is in a value: its scalars, and the names of its members."""
    if isinstance(value, dict):
        return [leaf for name, member in value.items() for leaf in (name, *leaves(member))]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def said(row: dict[str, Any], templates: dict[str, str]) -> set[str]:
    """Return all texts that a request may hold: those of the cells, of JSON in cells, and of templates."""
    texts = {"tag1", "ALERTS", "APPROVE", "NORMAL", "SCRIPT", "2036-07-16T04:00:00Z"}
    for cell in row.values():
        texts |= {plain(leaf) for leaf in leaves(cell)}
        if isinstance(cell, str):
            try:
                texts |= {plain(leaf) for leaf in leaves(json.loads(cell))}
            except ValueError:
                continue
    return texts | {"2", "3"} if "2, 3" in row.values() else texts


def plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@examples(500)
@given(action=st.sampled_from(sorted(TEMPLATES)), row=ROWS)
def test_what_is_sent_stands_in_a_cell_or_a_template(
    catalog: Catalog, tmp_path_factory: pytest.TempPathFactory, action: str, row: dict[str, Any]
) -> None:
    templates = TEMPLATES[action]
    prepared = prepare_form(catalog, Job(action=action), templates)
    bindings = type(prepared.bindings)(**{**vars_of(prepared.bindings), "columns": lambda: COLUMNS})
    try:
        sent = bindings.values(row)
    except RowError:
        return
    declared = prepared.action.inputs
    values = {name: value for name, value in sent.items() if value != declared[name].default}
    allowed = said(row, templates)
    for name, value in values.items():
        found = leaves(value)
        assert None not in found, (name, value)
        unknown = [leaf for leaf in found if plain(leaf) not in allowed | {plain(leaf).lower()} - {"null"}]
        assert [leaf for leaf in unknown if plain(leaf) not in allowed] == [], (name, value)
        assert not all(cell_is_empty(row, column) for column in columns_of(templates[name])), (name, value)


def vars_of(bindings: Any) -> dict[str, Any]:
    return {name: getattr(bindings, name) for name in bindings.__dataclass_fields__}


def columns_of(template: str) -> list[str]:
    """Return the columns of a template, or a name that is no column where it has other text, too."""
    names = [part.split("}}")[0].strip() for part in template.split("{{")[1:]]
    has_more = not template.startswith("{{") or not names
    return [*names, *(["(text)"] if has_more else [])]


def cell_is_empty(row: dict[str, Any], column: str) -> bool:
    if column == "(text)":
        return False
    cell = row.get(column)
    return cell is None or (isinstance(cell, str) and not cell.strip())


@pytest.mark.parametrize("mode", MODES)
def test_a_table_of_random_cells_through_the_sdk(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    chance = random.Random(15)
    choices: list[Any] = [None, "", " ", "x y", "é", 7, "8", {"a": None, "b": "c"}, '{"a": null}', [1, None]]
    columns = ("display_name", "user_data", "policy_id")
    rows = [
        {"lhub_id": n, "device_id": n % 30 + 1}
        | {column: chance.choice(choices) for column in columns if chance.random() > 0.2}
        for n in range(300)
    ]
    templates = {**TEMPLATES["update_device"], "node_role_id": ""}
    ran = ours.run("update_device", rows, templates, mode)
    assert [lhub_id for lhub_id, _ in ran.answers] == list(range(300))
    assert len([e for e in ran.envelopes if not e["has_error"]]) > 50
    for request in sandbox.log.requests():
        body = request["body"]
        assert None not in leaves(body)
        assert "null" not in json.dumps({n: v for n, v in body.items() if v != '{"a": null}'})  # a text cell
