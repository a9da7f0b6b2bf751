"""Ids for names: what an input gives by name is looked up once in a run.

These are generators, which handlers call with `yield from`. An id is never looked up, so that a row with only
ids costs no further request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.handlers import Inputs, Json, Note, Page, RowError, Steps, lookup, nearest, shorten, walk

_MOST_DIGITS = 19
_LARGEST_ID = 2**31 - 1
"""The vendor publishes each id that can be given by name as an int32."""
_SHOWN = 20
"""The number of choices that an error lists."""


def _own_name(item: Json) -> Iterable[Json]:
    return (item.get("name"),)


def _person_names(item: Json) -> Iterable[Json]:
    full = " ".join(part for part in (item.get("firstName"), item.get("lastName")) if part)
    return (full, item.get("email"))


def _status_names(item: Json) -> Iterable[Json]:
    return (item.get("displayName"), item.get("name"))


@dataclass(frozen=True)
class Kind:
    """A kind of things that can be given by name: where they are listed, and their names.

    `names` returns the names of an item, first the one that is shown; `key` is the member with its id.
    """

    noun: str
    path: str
    names: Callable[[Json], Iterable[Json]] = _own_name
    key: str = "id"
    pager: str = ""
    query: Mapping[str, Json] = field(default_factory=dict)


ORGANIZATION = Kind("organization", "/v2/organizations", pager="after")
ROLE = Kind("node role", "/v2/roles")
POLICY = Kind("policy", "/v2/policies")
# Not /v2/user/technicians: it requires a system administrator, and some instances lack it.
TECHNICIAN = Kind("technician", "/v2/users", _person_names, query={"userType": "TECHNICIAN"})
FORM = Kind("ticket form", "/v2/ticketing/ticket-form")
STATUS = Kind("ticket status", "/v2/ticketing/statuses", _status_names, "statusId")


def location_of(organization_id: Json) -> Kind:
    """Return the kind of the locations of one organization."""
    return Kind("location of this organization", f"/v2/organization/{organization_id}/locations")


def listing(inputs: Inputs, kind: Kind) -> Steps:
    """Return all items of a kind, from all pages. Raises RowError."""
    first = lookup(kind.path, **kind.query)
    if kind.pager:
        pages = walk(inputs.service.pagers[kind.pager], first)
    else:
        response = yield first
        items = response.json()
        if not isinstance(items, list):
            raise response.bad(f"GET {kind.path}: the response is not an array")
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


def id_of(inputs: Inputs, kind: Kind, wanted: Json, where: str) -> Steps:
    """Return the id that an input means: ids and None stay, a name is looked up.

    Raises RowError that lists the choices.
    """
    if wanted is None:
        return None
    if isinstance(wanted, int) or is_id(wanted):
        if int(wanted) > _LARGEST_ID:
            raise RowError(
                "input_invalid", f"{where}: {wanted} is too large for an id: the most is {_LARGEST_ID}"
            )
        return int(wanted)
    try:
        items = yield from listing(inputs, kind)
    except RowError as error:
        if error.status not in (403, 404):
            raise
        message = f'{where}: "{shorten(str(wanted))}" cannot be looked up, so give the id instead: {error}'
        raise RowError(
            error.code,
            message,
            status=error.status,
            request_id=error.request_id,
            attempts=error.attempts,
        ) from error
    return named(kind, items, wanted, where)[kind.key]


def is_id(text: str) -> bool:
    """Return whether a text is a number, and so an id, of at most the digits of a 64-bit integer."""
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def named(kind: Kind, items: Sequence[Json], wanted: str, where: str) -> Json:
    """Return the one item of that name. Raises RowError that lists the choices."""
    found = called(kind, items, wanted)
    if len(found) == 1:
        return found[0]
    wanted = shorten(wanted)
    if found:
        raise RowError(
            "input_invalid",
            f'{where}: "{wanted}" is the name of more than one {kind.noun}, so give the id: '
            f"{choices(kind, found)}",
        )
    near = nearest(wanted, [name for item in items for name in kind.names(item) if name])
    there = f"There are: {choices(kind, items)}" if items else "There are none"
    raise RowError("input_invalid", f'{where}: no {kind.noun} is called "{wanted}"{near}. {there}')


def called(kind: Kind, items: Sequence[Json], wanted: str) -> list[Json]:
    """Return the items of a name; if there is no exact match, case and word separators are ignored."""
    for form in (str, _loosely):
        found = [item for item in items if form(wanted) in [form(name) for name in kind.names(item) if name]]
        if found:
            return found
    return []


def choices(kind: Kind, items: Sequence[Json]) -> str:
    """Return the names of items, with ids that are numbers, for an error; of many the first ones."""
    listed = []
    for item in items[:_SHOWN]:
        name, number = next(iter(kind.names(item))), item.get(kind.key)
        listed.append(f"{name} ({number})" if isinstance(number, int) else str(name))
    return ", ".join(listed) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")


def _loosely(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", str(text).strip().casefold()))


def organization_and_location(inputs: Inputs) -> Steps:
    """Return the inputs with ids for `organization_id` and, if there is one, `location_id`."""
    organization = yield from id_of(inputs, ORGANIZATION, inputs.organization_id, "organization_id")
    inputs = inputs.with_values(organization_id=organization)
    if "location_id" in inputs:
        kind = location_of(organization)
        location = yield from id_of(inputs, kind, inputs.location_id, "location_id")
        inputs = inputs.with_values(location_id=location)
    return inputs


def policies(inputs: Inputs) -> Steps:
    """Return the input `policies` as a list of assignments by ids; a single assignment needs no list."""
    given = [inputs.policies] if isinstance(inputs.policies, dict) else inputs.policies or []
    assignments = []
    for number, assignment in enumerate(given):
        where = f"policies[{number}]"
        role = yield from id_of(inputs, ROLE, assignment["nodeRoleId"], f"{where}.nodeRoleId")
        policy = yield from id_of(inputs, POLICY, assignment["policyId"], f"{where}.policyId")
        assignments.append({**assignment, "nodeRoleId": role, "policyId": policy})
    return assignments


def ticket_fields(inputs: Inputs, organization_id: Json) -> Steps:
    """Return a ticket's inputs with ids for names and today's words for older ones."""
    values: dict[str, Json] = {}
    single = {
        "location_id": (location_of(organization_id), inputs.location_id),
        "assigned_technician_id": (TECHNICIAN, inputs.assigned_technician_id),
    }
    for name, (kind, wanted) in single.items():
        if name in inputs:
            # An input that accepts text may receive null as text.
            values[name] = yield from id_of(inputs, kind, None if wanted == "null" else wanted, name)
    if inputs.additional_assigned_technician_ids:
        name = "additional_assigned_technician_ids"
        found = []
        for wanted in inputs.additional_assigned_technician_ids:
            found.append((yield from id_of(inputs, TECHNICIAN, wanted, name)))
        values[name] = list(dict.fromkeys(found))
    if "status" in inputs:
        values["status"] = yield from _status(inputs)
    if inputs.priority is not None:
        values["priority"] = yield from _priority(inputs)
    return inputs.with_values(**values)


def _status(inputs: Inputs) -> Steps:
    """Return the id, as text, of the status; a word of older documents becomes the nearest status."""
    wanted = inputs.status
    if is_id(wanted):
        return wanted.strip()
    statuses = yield from listing(inputs, STATUS)
    nearest_today = inputs.service.words["ticket_status"].get(wanted.strip().upper())
    if nearest_today and not called(STATUS, statuses, wanted):
        found = named(STATUS, statuses, nearest_today, "status")
        yield Note(f"status: today's API has no {wanted}; the nearest is sent, {choices(STATUS, [found])}")
    else:
        found = named(STATUS, statuses, wanted, "status")
    return str(found["statusId"])


def _priority(inputs: Inputs) -> Steps:
    today = inputs.service.words["ticket_priority"].get(inputs.priority)
    if today:
        yield Note(f"priority: today's API has no {inputs.priority}; the nearest is sent, {today}")
    return today or inputs.priority
