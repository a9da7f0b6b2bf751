"""Tables as a platform has them, over the forms of the older connector's document, and an API that answers.

`FORMS` are the document's own templates, word for word; `OWN_FORMS` write objects and arrays by member.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from hypothesis import strategies as st

from connector.errors import RowError
from connector.hosts.host import prepare_form
from connector.http.messages import Request
from connector.invocation.changes import require_change
from connector.invocation.handlers import Inputs, Note, Page, find_handler
from connector.runs.job import Job
from connector.runs.prepared import Prepared
from tests.fakes import reply
from tests.kept_catalog import CATALOG

Row = dict[str, Any]
Form = dict[str, str]

_ORGANIZATION = {
    "name": "{{name}}",
    "description": "{{description}}",
    "device_approval_mode": "{{approval_mode}}",
    "user_data": "{{user_data}}",
    "tags": '["tag1", {{tags}}]',
    "fields": "{{fields}}",
}
_LOCATION = {
    "organization_id": "{{org_id}}",
    "name": "{{name}}",
    "address": "{{address}}",
    "description": "{{description}}",
    "user_data": "{{user_data}}",
    "tags": "{{tags}}",
    "fields": "{{fields}}",
}
FORMS: dict[str, Form] = {
    "create_organization": {
        "template_organization_id": "{{org_id}}",
        **_ORGANIZATION,
        "locations": "{{locations}}",
        "policies": "{{policies}}",
    },
    "update_organization": {"organization_id": "{{org_id}}", **_ORGANIZATION},
    "create_location": _LOCATION,
    "update_location": {**_LOCATION, "location_id": "{{location_id}}"},
    "list_devices": {"filter": "{{filter}}", "limit": "{{limit}}"},
    "get_device_link": {"device_id": "{{device_id}}", "redirect": "{{redirect}}"},
    "update_device": {
        "device_id": "{{device_id}}",
        "display_name": "{{display_name}}",
        "user_data": "{{user_data}}",
        "node_role_id": "{{node_role_id}}",
        "policy_id": "{{policy_id}}",
    },
    "approve_devices": {"mode": "{{mode}}", "devices": "[1, {{device_ids}}]"},
    "reboot_device": {"device_id": "{{device_id}}", "mode": "{{mode}}", "reason": "{{reason}}"},
    "list_windows_services": {
        "device_id": "{{device_id}}",
        "service_name": "{{service_name}}",
        "service_state": "{{service_state}}",
    },
    "control_windows_service": {
        "device_id": "{{device_id}}",
        "service_id": "{{service_id}}",
        "action": "{{action}}",
    },
    "list_scripting_options": {"device_id": "{{device_id}}", "language": "{{lang}}"},
    "run_script": {
        "device_id": "{{device_id}}",
        "script_id": "{{script_id}}",
        "type": "{{type}}",
        "uid": "{{uid}}",
        "parameters": "{{params}}",
        "run_as": "{{run_as}}",
    },
    "schedule_maintenance": {
        "device_id": "{{device_id}}",
        "disabled_features": '["{{feature1}}", "ALERTS"]',
        "start": "{{start}}",
        "end": "{{end}}",
    },
    "cancel_maintenance": {"device_id": "{{device_id}}"},
    "list_alerts": {
        "source_type": "{{source_type}}",
        "device_filter": "{{device_filter}}",
        "language": "{{language}}",
        "timezone": "{{timezone}}",
    },
    "generate_installer": {
        "organization_id": "{{org_id}}",
        "location_id": "{{location_id}}",
        "installer_type": "{{installer_type}}",
    },
}
NOT_OF_THE_DOCUMENT = {
    ("list_devices", "limit"),  # it has {{filter}}
    ("reboot_device", "mode"),  # {{device_id}}
    ("schedule_maintenance", "device_id"),  # {{mode}}
    ("cancel_maintenance", "device_id"),  # {{mode}}
    ("schedule_maintenance", "start"),  # times without a template
    ("schedule_maintenance", "end"),
}
"""Inputs for which the document has another input's example, or none."""

