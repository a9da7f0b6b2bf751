"""The cells of a table: NULL, missing and empty ones, arrays as text, options, invalid JSON."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.hosts.logichub import MODE_IN_BRIEF, LogicHub, Mode, line


def bodies(sandbox: Sandbox) -> list[Any]:
    return [request["body"] for request in sandbox.log.requests()]


UPDATE = {
    "device_id": "{{ device }}",
    "display_name": "{{ a }}-{{ b }}",
    "policy_id": "{{ p }}",
    "user_data": '{"f1": "{{ a }}", "f2": {{ p }}, "f3": "is {{ a }}"}',
}


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
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


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_only_the_null_that_a_template_writes_clears(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    rows = [{"lhub_id": 1, "p": None}, {"lhub_id": 2, "p": "null"}]
    templates = {"device_id": "1", "policy_id": "null", "user_data": '{"a": null, "b": {{ p }}}'}
    assert [e["error"] for e in ours.run("update_device", rows, templates, mode).envelopes] == [None, None]
    assert bodies(sandbox) == [{"policyId": None, "userData": {"a": None}}] * 2


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
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


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
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


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
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
    refused = "end: this time has passed; use a time in the future"
    batch = (
        f'{refused}. "Maintenance window end" is empty, so the end time of the platform\'s batch, '
        "2026-01-01T00:00:00Z, is used: enter a time, such as {{ (now + 7200) | iso }} for two hours from now"
    )
    order = "end: this time is not after the start of the window"
    assert [e["error"] for e in ran.envelopes] == [refused, order, order, None, batch, batch]
    assert bodies(sandbox) == [
        {"disabledFeatures": ["ALERTS"], "start": "2036-07-16T00:00:00Z", "end": "2036-07-17T00:00:00Z"}
    ]
    hours = {**WINDOW, "start": "", "end": "{{ end or (now + 7200) | iso }}"}
    ran = ours.run("schedule_maintenance", [{"lhub_id": 1, "end": None}], hours, mode, **past)
    assert ran.envelope["error"] is None


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
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


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_a_list_gives_a_row_for_each_item_and_any_id_gets_its_answer(ours: LogicHub, mode: Mode) -> None:
    ids = [[1, 2], {"a": 1}, True, 1.5, "", "x", None]
    rows = [{"lhub_id": id, "filter": "id in (1, 2)"} for id in ids]
    ran = ours.run("list_devices", rows, {"filter": "{{ filter }}"}, mode)
    assert [e["result"]["id"] for e in ran.envelopes] == [1, 2] * len(ids)
    answered = ["[1, 2]", '{"a": 1}', *ids[2:]] if mode == "file" else ids
    assert [lhub_id for lhub_id, _ in ran.answers] == [id for id in answered for _ in range(2)]


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
@pytest.mark.parametrize(
    ("action", "templates", "path"),
    [
        ("list_devices", {"filter": "id in (1, 2)"}, "/v2/devices"),
        ("list_alerts", {}, "/v2/alerts"),
        ("list_windows_services", {"device_id": "1"}, "/v2/device/1/windows-services"),
    ],
)
def test_the_three_lists_give_a_row_for_each_item_or_one(
    ours: LogicHub, sandbox: Sandbox, mode: Mode, action: str, templates: dict[str, str], path: str
) -> None:
    each = [e["result"] for e in ours.run(action, [{"lhub_id": 1}], templates, mode).envelopes]
    one = ours.run(action, [{"lhub_id": 1}], templates, mode, list_rows="one").envelope["result"]
    assert len(each) > 1
    assert one == each
    assert {request["path"] for request in sandbox.log.requests()} == {path}


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_a_column_named_row_hides_no_other_column(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    row = {"lhub_id": 1, "row": "R", "Device ID": 2}
    templates = {"device_id": "{{ row['Device ID'] }}", "display_name": "{{ row.row }} {{ row }}"}
    assert ours.run("update_device", [row], templates, mode).envelope["error"] is None
    assert [(r["path"], r["body"]) for r in sandbox.log.requests()] == [
        ("/v2/device/2", {"displayName": "R R"})
    ]


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_pythons_form_of_a_value_is_named(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    row = {"lhub_id": 1, "d": "{'a': 1}"}
    ran = ours.run("update_device", [row], {"device_id": "1", "user_data": "{{ d }}"}, mode)
    assert "it looks like a Python value" in ran.envelope["error"]
    assert bodies(sandbox) == []


# Errors

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
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
        ("update_device", {"node_role_id": "{{ v }}"}, "no device role is named (value not shown)"),
        ("update_device", {"node_role_id": "{{ '%d' | format(v) }}"}, "the template fails"),
        ("update_device", {"warranty_end": "{{ v }}"}, "warranty_end: this is not a time"),
        ("list_devices", {"filter": "{{ v }}"}, "this is not a device filter; write it like"),
        ("create_organization", {"template_organization_id": "{{ v }}", "name": "x"}, "(value not shown)"),
        (
            "update_location",
            {"organization_id": "by {{ v }}", "location_id": "1", "name": "x"},
            "is named (value not shown)",
        ),
        (
            "update_location",
            {"organization_id": "1", "location_id": "by {{ v }}", "name": "x"},
            "is named (value not shown)",
        ),
        (
            "control_windows_service",
            {"device_id": "1", "service_id": "{{ v }}", "action": "STOP"},
            "POST /v2/device/{id}/windows-service/{serviceId}/control: the API answered 404",
        ),
        (
            "control_windows_service",
            {"device_id": "1", "service_id": "../{{ v }}", "action": "STOP"},
            "(value not shown) cannot be part of an API path",
        ),
        ("update_organization", {"fields": '{"supportPlan": "a {{ v }}"}'}, "is named (value not shown)"),
        (
            "update_organization",
            {"fields": '{"contractEnd": "a {{ v }}"}'},
            "fields.contractEnd: this is not a",
        ),
    ],
)
def test_an_error_shows_no_value_of_the_row(
    ours: LogicHub, mode: Mode, action: str, templates: dict[str, str], reason: str
) -> None:
    required = {"update_organization": "organization_id", "update_device": "device_id"}
    fixed = {required[action]: "1"} if action in required else {}
    row = {"lhub_id": 1, "v": '{"pw": "' + SECRET if "invalid JSON" in reason else SECRET}
    ran = ours.run(action, [row], {**fixed, **templates}, mode)
    assert reason in ran.envelope["error"]
    assert SECRET[:6].encode() not in ran.results
    assert SECRET[:6] not in ran.said


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_a_broken_line_is_not_shown(ours: LogicHub, mode: Mode) -> None:
    lines = f'{{"lhub_id": 1, "pw": "{SECRET}\n'.encode()
    if mode == "pipe":
        ran = ours.pipe("cancel_maintenance", lines, {"device_id": "1"})
    else:
        ran = ours.run_files("cancel_maintenance", {"part-0": lines}, {"device_id": "1"})
    assert "line 1: not JSON" in ran.envelope["error"]
    assert SECRET[:6].encode() not in ran.results
