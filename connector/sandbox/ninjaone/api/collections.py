"""Collections of items to create, list, read, change, delete and archive, declared in a few lines each.

    CONTACTS = Collection("contact", "Contact")
    CONTACTS.serve(create="createContact", list="getContacts", get="getContactById", delete="deleteContact")

The API document says whether an operation applies to one item or to many, in its path or its body, and what
it returns. A `Collection` stores items of one resource in `State.store`; the first ones are generated. A new
item gets an unused id, the members of the request, and the members that the vendor adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connector.sandbox.endpoints import path_argument
from connector.sandbox.errors import HttpError
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.fallback import check_owners, in_path
from connector.sandbox.ninjaone.api.operations import OpenApiFacts, endpoint_of, operations
from connector.sandbox.ninjaone.data.generated import make, members
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, not_found

_BORN = ("createTime", "createdTime", "created")
_TOUCHED = ("updateTime", "updatedTime", "updated", "lastUpdatedOn", "documentUpdateTime")

Settle = Callable[[ApiCall, JSON, JSON], None]
"""A function that completes an item (argument 2) after the body of a request (argument 3) was merged into
it."""


def _nothing(call: ApiCall, item: JSON, body: JSON) -> None:
    """Do nothing. Most collections store an item as it is in the request."""


@dataclass(frozen=True)
class Collection:
    """Items of one resource, keyed by id. `resource` is empty if the API document has no schema for it.

    Initially there are `count` items with ids from `first`. `renamed` maps the members of requests to members
    of items; `archived` has the names of the members for the archived flag and its time.
    """

    name: str
    resource: str = ""
    key: str = "id"
    first: int = 1
    count: int = 12
    renamed: Mapping[str, str] = field(default_factory=dict)
    archived: tuple[str, str] = ("archived", "archivedTime")
    seed: Callable[[int], JSON] | None = None
    settle: Settle = _nothing
    missing: Callable[[str], HttpError] = not_found

    def items(self, state: State) -> dict[Any, JSON]:
        """Return all items, keyed by id."""
        if self.name not in state.store:
            seeded = [self._seeded(number) for number in range(self.first, self.first + self.count)]
            state.store[self.name] = {item[self.key]: item for item in seeded}
        return state.store[self.name]

    def _seeded(self, number: int) -> JSON:
        item = self.seed(number) if self.seed else make(self.resource, number)
        return self._without_archive(dict(item)) | ({self.archived[0]: False} if self._archives else {})

    @property
    def _archives(self) -> bool:
        return bool(self.resource) and self.archived[0] in members(self.resource)

    def _without_archive(self, item: JSON) -> JSON:
        hidden = {*self.archived, "archivedBy"} if self.resource else set()
        return {name: value for name, value in item.items() if name not in hidden}

    def find(self, state: State, key: Any) -> JSON:
        """Return the item with this id. Raises HttpError 404."""
        found = self.items(state).get(key.lower() if isinstance(key, str) and key.count("-") == 4 else key)
        if found is None:
            raise self.missing(self.name)
        return found

    def add(self, state: State, fields: JSON, settable: Iterable[str] = ()) -> JSON:
        """Add an item with these fields, and return it. `settable` fields that are not given are omitted."""
        number = state.next_number(self.name, self.first + self.count)
        item = make(self.resource, number) if self.resource else {self.key: number}
        own = {other for name in settable for other in (name, self.renamed.get(name, name))}
        item = {name: value for name, value in self._without_archive(item).items() if name not in own}
        item[self.key] = state.fresh_uid() if isinstance(item.get(self.key), str) else number
        item |= {name: time.time() for name in (*_BORN, *_TOUCHED) if name in item}
        item |= {self.archived[0]: False} if self._archives else {}
        item |= self.merged(fields)
        self.items(state)[item[self.key]] = item
        return item

    def change(self, item: JSON, fields: JSON, replaced: Iterable[str] = ()) -> None:
        """Set the given fields of an item; `replaced` fields that are not given are removed."""
        for name in replaced:
            if name != self.key and fields.get(name) is None:
                item.pop(self.renamed.get(name, name), None)
        item |= self.merged(fields)
        item |= {name: time.time() for name in _TOUCHED if name in item}

    def merged(self, fields: JSON) -> JSON:
        """Return the given fields, except the id, with the names that they have in an item."""
        kept = {self.renamed.get(name, name): value for name, value in fields.items() if value is not None}
        return {
            name: value
            for name, value in kept.items()
            if name != self.key and (not self.resource or name in members(self.resource))
        }

    def serve(
        self,
        *,
        list: str | tuple[str, ...] = (),
        create: str | tuple[str, ...] = (),
        get: str | tuple[str, ...] = (),
        update: str | tuple[str, ...] = (),
        delete: str | tuple[str, ...] = (),
        archive: str | tuple[str, ...] = (),
        restore: str | tuple[str, ...] = (),
        filters: Mapping[str, str] | None = None,
    ) -> None:
        """Declare the operations. `filters` maps the query parameters of lists to members of items."""
        for names, verb in (
            (list, partial(_list, filters or {})),
            (create, _create),
            (get, _get),
            (update, _update),
            (delete, _delete),
            (archive, partial(_archive, True)),
            (restore, partial(_archive, False)),
        ):
            for name in (names,) if isinstance(names, str) else names:
                facts = operations()[name]
                ENDPOINTS.add(endpoint_of(name, partial(_serve, self, facts, verb)))


def shown(item: JSON, resource: str) -> JSON:
    """Return the members of an item that the resource's schema declares."""
    known = members(resource)
    return {name: value for name, value in item.items() if name in known}