_OWN_FIELDS = '{"contract": "{{description}}", "seats": {{seats}}, "remark": "for {{name}}"}'
_OWN = {
    "fields": _OWN_FIELDS,
    "user_data": '{"who": {"first": "{{name}}"}}',
    "tags": '["{{name}}", {{tags}}]',
}
OWN_FORMS: dict[str, Form] = {name: {**form, **_OWN} for name, form in FORMS.items() if "fields" in form}
ALL_FORMS = [*FORMS.items(), *OWN_FORMS.items()]

# Cells

TIMES = {
    "2036-07-16T00:00:00-4:00": "2036-07-16T04:00:00Z",
    "2036-07-17": "2036-07-17T00:00:00Z",
    2111724000000: "2036-12-01T06:00:00Z",
}
LOOKED_UP = {"Willow": "4001", "Server": "4002", "Strict": "4003", "Main": "4004"}
"""Names in cells, and the ids that the API has for them."""
FIELDS = {"contract": "TEXT", "seats": "NUMERIC", "active": "CHECKBOX", "remark": "TEXT_MULTILINE"}
"""The custom fields of the API, and their types."""
EMPTY: tuple[Any, ...] = (None, "", " ")
TEXTS: tuple[Any, ...] = ("x y", "null", "é", 'say "no"', 7, 1.5, True, {"a": None, "b": [None, "c"]}, [None])
IDS: tuple[Any, ...] = (3, "8", 12.0, "12.0", "null")
OBJECTS: tuple[Any, ...] = (
    {"a": None, "b": "c"},
    {"a": None},
    {},
    '{"a": null, "d": 1}',
    {"a": {"e": [None]}},
    "null",
)
ARRAYS: tuple[Any, ...] = ([], [2, None], "[2, null]", "2, 3", "4", "null")
COLUMNS: dict[str, tuple[Any, ...]] = {
    "org_id": (*IDS, "Willow"),
    "location_id": (*IDS, "Main"),
    "tags": ARRAYS,
    "device_ids": ARRAYS,
    "user_data": OBJECTS,
    "fields": (
        {"contract": None, "seats": 4},
        {"contract": "C-1", "active": "yes", "remark": None},
        '{"contract": "null", "seats": null}',
        '{"remark": null}',
        {"nobodys": "x"},
        *OBJECTS,
    ),
    "locations": (
        [{"name": "Here", "address": None}],
        '[{"name": "There", "userData": {"f": null}}]',
        [],
        "null",
    ),
    "policies": (
        {"nodeRoleId": "Server", "policyId": "Strict"},
        [{"nodeRoleId": 5, "policyId": "6"}],
        '[{"nodeRoleId": 5, "policyId": null}]',
        [None],
    ),
    "filter": ("id = 5", "class = MAC AND offline"),
    "device_filter": ("org = 12", "class in (MAC, WINDOWS_SERVER)"),
    "start": (1, *TIMES),
    "end": tuple(TIMES),
    "uid": ("692654ba-45ca-4cdf-ae77-8b17b809e4b1", "null"),
    "redirect": (True, False, "yes", "0", "null"),
    "service_id": ("Spooler", " W32 Time "),
    "seats": (*IDS, "null", -1),
}
"""What is in the cells of a column, besides nothing."""


def column_of(template: str) -> str:
    """Return the first column of a template."""
    return template.partition("{{")[2].partition("}}")[0]


def columns_of(form: Form) -> list[str]:
    """Return the columns of a form."""
    found = (name for template in form.values() for name in re.findall(r"{{(\w+)}}", template))
    return sorted(set(found))


