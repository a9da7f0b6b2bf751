"""Looks up the ids of records that an input gives by name; each list is requested once per run.

The functions are generators, which handlers call with `yield from`. Ids are not looked up, so a row with only
ids needs no additional request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.handlers import (
    Inputs,
    Json,
    Note,
    Page,
    RowError,
    Steps,
    lookup,
    nearest,
    quote_value,
    shorten,
    walk,
)

_MOST_DIGITS = 19
_LARGEST_ID = 2**31 - 1
"""The largest id; the API document declares ids as int32."""
_SHOWN = 20
"""The maximum number of choices in an error message."""


def _own_name(item: Json) -> Iterable[Json]:
    return (item.get("name"),)


def _person_names(item: Json) -> Iterable[Json]:
    full = " ".join(part for part in (item.get("firstName"), item.get("lastName")) if part)
    return (full, item.get("email"))


def _status_names(item: Json) -> Iterable[Json]:
    return (item.get("displayName"), item.get("name"))


@dataclass(frozen=True)
class Kind:
    """A kind of record that can be given by name: the path of its list, and how its names are read.

    `names` returns the names of an item, the one to display first; `key` is the member with the item's id;
    `template` is the path with its placeholders if `path` already contains values of the row.
    """

    noun: str
    path: str
    names: Callable[[Json], Iterable[Json]] = _own_name
    key: str = "id"
    pager: str = ""
    query: Mapping[str, Json] = field(default_factory=dict)
    template: str = ""


ORGANIZATION = Kind("organization", "/v2/organizations", pager="after")
ROLE = Kind("node role", "/v2/roles")
POLICY = Kind("policy", "/v2/policies")
# Not /v2/user/technicians: it requires a system administrator, and some instances lack it.
TECHNICIAN = Kind("technician", "/v2/users", _person_names, query={"userType": "TECHNICIAN"})
FORM = Kind("ticket form", "/v2/ticketing/ticket-form")
STATUS = Kind("ticket status", "/v2/ticketing/statuses", _status_names, "statusId")


def location_of(organization_id: Json) -> Kind:
    """Return the `Kind` for the locations of one organization."""
    template = "/v2/organization/{id}/locations"
    path = template.replace("{id}", str(organization_id))
    return Kind("location of this organization", path, template=template)


def listing(inputs: Inputs, kind: Kind) -> Steps:
    """Return all items of a kind, from all pages, requested once per run. Raises RowError."""
    first = replace(lookup(kind.path, **kind.query), template=kind.template)
    if kind.pager:
        pages = walk(inputs.service.pagers[kind.pager], first)
    else:
        response = yield first
        items = response.json()
        if not isinstance(items, list):
            raise response.bad(f"{first}: the response is not an array")
        return items
    found: list[Json] = []
    try:
        step = next(pages)
        while True:
            if isinstance(step, Page):
                found += step.items
                step = next(pages)
            else:
                step = pages.send((yield step))
    except StopIteration:
        return found


def id_of(inputs: Inputs, kind: Kind, value: Json, where: str) -> Steps:
    """Return the id for an input's value: an id or None unchanged, a name looked up.

    Raises RowError with the existing names.
    """
    if value is None:
        return None
    if isinstance(value, int) or is_id(value):
        if int(value) > _LARGEST_ID:
            raise RowError(
                "input_invalid",
                f"{where}: {quote_value(str(value))} is too large for an id; the maximum is {_LARGEST_ID}",
            )
        return int(value)
    try:
        items = yield from listing(inputs, kind)
    except RowError as error:
        if error.status not in (403, 404):
            raise
        message = f"{where}: {quote_value(str(value))} cannot be looked up; use the id instead: {error}"
        raise RowError(
            error.code,
            message,
            status=error.status,
            request_id=error.request_id,
            attempts=error.attempts,
        ) from error
    return named(kind, items, value, where)[kind.key]


def is_id(text: str) -> bool:
    """Return whether a text is an id: a number with no more digits than a 64-bit integer."""
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def named(kind: Kind, items: Sequence[Json], value: str, where: str) -> Json:
    """Return the only item with a name. Raises RowError with the existing names."""
    found = called(kind, items, value)
    if len(found) == 1:
        return found[0]
    quoted = quote_value(value)
    if found:
        raise RowError(
            "input_invalid",
            f"{where}: {quoted} is the name of more than one {kind.noun}; use the id: {choices(kind, found)}",
        )
    near = nearest(shorten(value), [name for item in items for name in kind.names(item) if name])
    there = f"Existing: {choices(kind, items)}" if items else "None exist"
    raise RowError("input_invalid", f"{where}: no {kind.noun} is named {quoted}{near}. {there}")


def called(kind: Kind, items: Sequence[Json], value: str) -> list[Json]:
    """Return the items with a name; if none matches exactly, case and word separators are ignored."""
    for form in (str, _loosely):
        found = [item for item in items if form(value) in [form(name) for name in kind.names(item) if name]]
        if found:
            return found
    return []


def choices(kind: Kind, items: Sequence[Json]) -> str:
    """Return the names of items for a message, with numeric ids; only the first ones if there are many."""
    listed = []
    for item in items[:_SHOWN]:
        name, number = next(iter(kind.names(item))), item.get(kind.key)
        listed.append(f"{name} ({number})" if isinstance(number, int) else str(name))
    return ", ".join(listed) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")


def _loosely(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", str(text).strip().casefold()))


def organization_and_location(inputs: Inputs) -> Steps:
    """Return the inputs, with ids in place of names in `organization_id` and `location_id`."""
    organization = yield from id_of(inputs, ORGANIZATION, inputs.organization_id, "organization_id")
    inputs = inputs.with_values(organization_id=organization)
    if "location_id" in inputs:
        kind = location_of(organization)
        location = yield from id_of(inputs, kind, inputs.location_id, "location_id")
        inputs = inputs.with_values(location_id=location)
    return inputs


def policies(inputs: Inputs) -> Steps:
    """Return the input `policies`, one assignment or a list of them, as a list of assignments by id."""
    given = [inputs.policies] if isinstance(inputs.policies, dict) else inputs.policies or []
    assignments = []
    for number, assignment in enumerate(given):
        where = f"policies[{number}]"
        role = yield from id_of(inputs, ROLE, assignment["nodeRoleId"], f"{where}.nodeRoleId")
        policy = yield from id_of(inputs, POLICY, assignment["policyId"], f"{where}.policyId")
        assignments.append({**assignment, "nodeRoleId": role, "policyId": policy})
    return assignments


def ticket_fields(inputs: Inputs, organization_id: Json) -> Steps:
    """Return a ticket's inputs, with ids in place of names, and without values of older API versions."""
    values: dict[str, Json] = {}
    single = {
        "location_id": (location_of(organization_id), inputs.location_id),
        "assigned_technician_id": (TECHNICIAN, inputs.assigned_technician_id),
    }
    for name, (kind, value) in single.items():
        if name in inputs:
            # An input that accepts text may have received null as text.
            values[name] = yield from id_of(inputs, kind, None if value == "null" else value, name)
    if inputs.additional_assigned_technician_ids:
        name = "additional_assigned_technician_ids"
        found = []
        for value in inputs.additional_assigned_technician_ids:
            found.append((yield from id_of(inputs, TECHNICIAN, value, name)))
        values[name] = list(dict.fromkeys(found))
    if "status" in inputs:
        values["status"] = yield from _status(inputs)
    if inputs.priority is not None:
        values["priority"] = yield from _priority(inputs)
    return inputs.with_values(**values)


def _status(inputs: Inputs) -> Steps:
    """Return the status's id as text; a value from older versions of the API becomes the closest status."""
    value = inputs.status
    if is_id(value):
        return value.strip()
    statuses = yield from listing(inputs, STATUS)
    nearest_today = inputs.service.words["ticket_status"].get(value.strip().upper())
    if nearest_today and not called(STATUS, statuses, value):
        found = named(STATUS, statuses, nearest_today, "status")
        yield Note(
            f"status: the current API has no {value}; sent the closest one, {choices(STATUS, [found])}"
        )
    else:
        found = named(STATUS, statuses, value, "status")
    return str(found["statusId"])


def _priority(inputs: Inputs) -> Steps:
    today = inputs.service.words["ticket_priority"].get(inputs.priority)
    if today:
        yield Note(f"priority: the current API has no {inputs.priority}; sent the closest one, {today}")
    return today or inputs.priority
