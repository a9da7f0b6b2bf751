"""`mapping.yaml`: what is read, and what is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from connector.common.absent import ABSENT
from connector.common.package_data import schemas_folder
from connector.errors import InputError, RunError
from connector.sync.mapping import SyncMapping
from connector.sync.mapping_file import load_mapping
from connector.sync.templates import MappingTemplate, render_all
from connector.templating.scope import Scope

WHOLE = r"""
version: 1
source: acme-rmm
target: acme-psa
clients:
  take: mapped
  create: false
  top_level: 1
  match: off
  map:
    - {organization: 2, client: 17, default_user: 310, locations: {2: 40, 3: new}}
    - {organization: 4, client: new}
  skip: [9]
devices:
  take: "{{ device.nodeClass not in ['VMWARE_VM_GUEST'] }}"
  default_site: 55
  type: "{{ device.nodeClass }}"
  types: {WINDOWS_SERVER: Server}
  create_types: true
  type_group: 3
  match: {field: 117, by_name: false, ignore: ["", "0", None, Default string, To be filled by O.E.M.]}
  fields:
    117: "{{ device.system.serialNumber }}"
    44: {value: "{{ (device.memory.capacity / 2**30) | round | int }} GB", when: always}
    CFAssetTag: {value: "{{ custom.assetTag }}", when: empty, empty: send}
    notes: "{{ current.notes }}"
  create_fields: {Rack: text}
  user: {value: "{{ last_user }}", match: [login, emailaddress]}
  warranty: true
  software: true
  link: "https://acme.example/#/deviceDashboard/{{ device.id }}/overview"
  missing: report
  moved: report
alerts:
  by: [webhook, poll]
  ticket:
    {type: 25, summary: "{{ alert.subject or alert.message }}", details: "{{ alert.message }}",
     priority: 3, source: 12}
  rules:
    - {if: "{{ alert.severity in ['CRITICAL', 'MAJOR'] }}", ticket: {priority: 1}}
    - {if: "{{ device.offline and organization.id == 4 }}", ticket: none}
  default_user: 310
  closed_status: Closed
  note_outcome: 7
  stamp: CFAlert
  activity_type_to: category_1
  on_reset: close
  on_close: reset
  repeat: note
  wait_s: 0
  flap_min: 15
  first_run: adopt
  unmapped: default_user