@cache
def choices(action: str, column: str) -> tuple[Any, ...]:
    """Return cells of a column: those of its kind, or by the declaration of its input."""
    if column in COLUMNS:
        return COLUMNS[column]
    (schema,) = (
        CATALOG.action(action).inputs[name].schema
        for name, template in FORMS[action].items()
        if f"{{{{{column}}}}}" in template
    )
    options = schema.get("items", schema).get("enum", ())
    if options:
        return (*options, f" {options[-1].lower()} ", "null")
    return IDS if "integer" in schema["type"] else TEXTS


def cells(action: str, column: str) -> st.SearchStrategy[Any]:
    """Return a strategy of the cells of a column."""
    known = choices(action, column)
    first = st.just(known[0])  # often, as one wrong cell is enough for a row to send nothing
    kinds = [first, first, st.sampled_from(EMPTY), st.sampled_from(known)]
    if known is TEXTS:
        kinds.append(WORDS)
    elif known[: len(IDS)] == IDS:
        kinds += [first, first, first]
    elif known is OBJECTS:
        kinds += [MEMBERS, MEMBERS.map(json.dumps)]
    elif known is ARRAYS:
        kinds += [ITEMS, ITEMS.map(json.dumps)]
    elif column == "fields":
        kinds += [VALUES, VALUES.map(json.dumps)]
    return st.one_of(kinds)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
SCALARS = st.one_of(st.sampled_from(EMPTY), WORDS, st.integers(1, 99), st.booleans())
MEMBERS = st.dictionaries(WORDS, st.one_of(SCALARS, st.lists(SCALARS, max_size=2)), max_size=3)
ITEMS = st.lists(st.one_of(st.none(), st.integers(1, 99)), max_size=3)
VALUES = st.dictionaries(st.sampled_from(sorted(FIELDS)), SCALARS, max_size=3)


