"""Plan the client of each organization and the site of each location: link, create, skip, or conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connector.errors import RowError
from connector.sync.mapping import NEW, ClientMapping
from connector.sync.matching import Match, Named, name_counts
from connector.sync.pins import Pins
from connector.sync.plan_items import UNCHANGED, Change, Counts, Entity, Item
from connector.sync.records import Client, Location, Organization, Site
from connector.sync.spool import Spool
from connector.sync.state import Link
from connector.templating.scope import Scope

Ref = int | dict[str, int]
"""The id of a target record; for a record that the plan creates, its source record as {entity: id}."""


@dataclass(frozen=True, slots=True)
class Place:
    """The client and site of a device's asset; `site` None is the client's main site.

    `is_own_site` is true if the device's location is mapped to the site. `is_default` is true if the device's
    organization has no client, so that the mapping's default site is used.
    """

    client: Ref
    site: Ref | None = None
    is_own_site: bool = False
    is_default: bool = False

    @property
    def client_id(self) -> int | None:
        """The client's id; None if the plan creates the client."""
        return self.client if isinstance(self.client, int) else None


class ClientPlan:
    """Plans clients and sites, and determines the client and site of each device's asset."""

    def __init__(self, mapping: ClientMapping, pins: Pins, spool: Spool, counts: Counts) -> None:
        self._mapping, self._pins, self._spool, self._counts = mapping, pins, spool, counts
        self.organizations: dict[int, Organization] = {}
        self.locations: dict[int, Location] = {}
        self._clients: dict[int, Ref] = {}
        self._sites: dict[int, Ref] = {}
        self._skipped: dict[int, str] = {}

    def plan_clients(
        self, organizations: Iterable[Organization], clients: Mapping[int, Client], links: Mapping[int, Link]
    ) -> None:
        """Add every organization to the plan: linked, created, skipped, or a conflict."""
        self.organizations = {found.id: found for found in organizations}
        self.main_sites = {client.id: client.main_site for client in clients.values()}
        taken = {id: reason for id in self.organizations if (reason := self._reason_to_skip(id)) != ""}
        named = Named(
            "client",
            clients,
            _owners(clients.values(), links.values(), self._pins.organization, self._rows()),
            name_counts(o.name for o in self.organizations.values()),
        )
        for id, organization in sorted(self.organizations.items()):
            if id in taken:
                self._skip("client", id, organization.name, taken[id])
                self._skipped[id] = taken[id]
                continue
            self._client(organization, named, links.get(id))

    def _rows(self) -> dict[int, int]:
        rows = self._mapping.rows.values()
        return {row.organization: row.client for row in rows if isinstance(row.client, int)}

    def _reason_to_skip(self, id: int) -> str:
        mapping = self._mapping
        if id in mapping.skip:
            return "the organization is listed in clients.skip"
        if id in mapping.rows or id in self._pins.organization or mapping.take == "all":
            return ""
        if mapping.take == "mapped":
            return "the organization is not mapped"
        organization = self.organizations[id]
        try:
            row = {"organization": {**organization.data, "id": id, "name": organization.name}}
            return "" if mapping.take.holds(Scope(row)) else "clients.take is false"
        except RowError as error:
            return f"clients.take: {error}"

    def _client(self, organization: Organization, named: Named, link: Link | None) -> None:
        id, row = organization.id, self._mapping.rows.get(organization.id)
        match = named.match(
            id,
            organization.name,
            self._pins.organization.get(id),
            row.client if row and isinstance(row.client, int) else None,
            link.target if link else None,
            by_name=self._mapping.match == "name",
        )
        may_create = self._mapping.create or (row is not None and row.client == NEW)
        name = organization.name
        if match.target is not None:
            self._clients[id] = match.target
            self._found("client", id, name, match, link, named.records[match.target].stamp)
        elif match.is_conflict:
            self._skipped[id] = match.reason
            self._conflict("client", id, name, match, named)
        elif may_create:
            self._clients[id] = {"organization": id}
            top = self._mapping.top_level
            changes = [Change("name", None, name), Change("stamp", None, id)]
            changes += [Change("top_level", None, top)] if top is not None else []
            self._add(Item("create", "client", id, method="new", changes=tuple(changes), name=name))
        else:
            self._skipped[id] = "no client has the organization's name, and clients.create is off"
            self._skip("client", id, name, self._skipped[id])

    def plan_sites(
        self, locations: Iterable[Location], sites: Iterable[Site], links: Mapping[int, Link]
    ) -> None:
        """Add every location to the plan: linked, created, skipped, or a conflict."""
        self.locations = {found.id: found for found in locations}
        by_client: dict[int, dict[int, Site]] = {}
        self.site_clients: dict[int, int] = {}
        for site in sites:
            by_client.setdefault(site.client, {})[site.id] = site
            self.site_clients[site.id] = site.client
        groups: dict[str, list[Location]] = {}
        for location in self.locations.values():
            groups.setdefault(str(self._clients.get(location.organization)), []).append(location)
        rows = {at: to for row in self._mapping.rows.values() for at, to in row.locations.items()}
        fixed = {at: to for at, to in rows.items() if isinstance(to, int)}
        for members in groups.values():
            client = self._clients.get(members[0].organization)
            known = by_client.get(client, {}) if isinstance(client, int) else {}
            mine = {location.id for location in members}
            own_links = [link for id, link in links.items() if id in mine]
            named = Named(
                "site",
                known,
                _owners(known.values(), own_links, self._pins.location, fixed),
                name_counts(location.name for location in members),
            )
            for location in sorted(members, key=lambda found: found.id):
                self._site(location, client, named, rows.get(location.id), links.get(location.id))

    def _site(
        self, location: Location, client: Ref | None, named: Named, row: int | str | None, link: Link | None
    ) -> None:
        id, name = location.id, location.name
        if client is None:
            reason = self._skipped.get(location.organization, "the organization does not exist")
            self._skip("site", id, name, f"organization {location.organization}: {reason}")
            return
        match = named.match(
            id,
            name,
            self._pins.location.get(id),
            row if isinstance(row, int) else None,
            link.target if link else None,
            by_name=self._mapping.match == "name",
        )
        if match.target is not None:
            self._sites[id] = match.target
            self._found("site", id, name, match, link, named.records[match.target].stamp)
        elif match.is_conflict:
            self._conflict("site", id, name, match, named)
        elif self._mapping.create or row == NEW:
            self._sites[id] = {"location": id}
            changes = (Change("name", None, name), Change("client", None, client), Change("stamp", None, id))
            self._add(Item("create", "site", id, method="new", changes=changes, name=name))
        else:
            self._skip(
                "site", id, name, "no site has the location's name: its devices are assigned to the main site"
            )

    def place(self, organization: int, location: int | None, default_site: int | None) -> Place | str:
        """Return the client and site of a device's asset, or the reason for which there are none."""
        client = self._clients.get(organization)
        if client is None:
            if default_site is not None and default_site in self.site_clients:
                return Place(self.site_clients[default_site], default_site, is_default=True)
            reason = self._skipped.get(organization, "the organization does not exist")
            return f"organization {organization}: {reason}"
        known = self.locations.get(location or 0)
        # A device that moves while the lists are read can have a location of another organization.
        if location in self._sites and known is not None and known.organization == organization:
            return Place(client, self._sites[location], is_own_site=True)
        return Place(client, self.main_sites.get(client) if isinstance(client, int) else None)

    def _found(
        self, entity: Entity, id: int, name: str, match: Match, link: Link | None, stamp: int | None
    ) -> None:
        if link is not None and link.target == match.target:
            self._counts.add(entity, UNCHANGED)
            return
        changes = (Change("stamp", None, id),) if stamp is None else ()
        old = link.target if link else None
        reason = f"previously linked to {old}" if old is not None else ""
        self._add(Item("link", entity, id, match.target, match.method, changes, reason=reason, name=name))

    def _skip(self, entity: Entity, id: int, name: str, reason: str) -> None:
        self._add(Item("skip", entity, id, reason=reason, name=name))

    def _conflict(self, entity: Entity, id: int, name: str, match: Match, named: Named) -> None:
        candidates, names = match.candidates, named.names_of(match.candidates)
        item = Item("conflict", entity, id, None, match.method, (), candidates, match.reason, name)
        self._add(replace(item, candidate_names=names, unfit=match.unfit))

    def _add(self, item: Item) -> None:
        self._counts.add(item.entity, item.op)
        self._spool.add_item(item)


def _owners(
    records: Iterable[Client | Site],
    links: Iterable[Link],
    pins: Mapping[int, int],
    rows: Mapping[int, int],
) -> dict[int, int]:
    """Return ids of target records mapped to the ids of the source records that own them."""
    owners = {record.id: record.stamp for record in records if record.stamp is not None}
    owners |= {link.target: link.source for link in links if link.target is not None}
    return owners | {to: id for id, to in rows.items()} | {to: id for id, to in pins.items()}