limits: {creates: 200, updates_percent: 30, tickets_per_hour: 40}
"""
MINIMAL = "version: 1\nsource: a\ntarget: b\n"


def load(folder: Path, text: str) -> SyncMapping:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def validator() -> Draft202012Validator:
    schema = json.loads((schemas_folder() / "mapping.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_a_whole_mapping_is_read(tmp_path: Path) -> None:
    mapping = load(tmp_path, WHOLE)
    row = mapping.clients.rows[2]
    assert (row.client, row.default_user, dict(row.locations)) == (17, 310, {2: 40, 3: "new"})
    assert mapping.clients.rows[4].client == "new"
    assert mapping.clients.match == "off"
    assert mapping.devices is not None
    assert [(f.key, f.when, f.is_custom) for f in mapping.devices.fields] == [
        (117, "always", False),
        (44, "always", False),
        ("CFAssetTag", "empty", True),
        ("notes", "always", False),
    ]
    assert mapping.devices.match.ignore == {"", "0", "none", "defaultstring", "tobefilledbyo.e.m."}
    assert mapping.devices.custom_fields == {"assetTag"}
    assert mapping.devices.uses("current")
    assert mapping.devices.uses("last_user")
    assert mapping.alerts is not None
    assert mapping.alerts.settings.tickets_per_hour == 40
    assert mapping.alerts.settings.flap_s == 900
    assert [rule.ticket and rule.ticket.priority for rule in mapping.alerts.rules] == [1, None]
    assert mapping.alerts.rules[1].ticket is None
    assert mapping.warnings == ()


def test_a_mapping_needs_three_lines(tmp_path: Path) -> None:
    mapping = load(tmp_path, MINIMAL)
    assert (mapping.devices, mapping.alerts) == (None, None)
    assert mapping.limits.creates == 200


def test_the_digest_changes_with_the_file(tmp_path: Path) -> None:
    one = load(tmp_path, MINIMAL).digest
    assert load(tmp_path, MINIMAL).digest == one
    assert load(tmp_path, MINIMAL + "# \n").digest != one


def test_a_rule_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    alerts = load(tmp_path, WHOLE).alerts
    assert alerts is not None
    assert alerts.rules[0].ticket is not None
    ticket = alerts.rules[0].ticket.over(alerts.ticket)
    assert (ticket.priority, ticket.type, ticket.source) == (1, 25, 12)
    assert ticket.summary is alerts.ticket.summary


def test_a_member_that_two_fields_read_is_a_warning(tmp_path: Path) -> None:
    text = MINIMAL + 'devices: {fields: {1: "{{ device.a }}", CFx: "{{ device.a }}"}}'
    assert load(tmp_path, text).warnings == ("2 fields have the value of device.a: 1, CFx",)


WRONG: dict[str, tuple[str, str, str]] = {
    "version": (
        "version: 1",
        "version: 2",
        "line 2: version: version 2 of the mapping format is not supported",
    ),
    "unknown key": ("limits:", "limit:", 'line 54: limit: unknown key "limit" (did you mean "limits"?)'),
    "unknown inner key": ("  top_level: 1", "  toplevel: 1", 'unknown key "toplevel"'),
    "field twice": ("    44:", "    117:", 'the key "117" is repeated'),
    "field twice in quotes": (
        "    44:",
        '    "117":',
        "line 23: devices.fields.117: the field 117 is mapped twice (also in line 24)",
    ),
    "field twice with a zero": (
        "    44:",
        '    "0117":',
        "line 24: devices.fields.0117: the field 117 is mapped twice (also in line 23)",
    ),
    "location twice": (
        "{2: 40, 3: new}",
        '{2: 40, "2": new}',
        "the location 2 is mapped twice",
    ),
    "type twice": (
        "types: {WINDOWS_SERVER: Server}",
        'types: {1: Server, "1": Mac}',
        "devices.types.1: the name 1 is mapped twice",
    ),
    "template": ("{{ custom.assetTag }}", "{{ custom.assetTag", "template, line 1"),
    "unknown filter": ("| round", "| rounds", 'there is no filter "rounds"'),
    "unknown name": (
        "{{ last_user }}",
        "{{ user }}",
        'line 28: devices.user.value: "user" is not defined here',
    ),
    "alert in a device": ("{{ last_user }}", "{{ alert.x }}", '"alert" is not defined here'),
    "match field": (
        "field: 117,",
        "field: 118,",
        "line 21: devices.match.field: the field 118 is not in devices.fields",
    ),
    "when": ("when: always", "when: often", '"often" is not one of always, new, empty'),
    "organization twice": ("organization: 4", "organization: 2", "the organization 2 is mapped twice"),
    "skipped and mapped": ("skip: [9]", "skip: [2]", "the organization 2 is also mapped"),
    "site": ("3: new", "3: main", "a site's id or new is expected here"),
    "client": ("client: new", "client: old", "an id or new is expected here"),
    "negative id": ("default_site: 55", "default_site: 0", "an id is expected here"),
    "type group": ("  type_group: 3\n", "", "asset types are created in a group"),
    "boolean": ("warranty: true", "warranty: 1", "a boolean is expected here"),
    "field type": ("{Rack: text}", "{Rack: blob}", '"blob" is not one of text, number, date'),
    "rule": ("ticket: none}", "ticket: no}", "an object or text is expected here"),
    "stamp": ("stamp: CFAlert", "stamp: Alert", "not the name of a custom field"),
    "only webhook": ("by: [webhook, poll]", "by: [webhook]", "[webhook, poll] or [poll] is expected"),
    "neither webhook nor poll": ("by: [webhook, poll]", "by: []", "[webhook, poll] or [poll] is expected"),
    "take": ("take: mapped", "take: some", "mapped, all or a template that is true or false is expected"),
    "take of devices": (
        "{{ device.nodeClass not in ['VMWARE_VM_GUEST'] }}",
        "all",
        "a template that is true",
    ),
    "rule without braces": (
        "{{ alert.severity in ['CRITICAL', 'MAJOR'] }}",
        "alert.severity == 'MAJOR'",
        "alerts.rules.0.if: a template that is true or false is expected here, in {{ }}",
    ),
    "category": ("category_1", "category_9", "category_1 to category_4"),
    "percent": ("updates_percent: 30", "updates_percent: 130", "a number from 0 to 100"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    old, new, message = WRONG[name]
    assert old in WHOLE
    with pytest.raises(RunError, match=r"mapping\.yaml, line \d+: ") as raised:
        load(tmp_path, WHOLE.replace(old, new, 1))
    assert message in str(raised.value)


BY_SCHEMA = set(WRONG) - {
    *("field twice", "template", "unknown filter", "unknown name", "alert in a device", "match field"),
    *("organization twice", "skipped and mapped", "type group", "field twice in quotes"),
    *("field twice with a zero", "location twice", "type twice", "take", "take of devices"),
    "rule without braces",
}


def as_json(text: str) -> Any:
    return json.loads(json.dumps(yaml.safe_load(text)))


@pytest.mark.parametrize("name", sorted(BY_SCHEMA))
def test_the_schema_refuses_it_too(name: str) -> None:
    old, new, _ = WRONG[name]
    assert not validator().is_valid(as_json(WHOLE.replace(old, new, 1)))


@pytest.mark.parametrize("text", [WHOLE, MINIMAL])
def test_the_schema_accepts_what_is_read(text: str) -> None:
    validator().validate(as_json(text))


# Templates.

ROW = {"device": {"id": 5, "name": "PC", "none": None, "blank": "  ", "zero": 0, "list": ["a"]}, "custom": {}}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ device.id }}", 5),
        ("{{ device.zero }}", 0),
        ("no {{ device.id }}", "no 5"),
        ("{{ device.missing }}", ABSENT),
        ("{{ device.missing.too }}", ABSENT),
        ("{{ custom.tag }} GB", ABSENT),
        ("{{ device.none }}", ABSENT),
        ("{{ device.none }} GB", ABSENT),
        ("{{ (device.none / 2) | round }} GB", ABSENT),
        ("{{ device.blank }}", ABSENT),
        ("{{ '' }}", ABSENT),
        ("{% if device.id == 6 %}x{% endif %}", ABSENT),
        ("{{ device.missing | default('x') }}", "x"),
        ("{{ device.list }}", ["a"]),
    ],
)
def test_a_template_without_a_value_has_none(source: str, value: Any) -> None:
    template = MappingTemplate(source)
    assert template.value(Scope(ROW)) == value
    assert render_all([template, MappingTemplate("{{ device.name }}")])(Scope(ROW)) == [value, "PC"]


def test_only_an_empty_text_clears_and_only_where_it_may() -> None:
    assert MappingTemplate("{{ '' }}", may_clear=True).value(Scope(ROW)) == ""
    assert MappingTemplate("{{ device.blank }}", may_clear=True).value(Scope(ROW)) is ABSENT
    assert MappingTemplate("{{ device.none }}", may_clear=True).value(Scope(ROW)) is ABSENT


def test_one_template_that_fails_does_not_fail_the_others() -> None:
    templates = [MappingTemplate(t) for t in ("{{ device.name / 2 }}", "{{ device.id }}", "{{ device.no }}")]
    failed, *others = render_all(templates)(Scope(ROW))
    assert isinstance(failed, InputError)
    assert others == [5, ABSENT]


def test_templates_that_are_a_missing_member_alone_do_not_slow_down_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = ("{{ device.no.name }}", "{{ device.name }}", "{{ device.none }}", "{{ custom['x y'] }}")
    render = render_all([MappingTemplate(source) for source in sources])
    monkeypatch.setattr(MappingTemplate, "value", lambda *_: pytest.fail("each is rendered by itself"))
    assert render(Scope(ROW)) == [ABSENT, "PC", ABSENT, ABSENT]
    assert render(Scope({"device": {"name": "B", "no": {"name": "C"}}, "custom": {"x y": 1}})) == [
        "C",
        "B",
        ABSENT,
        1,
    ]


def test_a_null_in_a_text_is_no_value_whichever_templates_are_rendered_with_it() -> None:
    sources = ("{{ device.id }}", "{{ device.none }} GB", "{{ device.none }} MB", "{{ device.no }}")
    assert render_all([MappingTemplate(source) for source in sources])(Scope(ROW)) == [
        5,
        ABSENT,
        ABSENT,
        ABSENT,
    ]


def test_a_condition_is_true_or_false() -> None:
    assert MappingTemplate("{{ device.id == 5 }}").holds(Scope(ROW))
    assert not MappingTemplate("{{ device.missing }}").holds(Scope(ROW))
    with pytest.raises(InputError, match='expected true or false, got "pc"'):
        MappingTemplate("{{ device.name }}").holds(Scope(ROW))


def test_a_template_knows_what_it_reads() -> None:
    template = MappingTemplate(
        "{{ device.system['serialNumber'] }} {% for c in custom %}{{ c.x }}{% endfor %}"
    )
    assert template.paths == {"device.system.serialNumber", "custom"}


def test_the_documentation_has_every_setting() -> None:
    """Fails if a setting is added without a row in docs/sync.md."""
    schema = json.loads((schemas_folder() / "mapping.schema.json").read_text(encoding="utf-8"))
    text = (Path(__file__).resolve().parents[2] / "docs" / "sync.md").read_text(encoding="utf-8")
    tables = text.partition("## The settings of mapping.yaml")[2].partition("\n## ")[0]
    parts = {name: schema["$defs"][name]["properties"] for name in ("clients", "devices", "alerts")}
    parts |= {"": {"pace_percent": {}}, "limits": schema["properties"]["limits"]["properties"]}
    for part, keys in parts.items():
        rows = tables if part in ("", "limits") else tables.partition(f"| `{part}` |")[2].partition("\n\n")[0]
        for key in keys:
            name = f"`limits.{key}`" if part == "limits" else f"`{key}`"
            assert name in rows, f"{part}.{key}"
