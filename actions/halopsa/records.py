"""Reads and saves records of HaloPSA and their custom fields, and finds ids by name.

The functions are generators, which handlers call with `yield from`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connector.handlers import (
    Inputs,
    Json,
    Note,
    Request,
    Response,
    RowError,
    Steps,
    lookup,
    nearest,
    request,
    same_name,
    shorten,
)

_SHOWN = 20
"""The maximum number of choices in an error message."""


def read(path: str, number: int) -> Request:
    """Return the request that reads one record with its details; `path` is the path of the list endpoint."""
    return request("GET", path + "/{id}", {"id": number}, effect="read").with_query("includedetails", "true")


def record_of(response: Response) -> Json:
    """Return the record of a response, which some versions put into an array. Raises RowError."""
    answer = response.json()
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, dict):
        raise response.bad("the API did not respond with one record, so it is not known what was changed")
    return answer


def rows_of(response: Response) -> list[Json]:
    """Return the rows of an unpaged list, with or without an enclosing object. Raises RowError."""
    answer = response.json()
    total = None
    if isinstance(answer, dict):
        lists = [member for member in answer.values() if isinstance(member, list)]
        total, answer = answer.get("record_count"), lists[0] if len(lists) == 1 else None
    if not isinstance(answer, list):
        raise response.bad("the response has no list")
    if isinstance(total, int) and total > len(answer):
        raise response.bad(f"the response has {len(answer)} of {total} rows, so the list is not complete")
    return answer


def create(inputs: Inputs, **members: Json) -> Steps:
    """Send the declared request with custom fields and further members, and return the record."""
    if inputs.customfields:
        members["customfields"] = entries(inputs.customfields)
    return record_of((yield with_members(inputs.request(), members)))


def update(inputs: Inputs, path: str, number: int, **members: Json) -> Steps:
    """Send the declared request with further members, and return the record.

    With custom fields, the record is read first, because HaloPSA may empty those that are not sent.
    """
    if inputs.customfields:
        record = record_of((yield read(path, number)))
        members["customfields"] = yield from custom_fields(record, inputs.customfields)
    return record_of((yield with_members(inputs.request(), members)))


def with_members(sent: Request, members: Mapping[str, Json]) -> Request:
    """Return the request with further members in the only record of its body; None values are omitted."""
    (record,) = sent.body
    return replace(sent, body=[{**record, **{n: value for n, value in members.items() if value is not None}}])


def links(numbers: Sequence[int] | None) -> Json:
    """Return ids in the API's format, or None if no ids are given."""
    return None if numbers is None else [{"id": number} for number in numbers]


def entries(given: Mapping[str, Json]) -> list[Json]:
    """Return fields in the API's format; `given` has their values by name or id."""
    return [{**({"id": int(key)} if _is_id(key) else {"name": key}), "value": v} for key, v in given.items()]


def custom_fields(record: Json, given: Mapping[str, Json]) -> Steps:
    """Return all custom fields of a record, with the given values replaced. Raises RowError."""
    present = record.get("customfields") or []
    if not present:
        yield Note("customfields: sent as given, because the API returns no custom fields of this record")
        return entries(given)
    return merged(present, given, "customfields", "custom field")


def merged(present: Sequence[Json], given: Mapping[str, Json], where: str, noun: str) -> list[Json]:
    """Return all fields, with the given values replaced. Raises RowError for an unknown field."""
    values: dict[int, Json] = {}
    for key, value in given.items():
        number = field_called(present, key, where, noun)["id"]
        if number in values:
            raise RowError("input_invalid", f'{where}: "{shorten(key)}" appears twice, by name and by id')
        values[number] = value
    return [_with_value(field, values[field["id"]]) if field["id"] in values else field for field in present]


def _with_value(field: Json, value: Json) -> Json:
    """Return a field with another value, and without the display text of its previous value."""
    return {**{name: member for name, member in field.items() if name != "display"}, "value": value}


def field_called(fields: Sequence[Json], key: str, where: str, noun: str) -> Json:
    """Return the field with this id or name. Raises RowError that lists the choices."""
    by_id = [field for field in fields if _is_id(key) and field["id"] == int(key)]
    return by_id[0] if by_id else _named(fields, key, where, noun, ("name",))


def id_of(wanted: Json, path: str, where: str, noun: str, *names: str) -> Steps:
    """Return the id for an input that is an id or a name.

    A name is compared with the members `names` of the records at `path`, which are read once in a run. Raises
    RowError, with the choices, unless exactly one record has it.
    """
    if isinstance(wanted, int) or _is_id(wanted):
        return int(wanted)
    items = rows_of((yield lookup(path)))
    return _named(items, wanted, where, noun, names)["id"]


def _named(items: Sequence[Json], wanted: str, where: str, noun: str, names: Sequence[str]) -> Json:
    """Return the only item with a name; if none matches exactly, upper and lower case are ignored."""
    for form in (str.strip, same_name):
        found = [item for item in items if form(wanted) in {form(name) for name in _names(item, names)}]
        if len(found) == 1:
            return found[0]
    wanted = shorten(wanted)
    if found:
        choices = _choices(found, names)
        raise RowError("input_invalid", f'{where}: more than one {noun} is called "{wanted}": {choices}')
    known = [name for item in items for name in _names(item, names)]
    listed = f"There are: {_choices(items, names)}" if items else "There are none"
    raise RowError(
        "input_invalid", f'{where}: no {noun} is called "{wanted}"{nearest(wanted, known)}. {listed}'
    )


def _names(item: Json, names: Sequence[str]) -> Iterable[str]:
    return [item[name] for name in names if isinstance(item.get(name), str)]


def _choices(items: Sequence[Json], names: Sequence[str]) -> str:
    listed = [f"{next(iter(_names(item, names)), '')} ({item.get('id')})" for item in items[:_SHOWN]]
    return ", ".join(listed) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")


def _is_id(text: str) -> bool:
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) < 11