def named_in_path(facts: OpenApiFacts, arguments: Mapping[str, Any]) -> JSON:
    """Return the values in the path, keyed by the names of their parameters."""
    return {name: arguments[path_argument(name)] for name in facts["parameters"] if in_path(facts, name)}


def body_fact(facts: OpenApiFacts) -> OpenApiFacts:
    """Return the declared schema of an operation's body."""
    found: OpenApiFacts = next(iter(facts["body"].values()), {})
    return found


def check_references(state: State, fields: JSON) -> None:
    """Raise HttpError 404 if an organization, location, device or role in a request does not exist."""
    for name in ("organizationId", "orgId", "clientId", "destinationOrganizationId"):
        if fields.get(name):
            state.organization(fields[name])
    organization = fields.get("organizationId") or fields.get("orgId") or fields.get("clientId")
    if organization and fields.get("locationId"):
        state.location(organization, fields["locationId"])
    if fields.get("roleId"):
        state.role(fields["roleId"])
    for name in ("deviceId", "nodeId"):
        if fields.get(name):
            state.device(fields[name])
    if fields.get("assignedUserUid"):
        state.user_by_uid(fields["assignedUserUid"])


Verb = Callable[[Collection, OpenApiFacts, ApiCall, JSON], list[JSON]]


def _serve(collection: Collection, facts: OpenApiFacts, verb: Verb, call: ApiCall, **arguments: Any) -> Any:
    check_owners(call.state, facts["path"], arguments)
    items = verb(collection, facts, call, named_in_path(facts, arguments))
    return answer(facts, items)


def answer(facts: OpenApiFacts, items: list[JSON]) -> Any:
    """Return the declared result of an operation: all items, the first one, or nothing."""
    result = facts["result"]
    if result == "none":
        return None
    if "$ref" in result:
        return shown(items[0], result["$ref"])
    if result.get("type") == "array":
        return [shown(item, result["items"]["$ref"]) for item in items]
    lists = facts["method"] == "GET" and "{" not in facts["path"].rsplit("/", 1)[-1]
    return items if lists else items[0] if items else {}


def _list(
    filters: Mapping[str, str], collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON
) -> list[JSON]:
    flag = collection.archived[0]
    return [
        item
        for item in collection.items(call.state).values()
        if (call.query.get("includeArchived") or not item.get(flag))
        and all(item.get(member) == value for member, value in named.items() if member in item)
        and all(
            passes(item.get(filters[name]), call.query[name], name) for name in filters if name in call.query
        )
    ]


