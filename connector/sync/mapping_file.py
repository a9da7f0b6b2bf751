"""Read `mapping.yaml` into a `SyncMapping`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from connector.catalog.declaration import Section, load_declaration
from connector.common import strict_yaml
from connector.common.json_text import kind
from connector.errors import DeclarationError, RunError
from connector.sync.alert_events import AlertSettings
from connector.sync.mapping import (
    IGNORED,
    NEW,
    VERSION,
    AlertMapping,
    ClientMapping,
    ClientRow,
    DeviceMapping,
    FieldMapping,
    Limits,
    MatchMapping,
    Rule,
    SyncMapping,
    TicketMapping,
    UserMapping,
)
from connector.sync.templates import ALERT_NAMES, NAMES, MappingTemplate
from connector.sync.values import normalized

FIELD_TYPES = ("text", "number", "date")


def load_mapping(path: Path) -> SyncMapping:
    """Return the mapping in a file. Raises DeclarationError with file and line."""
    top = load_declaration(path)
    version = top.value("version", int)
    if version != VERSION:
        raise top.fault(
            f"version {version} of the mapping format is not supported; expected {VERSION}", "version"
        )
    limits = _limits(top)
    pace = _number(top, "pace_percent", 100, 1, 100)
    devices = _devices(top.section("devices")) if "devices" in top.data else None
    alerts = _alerts(top.section("alerts"), limits) if "alerts" in top.data else None
    mapping = SyncMapping(
        path=path,
        source=top.text("source"),
        target=top.text("target"),
        clients=_clients(top.section("clients")) if "clients" in top.data else ClientMapping(),
        devices=devices,
        alerts=alerts,
        limits=limits,
        pace_percent=pace,
        warnings=tuple(_used_twice(devices)) if devices else (),
    )
    top.finish()
    return mapping


def _clients(part: Section) -> ClientMapping:
    take: Any = part.text("take", "mapped")
    if take not in ("mapped", "all"):
        take = _condition(part, "take", ("organization",), "mapped, all or ")
    rows: dict[int, ClientRow] = {}
    for index, row in enumerate(part.each("map")):
        found = _client_row(row, index)
        if found.organization in rows:
            raise row.fault(f"the organization {found.organization} is mapped twice", "organization")
        rows[found.organization] = found
    mapping = ClientMapping(
        take=take,
        create=part.value("create", bool, False),
        top_level=_id(part, "top_level"),
        match=_one_of(part, "match", ("name", "off"), "name"),
        rows=rows,
        skip=tuple(_ids(part, "skip")),
    )
    for index, organization in enumerate(part.data.get("skip", ())):
        if organization in rows:
            raise part.fault(f"the organization {organization} is also mapped", "skip", index)
    part.finish()
    return mapping


def _client_row(part: Section, index: int) -> ClientRow:
    locations: dict[int, Any] = {}
    for key, value in part.value("locations", dict, {}).items():
        location = _key_number(part, "locations", key)
        if not (value == NEW or (type(value) is int and value > 0)):
            raise part.fault(f"a site's id or {NEW} is expected here", "locations", key)
        if location in locations:
            raise _twice(part, f"the location {location}", "locations", key, str(location))
        locations[location] = value
    row = ClientRow(
        organization=_required_id(part, "organization"),
        client=_id_or_new(part, "client"),
        default_user=_id(part, "default_user"),
        locations=locations,
        at=index,
    )
    part.finish()
    return row


def _devices(part: Section) -> DeviceMapping:
    fields = tuple(_fields(part))
    mapping = DeviceMapping(
        type=_template(part, "type") if "type" in part.data else MappingTemplate("{{ device.nodeClass }}"),
        take=_condition(part, "take") if "take" in part.data else None,
        default_site=_id(part, "default_site"),
        types=_texts(part, "types"),
        create_types=part.value("create_types", bool, False),
        type_group=_id(part, "type_group"),
        type_when=_one_of(part, "type_when", ("new", "always"), "new"),
        match=_match(part, fields),
        fields=fields,
        create_fields=_texts(part, "create_fields", FIELD_TYPES),
        user=_user(part),
        warranty=part.value("warranty", bool, False),
        software=part.value("software", bool, False),
        link=_optional_template(part, "link"),
        missing=_one_of(part, "missing", ("report", "deactivate"), "report"),
        moved=_one_of(part, "moved", ("report", "follow"), "report"),
    )
    part.text("type", "")
    if mapping.create_types and mapping.type_group is None:
        raise part.fault("asset types are created in a group: add type_group", "create_types")
    part.finish()
    return mapping


def _fields(part: Section) -> Iterator[FieldMapping]:
    seen: set[int | str] = set()
    for name, value in part.value("fields", dict, {}).items():
        key = int(name) if isinstance(name, str) and name.isascii() and name.isdecimal() else name
        if not isinstance(key, (int, str)) or isinstance(key, bool) or key in ("", 0):
            raise part.fault("expected the number or name of an asset field", "fields", name)
        if key in seen:
            raise _twice(part, f"the field {key}", "fields", name, str(key))
        seen.add(key)
        yield _field(part, name, key, value)


def _field(part: Section, name: Any, key: int | str, value: Any) -> FieldMapping:
    if isinstance(value, str):
        return FieldMapping(key, _compiled(part, value, NAMES, "fields", name))
    if not isinstance(value, dict):
        raise part.fault(f"a template is expected here, not {kind(value)}", "fields", name)
    inner = Section(value, part.path, (*part.at, "fields", name))
    may_clear = _one_of(inner, "empty", ("send", "skip"), "skip") == "send"
    when = _one_of(inner, "when", ("always", "new", "empty"), "always")
    template = _compiled(inner, inner.text("value"), NAMES, "value", may_clear=may_clear)
    inner.finish()
    return FieldMapping(key, template, when)


def _match(part: Section, fields: Sequence[FieldMapping]) -> MatchMapping:
    if "match" not in part.data:
        part.value("match", dict, {})
        return MatchMapping(ignore=frozenset(map(normalized, IGNORED)))
    inner = part.section("match")
    key = inner.value("field", (int, str), None)
    if isinstance(key, str) and key.isascii() and key.isdecimal():
        key = int(key)
    if key is not None and key not in {field.key for field in fields}:
        raise inner.fault(f"the field {key} is not in devices.fields, so it has no value to match", "field")
    ignored = inner.value("ignore", list, [])
    for index, value in enumerate(ignored):
        if not isinstance(value, (str, int, float, type(None))):
            raise inner.fault(f"text is expected here, not {kind(value)}", "ignore", index)
    match = MatchMapping(
        field=key,
        by_name=inner.value("by_name", bool, False),
        ignore=frozenset(normalized(value) for value in (*IGNORED, *ignored)),
    )
    inner.finish()
    return match


def _user(part: Section) -> UserMapping | None:
    if "user" not in part.data:
        part.value("user", dict, {})
        return None
    inner = part.section("user")
    template, match = _template(inner, "value"), inner.texts("match")
    user = UserMapping(template, match) if match else UserMapping(template)
    inner.finish()
    return user


def _used_twice(devices: DeviceMapping) -> Iterator[str]:
    """Yield a warning for each device property that more than one field reads."""
    users: dict[str, list[str]] = {}
    for found in devices.fields:
        for path in found.template.paths:
            users.setdefault(path, []).append(str(found.key))
    for path, keys in sorted(users.items()):
        if len(keys) > 1:
            yield f"{len(keys)} fields have the value of {path}: {', '.join(keys)}"


def _alerts(part: Section, limits: Limits) -> AlertMapping:
    by = part.texts("by") if "by" in part.data else ("webhook", "poll")
    if not set(by) <= {"webhook", "poll"} or "poll" not in by:
        raise part.fault("[webhook, poll] or [poll] is expected here", "by")
    ticket = _ticket(part.section("ticket"))
    if ticket.type is None or ticket.summary is None:
        raise part.fault("a ticket needs a type and a summary", "ticket")
    reopen = part.value("reopen_status", (int, str), "New")
    settings = AlertSettings(
        on_reset=_one_of(part, "on_reset", ("close", "close_untouched", "note"), "close"),
        on_close=_one_of(part, "on_close", ("reset", "leave"), "reset"),
        repeat=_one_of(part, "repeat", ("note", "nothing"), "note"),
        wait_s=_number(part, "wait_s", 0, 0, 86_400),
        flap_s=60.0 * _number(part, "flap_min", 15, 0, 1440),
        tickets_per_hour=limits.tickets_per_hour,
        can_reopen=reopen != "none",
    )
    alerts = AlertMapping(
        ticket=ticket,
        settings=settings,
        by=by,
        rules=tuple(map(_rule, part.each("rules"))),
        default_user=_id(part, "default_user"),
        closed_status=part.value("closed_status", (int, str), "Closed"),
        reopen_status=None if reopen == "none" else reopen,
        note_outcome=_id(part, "note_outcome"),
        stamp=_custom_field(part, "stamp"),
        activity_type_to=_activity_type_to(part),
        first_run=_one_of(part, "first_run", ("adopt", "ticket"), "adopt"),
        unmapped=_one_of(part, "unmapped", ("default_user", "none"), "default_user"),
    )
    part.finish()
    return alerts


def _ticket(part: Section) -> TicketMapping:
    ticket = TicketMapping(
        type=_id(part, "type"),
        summary=_optional_template(part, "summary", ALERT_NAMES),
        details=_optional_template(part, "details", ALERT_NAMES),
        priority=_id(part, "priority"),
        source=_id(part, "source"),
    )
    part.finish()
    return ticket


def _rule(part: Section) -> Rule:
    ticket = part.value("ticket", (dict, str))
    if isinstance(ticket, str) and ticket != "none":
        raise part.fault("none or a mapping is expected here", "ticket")
    found = None if isinstance(ticket, str) else _ticket(part.section("ticket"))
    rule = Rule(_condition(part, "if", ALERT_NAMES), found)
    part.finish()
    return rule


def _custom_field(part: Section, key: str) -> str | None:
    name: str | None = part.text(key, None)
    if name is not None and not name.startswith("CF"):
        raise part.fault(f'"{name}" is not the name of a custom field, which starts with CF', key)
    return name


def _activity_type_to(part: Section) -> str | None:
    name: str | None = part.text("activity_type_to", None)
    if name is not None and not name.startswith("CF") and name not in [f"category_{n}" for n in range(1, 5)]:
        raise part.fault("category_1 to category_4, or a custom field, is expected here", "activity_type_to")
    return name


def _limits(top: Section) -> Limits:
    if "limits" not in top.data:
        top.value("limits", dict, {})
        return Limits()
    part = top.section("limits")
    limits = Limits(
        creates=_number(part, "creates", 200, 0, 10**9),
        updates_percent=_number(part, "updates_percent", 30, 0, 100),
        tickets_per_hour=_number(part, "tickets_per_hour", 50, 1, 10**6),
        reads=_number(part, "reads", 500, 0, 10**9),
    )
    part.finish()
    return limits


def _template(part: Section, key: str, names: Sequence[str] = NAMES) -> MappingTemplate:
    return _compiled(part, part.text(key), names, key)


def _condition(part: Section, key: str, names: Sequence[str] = NAMES, others: str = "") -> MappingTemplate:
    """Return a template that is true or false; `others` are the other values that the key can have."""
    template = _template(part, key, names)
    if not template.can_hold:
        raise part.fault(f"{others}a template that is true or false is expected here, in {{{{ }}}}", key)
    return template


def _optional_template(part: Section, key: str, names: Sequence[str] = NAMES) -> MappingTemplate | None:
    text = part.text(key, None)
    return None if text is None else _compiled(part, text, names, key)


def _compiled(
    part: Section, source: str, names: Sequence[str], *keys: str | int, may_clear: bool = False
) -> MappingTemplate:
    try:
        return MappingTemplate(source, names, may_clear=may_clear)
    except DeclarationError:
        raise
    except RunError as error:
        raise part.fault(str(error), *keys) from error


def _one_of(part: Section, key: str, allowed: tuple[str, ...], default: str) -> Any:
    # YAML reads the words off and on as booleans.
    value = part.value(key, (str, bool), default)
    name = {False: "off", True: "on"}[value] if isinstance(value, bool) else value
    if name not in allowed:
        raise part.fault(f'"{name}" is not one of {", ".join(allowed)}', key)
    return name


def _number(part: Section, key: str, default: int, least: int, most: int) -> Any:
    value = part.value(key, int, default)
    if not least <= value <= most:
        raise part.fault(f"a number from {least:,} to {most:,} is expected here", key)
    return value


def _id(part: Section, key: str) -> int | None:
    value: int | None = part.value(key, int, None)
    if value is not None and value < 1:
        raise part.fault("an id is expected here: an integer of at least 1", key)
    return value


def _required_id(part: Section, key: str) -> int:
    part.value(key, int)
    return _id(part, key) or 0


def _id_or_new(part: Section, key: str) -> Any:
    value = part.value(key, (int, str))
    if isinstance(value, str) and value != NEW:
        raise part.fault(f"an id or {NEW} is expected here", key)
    return NEW if value == NEW else _id(part, key)


def _ids(part: Section, key: str) -> list[int]:
    values: list[int] = part.value(key, list, [])
    for index, value in enumerate(values):
        if type(value) is not int or value < 1:
            raise part.fault("an id is expected here: an integer of at least 1", key, index)
    return values


def _key_number(part: Section, key: str, name: Any) -> int:
    text = str(name)
    if isinstance(name, bool) or not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise part.fault(f"the id of a location is expected, not {kind(name)}", key, name)
    return int(text)


def _texts(part: Section, key: str, allowed: Sequence[str] = ()) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in part.value(key, dict, {}).items():
        if not isinstance(value, str):
            raise part.fault(f"text is expected here, not {kind(value)}", key, name)
        if allowed and value not in allowed:
            raise part.fault(f'"{value}" is not one of {", ".join(allowed)}', key, name)
        if str(name) in found:
            raise _twice(part, f"the name {name}", key, name, name)
        found[str(name)] = value
    return found


def _twice(part: Section, what: str, key: str, name: Any, other: Any) -> DeclarationError:
    """Return the error of a name that is also spelled `other`, such as 117 and "117", with both lines."""
    own, *more = strict_yaml.lines_of(part.path, (*part.at, key, name))
    lines = [*more, *strict_yaml.lines_of(part.path, (*part.at, key, other))]
    also = next((f" (also in line {line})" for line in lines if line != own), "")
    return part.fault(f"{what} is mapped twice{also}", key, name)