def is_empty(cell: Any) -> bool:
    """Return whether a cell is no value by itself."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


_DRAWN = [*FORMS.items(), *3 * list(OWN_FORMS.items())]


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, Form, Row, Row]:
    """Draw an action, its form, a row, and the same row with NULL, missing and empty cells exchanged."""
    action, form = draw(st.sampled_from(_DRAWN))
    names = columns_of(form)
    row = draw(st.fixed_dictionaries({name: cells(action, name) for name in names}))
    for missing in draw(st.lists(st.sampled_from(names), max_size=2)):
        row.pop(missing, None)
    empty = [name for name in names if row.get(name) in (None, "")]
    others = draw(st.fixed_dictionaries({}, optional={name: st.sampled_from([None, ""]) for name in empty}))
    kept = {name: cell for name, cell in row.items() if name not in empty}
    return action, form, row, {**kept, **others}


# What may be sent

_PATHS = (
    "/v2/organization/{id}/custom-fields",
    "/v2/organization/{id}/location/{locationId}/custom-fields",
    "/v2/organization/{id}/policies",
)
"""Where custom fields and policies go, beside the declared operations."""
_YES_AND_NO = {"yes": "true", "1": "true", "no": "false", "0": "false"}


def texts_of(action: str, form: Form, row: Row) -> set[str]:
    """Return all texts that may be sent for a row: of its cells, of the templates, and of the API itself."""
    declared = CATALOG.action(action)
    words = {word for path in (declared.path, *_PATHS) for word in path.split("/") if "{" not in word} - {""}
    words |= {target for given in declared.inputs.values() for target in given.target}
    for template in form.values():
        words |= set(re.findall(r"\w+", re.sub(r"{{\w+}}", "", template)))
    for cell in row.values():
        if not is_empty(cell):
            words |= set(texts_of_cell(cell))
    return words


def texts_of_cell(cell: Any) -> Iterator[str]:
    """Yield the texts that a cell may become; of a text also those of the JSON in it."""
    values = leaves(cell)
    if isinstance(cell, str):
        for text in (cell, f"[{cell}]"):
            try:
                values += leaves(json.loads(text))
            except ValueError:
                continue
    elif isinstance(cell, (dict, list)) and (left := without_null(cell)) is not None:
        yield json.dumps(left, ensure_ascii=False)
    for value in values:
        text = plain(value)
        if value is not None:
            yield from (text, text.strip())
        if re.fullmatch(r"\d+\.0", text):
            yield text[:-2]
        if text.strip().upper() in OPTIONS:
            yield text.strip().upper()
        for known in (TIMES, LOOKED_UP, _YES_AND_NO):
            if isinstance(value, (str, int)) and value in known:
                yield known[value]


OPTIONS = {
    option
    for name in FORMS
    for given in CATALOG.action(name).inputs.values()
    for option in given.schema.get("items", given.schema).get("enum", ())
}


def without_null(value: Any) -> Any:
    """Return a value without its nulls, and without the arrays and objects of which nothing is left."""
    if isinstance(value, dict):
        members = {name: without_null(member) for name, member in value.items()}
        return {name: m for name, m in members.items() if m is not None} or (None if value else value)
    if isinstance(value, list):
        items = [without_null(item) for item in value]
        return [item for item in items if item is not None] or (None if value else value)
    return value


def leaves(value: Any) -> list[Any]:
    """Return what is in a value: its scalars, its empty objects and arrays, and the names of its members."""
    if value and isinstance(value, dict):
        return [leaf for name, member in value.items() for leaf in (name, *leaves(member))]
    if value and isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def plain(value: Any) -> str:
    """Return a scalar as text, as a path or a query has it."""
    return value if isinstance(value, str) else json.dumps(value)


def sent_texts(request: Request) -> Iterator[Any]:
    """Yield everything of a request but the size of a page: of its path, its query, and its body."""
    yield from (unquote(segment) for segment in request.path.split("/")[1:])
    yield from (text for pair in request.query if pair[0] != "pageSize" for text in pair)
    if request.body:
        yield from leaves(json.loads(request.encoded[1]))


# What is sent


@cache
def prepared(action: str, form: tuple[tuple[str, str], ...]) -> Prepared:
    """Bind an action as the host does, in a table that has all columns of the form."""
    bound = prepare_form(CATALOG, Job(action=action), dict(form))
    return replace(bound, bindings=replace(bound.bindings, columns=lambda: columns_of(dict(form))))


def values_of(action: str, form: Form, row: Row) -> Row:
    """Return the values of a row. Raises RowError."""
    return prepared(action, tuple(form.items())).bindings.values(row)


def requests_of(action: str, form: Form, row: Row) -> tuple[list[Request], str]:
    """Return what a row sends to an API that answers as `answer` does, without look-ups, and its error."""
    ready, sent = prepared(action, tuple(form.items())), list[Request]()
    try:
        values = ready.bindings.values(row)
        require_change(ready.bindings, row, values)
        inputs = Inputs(ready.action, ready.service, values, Path())
        steps = find_handler(ready.action)(inputs)
        step = next(steps)
        while True:
            if isinstance(step, (Note, Page)):
                step = next(steps)
                continue
            if not step.cached:
                sent.append(step)
            step = steps.send(reply(json.loads(answer(step.method, step.path))))
    except StopIteration:
        return sent, ""
    except RowError as error:
        return sent, str(error)


_LISTS = {
    "/v2/organizations": "Willow",
    "/v2/roles": "Server",
    "/v2/policies": "Strict",
    "/v2/locations": "Main",
}


def answer(method: str, path: str) -> bytes:
    """Return what the API answers: names and ids, definitions of fields, new things, and empty lists."""
    if path == "/v2/custom-fields":
        definitions = [{"name": name, "type": kind} for name, kind in FIELDS.items()]
        return json.dumps({"results": definitions}).encode()
    if method != "GET":
        return b'{"id": 4009}'
    name = _LISTS.get(path)
    found = {"id": int(LOOKED_UP[name]), "name": name, "organizationId": 4001} if name else {}
    return json.dumps([found] if name else []).encode()