def passes(value: Any, wanted: Any, name: str) -> bool:
    """Return whether a member's value matches the query parameter `name`.

    The parameter has comma-separated ids or types, or a text that the value contains.
    """
    if isinstance(wanted, bool):
        return bool(value) == wanted
    if name.endswith(("Ids", "Types")):
        return str(value) in {part.strip() for part in wanted.split(",")}
    if isinstance(wanted, str):
        return wanted.casefold() in str(value).casefold()
    return bool(value == wanted)


def _bodies(facts: OpenApiFacts, call: ApiCall) -> tuple[list[JSON], list[str]]:
    """Return the items in a request's body, and the names of the members that the body can set."""
    fact, body = body_fact(facts), call.body
    properties = fact.get("items", fact).get("properties", {})
    if isinstance(body, dict) and len(properties) == 1:
        (wrapper, inner), *_ = properties.items()
        if "properties" in inner.get("items", {}):
            return list(body.get(wrapper) or []), list(inner["items"]["properties"])
    return (body if isinstance(body, list) else [body or {}]), list(properties)


def _create(collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON) -> list[JSON]:
    bodies, settable = _bodies(facts, call)
    for body in bodies:
        check_references(call.state, body)
    items = []
    for body in bodies:
        item = collection.add(call.state, {**body, **named}, settable)
        try:
            collection.settle(call, item, {**body, **named})
        except HttpError:
            del collection.items(call.state)[item[collection.key]]
            raise
        items.append(item)
    return items


def _keys(collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON) -> list[Any]:
    """Return the ids of the items that a request is for: in its path, its body, or a list in its body."""
    in_body = call.body
    if isinstance(in_body, dict) and len(in_body) == 1 and "properties" in body_fact(facts):
        (in_body,) = in_body.values()
    if isinstance(in_body, list):
        name = next((name for name in (collection.key, "checklistId", "tabId") if _has(in_body, name)), None)
        return [entry if isinstance(entry, int) else _own_key(entry, name) for entry in in_body]
    return [list(named.values())[-1]]


def _has(entries: list[Any], name: str) -> bool:
    return any(isinstance(entry, dict) and name in entry for entry in entries)


def _own_key(entry: JSON, name: str | None) -> Any:
    if name is None or entry.get(name) is None:
        raise invalid("id", "a value")
    return entry[name]


def _in_path(collection: Collection, call: ApiCall, named: JSON) -> JSON:
    """Return the item whose id is last in the path.

    Raises HttpError 404 if it does not exist, or belongs to another organization or policy than that in the
    path.
    """
    *owners, last = named
    item = collection.find(call.state, named[last])
    if any(item.get(owner, named[owner]) != named[owner] for owner in owners):
        raise collection.missing(collection.name)
    return item


def _get(collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON) -> list[JSON]:
    return [_in_path(collection, call, named)]


def _update(collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON) -> list[JSON]:
    bodies, settable = _bodies(facts, call)
    if named:
        items = [_in_path(collection, call, named)]
    else:
        items = [collection.find(call.state, key) for key in _keys(collection, facts, call, named)]
    for body in bodies:
        check_references(call.state, body)
    for item, body in zip(items, bodies, strict=True):
        before = deepcopy(item)
        try:
            collection.change(item, body, settable if facts["method"] == "PUT" else ())
            collection.settle(call, item, body)
        except HttpError:  # a refused change changes nothing
            item.clear()
            item.update(before)
            raise
    return items


def _delete(collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON) -> list[JSON]:
    keys = _keys(collection, facts, call, named)
    items = [collection.find(call.state, key) for key in keys]
    for key in {item[collection.key] for item in items}:
        del collection.items(call.state)[key]
    return []


def _archive(
    archive: bool, collection: Collection, facts: OpenApiFacts, call: ApiCall, named: JSON
) -> list[JSON]:
    items = [collection.find(call.state, key) for key in _keys(collection, facts, call, named)]
    flag, since = collection.archived
    for item in items:
        item[flag] = archive
        item.pop(since, None)
        if archive:
            item[since] = time.time()
    return items
