"""Endpoints for related items: an entity, a file or a login that belongs to another entity, its host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from connector.sandbox.messages import ServerResponse
from connector.sandbox.multipart import MultipartPart
from connector.sandbox.ninjaone.api.collections import Collection
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import check_parts, operation, operations
from connector.sandbox.ninjaone.areas.attachments import download, keep_file, signed_urls
from connector.sandbox.ninjaone.areas.checklists import CHECKLISTS
from connector.sandbox.ninjaone.areas.documents import DOCUMENTS
from connector.sandbox.ninjaone.areas.knowledge import ARTICLES
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, not_found
from connector.sandbox.types import given

_TIMES: JSON = {"createTime": EPOCH, "updateTime": EPOCH, "createdByAppUserId": 1, "updatedByAppUserId": 1}


def _seed(number: int) -> JSON:
    """Return a relation between two devices. `_items` replaces every second one by a file."""
    host: JSON = {"id": number, "entityType": "NODE", "entityId": number, "type": "ENTITY"}
    return {**host, "relEntityType": "NODE", "relEntityId": number + 1, **_TIMES}


RELATED = Collection("related_item", "RelatedItemPublicApiDTO", seed=_seed)


def _items(state: State) -> dict[Any, JSON]:
    first = RELATED.name not in state.store
    items = RELATED.items(state)
    if first:
        for item in list(items.values())[1::2]:
            part = MultipartPart("file", f"note-{item['id']}.txt", "text/plain", b"Example attachment\n")
            _attach(state, item, part)
    return items


def _attach(state: State, item: JSON, part: MultipartPart) -> None:
    item.pop("relEntityId", None)
    item |= {"type": "VALUE", "relEntityType": "ATTACHMENT", "value": keep_file(state, part)}


ENTITIES: dict[str, Callable[[State, int], Any]] = {
    "ORGANIZATION": State.organization,
    "NODE": State.device,
    "LOCATION": lambda state, number: state.any_location(number),
    "DOCUMENT": DOCUMENTS.find,
    "CHECKLIST": CHECKLISTS.find,
    "KB_DOCUMENT": ARTICLES.find,
}
"""Functions that return the entity with an id or raise HttpError 404. Ids of other types are not checked."""


def _check(state: State, kind: str, number: int) -> None:
    if kind in ENTITIES:
        ENTITIES[kind](state, number)


def _find(state: State, number: int) -> JSON:
    if number not in _items(state):
        raise not_found(RELATED.name)
    return _items(state)[number]


def _add(call: ApiCall, kind: str, number: int, fields: JSON) -> JSON:
    _items(call.state)
    _check(call.state, kind, number)
    settable = ("entity", "relEntity", "relEntityId", "relEntityType", "value", "type")
    item = RELATED.add(call.state, {"entityType": kind, "entityId": number, **fields}, settable)
    item |= {"createTime": time.time(), "updateTime": time.time()}
    return item


@operation("getAllRelatedItems")
def get_all(call: ApiCall) -> list[JSON]:
    """Return all related items."""
    return list(_items(call.state).values())


@operation("getRelatedItemsWithHostEntityType")
def get_by_host_type(call: ApiCall, entity_type: str) -> list[JSON]:
    """Return the items whose hosts are of one type."""
    return _where(call, entityType=entity_type)


@operation("getRelatedItemsWithEntityType")
def get_by_related_type(call: ApiCall, related_entity_type: str) -> list[JSON]:
    """Return the items of one type, whatever their hosts are."""
    return _where(call, relEntityType=related_entity_type)


@operation("getRelatedItemsWithEntity")
def get_by_related_entity(call: ApiCall, rel_entity_type: str, rel_entity_id: int) -> list[JSON]:
    """Return the items that refer to one entity, whatever their hosts are."""
    return _where(call, relEntityType=rel_entity_type, relEntityId=rel_entity_id)


@operation("getRelatedItemsForHostEntity")
def get_of_entity(call: ApiCall, entity_type: str, entity_id: int) -> list[JSON]:
    """Return the items of an entity: those that it hosts, those that host it, or both."""
    scope = call.query.get("scope", "ALL")
    hosted = _where(call, entityType=entity_type, entityId=entity_id) if scope != "HOSTED_BY" else []
    hosting = _where(call, relEntityType=entity_type, relEntityId=entity_id) if scope != "HOSTING" else []
    return hosted + [item for item in hosting if item not in hosted]


def _where(call: ApiCall, **wanted: Any) -> list[JSON]:
    return [
        item
        for item in _items(call.state).values()
        if all(item.get(name) == value for name, value in wanted.items())
    ]


@operation("createRelatedItemForEntity")
def relate(call: ApiCall, entity_type: str, entity_id: int) -> JSON:
    """Add an entity as a related item of another one."""
    return _relate(call, entity_type, entity_id, [call.body])[0]


@operation("createRelatedItemForEntity_1")
def relate_several(call: ApiCall, entity_type: str, entity_id: int) -> list[JSON]:
    """Add entities as related items of another one; all or none."""
    return _relate(call, entity_type, entity_id, call.body)


def _relate(call: ApiCall, kind: str, number: int, bodies: list[JSON]) -> list[JSON]:
    for body in bodies:
        for name in ("relEntityType", "relEntityId"):
            if body.get(name) is None:
                raise invalid(name, "a value")
        _check(call.state, body["relEntityType"], body["relEntityId"])
    return [
        _add(call, kind, number, {"type": "ENTITY", **given(body, "relEntityType", "relEntityId")})
        for body in bodies
    ]


@operation("createRelatedItem")
def attach(call: ApiCall, entity_type: str, entity_id: int) -> JSON:
    """Add a file to an entity."""
    check_parts(operations()["createRelatedItem"], call.parts)
    item = _add(call, entity_type, entity_id, {})
    _attach(call.state, item, next(part for part in call.parts if part.name == "file"))
    return item


@operation("createSecureRelatedItemForEntity")
def add_secure(call: ApiCall, entity_type: str, entity_id: int) -> JSON:
    """Add a login to an entity, and return it without its secrets."""
    value = given(call.body, "name", "url", "notes", "username")
    return _add(call, entity_type, entity_id, {"type": "VALUE", "relEntityType": "SECURE", "value": value})


@operation("deleteRelatedItem")
def delete(call: ApiCall, related_item_id: int) -> None:
    """Delete the item."""
    _find(call.state, related_item_id)
    del _items(call.state)[related_item_id]


@operation("deleteRelatedItems")
def delete_all(call: ApiCall, entity_type: str, entity_id: int) -> None:
    """Delete all related items of the entity."""
    for item in _where(call, entityType=entity_type, entityId=entity_id):
        del _items(call.state)[item["id"]]


@operation("downloadRelatedItemAttachment")
def download_attachment(call: ApiCall, related_item_id: int) -> ServerResponse:
    """Return the file of the item. The API document declares no response."""
    item = _find(call.state, related_item_id)
    return download(call.state, (item.get("value") or {}).get("contentId", ""))


@operation("getRelatedItemAttachmentsSignedUrls")
def get_signed_urls(call: ApiCall, entity_type: str, entity_id: int) -> JSON:
    """Return links to the files that belong to the entity."""
    hosted = _where(call, entityType=entity_type, entityId=entity_id, relEntityType="ATTACHMENT")
    return signed_urls(*(item["value"]["contentId"] for item in hosted))
