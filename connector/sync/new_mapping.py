"""Generate a first mapping file from the target's built-in integration and from equal names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.common.same_name import same_name
from connector.sync.matching import name_counts
from connector.sync.records import Client, Location, Organization, Site


@dataclass
class NewMapping:
    """The text of a new mapping file, and the number of organizations that are mapped, suggested and open."""

    text: str = ""
    taken: int = 0
    suggested: int = 0
    open: int = 0


@dataclass(frozen=True)
class Found:
    """The records of both services. `takeover` has the settings of the target's built-in integration."""

    source: str
    target: str
    organizations: Sequence[Organization]
    locations: Sequence[Location]
    clients: Sequence[Client]
    sites: Sequence[Site]
    takeover: Mapping[str, Any] = field(default_factory=dict)


def new_mapping(found: Found) -> NewMapping:
    """Return a new mapping file in which each organization is mapped, suggested, or left open."""
    made = NewMapping()
    rows = list(_rows(found, made))
    top_level = found.takeover.get("top_level")
    lines = [
        "version: 1",
        f"source: {json.dumps(found.source)}",
        f"target: {json.dumps(found.target)}",
        "clients:",
        "  take: mapped                # mapped, all, or a template over organization",
        "  create: false               # true: create clients and sites for unmatched records",
        *([f"  top_level: {top_level}"] if top_level else []),
        "  map:" if any(not row.lstrip().startswith("#") for row in rows) else "  map: []",
        *rows,
        *_devices(found.takeover),
        *_alerts(found.takeover),
        "limits: {creates: 200, updates_percent: 30}",
    ]
    made.text = "\n".join(lines) + "\n"
    return made


def _rows(found: Found, made: NewMapping) -> Iterator[str]:
    """Yield a line of `clients.map` for each organization."""
    taken: dict[int, dict[int, dict[int, int]]] = {}
    for organization, client, location, site in found.takeover.get("sites", ()):
        taken.setdefault(organization, {}).setdefault(client, {})[location] = site
    clients = {client.id: client for client in found.clients if client.is_active}
    by_name: dict[str, list[int]] = {}
    for client in clients.values():
        by_name.setdefault(same_name(client.name), []).append(client.id)
    names = name_counts(organization.name for organization in found.organizations)
    locations = {location.id for location in found.locations}
    for organization in sorted(found.organizations, key=lambda o: o.id):
        name = json.dumps(organization.name, ensure_ascii=False)
        own = taken.get(organization.id, {})
        named = by_name.get(same_name(organization.name), [])
        if len(own) == 1 and next(iter(own)) in clients:
            ((id, places),) = own.items()
            sites = {at: to for at, to in places.items() if at in locations}
            made.taken += 1
            yield _row(organization.id, id, sites, f"{name}: from the built-in integration")
        elif len(named) == 1 and names[same_name(organization.name)] == 1:
            made.suggested += 1
            sites = dict(_sites_of(found, organization.id, named[0]))
            yield _row(organization.id, named[0], sites, f"{name}: suggested, no other client has this name")
        else:
            made.open += 1
            why = "no client has this name" if not named else f"{len(named)} clients have this name"
            yield f"    # - {{organization: {organization.id}, client: }}  # {name}: {why}"


def _row(organization: int, client: int, sites: Mapping[int, int], comment: str) -> str:
    places = ", ".join(f"{at}: {to}" for at, to in sorted(sites.items()))
    more = f", locations: {{{places}}}" if places else ""
    return f"    - {{organization: {organization}, client: {client}{more}}}  # {comment}"


def _sites_of(found: Found, organization: int, client: int) -> Iterator[tuple[int, int]]:
    """Yield pairs (location id, site id) of the locations and sites with equal, unambiguous names."""
    sites: dict[str, list[int]] = {}
    for site in found.sites:
        if site.client == client and site.is_active:
            sites.setdefault(same_name(site.name), []).append(site.id)
    own = [location for location in found.locations if location.organization == organization]
    names = name_counts(location.name for location in own)
    for location in own:
        named = sites.get(same_name(location.name), [])
        if len(named) == 1 and names[same_name(location.name)] == 1:
            yield location.id, named[0]


def _devices(takeover: Mapping[str, Any]) -> Iterable[str]:
    yield "devices:"
    yield f"  type: {json.dumps(takeover.get('type', '{{ device.nodeClass }}'))}"
    for name in ("default_site", "type_group"):
        if takeover.get(name):
            yield f"  {name}: {takeover[name]}"
    if takeover.get("type_group"):
        yield "  create_types: true"
    fields: Mapping[str, Mapping[str, str]] = takeover.get("fields", {})
    key = next((key for key, value in fields.items() if "serialNumber" in value["value"]), None)
    if key:
        by_name = json.dumps(bool(takeover.get("by_name")))
        yield f"  match: {{field: {_key(key)}, by_name: {by_name}}}"
    if fields:
        yield "  fields:"
        for name, value in fields.items():
            template, when = json.dumps(value["value"]), value["when"]
            shown = template if when == "always" else f"{{value: {template}, when: {when}}}"
            yield f"    {_key(name)}: {shown}"
    else:
        yield "  # match: {field: 117}      # the asset field by which the asset of a new device is found"
        yield "  # fields:                  # number: asset field; CF...: custom field"
        yield '  #   117: "{{ device.system.serialNumber }}"'


def _alerts(takeover: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines of `alerts`, if the target's built-in integration creates tickets for alerts."""
    if not takeover.get("ticket_type"):
        return
    summary, details = "{{ alert.subject or alert.message }}", "{{ alert.message }}"
    texts = f"summary: {json.dumps(summary)}, details: {json.dumps(details)}"
    yield "alerts:"
    yield f"  ticket: {{type: {takeover['ticket_type']}, {texts}}}"
    if takeover.get("ticket_user"):
        yield f"  default_user: {takeover['ticket_user']}"


def _key(key: str) -> str:
    return key if key.isdecimal() else json.dumps(key)
